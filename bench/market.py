"""One model at a server that bills: the real provider, the real prices, and the time there.

Built from settings as Parley builds itself; nobody's environment or files are read.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from bench.biller import Server, open_anthropic, open_gemini, open_openai
from bench.conversation import Exchange
from bench.inside import LeapClock
from bot.core.catalogue import ModelInfo
from bot.core.events import Usage, UsageReport
from bot.core.ledger import Cost
from bot.core.ports import ChatRequest, Clock
from bot.models import Models, open_models
from bot.settings import Settings, load_settings

Open = Callable[[Sequence[Exchange], Clock], AbstractAsyncContextManager[Server]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One model at its provider.

    `at_most` is what Parley may cost there, in what the sliding window costs; None: nothing was promised.
    """

    model: str
    open: Open
    at_most: float | None = None


#: Each provider's default model.
HAIKU = Market(model="anthropic/claude-haiku-5-5", open=open_anthropic, at_most=1 / 4)
LUNA = Market(model="openai/gpt-6-luna", open=open_openai, at_most=1 / 3)
FLASH = Market(model="gemini/gemini-3.8-flash", open=open_gemini)
#: Dearer ones, which read from their caches at a twentieth of the price instead of a tenth.
SONNET = Market(model="anthropic/claude-sonnet-5-5", open=open_anthropic, at_most=1 / 4)
TERRA = Market(model="openai/gpt-6.1-terra", open=open_openai, at_most=1 / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A server that is running, and what Parley's settings make of it."""

    server: Server
    settings: Settings
    models: Models
    model: ModelInfo
    clock: LeapClock

    async def ask(self, request: ChatRequest) -> Usage:
        """What the server reports for one call."""
        reported = None
        async with aclosing(self.models.providers[request.model.ref.provider].stream(request)) as events:
            async for event in events:
                if isinstance(event, UsageReport):
                    reported = event.usage
        if reported is None:
            raise RuntimeError("the server did not say what it charges")
        return reported

    def cost(self, usage: Usage) -> int:
        """In nano-dollars."""
        return self.known(self.models.price(usage, self.model, self.clock.now(), estimated=False))

    def prompt_cost(self, usage: Usage) -> int:
        """The same without the answer."""
        return self.cost(replace(usage, output_tokens=0, reasoning_tokens=0))

    def known(self, cost: Cost) -> int:
        """A cost that is known; nothing else can be compared."""
        if cost.nano_usd is None:
            raise RuntimeError(f"nobody knows the price of {self.model.ref}")
        return cost.nano_usd


@asynccontextmanager
async def stand(
    market: Market, exchanges: Sequence[Exchange], *, context_tokens: int | None = None
) -> AsyncIterator[Stand]:
    """A server with cold caches. `context_tokens` None: Parley's default."""
    clock = LeapClock()
    with tempfile.TemporaryDirectory(prefix="parley-money-") as folder:
        async with market.open(exchanges, clock) as server:
            provider = market.model.partition("/")[0].upper()
            environ = {
                f"{provider}_API_KEY": server.key,
                f"{provider}_BASE_URL": server.base_url,
                "DEFAULT_MODEL": market.model,
                "DATA_DIR": folder,
            }
            if context_tokens is not None:
                environ["CONTEXT_TOKENS"] = str(context_tokens)
            settings = load_settings(environ, None)
            async with open_models(settings, clock) as models:
                model = await models.directory.default()
                yield Stand(server=server, settings=settings, models=models, model=model, clock=clock)
