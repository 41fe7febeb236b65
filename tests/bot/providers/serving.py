"""Every provider that speaks over the wire, each with the server it is tested against."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.events import ProviderEvent, ReasoningDelta, TextDelta
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest, Provider, ToolSpec
from bot.providers import PROVIDERS
from bot.providers.connection import Connection, load_factory
from tests.fakes.clock import ManualClock
from tests.fakes.openai import dialect
from tests.fakes.openai.dialect import Dialect
from tests.fakes.openai.record import Request
from tests.fakes.openai.server import FakeOpenAI

READ_TIMEOUT_S = 0.2
ADD = ToolSpec(
    name="add",
    description="Add two numbers",
    parameters={"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One provider: its server, a model with what the catalogue would know of it, the names on its wire.

    `listed` are the models that it should list of its server's, None where its list is not used.
    """

    name: str
    dialect: Dialect
    model: ModelInfo
    path: str = "/v1/chat/completions"
    input_field: str = "messages"
    limit_field: str = "max_tokens"
    listed: frozenset[str] | None = None
    extra_fields: frozenset[str] = field(default_factory=lambda: frozenset({"stream_options"}))

    @property
    def speaks_responses(self) -> bool:
        return self.path == "/v1/responses"

    def __str__(self) -> str:
        return self.name


CASES = (
    Case(
        name="openai",
        dialect=dialect.OPENAI,
        model=ModelInfo(ref=ModelRef("openai", "gpt-6-luna"), temperature=False, reasoning=True),
        path="/v1/responses",
        input_field="input",
        limit_field="max_output_tokens",
        extra_fields=frozenset({"store", "include", "prompt_cache_key"}),
        listed=frozenset({"gpt-6-luna", "gpt-6.1-sol", "gpt-4.1-mini"}),
    ),
    Case(
        name="groq",
        dialect=dialect.GROQ,
        model=ModelInfo(ref=ModelRef("groq", "openai/gpt-oss-120b")),
        limit_field="max_completion_tokens",
    ),
    Case(
        name="huggingface",
        dialect=dialect.HUGGINGFACE,
        model=ModelInfo(ref=ModelRef("huggingface", "openai/gpt-oss-120b:groq")),
    ),
    Case(
        name="ollama",
        dialect=dialect.OLLAMA,
        model=ModelInfo(ref=ModelRef("ollama", "llama3.2:latest")),
        listed=frozenset({"llama3.2:latest"}),
    ),
    Case(
        name="compatible",
        dialect=dialect.COMPATIBLE,
        model=ModelInfo(ref=ModelRef("compatible", "local-model")),
        listed=frozenset({"local-model"}),
    ),
)
BY_NAME = {case.name: case for case in CASES}


@dataclass(frozen=True, slots=True)
class World:
    """A provider, the server behind it and a model that it has."""

    case: Case
    provider: Provider
    fake: FakeOpenAI
    clock: ManualClock

    @property
    def sent(self) -> Request:
        """The newest request for an answer."""
        return self.fake.generations[-1]

    async def ask(self, request: ChatRequest) -> list[ProviderEvent]:
        """All events of one call."""
        async with aclosing(self.provider.stream(request)) as stream, asyncio.timeout(10):
            return [event async for event in stream]

    async def ask_until_error(self, request: ChatRequest) -> tuple[list[ProviderEvent], Exception | None]:
        """The events of a call, and what it raised (None: nothing)."""
        events: list[ProviderEvent] = []
        try:
            async with aclosing(self.provider.stream(request)) as stream, asyncio.timeout(10):
                async for event in stream:
                    events.append(event)
        except Exception as error:
            return events, error
        return events, None

    def request(
        self,
        *messages: Message | str,
        system: str = "",
        tools: tuple[ToolSpec, ...] = (),
        model: ModelInfo | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        cache_key: str | None = None,
    ) -> ChatRequest:
        """A request; a plain string is a user message."""
        said = messages or ("Hello",)
        return ChatRequest(
            model=model or self.case.model,
            system=system,
            messages=tuple(Message.of_text(Role.USER, each) if isinstance(each, str) else each for each in said),
            tools=tools,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            cache_key=cache_key,
        )


@asynccontextmanager
async def serving(case: Case, *, key: str | None = None) -> AsyncIterator[World]:
    """A provider as the registry builds it and its server; `key` None: the right one, empty: none."""
    clock = ManualClock()
    async with FakeOpenAI(dialect=case.dialect) as fake:
        row = next(row for row in PROVIDERS if row.name == case.name)
        connection = Connection(
            name=case.name,
            base_url=fake.url,
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
