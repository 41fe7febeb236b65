"""A process that holds and settles many calls at once; run by test_budgets_under_load.py.

`python -m tests.bot.storage.spender URI DATABASE SEED ROUNDS AT_ONCE LIMIT`: waits for a line, then works, then prints
what it settled as JSON. A tenth of its calls it never settles; half of those it books, as if it had died after that.
"""

import asyncio
import json
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime

from bot.core.budget import Due, Period
from bot.core.ledger import SpendingScope, Whose
from bot.storage.budgets import BudgetStore
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from tests.bot.storage.samples import row

#: Far away: counters of periods long past vanish.
NOW = datetime(2099, 6, 17, 12, tzinfo=UTC)
MAX_HOLD = 1_000


def dues(limit_nano: int) -> list[Due]:
    """The one cap that all calls count against, and a wider one."""
    everyone = SpendingScope(whose=Whose.ALL)
    return [Due.of(everyone, Period.MONTH, limit_nano, NOW), Due.of(everyone, Period.DAY, 10 * limit_nano, NOW)]


class Spender:
    """One process's calls; `seen` is the most that it ever saw used and held at once."""

    def __init__(self, database: Database, seed: int, limit_nano: int) -> None:
        self.settled = self.booked = self.refused = self.seen = 0
        self._ledger = Ledger(database)
        self._budgets = BudgetStore(database, self._ledger)
        self._chance = random.Random(seed)
        self._dues = dues(limit_nano)
        self._seed = seed

    async def call(self, number: int) -> None:
        """Hold, spend at most that, settle."""
        held = self._chance.randrange(1, MAX_HOLD)
        cost, fate = self._chance.randrange(held + 1), self._chance.random()
        spent_row = replace(row(self._seed * 1_000_000 + number, nano_usd=cost), at=NOW)
        reservation = await self._budgets.reserve(spent_row.id, held, self._dues)
        capped = reservation.spent[self._dues[0].counter]
        self.seen = max(self.seen, capped.used_nano + capped.held_nano)
        if reservation.lacking is not None:
            self.refused += 1
            return
        if fate < 0.05:
            return
        await self._ledger.append([spent_row])
        self.booked += cost
        if fate < 0.1:
            return
        await self._budgets.settle(spent_row.id, cost, [due.counter for due in self._dues])
        self.settled += cost


async def main(uri: str, name: str, seed: int, rounds: int, at_once: int, limit_nano: int) -> None:
    async with Database(uri, name) as database:
        spender = Spender(database, seed, limit_nano)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in range(rounds):
            async with asyncio.TaskGroup() as tasks:
                for call in range(at_once):
                    tasks.create_task(spender.call(number * at_once + call))
        counts = ("settled", "booked", "refused", "seen")
        print(json.dumps({count: getattr(spender, count) for count in counts}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
