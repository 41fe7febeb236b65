"""The turn loop: what it yields for what a model and its tools do."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from bot.core.errors import (
    AuthenticationFailed,
    BudgetExhausted,
    CircuitOpen,
    ContentRefused,
    EmptyAnswer,
    FirstTokenLate,
    OutputLimitReached,
    ProviderUnavailable,
    RateLimited,
    StreamBroken,
    ToolRoundsExhausted,
    TurnTimeout,
)
from bot.core.events import (
    CallFinished,
    Finish,
    FinishReason,
    Outcome,
    ReasoningDelta,
    TextDelta,
    ToolFinished,
    ToolsStarted,
    TurnEnded,
    TurnEvent,
    Usage,
    UsageReport,
    Waiting,
)
from bot.core.interrupt import Interrupt
from bot.core.message import Message, Role, ToolResult
from bot.core.ports import ChatRequest
from bot.core.toolbox import RESULT_CHARS
from bot.core.turn import HURRIED, MAX_TOOL_ROUNDS, TurnLoop
from tests.fakes.clock import ManualClock
from tests.fakes.providers import Hold, ScriptedProvider, calls_tool, says
from tests.fakes.tools import Adder, toolbox_of


def loop_of(
    provider: ScriptedProvider, *, interrupt: Interrupt, clock: ManualClock, tool: Adder | None = None
) -> TurnLoop:
    return TurnLoop(provider, toolbox_of(*filter(None, [tool])), interrupt=interrupt, clock=clock)


def request_of(provider: ScriptedProvider) -> ChatRequest:
    return ChatRequest(model=provider.model(), system="Be brief.", messages=(Message.of_text(Role.USER, "1 + 2?"),))


async def run(provider: ScriptedProvider, *, timeout_s: float = 60.0, tool: Adder | None = None) -> list[TurnEvent]:
    loop = loop_of(provider, interrupt=Interrupt(timeout_s), clock=ManualClock(), tool=tool)
    return [event async for event in loop.run(request_of(provider))]


def ended(events: list[TurnEvent]) -> TurnEnded:
    assert isinstance(events[-1], TurnEnded)
    return events[-1]


def text_of(events: list[TurnEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def booked(events: list[TurnEvent]) -> list[CallFinished]:
    return [event for event in events if isinstance(event, CallFinished)]


async def test_an_answer_is_its_deltas_one_booked_call_and_the_end() -> None:
    events = await run(ScriptedProvider(says("Three", ".")))

    assert [type(event) for event in events] == [TextDelta, TextDelta, CallFinished, TurnEnded]
    assert ended(events).outcome is Outcome.ANSWERED
    assert booked(events)[0].completed


async def test_a_tool_call_is_answered_and_the_model_reads_the_result() -> None:
    provider = ScriptedProvider(calls_tool("add", '{"a": 1, "b": 2}'), says("It is 3."))

    events = await run(provider, tool=Adder())

    kinds = [CallFinished, ToolsStarted, ToolFinished, TextDelta, CallFinished, TurnEnded]
    assert [type(event) for event in events] == kinds
    roles = [message.role for message in provider.requests[1].messages]
    assert roles == [Role.USER, Role.ASSISTANT, Role.TOOL]
    assert provider.requests[1].messages[-1].parts == (ToolResult(call_id="call_1", text="3"),)


@dataclass(frozen=True)
class BadCall:
    name: str
    tool: str
    arguments: str
    says: str


BAD_CALLS = (
    BadCall("unknown tool", "subtract", "{}", "There is no tool 'subtract'. Available: add."),
    BadCall("broken JSON", "add", '{"a": ', "not a JSON object"),
    BadCall("not an object", "add", "[1]", "not a JSON object"),
    BadCall("raising tool", "add", "{}", "The tool failed."),
)


@pytest.mark.parametrize("case", BAD_CALLS, ids=lambda case: case.name)
async def test_what_goes_wrong_with_a_tool_is_a_result_that_the_model_can_act_on(case: BadCall) -> None:
    provider = ScriptedProvider(calls_tool(case.tool, case.arguments), says("Sorry."))

    events = await run(provider, tool=Adder())

    result = next(event.result for event in events if isinstance(event, ToolFinished))
    assert result.is_error
    assert case.says in result.text
    assert ended(events).outcome is Outcome.ANSWERED


async def test_a_huge_tool_result_is_cut_and_says_so() -> None:
    tool = Adder(text="x" * (RESULT_CHARS + 1))

    events = await run(ScriptedProvider(calls_tool("add", '{"a": 1}'), says("Long.")), tool=tool)

    result = next(event.result for event in events if isinstance(event, ToolFinished))
    assert result.text.endswith(f"[cut: {RESULT_CHARS + 1:,} characters in all]")


async def test_a_model_that_only_calls_tools_is_stopped() -> None:
    provider = ScriptedProvider(otherwise=lambda _: calls_tool("add", '{"a": 1}'))

    events = await run(provider, tool=Adder())

    assert isinstance(ended(events).error, ToolRoundsExhausted)
    assert len(provider.requests) == MAX_TOOL_ROUNDS + 1


async def test_what_was_said_before_a_tool_ran_is_a_paragraph_of_its_own() -> None:
    first = (TextDelta(text="Let me add."), *calls_tool("add", '{"a": 1}'))

    events = await run(ScriptedProvider(first, says("It is 3.")), tool=Adder())

    assert text_of(events) == "Let me add.\n\nIt is 3."


async def test_an_error_that_can_pass_is_tried_again_before_the_first_word() -> None:
    busy = RateLimited("busy", provider="scripted", status=429, retry_after_s=7.0)
    down = ProviderUnavailable("down", provider="scripted", status=503)
    provider = ScriptedProvider((busy,), (down,), says("Three."))
    clock = ManualClock()

    loop = loop_of(provider, interrupt=Interrupt(60.0), clock=clock)
    events = [event async for event in loop.run(request_of(provider))]

    assert ended(events).outcome is Outcome.ANSWERED
    assert clock.elapsed_s >= 7.0
    assert len(booked(events)) == 1  # a refused call is not billed


async def test_a_wait_longer_than_the_turn_has_left_is_not_waited() -> None:
    busy = RateLimited("busy", provider="scripted", status=429, retry_after_s=5.0)
    provider = ScriptedProvider((busy,))

    events = await run(provider, timeout_s=2.0)

    assert ended(events) == TurnEnded(outcome=Outcome.FAILED, error=busy)
    assert len(provider.requests) == 1


async def test_nothing_is_tried_again_after_the_first_word() -> None:
    down = ProviderUnavailable("down", provider="scripted", status=503)
    provider = ScriptedProvider((TextDelta(text="Thr"), down))

    events = await run(provider)

    assert ended(events) == TurnEnded(outcome=Outcome.PARTIAL, error=down)
    assert [call.completed for call in booked(events)] == [False]


@dataclass(frozen=True)
class Ended:
    name: str
    script: tuple[object, ...]
    outcome: Outcome
    error: type[Exception] | None
    calls: int


KEY = AuthenticationFailed("no", provider="scripted", status=401)
CUT = StreamBroken("cut", provider="scripted")
WORD = TextDelta(text="Three")
ENDINGS = (
    Ended("wrong key", (KEY,), Outcome.FAILED, AuthenticationFailed, 0),
    Ended("cut before a word", (CUT,), Outcome.FAILED, StreamBroken, 1),
    Ended("cut in the middle", (WORD, CUT), Outcome.PARTIAL, StreamBroken, 1),
    Ended("no Finish", (WORD,), Outcome.PARTIAL, StreamBroken, 1),
    Ended("length", (WORD, Finish(reason=FinishReason.LENGTH)), Outcome.PARTIAL, OutputLimitReached, 1),
    Ended("filter", (WORD, Finish(reason=FinishReason.CONTENT_FILTER)), Outcome.PARTIAL, ContentRefused, 1),
    Ended("filter at once", (Finish(reason=FinishReason.CONTENT_FILTER),), Outcome.FAILED, ContentRefused, 1),
    Ended("nothing said", (Finish(reason=FinishReason.STOP),), Outcome.FAILED, EmptyAnswer, 1),
    Ended("only blanks", (TextDelta(text=" \n"), Finish(reason=FinishReason.STOP)), Outcome.FAILED, EmptyAnswer, 1),
)


@pytest.mark.parametrize("case", ENDINGS, ids=lambda case: case.name)
async def test_every_end_has_its_outcome_its_error_and_its_booked_calls(case: Ended) -> None:
    events = await run(ScriptedProvider(case.script))  # type: ignore[arg-type]  # steps of a table

    assert ended(events).outcome is case.outcome
    assert case.error is not None
    assert isinstance(ended(events).error, case.error)
    assert len(booked(events)) == case.calls


async def test_stop_ends_the_stream_keeps_the_words_and_books_the_call() -> None:
    hold = Hold()
    provider = ScriptedProvider((TextDelta(text="Thr"), hold, TextDelta(text="ee")))
    interrupt = Interrupt(60.0)
    events: list[TurnEvent] = []

    async def consume() -> None:
        loop = loop_of(provider, interrupt=interrupt, clock=ManualClock())
        events.extend([event async for event in loop.run(request_of(provider))])

    async with asyncio.TaskGroup() as group:
        group.create_task(consume())
        await hold.reached()
        interrupt.request()

    assert ended(events).outcome is Outcome.STOPPED
    assert text_of(events) == "Thr"
    assert booked(events)[0].output_text == "Thr"
    assert provider.closed_early == 1


async def test_stop_before_the_call_books_nothing() -> None:
    provider = ScriptedProvider()
    interrupt = Interrupt(60.0)
    interrupt.request()

    loop = loop_of(provider, interrupt=interrupt, clock=ManualClock())
    events = [event async for event in loop.run(request_of(provider))]

    assert events == [TurnEnded(outcome=Outcome.STOPPED)]


async def test_the_deadline_ends_a_silent_stream() -> None:
    events = await run(ScriptedProvider((TextDelta(text="Thr"), Hold())), timeout_s=0.05)

    assert ended(events).outcome is Outcome.PARTIAL
    assert isinstance(ended(events).error, TurnTimeout)


async def test_stop_ends_also_a_stream_that_never_has_to_be_waited_for() -> None:
    provider, interrupt = ScriptedProvider(says("It ", "is ", "three.")), Interrupt(60.0)
    texts = []
    async for event in loop_of(provider, interrupt=interrupt, clock=ManualClock()).run(request_of(provider)):
        if isinstance(event, TextDelta):
            texts.append(event.text)
            interrupt.request()

    assert texts == ["It "]
    assert isinstance(event, TurnEnded)
    assert event.outcome is Outcome.STOPPED


async def test_each_call_needs_permission_which_may_change_the_request() -> None:
    provider = ScriptedProvider(calls_tool("add", '{"a": 1}'), says("1"))
    asked: list[int] = []

    async def permission(request: ChatRequest) -> ChatRequest:
        asked.append(len(request.messages))
        return replace(request, max_output_tokens=77)

    loop = TurnLoop(
        provider,
        toolbox_of(Adder()),
        interrupt=Interrupt(60.0),
        clock=ManualClock(),
        permission=permission,
    )
    events = [event async for event in loop.run(request_of(provider))]

    assert ended(events).outcome is Outcome.ANSWERED
    assert asked == [1, 3]
    assert [request.max_output_tokens for request in provider.requests] == [77, 77]


async def test_without_permission_nobody_is_called() -> None:
    provider = ScriptedProvider(says("never"))

    async def permission(request: ChatRequest) -> ChatRequest:
        raise BudgetExhausted("Your budget for today is spent.")

    loop = TurnLoop(provider, toolbox_of(), interrupt=Interrupt(60.0), clock=ManualClock(), permission=permission)
    events = [event async for event in loop.run(request_of(provider))]

    assert ended(events).outcome is Outcome.FAILED
    assert isinstance(ended(events).error, BudgetExhausted)
    assert provider.requests == []


@pytest.mark.parametrize("error", [CircuitOpen, FirstTokenLate])
async def test_a_model_that_is_left_alone_is_not_asked_again_in_the_same_breath(
    error: type[ProviderUnavailable],
) -> None:
    provider = ScriptedProvider((error("no", provider="scripted", retry_after_s=0.1),), says("never"))

    events = await run(provider)

    assert isinstance(ended(events).error, error)
    assert len(provider.requests) == 1


async def test_where_another_model_can_answer_this_one_is_not_waited_for() -> None:
    busy = RateLimited("slow down", provider="scripted", retry_after_s=5.0)
    provider, clock = ScriptedProvider((busy,), says("never")), ManualClock()
    loop = TurnLoop(provider, toolbox_of(), interrupt=Interrupt(60.0), clock=clock, persistence=HURRIED)
    began = clock.monotonic()

    events = [event async for event in loop.run(request_of(provider))]

    assert ended(events).error is busy
    assert clock.monotonic() == began


async def test_a_call_that_was_billed_is_not_made_again() -> None:
    report = UsageReport(usage=Usage(input_tokens=10, output_tokens=0))
    overloaded = ProviderUnavailable("overloaded", provider="scripted", retry_after_s=0.0)
    provider = ScriptedProvider((report, overloaded), says("never"))
    events = await run(provider)

    assert len(provider.requests) == 1
    assert len([event for event in events if isinstance(event, CallFinished)]) == 1


async def test_thoughts_and_tool_calls_count_where_nobody_reports_usage() -> None:
    thinking = (ReasoningDelta(text="Hm, "), TextDelta(text="It"), StreamBroken("cut", provider="scripted"))

    events = await run(ScriptedProvider(thinking))

    assert booked(events)[0].output_text == "ItHm, "
    assert booked(events)[0].input_text == "Be brief.\n1 + 2?"


async def test_what_tools_said_counts_in_the_prompt_where_nobody_reports_usage() -> None:
    scripts = (calls_tool("add", '{"a": 1}'), (TextDelta(text="It"), StreamBroken("cut", provider="scripted")))

    events = await run(ScriptedProvider(*scripts), tool=Adder(text="three"))

    assert booked(events)[1].input_text == 'Be brief.\n1 + 2?\n{"a": 1}\nthree'


async def test_a_long_pause_that_a_provider_asks_for_is_told_and_kept_within_the_turns_time() -> None:
    busy = RateLimited("busy", provider="scripted", status=429, retry_after_s=40.0)
    provider, clock = ScriptedProvider((busy,), says("Now.")), ManualClock()
    loop = loop_of(provider, interrupt=Interrupt(60.0), clock=clock)

    events = [event async for event in loop.run(request_of(provider))]

    assert isinstance(events[0], Waiting)
    assert 40.0 <= events[0].seconds <= 48.0
    assert clock.elapsed_s >= 40.0
    assert ended(events).outcome is Outcome.ANSWERED
