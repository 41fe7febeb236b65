"""Every provider that speaks over the wire, each with the server it is tested against: one contract for all.

A provider joins with
1. a fake of its API under `tests/fakes/<name>/` that does what `tests.fakes.model_server.ModelServer` says and takes
   the steps of `tests.fakes.script`;
2. a module `serving_<name>.py` beside this one with its `Case` (see `case.py`: data only);
3. one row in CASES below.
From then on it goes through `test_contract*.py` and `test_errors.py`. What only its wire has goes to `test_<name>.py`,
where `serving(CASE)` gives a `World` whose `fake` is the fake itself, and `world.sent.body` the newest raw body.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic

import pytest
from pydantic import SecretStr

from bot.core.catalogue import ModelInfo
from bot.core.events import ProviderEvent, ReasoningDelta, TextDelta, UsageReport
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest, Provider
from bot.core.tools import ToolSpec
from bot.providers import PROVIDERS
from bot.providers.connection import Connection, load_factory
from tests.bot.providers.case import Case, S
from tests.bot.providers.serving_anthropic import ANTHROPIC
from tests.bot.providers.serving_gemini import GEMINI
from tests.bot.providers.serving_ollama import OLLAMA
from tests.bot.providers.serving_openai import COMPATIBLE, GROQ, HUGGINGFACE, OPENAI
from tests.fakes.clock import ManualClock
from tests.fakes.model_server import Asked, ModelServer

READ_TIMEOUT_S = 0.2
ADD = ToolSpec(
    name="add",
    description="Add two numbers",
    parameters={"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
)

CASES: tuple[Case[ModelServer], ...] = (OPENAI, ANTHROPIC, GROQ, HUGGINGFACE, OLLAMA, COMPATIBLE, GEMINI)


def only(wanted: Callable[[Case[ModelServer]], bool]) -> pytest.MarkDecorator:
    """Run a test of `world` for those providers that have the thing in question."""
    return pytest.mark.parametrize("world", [case for case in CASES if wanted(case)], indirect=True, ids=str)


def is_early(event: ProviderEvent) -> bool:
    """Whether it is the count that some APIs give before the first word."""
    return isinstance(event, UsageReport) and event.partial


@dataclass(frozen=True, slots=True)
class World(Generic[S]):
    """A provider, the server behind it and a model that it has."""

    case: Case[S]
    provider: Provider
    fake: S
    clock: ManualClock

    @property
    def sent(self) -> Asked:
        """The newest request for an answer."""
        return self.fake.asked[-1]

    async def ask(self, request: ChatRequest) -> list[ProviderEvent]:
        """All events of one call but its early count, which not every API gives."""
        async with aclosing(self.provider.stream(request)) as stream, asyncio.timeout(10):
            return [event async for event in stream if not is_early(event)]

    async def ask_until_error(self, request: ChatRequest) -> tuple[list[ProviderEvent], Exception | None]:
        """The events of a call likewise, and what it raised (None: nothing)."""
        events, error = await self.ask_for_all(request)
        return [event for event in events if not is_early(event)], error

    async def ask_for_all(self, request: ChatRequest) -> tuple[list[ProviderEvent], Exception | None]:
        """Every event of a call, and what it raised (None: nothing)."""
        events: list[ProviderEvent] = []
        try:
            async with aclosing(self.provider.stream(request)) as stream, asyncio.timeout(10):
                async for event in stream:
                    events.append(event)
        except Exception as error:
            return events, error
        return events, None

    def request(self, *messages: Message | str, model: ModelInfo | None = None, **options: Any) -> ChatRequest:
        """A request, of the case's model unless another is given; a plain string is a user message."""
        said = messages or ("Hello",)
        given: Mapping[str, Any] = {"system": "", **options}
        return ChatRequest(
            model=model or self.case.model,
            messages=tuple(Message.of_text(Role.USER, each) if isinstance(each, str) else each for each in said),
            **given,
        )


@asynccontextmanager
async def serving(case: Case[S], *, key: str | None = None) -> AsyncIterator[World[S]]:
    """A provider as the registry builds it and its server; `key` None: the right one, empty: none."""
    clock = ManualClock()
    async with case.serve() as fake:
        row = next(row for row in PROVIDERS if row.name == case.name)
        connection = Connection(
            name=case.name,
            base_url=fake.base_url,
            key=SecretStr(fake.key if key is None else key) if key != "" else None,
            clock=clock,
            read_timeout_s=READ_TIMEOUT_S,
        )
        provider = load_factory(row)(connection)
        try:
            yield World(case, provider, fake, clock)
        finally:
            await provider.aclose()


def text_of(events: list[ProviderEvent]) -> str:
    """The answer's text."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning_of(events: list[ProviderEvent]) -> str:
    """The reasoning."""
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))
