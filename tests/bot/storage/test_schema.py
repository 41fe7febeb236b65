"""Indexes and validators over MongoDB: queries read what they return, and wrong money is refused."""

from dataclasses import replace

import pytest
from bson.int64 import Int64
from pymongo.errors import WriteError

from bot.core.budget import Due, Period
from bot.core.ledger import SpendingScope, Whose
from bot.storage.budgets import BudgetStore
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from bot.storage.rollups import Roller
from bot.storage.schema import ensure_indexes, indexes
from bot.storage.threads import ThreadStore
from bot.storage.turns import TurnStore
from tests.bot.storage.samples import ADA, KEY, NOON, PLACE, item, place, row, turn

TURNS = 10_000


class Profiler:
    """What the server says of each operation on a database while it watches."""

    def __init__(self, database: Database) -> None:
        # The database behind a collection: profiling is no business of a store.
        self._database = database.collection("turns").database

    async def __aenter__(self) -> "Profiler":
        await self._database.command("profile", 0)
        await self._database["system.profile"].drop()
        await self._database.command("profile", 2)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._database.command("profile", 0)

    async def examined(self, collection: str) -> tuple[int, int]:
        """Index keys and documents that the operations on a collection looked at."""
        operations = (
            await self._database["system.profile"].find({"ns": f"{self._database.name}.{collection}"}).to_list()
        )
        assert operations, "nothing was asked"
        assert all("COLLSCAN" not in operation["planSummary"] for operation in operations)
        return sum(o["keysExamined"] for o in operations), sum(o["docsExamined"] for o in operations)


async def long_thread(database: Database) -> TurnStore:
    """A thread of 10,000 turns, of which every second among the newest 1,000 was superseded."""
    turns = TurnStore(database)
    await turns.append(turn(0))
    collection = database.collection("turns")
    async with database.operation():
        sample: Document | None = await collection.find_one({"_id": turn(0).uid})
        assert sample is not None
        copies = [{**sample, "_id": f"{KEY}:{seq}", "seq": seq} for seq in range(1, TURNS)]
        for copy in copies[TURNS - 1_000 :: 2]:
            copy.update(superseded_by="x")
            del copy["current"]
        await collection.insert_many(copies)
    return turns


async def test_recent_turns_cost_the_same_in_a_thread_of_10_000(database: Database) -> None:
    turns = await long_thread(database)

    async with Profiler(database) as profiler:
        recent = await turns.recent(KEY, from_seq=0, limit=40)
        examined = await profiler.examined("turns")

    assert len(recent) == 40
    assert examined == (40, 40)


async def test_the_last_turn_is_one_step_away_in_a_thread_of_10_000(database: Database) -> None:
    turns = await long_thread(database)

    async with Profiler(database) as profiler:
        last = await turns.last(KEY)
        examined = await profiler.examined("turns")

    assert last is not None
    assert examined == (1, 1)


async def test_a_sweep_looks_only_at_threads_where_something_waits(database: Database) -> None:
    threads = ThreadStore(database, owner="a")
    for chat in range(100):
        claim = (await threads.ingest(place(str(chat)), replace(item(1), uid=f"telegram:99:{chat}:1"))).claim
        assert claim is not None
        if chat != 50:
            await threads.finish(claim, [claim.items[0].uid])

    async with Profiler(database) as profiler:
        assert await threads.claim_expired(10, [PLACE.account_key]) == ()
        _, documents = await profiler.examined("threads")

    assert documents <= 1


OF_ONE = (
    SpendingScope(whose=Whose.USER, key=ADA),
    SpendingScope(whose=Whose.CHANNEL, key=PLACE.channel_key),
    SpendingScope(whose=Whose.SERVER, key="telegram:99:s"),
)


async def others_rows(database: Database) -> Ledger:
    """A ledger with one row of each scope of `OF_ONE`, and 48 of others; all rolled up."""
    ledger = Ledger(database)
    await ledger.append([row(1, space="telegram:99:s")])
    others = [replace(row(n, author=f"telegram:{n}"), channel_key=f"telegram:{n}") for n in range(2, 50)]
    await ledger.append(others)
    await Roller(database).roll()
    return ledger


@pytest.mark.parametrize("scope", OF_ONE, ids=lambda scope: str(scope.whose))
async def test_spending_reads_only_the_rollups_that_it_adds_up(database: Database, scope: SpendingScope) -> None:
    ledger = await others_rows(database)

    async with Profiler(database) as profiler:
        await ledger.spending(scope, NOON.replace(hour=0))
        of_rollups, of_rows = await profiler.examined("rollups"), await profiler.examined("usage")

    progress = 2  # is read before and after, by its id
    assert of_rollups == (1 + progress, 1 + progress)
    assert of_rows == (0, 0)


@pytest.mark.parametrize("scope", [*OF_ONE, SpendingScope(whose=Whose.ALL)], ids=lambda scope: str(scope.whose))
async def test_rows_are_read_one_by_one_from_the_newest(database: Database, scope: SpendingScope) -> None:
    ledger = await others_rows(database)

    async with Profiler(database) as profiler:
        rows = await ledger.rows(scope, None, 1)
        examined = await profiler.examined("usage")

    assert len(rows) == 1
    assert examined == (1, 1)


async def test_a_search_for_abandoned_holds_passes_over_young_and_settled_ones(database: Database) -> None:
    budgets = BudgetStore(database, Ledger(database))
    for number in range(20):
        person = SpendingScope(whose=Whose.USER, key=f"telegram:{number}")
        counter = Due.of(person, Period.DAY, 100, NOON.replace(year=2099))
        await budgets.reserve("a", 10, [counter])
        if number < 10:
            await budgets.settle("a", 10, [counter.counter])

    async with Profiler(database) as profiler:
        assert await budgets.settle_abandoned(3_600) == 0
        _, documents = await profiler.examined("counters")

    assert documents == 0


@pytest.mark.parametrize("cost", [0.5, 7, "7"], ids=["float", "int32", "text"])
async def test_money_that_is_no_int64_is_refused_by_the_server(database: Database, cost: object) -> None:
    usage = database.collection("usage")
    await Ledger(database).append([row(1)])
    stored = await usage.find_one({"_id": row(1).id})
    assert stored is not None
    assert isinstance(stored["cost"], Int64)

    with pytest.raises(WriteError):
        await usage.insert_one({**stored, "_id": "wrong", "cost": cost})


async def test_a_turn_has_its_obvious_fields_for_other_readers(database: Database) -> None:
    await TurnStore(database).append(turn(0, answer="**hi**"))

    document = await database.collection("turns").find_one({"_id": turn(0).uid})

    assert document is not None
    assert (document["answer"], document["outcome"], document["model"]) == (
        "**hi**",
        "answered",
        "demo/parrot",
    )
    assert document["author"] == {"key": ADA, "name": "Ada"}


async def test_an_index_whose_definition_changed_is_built_anew(database: Database) -> None:
    usage = database.collection("usage")
    await usage.drop_index("author_at")
    await usage.create_index([("thread_key", 1)], name="author_at")

    await ensure_indexes(usage.database)

    information = await usage.index_information()
    assert information["author_at"]["key"] == [("author_key", 1), ("at", -1)]


async def test_all_indexes_exist_after_opening(database: Database) -> None:
    for name, models in indexes().items():
        information = await database.collection(name).index_information()
        assert set(information) == {"_id_", *(model.document["name"] for model in models)}
