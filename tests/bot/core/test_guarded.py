"""What surrounds each call of a model."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest

from bot.core.breaker import FAILURES_TO_OPEN, FIRST_OPEN_S
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import (
    CircuitOpen,
    FirstTokenLate,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.core.events import Finish, FinishReason, ProviderEvent, ReasoningDelta, TextDelta, Usage, UsageReport
from bot.core.guarded import Guarded, tokens_of
from bot.core.health import Condition, Health
from bot.core.message import Image, Message, Role, Text, ToolCall, ToolResult
from bot.core.outgoing import OutgoingLimits
from bot.core.ports import ChatRequest
from tests.fakes.clock import ManualClock
from tests.fakes.providers import Hold, Pause, Script, ScriptedProvider, calls_tool, says

MODEL = ModelInfo(ref=ModelRef("scripted", "model"))
#: Real time: long enough for whatever comes at once, short enough to wait for.
SOON_S = 0.05
LATE_S = 30.0
REQUEST = ChatRequest(model=MODEL, system="Be kind.", messages=(Message.of_text(Role.USER, "Hello"),))


@dataclass
class House:
    """A guarded provider with all around it."""

    provider: ScriptedProvider
    health: Health
    guarded: Guarded
    clock: ManualClock
    limits: OutgoingLimits

    async def ask(self, request: ChatRequest = REQUEST) -> list[ProviderEvent]:
        async with aclosing(self.guarded.stream(request)) as events:
            return [event async for event in events]

    async def ask_once(self, request: ChatRequest = REQUEST) -> ProviderEvent:
        """The first event; then the stream is closed."""
        async with aclosing(self.guarded.stream(request)) as events:
            return await anext(events)


def house(
    *scripts: Script,
    first_token_s: float = LATE_S,
    limits: Sequence[tuple[str, str, int]] = (),
    patience_s: float = 15.0,
) -> House:
    clock = ManualClock()
    provider = ScriptedProvider(*scripts, clock=clock)
    health = Health(clock, configured=("scripted",))
    outgoing = OutgoingLimits(clock, limits=limits, patience_s=patience_s)
    guarded = Guarded(provider, health=health, limits=outgoing, clock=clock, first_token_s=first_token_s)
    return House(provider, health, guarded, clock, outgoing)


def unavailable() -> ProviderError:
    return ProviderUnavailable("HTTP 503", provider="scripted", status=503)


async def test_events_pass_unchanged_and_the_call_is_recorded() -> None:
    there = house((Pause(2.0), *says("Hel", "lo")))

    assert await there.ask() == list(says("Hel", "lo"))
    report = there.health.of(MODEL.ref)
    assert (report.calls, report.error_rate, report.p50_s) == (1, 0.0, 2.0)
    assert there.provider.requests == [REQUEST]


async def test_name_models_and_closing_are_those_of_the_provider() -> None:
    there = house()
    there.provider.models = (MODEL,)

    assert there.guarded.name == "scripted"
    assert await there.guarded.list_models() == (MODEL,)
    await there.guarded.aclose()
    assert there.provider.closed


async def test_an_error_passes_unchanged_and_is_recorded() -> None:
    error = unavailable()
    there = house((error,))
    with pytest.raises(ProviderUnavailable) as raised:
        await there.ask()

    assert raised.value is error
    assert there.health.of(MODEL.ref).error_rate == 1.0


async def test_what_breaks_in_the_middle_is_recorded_with_its_latency() -> None:
    there = house((Pause(1.0), TextDelta(text="Hel"), StreamBroken("cut", provider="scripted")))
    with pytest.raises(StreamBroken):
        await there.ask()

    report = there.health.of(MODEL.ref)
    assert (report.error_rate, report.p50_s) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param((TextDelta(text="Hel"),), "The connection to scripted broke", id="no end"),
        pytest.param((), "The connection to scripted broke", id="nothing at all"),
        pytest.param((TextDelta(text=" \n"), Finish(reason=FinishReason.STOP)), "without a word", id="only blanks"),
    ],
)
async def test_a_stream_that_ends_without_an_end_or_a_word_counts_as_a_failure(script: Script, words: str) -> None:
    there = house(script)
    await there.ask()

    report = there.health.of(MODEL.ref)
    assert report.error_rate == 1.0
    assert words in (report.last_error or "")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(calls_tool("clock"), id="a tool call"),
        pytest.param((ReasoningDelta(text="hm"), Finish(reason=FinishReason.LENGTH)), id="cut in its reasoning"),
    ],
)
async def test_an_end_without_text_may_be_a_good_one(script: Script) -> None:
    there = house(script)
    await there.ask()

    report = there.health.of(MODEL.ref)
    assert (report.calls, report.error_rate) == (1, 0.0)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(RequestRejected("no", provider="scripted", status=400), id="rejected"),
        pytest.param(RuntimeError("a bug of ours"), id="a bug"),
    ],
)
async def test_what_is_not_the_models_fault_is_not_recorded(step: BaseException) -> None:
    there = house((step,))
    with pytest.raises(type(step)):
        await there.ask()

    assert there.health.of(MODEL.ref).calls == 0


async def test_a_filtered_answer_is_not_the_models_fault() -> None:
    there = house((Finish(reason=FinishReason.CONTENT_FILTER),))
    await there.ask()

    assert there.health.of(MODEL.ref).calls == 0


async def test_closing_early_closes_the_stream_and_is_no_failure() -> None:
    there = house((TextDelta(text="Hel"), Hold()))
    await there.ask_once()

    assert (there.provider.running, there.provider.closed_early) == (0, 1)
    report = there.health.of(MODEL.ref)
    assert (report.calls, report.condition) == (1, Condition.HEALTHY)


async def test_cancelling_before_the_first_word_says_nothing_about_the_model() -> None:
    hold = Hold()
    there = house((hold,))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(there.ask())
        await hold.reached()
        task.cancel()

    assert there.health.of(MODEL.ref).calls == 0
    assert there.provider.running == 0


async def test_a_model_that_is_silent_too_long_is_late_and_its_stream_closed() -> None:
    there = house((Hold(),), first_token_s=SOON_S)
    with pytest.raises(FirstTokenLate) as raised:
        await there.ask()

    assert raised.value.provider == "scripted"
    assert (there.provider.running, there.provider.closed_early) == (0, 1)
    assert there.health.of(MODEL.ref).last_error == "scripted did not answer in time"


@pytest.mark.parametrize(
    "first", [TextDelta(text="Hel"), ReasoningDelta(text="hm"), ToolCall(id="1", name="clock", arguments="{}")]
)
async def test_any_first_event_ends_the_wait_for_it(first: ProviderEvent) -> None:
    hold = Hold()
    there = house((first, hold, *says("lo")), first_token_s=SOON_S)

    async with aclosing(there.guarded.stream(REQUEST)) as events:
        assert await anext(events) == first
        async with asyncio.TaskGroup() as group:
            rest = group.create_task(anext(events))
            await hold.reached()
            done, _ = await asyncio.wait([rest], timeout=3 * SOON_S)
            assert not done, "the deadline went on after the first event"
            hold.release()
    assert rest.result() == TextDelta(text="lo")


async def test_a_model_that_reasons_gets_twice_the_time() -> None:
    async def lasted(model: ModelInfo) -> float:
        there = house((Hold(),), first_token_s=SOON_S)
        began = asyncio.get_running_loop().time()
        with pytest.raises(FirstTokenLate):
            await there.ask(replace(REQUEST, model=model))
        return asyncio.get_running_loop().time() - began

    assert await lasted(MODEL) < await lasted(replace(MODEL, reasoning=True))
    assert await lasted(replace(MODEL, reasoning=True)) >= 2 * SOON_S


async def test_a_timeout_that_is_not_the_deadlines_stays_what_it_is() -> None:
    there = house((TimeoutError("not ours"),))
    with pytest.raises(TimeoutError, match="not ours"):
        await there.ask()


async def test_after_repeated_failures_the_provider_is_not_asked_until_a_probe_works() -> None:
    there = house(*[(unavailable(),)] * FAILURES_TO_OPEN, says("back"))
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ProviderUnavailable):
            await there.ask()
    with pytest.raises(CircuitOpen):
        await there.ask()
    assert len(there.provider.requests) == FAILURES_TO_OPEN

    await there.clock.advance(FIRST_OPEN_S)
    assert await there.ask() == list(says("back"))
    assert there.health.of(MODEL.ref).open_for_s is None


async def test_while_the_probe_runs_others_are_sent_away() -> None:
    hold = Hold()
    there = house(*[(unavailable(),)] * FAILURES_TO_OPEN, (hold, *says("back")))
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ProviderUnavailable):
            await there.ask()
    await there.clock.advance(FIRST_OPEN_S)
    async with asyncio.TaskGroup() as group:
        group.create_task(there.ask())
        await hold.reached()
        with pytest.raises(CircuitOpen):
            await there.ask()
        hold.release()

    assert there.health.of(MODEL.ref).open_for_s is None


async def test_a_probe_that_was_stopped_leaves_the_place_to_the_next() -> None:
    hold = Hold()
    there = house(*[(unavailable(),)] * FAILURES_TO_OPEN, (hold,), says("back"))
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ProviderUnavailable):
            await there.ask()
    await there.clock.advance(FIRST_OPEN_S)
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(there.ask())
        await hold.reached()
        probe.cancel()

    assert await there.ask() == list(says("back"))


async def test_the_wait_in_the_queue_is_not_the_models_latency() -> None:
    there = house(says("a"), (Pause(1.0), *says("b")), limits=[("scripted", "rpm", 1)], patience_s=60.0)
    await there.ask()
    await there.ask()

    assert there.clock.elapsed_s == pytest.approx(61.0)
    assert there.health.of(MODEL.ref).p95_s == pytest.approx(1.0)


async def test_a_request_that_the_queue_sends_away_reaches_nobody_and_says_nothing_about_the_model() -> None:
    there = house(says("a"), limits=[("scripted", "rpm", 1)])
    await there.ask()
    with pytest.raises(RateLimited):
        await there.ask()

    assert len(there.provider.requests) == 1
    assert there.health.of(MODEL.ref).condition is Condition.HEALTHY


async def test_a_model_that_is_left_alone_is_not_queued_for() -> None:
    there = house(says("a"), limits=[("scripted", "rpm", 1)], patience_s=60.0)
    await there.ask()
    error = RateLimited("slow down", provider="scripted", retry_after_s=300.0)
    there.health.record(MODEL.ref, first_token_s=None, error=error)
    with pytest.raises(CircuitOpen):
        await there.ask()

    assert there.clock.elapsed_s == 0


async def test_a_model_that_fell_while_a_request_queued_is_not_asked_and_nothing_is_counted() -> None:
    there = house(says("a"), says("b"), limits=[("scripted", "rpm", 1)], patience_s=60.0)
    await there.ask()

    async def sent_away() -> None:
        with pytest.raises(CircuitOpen):
            await there.ask()

    async with asyncio.TaskGroup() as group:
        group.create_task(sent_away())
        await asyncio.sleep(0)
        assert there.limits.waiting == 1
        error = RateLimited("slow down", provider="scripted", retry_after_s=300.0)
        there.health.record(MODEL.ref, first_token_s=None, error=error)
    other = replace(MODEL, ref=ModelRef("scripted", "other"))
    await there.ask(replace(REQUEST, model=other))

    assert [request.model for request in there.provider.requests] == [MODEL, other]
    assert there.clock.elapsed_s == pytest.approx(60.0)


async def test_the_estimate_is_corrected_by_what_was_really_used() -> None:
    used = Usage(input_tokens=40, output_tokens=10)
    there = house(says("a", usage=used), says("b"), limits=[("scripted", "tpm", 1_100)])
    await there.ask()
    await there.ask()

    assert there.clock.elapsed_s == 0
    assert len(there.provider.requests) == 2


async def test_without_reported_usage_the_estimate_stands() -> None:
    there = house((TextDelta(text="a"), Finish(reason=FinishReason.STOP)), limits=[("scripted", "tpm", 1_100)])
    await there.ask()
    with pytest.raises(RateLimited):
        await there.ask()


async def test_lanes_of_requests_are_those_of_the_queue() -> None:
    there = house(*[says(str(number)) for number in range(5)], limits=[("scripted", "rpm", 1)], patience_s=10**6)
    async with asyncio.TaskGroup() as group:
        for lane in ("busy", "busy", "busy", "quiet"):
            group.create_task(there.ask(replace(REQUEST, lane=lane)))

    assert [request.lane for request in there.provider.requests] == ["busy", "busy", "quiet", "busy"]


def test_a_request_is_estimated_by_its_text_results_files_and_answer() -> None:
    def estimate(*parts: Text | Image | ToolResult, limit: int | None = 100) -> int:
        message = Message(role=Role.USER, parts=parts)
        return tokens_of(replace(REQUEST, system="", messages=(message,), max_output_tokens=limit))

    nothing = estimate(Text(text=""))
    assert nothing == 100
    assert estimate(Text(text=""), limit=None) == estimate(Text(text=""), limit=10**6) == 1_000
    assert estimate(Text(text="word " * 100)) > nothing
    assert estimate(ToolResult(call_id="1", text="word " * 100)) > nothing
    assert estimate(Image(content=b"", media_type="image/png")) > nothing + 1_000
    assert tokens_of(replace(REQUEST, system="word " * 100)) > tokens_of(REQUEST)


async def test_usage_that_comes_first_is_a_sign_of_life_and_is_counted() -> None:
    report = UsageReport(usage=Usage(input_tokens=1, output_tokens=1))
    there = house((report, Hold()), limits=[("scripted", "tpm", 1_100)])

    assert await there.ask_once() == report
    there.provider.then(says("b"))
    await there.ask()
    assert there.clock.elapsed_s == 0
