"""How answers of the Chat Completions wire arrive: the ends that servers give them, and those that do not stream."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import (
    ContextTooLong,
    EmptyAnswer,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    StreamBroken,
)
from bot.core.events import Finish, FinishReason, TextDelta, UsageReport
from bot.core.message import ToolCall
from bot.providers._lines import LineBuffer
from tests.bot.providers.serving import ADD, World, reasoning_of, serving, text_of
from tests.bot.providers.serving_openai import COMPATIBLE
from tests.fakes import script
from tests.fakes.openai import dialect
from tests.fakes.openai.dialect import Dialect
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import Breakage, Broken, HttpFault, Reply

WITHOUT_REASON = dataclasses.replace(dialect.COMPATIBLE, says_finish=False)
WITHOUT_STREAM = dataclasses.replace(dialect.COMPATIBLE, streams=False)


@asynccontextmanager
async def speaking(played: Dialect) -> AsyncIterator[World[FakeOpenAI]]:
    """A compatible server of another dialect."""
    case = dataclasses.replace(COMPATIBLE, serve=lambda: FakeOpenAI(dialect=played))
    async with serving(case) as world:
        yield world


async def test_a_stream_that_only_says_done_has_ended() -> None:
    async with speaking(WITHOUT_REASON) as world:
        world.fake.script(Reply(text="It is four."))
        events = await world.ask(world.request("Talk"))

    assert text_of(events) == "It is four."
    assert events[-1] == Finish(reason=FinishReason.STOP)


async def test_calls_of_a_stream_that_only_says_done_count() -> None:
    async with speaking(WITHOUT_REASON) as world:
        world.fake.script(Reply(tool_calls=(script.ToolCall(name="add", call_id="c1"),)))
        events = await world.ask(world.request("Add", tools=(ADD,)))

    assert [event.id for event in events if isinstance(event, ToolCall)] == ["c1"]
    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)


@pytest.mark.parametrize("how", [Breakage.CUT, Breakage.NO_FINAL], ids=str)
async def test_a_stream_that_gives_no_reason_and_does_not_say_done_is_broken(how: Breakage) -> None:
    async with speaking(WITHOUT_REASON) as world:
        world.fake.script(Broken(how=how, reply=Reply(text="all of it")))
        events, error = await world.ask_until_error(world.request("Talk"))

    assert text_of(events) == "all of it"
    assert type(error) is StreamBroken


async def test_a_stream_that_says_nothing_but_done_is_an_empty_answer() -> None:
    async with speaking(WITHOUT_REASON) as world:
        world.fake.script(Reply(chunks=()))
        _, error = await world.ask_until_error(world.request("Talk"))

    assert type(error) is EmptyAnswer


async def test_a_server_that_does_not_stream_is_understood() -> None:
    usage = script.Usage(input_tokens=30, output_tokens=7, cached_tokens=20)
    call = script.ToolCall(name="add", arguments='{"a": 1}', call_id="c1")
    async with speaking(WITHOUT_STREAM) as world:
        world.fake.script(Reply(text="Let me see.", reasoning="Hm", usage=usage, tool_calls=(call, call)))
        events = await world.ask(world.request("Add", tools=(ADD,)))

    assert (reasoning_of(events), text_of(events)) == ("Hm", "Let me see.")
    assert [event.arguments for event in events if isinstance(event, ToolCall)] == ['{"a": 1}', '{"a": 1}']
    assert [event.usage.input_tokens for event in events if isinstance(event, UsageReport)] == [30]
    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)
    assert len(world.fake.asked) == 1


async def test_a_server_that_does_not_stream_may_be_cut_off_by_the_limit() -> None:
    async with speaking(WITHOUT_STREAM) as world:
        world.fake.script(Reply(text="word " * 200))
        events = await world.ask(world.request("Talk", max_output_tokens=20))

    assert events[-1] == Finish(reason=FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": {"message": "no", "code": "insufficient_quota"}}', QuotaExhausted),
        ('{"error": "the prompt is longer than the maximum context"}', ContextTooLong),
        ('{"choices": []}', EmptyAnswer),
        ('{"choices"', ProviderUnavailable),
    ],
)
async def test_an_error_in_a_document_of_status_200_is_one(
    compatible: World[FakeOpenAI], body: str, expected: type[ProviderError]
) -> None:
    compatible.fake.script(HttpFault(status=200, body=body, headers={"content-type": "application/json"}))

    _, error = await compatible.ask_until_error(compatible.request("Talk"))

    assert type(error) is expected


async def test_comments_between_events_are_passed_over(compatible: World[FakeOpenAI]) -> None:
    chunk = '{"model": "m", "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}'
    body = f": OPENROUTER PROCESSING\r\n\r\nevent: x\r\ndata:{chunk}\r\n\r\ndata: \r\n\r\ndata: [DONE]"
    compatible.fake.script(HttpFault(status=200, body=body, headers={"content-type": "text/event-stream"}))

    events = await compatible.ask(compatible.request("Talk"))

    assert events == [TextDelta(text="Hi"), Finish(reason=FinishReason.STOP)]


async def test_a_line_separator_inside_a_text_does_not_break_the_event(compatible: World[FakeOpenAI]) -> None:
    compatible.fake.script(Reply(chunks=("one\u2028two\u0085three",)))

    events = await compatible.ask(compatible.request("Talk"))

    assert text_of(events) == "one\u2028two\u0085three"


@given(st.lists(st.binary(max_size=20)), st.data())
def test_lines_are_the_same_however_they_arrive(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines) + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    buffer = LineBuffer()
    got = [line for at, to in pairwise([0, *cuts, len(whole)]) for line in buffer.feed(whole[at:to])]

    assert got == [stripped for line in whole.split(b"\n") if (stripped := line.strip())]
