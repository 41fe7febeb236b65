"""The model servers beside OpenAI's that a bot may be set up with, each a fake of its own API.

Knows no bot: it only says which settings point to them.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.gemini.server import FakeGemini
from tests.fakes.model_server import Asked, ModelServer
from tests.fakes.ollama.server import FakeOllama


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Three APIs, running."""

    anthropic: FakeAnthropic
    gemini: FakeGemini
    ollama: FakeOllama

    @property
    def settings(self) -> Mapping[str, str]:
        """What makes a bot use them."""
        return {
            "ANTHROPIC_API_KEY": self.anthropic.key,
            "ANTHROPIC_BASE_URL": self.anthropic.base_url,
            "GEMINI_API_KEY": self.gemini.key,
            "GEMINI_BASE_URL": self.gemini.base_url,
            "OLLAMA_BASE_URL": self.ollama.base_url,
        }


@asynccontextmanager
async def open_servers() -> AsyncIterator[Servers]:
    """All of them, until the block is left."""
    async with AsyncExitStack() as stack:
        yield Servers(
            anthropic=await stack.enter_async_context(FakeAnthropic()),
            gemini=await stack.enter_async_context(FakeGemini()),
            ollama=await stack.enter_async_context(FakeOllama()),
        )


def asked_about(server: ModelServer, text: str) -> list[Asked]:
    """The calls of a model whose newest message has this text in it."""
    return [asked for asked in server.asked if asked.said and text in asked.said[-1].text]
