"""A provider with what surrounds each of its calls: circuit breaker, outgoing limits, first-token deadline, health.

Knows nothing of retries or of other models: it raises, and whoever asked decides.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from bot.core.catalogue import ModelInfo
from bot.core.errors import CircuitOpen, ContentRefused, EmptyAnswer, FirstTokenLate, ProviderError, StreamBroken
from bot.core.events import Finish, FinishReason, ProviderEvent, TextDelta, UsageReport
from bot.core.health import Health
from bot.core.message import Audio, Document, Image, Message, ToolCall, ToolResult
from bot.core.outgoing import OutgoingLimits, Slot
from bot.core.ports import ChatRequest, Clock, Provider
from bot.core.tokens import estimate_tokens

#: Models that think before they speak get so many times longer for their first sign of life.
REASONING_PATIENCE = 2
#: What an answer takes of a limit until its real length is known.
_ANSWER_TOKENS = 1_000
#: A picture, a recording or a file, roughly.
_FILE_TOKENS = 1_500


@dataclass(slots=True)
class _Call:
    """What is known of a call as it goes."""

    started_s: float
    first_token_s: float | None = None
    said_something: bool = False
    finish: FinishReason | None = None
    used_tokens: int | None = None

    def take(self, event: ProviderEvent, now_s: float) -> None:
        """Note an event of the stream."""
        if self.first_token_s is None:
            self.first_token_s = now_s - self.started_s
        match event:
            case TextDelta(text=text):
                self.said_something = self.said_something or bool(text.strip())
            case ToolCall():
                self.said_something = True
            case UsageReport(usage=usage):
                self.used_tokens = usage.input_tokens + usage.output_tokens
            case Finish(reason=reason):
                self.finish = reason
            case _:
                pass

    def flaw(self, provider: str) -> ProviderError | None:
        """What is wrong with a stream that is over without an error of its own; None: nothing."""
        match self.finish:
            case None:
                return StreamBroken("the stream ended without its end", provider=provider)
            case FinishReason.CONTENT_FILTER:
                return ContentRefused("the provider's filter stopped the answer", provider=provider)
            case FinishReason.STOP | FinishReason.TOOL_CALLS if not self.said_something:
                return EmptyAnswer("the model said nothing", provider=provider)
            case _:
                return None


class Guarded:
    """`Provider` around a provider.

    Nothing comes for `first_token_s` seconds after the request went out (twice that for a model that reasons, less
    where the request says so): FirstTokenLate. The time in the queue of `limits` (None: no limits) does not count.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        health: Health,
        limits: OutgoingLimits | None,
        clock: Clock,
        first_token_s: float,
    ) -> None:
        self._provider = provider
        self._health = health
        self._limits = limits
        self._clock = clock
        self._first_token_s = first_token_s

    @property
    def name(self) -> str:
        return self._provider.name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        ref = request.model.ref
        self._health.check(ref)  # before it queues in vain
        slot = await self._slot(request)
        ticket = self._ticket(request.model, slot)
        call = _Call(started_s=self._clock.monotonic())
        error: ProviderError | None = None
        try:
            async with aclosing(self._provider.stream(request)) as events:
                while (event := await self._next(events, call, self._patience_s(request))) is not None:
                    call.take(event, self._clock.monotonic())
                    yield event
            error = call.flaw(self.name)
        except ProviderError as raised:
            error = raised
            raise
        finally:  # also when it was closed early or cancelled: then it is no failure
            self._health.record(ref, first_token_s=call.first_token_s, error=error, ticket=ticket)
            if call.used_tokens is not None:
                slot.correct(call.used_tokens)

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        return await self._provider.list_models()

    async def aclose(self) -> None:
        await self._provider.aclose()

    async def _slot(self, request: ChatRequest) -> Slot:
        if self._limits is None:
            return Slot()
        return await self._limits.acquire(request.model, lane=request.lane, tokens=lambda: tokens_of(request))

    def _ticket(self, model: ModelInfo, slot: Slot) -> int:
        try:
            return self._health.admit(model.ref)
        except CircuitOpen:
            slot.give_back()
            raise

    def _patience_s(self, request: ChatRequest) -> float:
        """How long nothing may come."""
        usual_s = self._first_token_s * (REASONING_PATIENCE if request.model.reasoning else 1)
        return usual_s if request.first_token_s is None else min(usual_s, request.first_token_s)

    async def _next(
        self, events: AsyncGenerator[ProviderEvent, None], call: _Call, patience_s: float
    ) -> ProviderEvent | None:
        """The next event, None at the end; the first one has to come in time."""
        try:
            async with asyncio.timeout(patience_s if call.first_token_s is None else None) as deadline:
                return await anext(events)
        except StopAsyncIteration:
            return None
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise FirstTokenLate(f"silent for {patience_s:.0f} s", provider=self.name) from error


def tokens_of(request: ChatRequest) -> int:
    """What a request will use, prompt and answer, roughly: enough to share a limit by."""
    prompt = estimate_tokens(request.system) + sum(map(_tokens_in, request.messages))
    return prompt + min(request.max_output_tokens or _ANSWER_TOKENS, _ANSWER_TOKENS)


def _tokens_in(message: Message) -> int:
    files = sum(isinstance(part, Image | Document | Audio) for part in message.parts)
    results = sum(estimate_tokens(part.text) for part in message.parts if isinstance(part, ToolResult))
    return estimate_tokens(message.text) + results + files * _FILE_TOKENS
