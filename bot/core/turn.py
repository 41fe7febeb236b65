"""The loop between a provider and tools, as one stream of turn events.

Knows nothing of threads, storage or platforms. Retries a call only before its first delta, and only for errors that
can pass; whatever happens, the stream ends with TurnEnded.
"""

import json
import logging
import math
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeGuard, assert_never

from bot.core.errors import (
    CircuitOpen,
    ContentRefused,
    EmptyAnswer,
    FirstTokenLate,
    OutputLimitReached,
    ParleyError,
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
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    ToolsStarted,
    TurnEnded,
    TurnEvent,
    UsageReport,
    Waiting,
)
from bot.core.interrupt import Interrupt, StopRequested
from bot.core.message import Message, Part, Role, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest, Clock, Provider
from bot.core.toolbox import Toolbox

log = logging.getLogger(__name__)

MAX_TOOL_ROUNDS = 6
_LAST_ROUND = "\n[No tool runs any more in this answer: answer now with what you have.]"
_FIRST_WAIT_S = 0.5
#: Who waits so long should know why.
_LONG_WAIT_S = 5.0
#: What a wait is multiplied with, at random between these, so that callers who failed together do not return together.
_JITTER = (0.8, 1.2)

#: Asked before each call, with the request; returns the one to make. Raises a ParleyError: the call is not made.
Permission = Callable[[ChatRequest], Awaitable[ChatRequest]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How often a model is tried that fails before its first word, and the longest wait between two tries."""

    tries: int = 3
    #: Besides the turn's own deadline.
    longest_wait_s: float = math.inf


PERSISTENT = Persistence()
#: Where another model can answer: what passes in a moment is waited out, nothing else.
HURRIED = Persistence(tries=2, longest_wait_s=2.0)


async def _as_asked(request: ChatRequest) -> ChatRequest:
    return request


@dataclass(slots=True)
class _Call:
    """One provider call as it goes."""

    started: float
    text: list[str] = field(default_factory=list)
    #: What was thought, and asked of tools: billed like the text, shown to nobody.
    unsaid: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    report: UsageReport | None = None
    first_token_s: float | None = None
    finish: FinishReason | None = None


class TurnLoop:
    """One turn: from a request to TurnEnded."""

    def __init__(
        self,
        provider: Provider,
        toolbox: Toolbox | None,
        *,
        interrupt: Interrupt,
        clock: Clock,
        permission: Permission = _as_asked,
        persistence: Persistence = PERSISTENT,
        tool_rounds: int = MAX_TOOL_ROUNDS,
        files_tokens: int = 0,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._provider = provider
        self._toolbox = toolbox
        self._interrupt = interrupt
        self._clock = clock
        self._permission = permission
        self._persistence = persistence
        self._tool_rounds = tool_rounds
        #: What the files of the request are taken to cost, for calls that report nothing.
        self._files_tokens = files_tokens
        self._jitter = jitter
        self._spoken = False

    async def run(self, request: ChatRequest) -> AsyncGenerator[TurnEvent, None]:
        """Yield what happens, TurnEnded last. An observed turn with one tool:

        CallFinished, ToolsStarted, ToolFinished, TextDelta("It is "), TextDelta("4."), CallFinished, TurnEnded
        """
        try:
            async with aclosing(self._rounds(request)) as events:
                async for event in events:
                    yield event
            ended = TurnEnded(outcome=Outcome.ANSWERED)
        except StopRequested:
            ended = TurnEnded(outcome=Outcome.STOPPED)
        except ParleyError as error:
            ended = TurnEnded(outcome=Outcome.PARTIAL if self._spoken else Outcome.FAILED, error=error)
        yield ended

    async def _rounds(self, request: ChatRequest) -> AsyncGenerator[TurnEvent, None]:
        for number in range(self._tool_rounds + 1):
            if self._interrupt.requested:
                raise StopRequested
            call = _Call(started=self._clock.monotonic())
            async with aclosing(self._call_with_retries(request, call)) as events:
                async for event in events:
                    yield event
            self._check_end(call)
            if not call.calls:
                return
            if self._toolbox is None or number == self._tool_rounds:
                break
            yield ToolsStarted(calls=tuple(call.calls))
            finished = await self._interrupt.within(self._toolbox.run(call.calls))
            for event in finished:
                yield event
            is_last = number == self._tool_rounds - 1
            request = _with_results(request, call, tuple(event.result for event in finished), is_last=is_last)
        raise ToolRoundsExhausted(self._tool_rounds)

    async def _call_with_retries(self, request: ChatRequest, call: _Call) -> AsyncGenerator[TurnEvent, None]:
        request = await self._permission(request)
        for attempt in range(1, self._persistence.tries + 1):
            try:
                async with aclosing(self._call(request, call)) as events:
                    async for event in events:
                        yield event
                return
            except (CircuitOpen, FirstTokenLate):
                raise  # so soon the same model would do no better
            except (RateLimited, ProviderUnavailable) as error:
                wait_s = self._wait_s(error, attempt)
                too_long = wait_s > min(self._persistence.longest_wait_s, self._interrupt.left_s)
                # What was reported is billed: a second call would need a permission and a row of its own.
                billed = call.first_token_s is not None or call.report is not None
                if billed or too_long or attempt == self._persistence.tries:
                    raise
                log.info("calling the model again in %.1f s: %s", wait_s, error)
            if wait_s >= _LONG_WAIT_S:
                yield Waiting(provider=self._provider.name, seconds=wait_s)
            await self._interrupt.within(self._clock.sleep(wait_s))
            call.started = self._clock.monotonic()

    def _wait_s(self, error: RateLimited | ProviderUnavailable, attempt: int) -> float:
        """What the provider asks for, else longer with each attempt (from 1)."""
        low, high = _JITTER
        if error.retry_after_s is not None:
            return error.retry_after_s * self._jitter(1.0, high)
        return _FIRST_WAIT_S * float(4 ** (attempt - 1)) * self._jitter(low, high)

    async def _call(self, request: ChatRequest, call: _Call) -> AsyncGenerator[TurnEvent, None]:
        failure: ParleyError | None = None
        try:
            async with aclosing(self._provider.stream(request)) as stream:
                while (event := await self._next(stream)) is not None:
                    if isinstance(event, TextDelta) and self._spoken and not call.text:
                        yield TextDelta(text="\n\n")  # what was said before a tool ran is its own paragraph
                    if self._take(event, call):
                        yield event
        except ParleyError as error:
            failure = error
        if _counts(call, failure):
            yield self._finished(request, call, completed=failure is None)
        if failure is not None:
            raise failure

    async def _next(self, stream: AsyncGenerator[ProviderEvent, None]) -> ProviderEvent | None:
        if self._interrupt.requested:  # what is there already would come without a wait to interrupt
            raise StopRequested
        try:
            return await self._interrupt.within(anext(stream))
        except StopAsyncIteration:
            return None

    def _take(self, event: ProviderEvent, call: _Call) -> TypeGuard[TextDelta | ReasoningDelta]:
        if call.first_token_s is None and not isinstance(event, UsageReport | Finish):
            call.first_token_s = self._clock.monotonic() - call.started
        match event:
            case TextDelta():
                self._spoken = self._spoken or bool(event.text.strip())
                call.text.append(event.text)
                return True
            case ReasoningDelta():
                call.unsaid.append(event.text)
                return True
            case ToolCall():
                call.calls.append(event)
                call.unsaid.append(event.arguments)
            case UsageReport():
                call.report = event
            case Finish():
                call.finish = event.reason
            case _:
                assert_never(event)
        return False

    def _finished(self, request: ChatRequest, call: _Call, *, completed: bool) -> CallFinished:
        report = call.report
        counted = report is not None and not report.partial
        return CallFinished(
            usage=report.usage if report else None,
            model_answered=report.model if report else None,
            service_tier=report.service_tier if report else None,
            first_token_s=call.first_token_s,
            duration_s=self._clock.monotonic() - call.started,
            completed=completed,
            input_text="" if report else prompt_of(request),
            output_text="" if counted else "".join((*call.text, *call.unsaid)),
            partial=report is not None and report.partial,
            files_tokens=0 if report else self._files_tokens,
        )

    def _check_end(self, call: _Call) -> None:
        name = self._provider.name
        match call.finish:
            case None:
                raise StreamBroken("the stream ended without its end", provider=name)
            case FinishReason.LENGTH:
                raise OutputLimitReached
            case FinishReason.CONTENT_FILTER:
                raise ContentRefused("the provider's filter stopped the answer", provider=name)
            case FinishReason.STOP | FinishReason.TOOL_CALLS:
                if not call.calls and not "".join(call.text).strip():
                    raise EmptyAnswer("the model said nothing", provider=name)
            case _:
                assert_never(call.finish)


def prompt_of(request: ChatRequest) -> str:
    """All words of a request: what its tokens are estimated by where nobody reports them."""
    tools = (f"{tool.name} {tool.description} {json.dumps(dict(tool.parameters))}" for tool in request.tools)
    return "\n".join([request.system, *tools, *(message.words for message in request.messages)])


def _counts(call: _Call, failure: ParleyError | None) -> bool:
    """Whether the provider may bill the call: it ended well, it said something, or we cannot know that it did not."""
    unsure = isinstance(failure, StreamBroken | EmptyAnswer | FirstTokenLate | StopRequested | TurnTimeout)
    return failure is None or unsure or call.first_token_s is not None or call.report is not None


def _with_results(request: ChatRequest, call: _Call, results: Sequence[ToolResult], *, is_last: bool) -> ChatRequest:
    """The next request: the model's call and every result of it, never one without the other."""
    said = "".join(call.text)
    parts: tuple[Part, ...] = (*((Text(text=said),) if said else ()), *call.calls)
    if is_last:
        results = (*results[:-1], replace(results[-1], text=results[-1].text + _LAST_ROUND))
    answered = tuple(Message(role=Role.TOOL, parts=(result,)) for result in results)
    return replace(request, messages=(*request.messages, Message(role=Role.ASSISTANT, parts=parts), *answered))
