"""What only Anthropic's streams and errors say."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from bot.core.errors import (
    AuthenticationFailed,
    ContextTooLong,
    EmptyAnswer,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
)
from bot.core.events import Finish, FinishReason, ProviderEvent, TextDelta, Usage, UsageReport
from bot.core.message import Message, Role, ToolCall
from bot.providers.anthropic import _from_wire
from tests.bot.providers.serving import ADD, World, text_of
from tests.bot.providers.serving_anthropic import ANTHROPIC
from tests.fakes import script
from tests.fakes.anthropic import faults
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.script import Breakage, Broken, HttpFault, Reply

Claude = World[FakeAnthropic]


def report_of(events: list[ProviderEvent]) -> UsageReport:
    (report,) = [event for event in events if isinstance(event, UsageReport)]
    return report


async def test_usage_counts_the_whole_prompt(claude: Claude) -> None:
    usage = script.Usage(
        input_tokens=100,
        output_tokens=9,
        cached_tokens=60,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        reasoning_tokens=4,
    )
    claude.fake.script(Reply(text="Hi", usage=usage, searches=2, service_tier="priority"))

    report = report_of(await claude.ask(claude.request("Hi")))

    counted = Usage(
        input_tokens=100,
        output_tokens=9,
        cached_tokens=60,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        reasoning_tokens=4,
        searches=2,
    )
    assert report == UsageReport(usage=counted, model="claude-haiku-5-5", service_tier="priority")


@pytest.mark.parametrize(("ttl_s", "long"), [(300, False), (3_600, True)])
async def test_a_growing_thread_is_read_from_the_cache(claude: Claude, ttl_s: int, long: bool) -> None:
    story = "word " * 2_000
    said = Message.of_text(Role.ASSISTANT, "Fine.")

    wrote = report_of(await claude.ask(claude.request(story, cache_key="t", cache_ttl_s=ttl_s))).usage
    request = claude.request(story, said, "And now?", cache_key="t", cache_ttl_s=ttl_s)
    read = report_of(await claude.ask(request)).usage

    assert (wrote.cached_tokens, wrote.cache_write_tokens) == (0, wrote.input_tokens)
    assert wrote.cache_write_1h_tokens == (wrote.cache_write_tokens if long else 0)
    assert read.cached_tokens == wrote.input_tokens
    assert read.input_tokens == read.cached_tokens + read.cache_write_tokens
    assert [bill.usage.cached_tokens for bill in claude.fake.billed] == [0, read.cached_tokens]


async def test_an_answer_that_fills_the_window_is_cut_there(claude: Claude) -> None:
    claude.fake.script(Reply(text="word " * 40))

    events = await claude.ask(claude.request("word " * 300, model=ANTHROPIC.small))

    assert events[-1] == Finish(reason=FinishReason.LENGTH)
    assert text_of(events).startswith("word ")


async def test_a_window_without_room_for_a_word_is_too_long(claude: Claude) -> None:
    events, error = await claude.ask_until_error(claude.request("word " * 320, model=ANTHROPIC.small))

    assert type(error) is ContextTooLong
    assert report_of(events).usage.input_tokens == 400


async def test_a_refusal_without_a_word_is_reported_and_filtered(
    claude: Claude, caplog: pytest.LogCaptureFixture
) -> None:
    claude.fake.script(Reply(finish=script.Finish.CONTENT_FILTER))

    with caplog.at_level("INFO", logger="bot.providers.anthropic"):
        events = await claude.ask(claude.request("Talk"))

    assert [type(event) for event in events] == [UsageReport, Finish]
    assert events[-1] == Finish(reason=FinishReason.CONTENT_FILTER)
    assert "category cyber" in caplog.text


async def test_a_call_that_the_limit_cut_is_not_made(claude: Claude) -> None:
    call = script.ToolCall(name="add", arguments='{"a": ')
    claude.fake.script(Reply(tool_calls=(call,), finish=script.Finish.LENGTH))

    events = await claude.ask(claude.request("Add", tools=(ADD,)))

    assert not any(isinstance(event, ToolCall) for event in events)
    assert events[-1] == Finish(reason=FinishReason.LENGTH)


def sse(*events: Mapping[str, Any]) -> HttpFault:
    """A stream of just these events, ended politely."""
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return HttpFault(status=200, body=text, headers={"content-type": "text/event-stream"})


START = {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}}
OPEN_TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
HELLO = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}
STOP = {"type": "message_stop"}


def end(reason: str, **usage: int) -> Mapping[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A stop reason, and what it means after a word and without one: a finish or an error."""

    reason: str
    spoken: FinishReason | type[ProviderError]
    silent: FinishReason | type[ProviderError]


