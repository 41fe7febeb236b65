"""Calls of which only the beginning was counted: the prompt is billed as told, the answer is estimated."""

from datetime import UTC, datetime

import pytest

from bot.core.booking import Account
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import StreamBroken
from bot.core.events import CallFinished, Finish, FinishReason, ProviderEvent, TextDelta, Usage, UsageReport
from bot.core.interrupt import Interrupt
from bot.core.ledger import CallStatus, LedgerRow
from bot.core.message import Message, Role
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import ChatRequest
from bot.core.turn import TurnLoop
from tests.fakes.clock import ManualClock
from tests.fakes.desk import price
from tests.fakes.providers import ScriptedProvider

PLACE = Place(platform="test", account="bot", chat="chat", kind=ChatKind.PRIVATE)
AUTHOR = Author(platform="test", id="7", name="Ann")
MODEL = ModelInfo(ref=ModelRef("scripted", "model"))
EARLY = UsageReport(usage=Usage(input_tokens=900, output_tokens=1, cached_tokens=800), model="m", partial=True)
WHOLE = UsageReport(usage=Usage(input_tokens=900, output_tokens=50, cached_tokens=800), model="m")
CUT = StreamBroken("cut", provider="scripted")


async def booked(*script: ProviderEvent | StreamBroken) -> LedgerRow:
    """The row of a call that brings `script`; a long word counts for 10 tokens."""
    clock = ManualClock()
    loop = TurnLoop(ScriptedProvider(script), None, interrupt=Interrupt(60.0), clock=clock)
    request = ChatRequest(model=MODEL, system="", messages=(Message.of_text(Role.USER, "Hi"),))
    (call,) = [event async for event in loop.run(request) if isinstance(event, CallFinished)]
    account = Account(
        turn_uid="t",
        place=PLACE,
        author_key=AUTHOR.key,
        model=MODEL,
        price=price,
        estimate=lambda text: 10 * len(text.split()),
    )
    return account.row(call, fence=1, number=0, at=datetime(2026, 11, 20, tzinfo=UTC))


async def test_a_stream_that_broke_is_billed_with_its_prompt_as_told_and_its_words_estimated() -> None:
    row = await booked(EARLY, TextDelta(text="one two "), TextDelta(text="three"), CUT)

    assert row.usage == Usage(input_tokens=900, output_tokens=31, cached_tokens=800)
    assert (row.usage_estimated, row.status, row.model_answered) == (True, CallStatus.INCOMPLETE, "m")


@pytest.mark.parametrize("end", [Finish(reason=FinishReason.STOP), CUT], ids=["whole", "broken"])
async def test_the_count_at_the_end_replaces_that_of_the_beginning(end: Finish | StreamBroken) -> None:
    row = await booked(EARLY, TextDelta(text="one two"), WHOLE, end)

    assert (row.usage, row.usage_estimated) == (WHOLE.usage, False)


async def test_an_answer_that_ends_well_without_its_count_is_estimated() -> None:
    row = await booked(EARLY, TextDelta(text="one two"), Finish(reason=FinishReason.STOP))

    assert (row.usage.output_tokens, row.usage_estimated, row.status) == (21, True, CallStatus.COMPLETED)
