"""Rows for the tests of the ledger's sums, and what those sums must be."""

import random
from dataclasses import replace
from datetime import timedelta

from bot.core.ledger import Certainty, LedgerRow, SpendingScope, Whose
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from tests.bot.storage.samples import ADA, BOB, NOON, PLACE, row
from tests.fakes.stores import MemoryLedger

SERVER = "telegram:99:s"
SCOPES = (
    SpendingScope(whose=Whose.USER, key=ADA),
    SpendingScope(whose=Whose.USER, key=BOB),
    SpendingScope(whose=Whose.CHANNEL, key=PLACE.channel_key),
    SpendingScope(whose=Whose.SERVER, key=SERVER),
    SpendingScope(whose=Whose.ALL),
)
MODELS = ("openai/gpt-6.1", "groq/$b", "a.b/c%2Ed")


def some_rows(numbers: range, seed: int = 1) -> list[LedgerRow]:
    """Calls of two people over three days by three models, some of them estimated or of unknown cost."""
    chance = random.Random(seed)
    rows = []
    for number in numbers:
        certainty = chance.choice(list(Certainty))
        cost = None if certainty is Certainty.UNKNOWN else chance.randrange(5_000_000_000)
        plain = row(
            number,
            model=chance.choice(MODELS),
            nano_usd=cost,
            certainty=certainty,
            author=chance.choice((ADA, BOB)),
            space=chance.choice((None, SERVER)),
        )
        rows.append(replace(plain, at=NOON + timedelta(days=chance.randrange(3), seconds=number)))
    return rows


async def assert_exact(database: Database, rows: list[LedgerRow]) -> None:
    """What is asked for is what the rows come to, from rollups alone: none of them waits, and no batch is open."""
    memory = MemoryLedger()
    await memory.append(rows)
    ledger = Ledger(database)
    for scope in SCOPES:
        assert await ledger.spending(scope, None) == await memory.spending(scope, None)
    async with database.operation():
        assert await database.collection("usage").count_documents({}) == len(rows)
        assert await database.collection("usage").count_documents({"unrolled": {"$exists": True}}) == 0
        assert await database.collection("rollups").count_documents({"batch": {"$type": "object"}}) == 0


async def wipe(database: Database) -> None:
    async with database.operation():
        for name in ("usage", "rollups"):
            await database.collection(name).delete_many({})