ENDS = (
    End(reason="end_turn", spoken=FinishReason.STOP, silent=EmptyAnswer),
    End(reason="stop_sequence", spoken=FinishReason.STOP, silent=EmptyAnswer),
    End(reason="tool_use", spoken=FinishReason.STOP, silent=EmptyAnswer),
    End(reason="max_tokens", spoken=FinishReason.LENGTH, silent=FinishReason.LENGTH),
    End(reason="refusal", spoken=FinishReason.CONTENT_FILTER, silent=FinishReason.CONTENT_FILTER),
    End(reason="model_context_window_exceeded", spoken=FinishReason.LENGTH, silent=ContextTooLong),
    End(reason="pause_turn", spoken=StreamBroken, silent=ProviderUnavailable),
    End(reason="something_new", spoken=StreamBroken, silent=ProviderUnavailable),
)


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case.reason)
@pytest.mark.parametrize("spoken", [True, False], ids=["spoken", "silent"])
async def test_every_stop_reason_has_its_meaning(claude: Claude, case: End, spoken: bool) -> None:
    words = (OPEN_TEXT, HELLO) if spoken else ()
    claude.fake.script(sse(START, *words, end(case.reason, output_tokens=7), STOP))

    events, error = await claude.ask_until_error(claude.request("Talk"))

    ended = events[-1].reason if isinstance(events[-1], Finish) else type(error)
    assert ended == (case.spoken if spoken else case.silent)
    assert report_of(events).usage == Usage(input_tokens=5, output_tokens=7)


async def test_counts_are_running_totals_and_reported_once(claude: Claude) -> None:
    claude.fake.script(sse(START, OPEN_TEXT, HELLO, end("", output_tokens=3), end("end_turn", output_tokens=8), STOP))

    events = await claude.ask(claude.request("Talk"))

    assert report_of(events).usage == Usage(input_tokens=5, output_tokens=8)


async def test_an_end_without_a_count_leaves_that_of_the_start(claude: Claude) -> None:
    claude.fake.script(sse(START, OPEN_TEXT, HELLO, end("end_turn"), STOP))

    events, _ = await claude.ask_for_all(claude.request("Talk"))

    at_start = UsageReport(usage=Usage(input_tokens=5, output_tokens=1), model="m", partial=True)
    assert events == [at_start, TextDelta(text="Hello"), Finish(reason=FinishReason.STOP)]


async def test_a_stream_that_breaks_after_its_count_is_still_reported(claude: Claude) -> None:
    claude.fake.script(sse(START, OPEN_TEXT, HELLO, end("end_turn", output_tokens=8)))

    events, error = await claude.ask_until_error(claude.request("Talk"))

    assert type(error) is StreamBroken
    assert report_of(events).usage == Usage(input_tokens=5, output_tokens=8)


async def test_a_server_that_does_not_hang_up_after_the_end_is_left(claude: Claude) -> None:
    async def endless() -> AsyncIterator[Any]:
        for event in (START, OPEN_TEXT, HELLO, end("end_turn", output_tokens=2), STOP):
            yield event
        await asyncio.Event().wait()

    async with asyncio.timeout(5), aclosing(_from_wire(endless(), "anthropic")) as events:
        taken = [event async for event in events]

    assert taken[-1] == Finish(reason=FinishReason.STOP)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """An HTTP answer that only this API gives, and the error that it means."""

    fault: HttpFault
    error: type[ProviderError]
    retry_after_s: float | None = None


MEANINGS = {
    "no room": Meaning(fault=faults.NO_ROOM, error=ContextTooLong),
    "own limit": Meaning(fault=faults.OWN_LIMIT, error=QuotaExhausted),
    "unpaid": Meaning(fault=faults.UNPAID, error=QuotaExhausted),
    "conflict": Meaning(fault=faults.CONFLICT, error=ProviderUnavailable),
    "ramp": Meaning(fault=faults.RAMP, error=RateLimited, retry_after_s=12.0),
    "spent": Meaning(fault=faults.SPENT, error=QuotaExhausted),
    "contract": Meaning(fault=faults.CONTRACT_SPENT, error=QuotaExhausted),
    "on hold": Meaning(
        fault=faults.fault(400, "invalid_request_error", "No.", "organization_on_hold"), error=AuthenticationFailed
    ),
}


@pytest.mark.parametrize("meaning", MEANINGS.values(), ids=MEANINGS)
async def test_a_refusal_of_its_own_is_told_by_its_code(claude: Claude, meaning: Meaning) -> None:
    claude.fake.script(meaning.fault)

    _, error = await claude.ask_until_error(claude.request("Talk"))

    assert type(error) is meaning.error
    assert error.retry_after_s == meaning.retry_after_s
    assert error.reference == "req_011CSHoEeqs5C35K2UUqR7Fy"


async def test_an_error_in_the_stream_carries_its_request(claude: Claude) -> None:
    claude.fake.script(Broken(how=Breakage.ERROR, code="overloaded_error", after_chunks=1))

    _, error = await claude.ask_until_error(claude.request("Talk"))

    assert isinstance(error, StreamBroken)
    assert str(error) == "an error in the stream: overloaded_error"
    assert error.reference == "req_011CSHoEeqs5C35K2UUqR7Fy"


async def test_a_prompt_found_too_long_in_the_stream_is_too_long(claude: Claude) -> None:
    too_long = "prompt is too long: 9 tokens > 8 maximum"
    claude.fake.script(Broken(how=Breakage.ERROR, code="invalid_request_error", message=too_long, after_chunks=0))

    _, error = await claude.ask_until_error(claude.request("Talk"))

    assert type(error) is ContextTooLong
