"""An answer read out: paid for before, sent once, booked however it ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from bot.core.catalogue import ModelInfo, Price
from bot.core.errors import (
    AuthenticationFailed,
    BudgetExhausted,
    DeliveryKind,
    ProviderError,
    RateLimited,
    StorageUnavailable,
    StreamBroken,
)
from bot.core.ledger import CallKind, CallStatus, Certainty, LedgerRow
from bot.core.place import Place
from bot.core.pricing import Pricing
from bot.core.sound import Spoken
from bot.core.speaking import NO_SPEAKER, NOTHING_TO_SAY, SHORTENED, Speaking
from tests.fakes.clock import ManualClock
from tests.fakes.desk import ANN, PRIVATE
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger
from tests.fakes.sound import ScriptedSpeaker
from tests.fakes.stores import MemoryLedger

UID = "x:7~speak"
ROW_ID = f"{UID}~speech~0"
#: Three dollars a million tokens of text, ten of speech.
PRICED = replace(ScriptedSpeaker().model, price=Price(input="3", output="10"))


@dataclass(slots=True)
class Purse:
    """Holds sums; `left_nano` None: there is no budget."""

    left_nano: int | None = None
    held: dict[str, int | None] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    async def reserve_sum(self, call_id: str, nano_usd: int | None, *, place: Place, author_key: str) -> None:
        if self.left_nano is not None and (nano_usd is None or nano_usd > self.left_nano):
            raise BudgetExhausted("The budget has no room for this.")
        self.held[call_id] = nano_usd

    async def settle(self, rows: Sequence[LedgerRow]) -> None:
        self.settled += [row.id for row in rows]
        for row in rows:
            self.held.pop(row.id, None)

    async def release_sum(self, call_id: str) -> None:
        self.released.append(call_id)
        self.held.pop(call_id, None)


@dataclass(slots=True)
class TroubledSpeaker(ScriptedSpeaker):
    """Fails, or never comes to an end."""

    failure: ProviderError | None = None
    endless: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def speak(self, text: str) -> Spoken:
        await asyncio.sleep(0)  # a call takes a moment, in which others run
        self.began.set()
        if self.endless:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return await ScriptedSpeaker.speak(self, text)


class Booth:
    """Speaking, with all that lies behind it."""

    def __init__(
        self,
        *,
        left_nano: int | None = None,
        failure: ProviderError | None = None,
        endless: bool = False,
        model: ModelInfo = PRICED,
        timeout_s: float = 5.0,
        typing_interval_s: float | None = 4.0,
    ) -> None:
        self.clock = ManualClock()
        self.purse = Purse(left_nano)
        self.ledger = MemoryLedger()
        self.speaker = TroubledSpeaker(failure=failure, endless=endless, model=model)
        self.messenger = RecordingMessenger(
            self.clock, abilities=replace(CAPABILITIES, typing_interval_s=typing_interval_s)
        )
        self.speaking = Speaking(
            speaker=self.speaker,
            messengers={"x": self.messenger},
            price=Pricing(),
            purse=self.purse,
            ledger=self.ledger,
            clock=self.clock,
            timeout_s=timeout_s,
        )

    async def say(self, markdown: str = "The **answer** is 4.", uid: str = UID) -> str | None:
        return await self.speaking.say(PRIVATE, ANN.key, uid, markdown, reply_to="m1")

    @property
    def rows(self) -> list[LedgerRow]:
        return list(self.ledger.booked.values())


async def test_an_answer_is_said_once_and_booked_as_speech() -> None:
    booth = Booth()

    told = await booth.say()

    (sent,) = booth.messenger.calls_of("send_voice")
    (row,) = booth.rows
    assert told is None
    assert booth.speaker.spoken == ["The answer is 4."]
    assert (sent.place, sent.key, sent.reply_to) == (PRIVATE, f"{UID}~speech", "m1")
    assert sent.voice is not None
    assert (row.id, row.turn_uid, row.kind, row.status) == (ROW_ID, UID, CallKind.SPEECH, CallStatus.COMPLETED)
    assert (row.author_key, row.thread_key, row.provider) == (ANN.key, PRIVATE.thread_key, "alpha")
    assert (row.cost.nano_usd, row.cost.certainty) == (16 * 3_000 + 50 * 10_000, Certainty.EXACT)
    assert (booth.purse.settled, booth.purse.held, booth.purse.released) == ([ROW_ID], {}, [])


async def test_the_worst_case_is_held_before_anybody_is_asked() -> None:
    booth = Booth(endless=True)

    async with asyncio.TaskGroup() as group:
        saying = group.create_task(booth.say())
        await booth.speaker.began.wait()
        held = dict(booth.purse.held)
        saying.cancel()

    assert held == {ROW_ID: 16 * 3_000 + 1_000 * 10_000}


async def test_without_a_speaker_people_learn_what_to_set() -> None:
    booth = Booth()
    mute = Speaking(
        speaker=None,
        messengers={"x": booth.messenger},
        price=Pricing(),
        purse=booth.purse,
        ledger=booth.ledger,
        clock=booth.clock,
    )

    told = await mute.say(PRIVATE, ANN.key, UID, "Hello", reply_to=None)

    assert (told, mute.model) == (NO_SPEAKER, None)
    assert "SPEECH_MODEL" in NO_SPEAKER


async def test_an_answer_of_code_alone_is_nothing_to_say() -> None:
    booth = Booth()

    assert await booth.say("```\nx = 1\n```") == NOTHING_TO_SAY
    assert (booth.purse.held, booth.speaker.spoken) == ({}, [])


async def test_a_long_answer_is_said_up_to_the_cut_and_people_are_told() -> None:
    booth = Booth()

    told = await booth.say("A sentence of some words. " * 400)

    assert told == SHORTENED
    assert len(booth.speaker.spoken[0]) <= 4_000


async def test_what_the_budget_has_no_room_for_is_not_said() -> None:
    booth = Booth(left_nano=1)

    assert await booth.say() == "The budget has no room for this."
    assert (booth.speaker.spoken, booth.rows) == ([], [])


async def test_a_price_that_nobody_knows_is_not_taken_for_nothing() -> None:
    unknown = replace(PRICED, price=None)
    refused, allowed = Booth(left_nano=10**12, model=unknown), Booth(model=unknown)

    assert await refused.say() == "The budget has no room for this."
    assert await allowed.say() is None
    assert allowed.rows[0].cost.nano_usd is None


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (RateLimited("HTTP 429", provider="alpha"), "alpha is limiting this bot's requests. Try /speak again later."),
        (AuthenticationFailed("HTTP 401", provider="alpha"), "alpha did not accept the bot's key. The operator"),
    ],
)
async def test_a_refused_call_costs_nothing(failure: ProviderError, words: str) -> None:
    booth = Booth(failure=failure)

    told = await booth.say()

    assert told is not None
    assert told.startswith(words)
    assert "/retry" not in told
    assert (booth.rows, booth.purse.released) == ([], [ROW_ID])


async def test_a_call_that_broke_is_booked_for_its_text() -> None:
    booth = Booth(failure=StreamBroken("reset", provider="alpha"))

    told = await booth.say()

    (row,) = booth.rows
    assert told is not None
    assert (row.status, row.usage_estimated) == (CallStatus.INCOMPLETE, True)
    assert row.cost.nano_usd == int(Decimal(16 * 3_000))
    assert booth.purse.settled == [ROW_ID]


async def test_a_service_that_takes_too_long_is_left() -> None:
    booth = Booth(endless=True, timeout_s=0.05)

    told = await booth.say()

    assert told is not None
    assert told.startswith("Reading it out took longer than 0 seconds.")
    assert [row.status for row in booth.rows] == [CallStatus.INCOMPLETE]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (DeliveryKind.FORBIDDEN, "I may not send voice messages here."),
        (DeliveryKind.TRANSIENT, "It was read out, but the platform did not take the recording."),
    ],
)
async def test_what_the_platform_refused_is_booked_all_the_same(kind: DeliveryKind, words: str) -> None:
    booth = Booth()
    booth.messenger.fail("send_voice", kind)

    told = await booth.say()

    assert told is not None
    assert told.startswith(words)
    assert [row.status for row in booth.rows] == [CallStatus.COMPLETED]


async def test_what_is_broken_off_is_booked_as_lost() -> None:
    booth = Booth(endless=True)

    async with asyncio.TaskGroup() as group:
        saying = group.create_task(booth.say())
        await booth.speaker.began.wait()
        saying.cancel()

    assert saying.cancelled()
    assert [row.status for row in booth.rows] == [CallStatus.LOST]
    assert booth.purse.held == {}


async def test_typing_is_shown_and_its_failure_is_nobodys_problem() -> None:
    booth = Booth()
    booth.messenger.fail("typing", DeliveryKind.FORBIDDEN)

    assert await booth.say() is None
    assert [call.verb for call in booth.messenger.calls] == ["typing", "send_voice"]


async def test_where_there_is_no_typing_none_is_shown() -> None:
    booth = Booth(typing_interval_s=None)

    assert await booth.say() is None
    assert booth.messenger.calls_of("typing") == ()


async def test_speech_is_not_made_again_because_storage_was_away() -> None:
    booth = Booth()
    booth.ledger.down = True

    told = await booth.say()

    assert told is None
    assert len(booth.speaker.spoken) == len(booth.messenger.calls_of("send_voice")) == 1


async def test_storage_that_is_away_before_is_the_callers() -> None:
    booth = Booth()

    class Away(Purse):
        async def reserve_sum(self, call_id: str, nano_usd: int | None, *, place: Place, author_key: str) -> None:
            raise StorageUnavailable("away")

    away = Speaking(
        speaker=booth.speaker,
        messengers={"x": booth.messenger},
        price=Pricing(),
        purse=Away(),
        ledger=booth.ledger,
        clock=booth.clock,
    )

    with pytest.raises(StorageUnavailable):
        await away.say(PRIVATE, ANN.key, UID, "Hello", reply_to=None)
    assert booth.speaker.spoken == []
