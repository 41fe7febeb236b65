"""One question to a model beside the turns: for titles, summaries and comparisons; charged like any other call.

Knows nothing of what the answer is for.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bot.core.booking import Account
from bot.core.catalogue import ModelInfo
from bot.core.errors import ModelNotFound, ParleyError, StorageUnavailable, reference_of
from bot.core.events import CallFinished, TextDelta, TurnEnded
from bot.core.interrupt import Interrupt
from bot.core.ledger import CallKind, LedgerRow
from bot.core.message import Message, Role
from bot.core.patience import Patience
from bot.core.place import Place
from bot.core.ports import ChatRequest, Clock, Pricer, Provider
from bot.core.purse import Purse
from bot.core.stores import Ledger
from bot.core.tokens import estimate_tokens
from bot.core.turn import TurnLoop, prompt_of

log = logging.getLogger(__name__)

#: A call that was paid for is booked, if storage comes back in this time.
_BOOKING_PATIENCE_S = 600.0
#: What a model that reasons may think before a short text, and the words that keep it short.
_THINKING_TOKENS = 2_000
_NO_THINKING = "none"
_LITTLE_THINKING = (_NO_THINKING, "minimal", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of it. `text` may be partial when `error` is set; `row` is booked already, None: nobody was called.

    `first_token_s` and `duration_s` are None when nobody was called (or, for the first, nothing came). `notice` is
    what the person should read with it, None: nothing (see Permit).
    """

    text: str
    error: ParleyError | None
    row: LedgerRow | None
    first_token_s: float | None = None
    duration_s: float | None = None
    notice: str | None = None


@dataclass(slots=True, kw_only=True)
class _Call:
    """One question as it goes. `held`: something is reserved for it. `running`: a provider may be called just now."""

    account: Account
    request: ChatRequest
    held: bool = False
    running: bool = False
    notice: str | None = None
    text: list[str] = field(default_factory=list)
    rows: list[LedgerRow] = field(default_factory=list)


class SideCalls:
    """Makes calls that are no turns."""

    def __init__(
        self, *, providers: Mapping[str, Provider], price: Pricer, purse: Purse, ledger: Ledger, clock: Clock
    ) -> None:
        self._providers = providers
        self._price = price
        self._purse = purse
        self._ledger = ledger
        self._clock = clock
        self._patience = Patience(clock, _tell_nobody)

    async def ask(
        self,
        request: ChatRequest,
        *,
        uid: str,
        kind: CallKind,
        place: Place,
        author_key: str,
        timeout_s: float,
    ) -> Reply:
        """Ask, reserve, book and settle. `uid` is what the call belongs to; the row's id is `uid~0~0`.

        A row is booked once under its id: ask anew under a new uid. Never raises for what a provider, a budget or the
        time limit does: that is in the reply. No tool is run: with those of the request a call of one is its end,
        ToolRoundsExhausted. Raises StorageUnavailable.
        """
        provider = self._providers.get(request.model.ref.provider)
        if provider is None:
            missing = ModelNotFound(f"no provider for {request.model.ref}", provider=request.model.ref.provider)
            return Reply(text="", error=missing, row=None)
        account = Account(
            turn_uid=uid, place=place, author_key=author_key, model=request.model, price=self._price, kind=kind
        )
        call = _Call(account=account, request=replace(request, lane=request.lane or reference_of(place.thread_key)))
        try:
            error = await self._follow(call, provider, timeout_s)
            call.running = False
            await self._patience.persist(lambda: self._settle(call), deadline_s=_BOOKING_PATIENCE_S)
        except asyncio.CancelledError:
            await self._book_lost(call)
            raise
        if isinstance(error, StorageUnavailable):
            raise error
        last = call.rows[-1] if call.rows else None
        return Reply(
            text="".join(call.text),
            error=error,
            row=last,
            first_token_s=last.first_token_s if last else None,
            duration_s=last.duration_s if last else None,
            notice=call.notice,
        )

    async def _follow(self, call: _Call, provider: Provider, timeout_s: float) -> ParleyError | None:
        """Take in what the model says; returns how it ended, None: well."""
        account = call.account

        async def permission(request: ChatRequest) -> ChatRequest:
            return await self._reserve(call, request)

        loop = TurnLoop(
            provider,
            None,
            interrupt=Interrupt(timeout_s),
            clock=self._clock,
            permission=permission,
        )
        async with aclosing(loop.run(call.request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        call.text.append(event.text)
                    case CallFinished():
                        row = account.row(event, fence=0, number=len(call.rows), at=self._clock.now())
                        call.rows.append(row)
                    case TurnEnded():
                        return event.error
                    case _:
                        pass  # what it thinks is nobody's business, and there are no tools
        raise AssertionError("a turn always ends with TurnEnded")

    async def _reserve(self, call: _Call, request: ChatRequest) -> ChatRequest:
        account = call.account
        permit = await self._purse.reserve(
            account.row_id(fence=0, number=0),
            request,
            prompt_tokens=estimate_tokens(prompt_of(request)),
            place=account.place,
            author_key=account.author_key,
        )
        call.held = call.running = True
        call.notice = permit.notice
        return permit.request

    async def _settle(self, call: _Call) -> None:
        """Book what was called; what was held for a call that nobody bills is given back."""
        account = call.account
        if call.rows:
            await self._ledger.append(call.rows)
            await self._purse.settle(call.rows)
        elif call.held:
            hold = account.row_id(fence=0, number=0)
            await self._purse.release(hold, place=account.place, author_key=account.author_key)

    async def _book_lost(self, call: _Call) -> None:
        """This process ends in the middle: the prompt of a call that was running was probably billed."""
        if call.running and not call.rows:
            call.rows.append(call.account.lost_row(prompt_of(call.request), fence=0, at=self._clock.now()))
        try:
            await self._settle(call)
        except StorageUnavailable as error:
            log.warning("a call of %s was broken off and is not booked: %s", call.account.turn_uid, error)


def short_request(model: ModelInfo, *, system: str, text: str, answer_tokens: int) -> ChatRequest:
    """A request for a short text of at most `answer_tokens`, with as little thinking as the model allows."""
    effort = next((word for word in _LITTLE_THINKING if word in model.efforts), None)
    return ChatRequest(
        model=model,
        system=system,
        messages=(Message.of_text(Role.USER, text),),
        max_output_tokens=output_limit(model, answer_tokens, effort=effort),
        reasoning_effort=effort,
    )


def output_limit(model: ModelInfo, answer_tokens: int, *, effort: str | None) -> int:
    """What a model may write at most for a text of `answer_tokens`: what it thinks before comes on top."""
    thinks = model.reasoning is not False and effort != _NO_THINKING
    wanted = answer_tokens + (_THINKING_TOKENS if thinks else 0)
    return wanted if model.max_output_tokens is None else min(wanted, model.max_output_tokens)


async def _tell_nobody(place: Place) -> None:
    """Nobody waits for a chore; whoever waits for a command is told when it fails."""
