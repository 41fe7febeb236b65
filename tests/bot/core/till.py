"""A purse over stores in memory, for the tests about budgets: one process, and further ones beside it."""

import pytest

from bot.core.errors import BudgetExhausted
from bot.core.ledger import Whose
from bot.core.ports import ChatRequest
from bot.core.prompt_bound import prompt_bound
from bot.core.purse import Permit, Purse
from bot.core.worst_case import LEAST_OUTPUT_TOKENS
from tests.bot.core.spending import ANN, CHANNEL, PRICING, asks, limit
from tests.fakes.clock import ManualClock
from tests.fakes.money import MemoryBudgets, MemoryRates
from tests.fakes.stores import MemoryLedger

#: 100 tokens of prompt are held at their bound, at $2.50 per million, 4,096 of answer at $10.
PROMPT = 100
BOUND = prompt_bound(asks(), PROMPT)
HELD = BOUND * 2_500 + 4_096 * 10_000
#: The same with the shortest answer that is worth asking for.
LEAST = BOUND * 2_500 + LEAST_OUTPUT_TOKENS * 10_000


class Till:
    """A purse of one process and the stores that it shares with others."""

    def __init__(self, *, budgets: MemoryBudgets | None = None, clock: ManualClock | None = None, **facts: object):
        self.clock = clock or ManualClock()
        self.ledger = MemoryLedger()
        self.budgets = budgets or MemoryBudgets(self.ledger, self.clock)
        self.rates = MemoryRates(self.clock)
        self.purse = self.another(**facts)

    def another(self, **facts: object) -> Purse:
        """The purse of a further process."""
        return Purse(budgets=self.budgets, rates=self.rates, price=PRICING, clock=self.clock, **facts)  # type: ignore[arg-type]  # the test's own keywords

    async def reserve(self, call_id: str = "call", request: ChatRequest | None = None) -> Permit:
        request = asks() if request is None else request
        return await self.purse.reserve(call_id, request, prompt_tokens=PROMPT, place=CHANNEL, author_key=ANN)

    async def refused(self, request: ChatRequest | None = None) -> str:
        with pytest.raises(BudgetExhausted) as refusal:
            await self.reserve("refused", request)
        return str(refusal.value)

    async def release(self, call_id: str = "call") -> None:
        await self.purse.release(call_id, place=CHANNEL, author_key=ANN)

    def sums(self) -> dict[str, tuple[int, int]]:
        """Used and held, by counter."""
        spent = {name: counter.spent() for name, counter in self.budgets.counters.items()}
        return {name: (held.used_nano, held.held_nano) for name, held in spent.items()}


def user(
    nano_usd: int, *, budgets: MemoryBudgets | None = None, clock: ManualClock | None = None, **facts: object
) -> Till:
    """A till where each person may spend so much a day."""
    return Till(budgets=budgets, clock=clock, limits=(limit(Whose.USER, nano_usd),), **facts)


DAY = f"user:{ANN}/day/2026-11-01"
