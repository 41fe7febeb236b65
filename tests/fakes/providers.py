"""A model that says what its script says, for tests of whatever calls a provider.

Knows no wire and no SDK. Each call of `stream` plays the next script; scripts that run out are an
AssertionError, so that a call too many is seen.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ParleyError
from bot.core.events import Finish, FinishReason, ProviderEvent, TextDelta, Usage, UsageReport
from bot.core.message import ToolCall
from bot.core.ports import ChatRequest, Clock


@dataclass(frozen=True, slots=True)
class Hold:
    """A stop in a script: the stream waits here until the test calls `release`."""

    _reached: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the stream go on (also when it has not come here yet)."""
        self._released.set()

    async def reached(self, deadline_s: float = 5.0) -> None:
        """Wait until the stream stands here; TimeoutError when it does not in time."""
        async with asyncio.timeout(deadline_s):
            await self._reached.wait()

    async def pass_through(self) -> None:
        """What the stream does when it comes here."""
        self._reached.set()
        await self._released.wait()


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of so many seconds on the clock that the provider was given."""

    seconds: float


Step = ProviderEvent | BaseException | Hold | Pause
Script = Sequence[Step]


def says(*pieces: str, usage: Usage | None = None, model: str | None = None) -> Script:
    """A whole answer: its pieces as deltas, usage (None: 10 in, one out per piece) and a Finish."""
    used = usage or Usage(input_tokens=10, output_tokens=len(pieces))
    texts = [TextDelta(text=piece) for piece in pieces]
    return (*texts, UsageReport(usage=used, model=model), Finish(reason=FinishReason.STOP))


def calls_tool(name: str, arguments: str = "{}", *, call_id: str = "call_1") -> Script:
    """An answer that asks for one tool."""
    return (
        ToolCall(id=call_id, name=name, arguments=arguments),
        UsageReport(usage=Usage(input_tokens=10, output_tokens=5)),
        Finish(reason=FinishReason.TOOL_CALLS),
    )


class ScriptedProvider:
    """`Provider` that plays one script per call: events are yielded, errors raised, holds waited for.

    `requests` are those of all calls so far. `running` counts open streams, `closed_early` those that were
    closed or cancelled before their script ended. With `otherwise`, calls beyond the scripts play what it
    makes of the request.
    """

    def __init__(
        self,
        *scripts: Script,
        name: str = "scripted",
        models: tuple[ModelInfo, ...] | None = None,
        clock: Clock | None = None,
        otherwise: Callable[[ChatRequest], Script] | None = None,
    ) -> None:
        self._name = name
        self._scripts = list(scripts)
        self._clock = clock
        self._otherwise = otherwise
        self.models = models
        self.list_error: ParleyError | None = None
        self.requests: list[ChatRequest] = []
        self.list_calls = 0
        self.running = 0
        self.closed_early = 0
        self.closed = False

    @property
    def name(self) -> str:
        return self._name

    def model(self, model_id: str = "model", **facts: object) -> ModelInfo:
        """A model of this provider; `facts` are fields of ModelInfo."""
        return ModelInfo(ref=ModelRef(self._name, model_id), **facts)  # type: ignore[arg-type]  # a test's shorthand

    def then(self, *scripts: Script) -> None:
        """Add scripts for further calls."""
        self._scripts.extend(scripts)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        self.requests.append(request)
        self.running += 1
        ended = False
        try:
            async with aclosing(self._play(self._next(request))) as events:
                async for event in events:
                    yield event
            ended = True
        except ParleyError:
            ended = True
            raise
        finally:
            self.running -= 1
            self.closed_early += not ended

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        self.list_calls += 1
        if self.list_error is not None:
            raise self.list_error
        return self.models

    async def aclose(self) -> None:
        self.closed = True

    def _next(self, request: ChatRequest) -> Script:
        if self._scripts:
            return self._scripts.pop(0)
        if self._otherwise is not None:
            return self._otherwise(request)
        raise AssertionError(f"{self._name} was called {len(self.requests)} times, more often than scripted")

    async def _play(self, script: Script) -> AsyncGenerator[ProviderEvent, None]:
        for step in script:
            match step:
                case Hold():
                    await step.pass_through()
                case Pause():
                    assert self._clock is not None, "a script with pauses needs a clock"
                    await self._clock.sleep(step.seconds)
                case BaseException():
                    raise step
                case _:
                    yield step
