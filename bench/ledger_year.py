"""A year of the ledger: how long `/cost` takes with a million calls, and what rolling them up costs.

The server makes the rows out of a thousand that are booked as always. 300 people, 40 channels, 10 servers and 10
models; the heaviest person makes about every fourth call.
"""

import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pymongo

from bench.scenarios import Figures
from bot.core.events import Usage
from bot.core.ledger import CallStatus, Certainty, Cost, LedgerRow, SpendingScope, Whose
from bot.storage.codec import Document
from bot.storage.database import Database, open_database
from bot.storage.ledger import Ledger
from bot.storage.rebuild import rebuild
from bot.storage.rollups import Roller

YEAR_ROWS: Final = 1_000_000
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
HEAVIEST: Final = SpendingScope(whose=Whose.USER, key="bench:user-0")
SERVER: Final = SpendingScope(whose=Whose.SERVER, key="bench:server-0")
EVERYONE: Final = SpendingScope(whose=Whose.ALL)
_DATABASE: Final = "bench_ledger"
_TEMPLATES: Final = 1_000
_YEAR: Final = timedelta(days=365)
_ASKED: Final = 15
_WAITING: Final = 10_000
_FILL_TIMEOUT_S: Final = 600.0


async def ledger_year(uri: str, rows: int = YEAR_ROWS) -> Figures:
    """Milliseconds of `spending` over a year, by scope; seconds of a rebuild; rows rolled up in a second."""
    async with open_database(uri, _DATABASE) as database:
        try:
            await fill(database, rows)
            began = time.perf_counter()
            await rebuild(database)
            rebuild_s = time.perf_counter() - began
            ledger = Ledger(database)
            figures = {
                f"year_{scope.whose}_ms": await _median_ms(partial(ledger.spending, scope, START))
                for scope in (HEAVIEST, SERVER, EVERYONE)
            }
            await mark(database, _WAITING)
            began = time.perf_counter()
            rolled = await Roller(database).roll()
            rolled_s = time.perf_counter() - began
        finally:
            await database.collection("usage").database.client.drop_database(_DATABASE)
    return {**figures, "rebuild_s": rebuild_s, "rolled_rows_per_s": rolled / rolled_s}


async def fill(database: Database, rows: int) -> None:
    """Book so many rows over a year, which no rollup holds and none of which waits for that."""
    usage = database.collection("usage")
    await Ledger(database).append(_templates())
    copies = rows // _TEMPLATES
    step_ms = _YEAR / timedelta(milliseconds=1) / rows
    order = {"$add": [{"$multiply": ["$copy", _TEMPLATES]}, "$duration_s"]}
    stages: list[Document] = [
        {"$set": {"copy": {"$range": [0, copies]}}},
        {"$unwind": "$copy"},
        {
            "$set": {
                "_id": {"$concat": ["$_id", "~", {"$toString": "$copy"}]},
                "at": {"$add": [START, {"$toLong": {"$multiply": [order, step_ms]}}]},
            }
        },
        {"$unset": ["copy", "unrolled"]},
        {"$out": "usage"},
    ]
    with pymongo.timeout(_FILL_TIMEOUT_S):
        async with database.operation():
            await usage.aggregate(stages)


async def mark(database: Database, rows: int) -> None:
    """Let so many rows wait for the roller, as if they had just been booked."""
    usage = database.collection("usage")
    async with database.operation():
        ids = [row["_id"] for row in await usage.find({}, {"_id": 1}, limit=rows).to_list()]
        await usage.update_many({"_id": {"$in": ids}}, {"$set": {"unrolled": True}})


def _templates() -> list[LedgerRow]:
    """Calls whose durations number them from 0."""
    chance = random.Random(2026)
    people = range(300)
    weights = [1 / (1 + person) ** 1.1 for person in people]
    return [_template(number, chance.choices(people, weights)[0], chance) for number in range(_TEMPLATES)]


def _template(number: int, person: int, chance: random.Random) -> LedgerRow:
    certainty = chance.choices(list(Certainty), (90, 8, 2))[0]
    nano_usd = None if certainty is Certainty.UNKNOWN else chance.randrange(40_000_000)
    channel = chance.randrange(40)
    tokens = chance.randrange(200, 20_000)
    return LedgerRow(
        id=f"bench:{number}~1~0",
        at=START,
        turn_uid=f"bench:{number}",
        thread_key=f"bench:channel-{channel}",
        channel_key=f"bench:channel-{channel}",
        space_key=f"bench:server-{channel % 10}",
        author_key=f"bench:user-{person}",
        provider="bench",
        model=f"bench/model-{chance.randrange(10)}.1",
        model_answered=None,
        usage=Usage(input_tokens=tokens, output_tokens=chance.randrange(2_000), cached_tokens=tokens // 3),
        usage_estimated=certainty is Certainty.ESTIMATED,
        cost=Cost(nano_usd=nano_usd, certainty=certainty, source="bench"),
        status=CallStatus.COMPLETED,
        first_token_s=None,
        duration_s=float(number),
    )


async def _median_ms(ask: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)
