"""Reads an answer out as a voice message: pays for it, has it spoken, sends it and books it.

Knows neither a service nor a platform, and nothing of what is read.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core.catalogue import ModelInfo
from bot.core.errors import (
    BudgetExhausted,
    DeliveryError,
    DeliveryKind,
    EmptyAnswer,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    StorageUnavailable,
    StreamBroken,
    TurnTimeout,
    explain,
    reference_of,
)
from bot.core.events import Usage
from bot.core.ledger import CallKind, CallStatus, LedgerRow
from bot.core.patience import Patience
from bot.core.place import Place
from bot.core.ports import Clock, Messenger, Pricer
from bot.core.sound import Speaker, Spoken
from bot.core.spoken import cut, spoken
from bot.core.stores import Ledger

log = logging.getLogger(__name__)

#: Four thousand characters take a slow service half a minute.
SPEAK_TIMEOUT_S = 120.0
NO_SPEAKER = (
    "I can't read aloud here: no model for speech is set up. The operator can give me OPENAI_API_KEY or "
    "GEMINI_API_KEY, or name a model as SPEECH_MODEL."
)
NOTHING_TO_SAY = "There is nothing in it to read out."
SHORTENED = "That was the beginning: I read out about five minutes at most. The rest is in the text."
#: A call that was paid for is booked, if storage comes back in this time.
_BOOKING_PATIENCE_S = 600.0


class SpeechPurse(Protocol):
    """What is needed of the purse: a sum is held before the call, and its row settles it."""

    async def reserve_sum(self, call_id: str, nano_usd: int | None, *, place: Place, author_key: str) -> None:
        """Hold a sum in every budget that it counts against; None: the price is not known. Raises BudgetExhausted."""
        ...

    async def settle(self, rows: Sequence[LedgerRow]) -> None:
        """Put real costs in the place of what was held."""
        ...

    async def release_sum(self, call_id: str) -> None:
        """The call was not made, or nobody bills it."""
        ...


@dataclass(slots=True, kw_only=True)
class _Call:
    """One text as it is read out. `running`: the service may be at work just now, `held`: something is reserved."""

    uid: str
    place: Place
    author_key: str
    text: str
    worst: Usage
    started_s: float
    held: bool = False
    running: bool = False
    row: LedgerRow | None = None
    booked: bool = False

    @property
    def id(self) -> str:
        """The id of its row, and of what is held for it."""
        return f"{self.uid}~speech~0"


class Speaking:
    """Makes voice messages. `speaker` None: nothing is set up for it; `messengers` are by platform."""

    def __init__(
        self,
        *,
        speaker: Speaker | None,
        messengers: Mapping[str, Messenger],
        price: Pricer,
        purse: SpeechPurse,
        ledger: Ledger,
        clock: Clock,
        timeout_s: float = SPEAK_TIMEOUT_S,
    ) -> None:
        self._speaker = speaker
        self._messengers = messengers
        self._price = price
        self._purse = purse
        self._ledger = ledger
        self._clock = clock
        self._timeout_s = timeout_s
        self._patience = Patience(clock, _tell_nobody)

    @property
    def model(self) -> ModelInfo | None:
        """What speaks; None: nothing does."""
        return None if self._speaker is None else self._speaker.model

    async def say(self, place: Place, author_key: str, uid: str, markdown: str, *, reply_to: str | None) -> str | None:
        """Read an answer out to a chat. `uid` is what the call belongs to: it is booked once, so call anew with a new.

        Returns None when all of it was said; else what people should know: why it was not, or that it was cut.
        Raises StorageUnavailable before anything was spoken.
        """
        if self._speaker is None:
            return NO_SPEAKER
        whole = spoken(markdown)
        if not whole:
            return NOTHING_TO_SAY
        text = cut(whole)
        call = _Call(
            uid=uid,
            place=place,
            author_key=author_key,
            text=text,
            worst=self._speaker.worst_case(text),
            started_s=self._clock.monotonic(),
        )
        try:
            refusal = await self._reserve(call, self._speaker.model)
            if refusal is not None:
                return refusal
            problem = await self._speak_and_send(call, self._speaker, reply_to)
            await self._book(call)
        except asyncio.CancelledError:
            await self._book_lost(call, self._speaker.model)
            raise
        return problem if problem is not None or text == whole else SHORTENED

    async def _reserve(self, call: _Call, model: ModelInfo) -> str | None:
        at_most = self._price(call.worst, model, self._clock.now(), estimated=True).nano_usd
        call.held = True  # also when this is broken off: giving back what is not held changes nothing
        try:
            await self._purse.reserve_sum(call.id, at_most, place=call.place, author_key=call.author_key)
        except BudgetExhausted as error:
            return str(error)
        return None

    async def _speak_and_send(self, call: _Call, speaker: Speaker, reply_to: str | None) -> str | None:
        """Returns what went wrong, in words for people; None: nothing."""
        messenger = self._messengers[call.place.platform]
        call.running = True
        async with asyncio.TaskGroup() as group:
            typing = group.create_task(self._type(messenger, call.place))
            said = await self._speak(call.text, speaker)
            typing.cancel()
        call.running = False
        if isinstance(said, Spoken):
            call.row = self._row(call, speaker.model, said.usage, said.estimated, CallStatus.COMPLETED)
            await self._book(call)  # before a platform that may take its time
            return await self._send(messenger, call, said, reply_to)
        if isinstance(said, StreamBroken | EmptyAnswer | TurnTimeout):  # nobody knows whether it is billed
            call.row = self._unanswered(call, speaker.model, CallStatus.INCOMPLETE)
        return _refusal(said, call.uid)

    async def _speak(self, text: str, speaker: Speaker) -> Spoken | ProviderError | TurnTimeout:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await speaker.speak(text)
        except ProviderError as error:
            return error
        except TimeoutError:
            return TurnTimeout(self._timeout_s)

    async def _send(self, messenger: Messenger, call: _Call, said: Spoken, reply_to: str | None) -> str | None:
        try:
            await messenger.send_voice(call.place, said.voice, key=f"{call.uid}~speech", reply_to=reply_to)
        except DeliveryError as error:
            log.warning("a voice message was not delivered (ref %s): %s", reference_of(call.uid), error)
            if error.kind is DeliveryKind.FORBIDDEN:
                return "I may not send voice messages here."
            return "It was read out, but the platform did not take the recording. Try /speak again later."
        return None

    async def _type(self, messenger: Messenger, place: Place) -> None:
        """Show that the bot is at work, until it is cancelled."""
        interval_s = messenger.capabilities(place).typing_interval_s
        while interval_s is not None:
            with suppress(DeliveryError):
                await messenger.typing(place)
            await self._clock.sleep(interval_s)

    def _unanswered(self, call: _Call, model: ModelInfo, status: CallStatus) -> LedgerRow:
        """The row of a call that came to no end: the text was probably billed, the speech nobody knows."""
        return self._row(call, model, replace(call.worst, output_tokens=0, audio_output_tokens=0), True, status)

    def _row(self, call: _Call, model: ModelInfo, usage: Usage, estimated: bool, status: CallStatus) -> LedgerRow:
        now = self._clock.now()
        return LedgerRow(
            id=call.id,
            at=now,
            turn_uid=call.uid,
            thread_key=call.place.thread_key,
            channel_key=call.place.channel_key,
            space_key=call.place.space_key,
            author_key=call.author_key,
            provider=model.ref.provider,
            model=str(model.ref),
            model_answered=None,
            usage=usage,
            usage_estimated=estimated,
            cost=self._price(usage, model, now, estimated=estimated),
            status=status,
            first_token_s=None,
            duration_s=self._clock.monotonic() - call.started_s,
            kind=CallKind.SPEECH,
        )

    async def _book(self, call: _Call) -> None:
        """Book and settle, once; what cannot be booked in time is told in the log: it was said, and not again."""
        if call.booked:
            return
        call.booked = True
        try:
            await self._patience.persist(lambda: self._settle(call), deadline_s=_BOOKING_PATIENCE_S)
        except StorageUnavailable as error:
            log.warning("speech of %s is not booked: %s", call.uid, error)

    async def _settle(self, call: _Call) -> None:
        if call.row is not None:
            await self._ledger.append([call.row])
            await self._purse.settle([call.row])
        elif call.held:
            await self._purse.release_sum(call.id)

    async def _book_lost(self, call: _Call, model: ModelInfo) -> None:
        """This process ends in the middle: there is one try."""
        if call.running and call.row is None:
            call.row = self._unanswered(call, model, CallStatus.LOST)
        try:
            await self._settle(call)
        except StorageUnavailable as error:
            log.warning("speech of %s was broken off and is not booked: %s", call.uid, error)


def _refusal(error: ProviderError | TurnTimeout, uid: str) -> str:
    """What people read when the service did not speak. /retry and /model, which `explain` names, do not help here."""
    reference = reference_of(uid)
    log.warning("an answer was not read out (ref %s): %s", reference, error)
    if isinstance(error, TurnTimeout):
        what = f"Reading it out took longer than {error.seconds:.0f} seconds."
    else:
        what = explain(error, reference=reference).what
    passes = isinstance(error, TurnTimeout | RateLimited | ProviderUnavailable | StreamBroken | EmptyAnswer)
    do = "Try /speak again later." if passes else "The operator of this bot may have to fix that."
    return f"{what} {do} (ref {reference})"


async def _tell_nobody(place: Place) -> None:
    """Whoever asked hears of it when it fails."""
