"""Rebuilding over MongoDB: the sums of the rows, whatever was there before and whatever happens meanwhile."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.errors import StorageUnavailable
from bot.core.ledger import LedgerRow
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from bot.storage.rebuild import rebuild
from bot.storage.rollups import Roller
from tests.bot.storage.booked import assert_exact, some_rows
from tests.bot.storage.interrupted import Fault, InterruptedDatabase, Killed, doing
from tests.bot.storage.samples import ADA, BOB, NOON, row


async def rollups(database: Database) -> dict[str, object]:
    """All sums by scope and day."""
    async with database.operation():
        documents = await database.collection("rollups").find({"day": {"$exists": True}}).to_list()
    return {document["_id"]: filled(document["m"]) for document in documents}


def filled(models: Document) -> Document:
    """Sums without those that are 0: a batch does not write them, a rebuild does."""
    return {model: {name: value for name, value in sums.items() if value} for model, sums in models.items()}


async def test_a_rebuild_agrees_with_what_was_rolled_up(database: Database) -> None:
    rows = some_rows(range(300))
    await Ledger(database).append(rows)
    await Roller(database).roll()
    before = await rollups(database)

    rebuilt = await rebuild(database)

    assert (rebuilt.days, rebuilt.rollups) == (3, len(before))
    assert await rollups(database) == before
    await assert_exact(database, rows)


async def test_a_rebuild_mends_what_is_wrong_missing_or_of_nobody(database: Database) -> None:
    rows, collection = some_rows(range(300)), database.collection("rollups")
    await Ledger(database).append(rows)
    await Roller(database).roll()
    async with database.operation():
        day = {"scope": "all:", "day": "2026-11-21"}
        await collection.update_one(day, {"$set": {"m.x": {"requests": 1, "nano_usd": 1}}})
        await collection.delete_many({"scope": f"user:{ADA}"})
        await collection.insert_one({"_id": "ghost", "scope": f"user:{BOB}", "day": "2020-01-01", "m": {}, "batch": 1})
        await collection.insert_one({"_id": "spook", "scope": "user:x", "day": "2026-11-21", "m": {}, "batch": 1})

    await rebuild(database)

    await assert_exact(database, rows)
    async with database.operation():
        assert await collection.count_documents({"_id": {"$in": ["ghost", "spook"]}}) == 0


async def test_rows_that_wait_are_left_to_the_roller_by_a_rebuild(database: Database) -> None:
    rows = some_rows(range(60))
    await Ledger(database).append(rows[:30])
    await Roller(database).roll()
    await Ledger(database).append(rows[30:])

    await rebuild(database)
    assert await Roller(database).roll() == 30
    await assert_exact(database, rows)


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_rebuild_that_breaks_off_anywhere_leaves_nothing_wrong(database: Database, fault: Fault) -> None:
    rows = some_rows(range(30))
    await Ledger(database).append(rows[:10])
    await Roller(database).roll()
    counting = InterruptedDatabase(database)
    await rebuild(counting)
    for end in range(counting.operations):
        more = rows[: 10 + end % 20]
        await Ledger(database).append(more)
        broken = InterruptedDatabase(database, at=end, fault=fault)
        with suppress(Killed, StorageUnavailable):
            await rebuild(broken)
        await Roller(database).roll()
        await broken.arrive()

        await assert_exact(database, rows[: max(10 + n % 20 for n in range(end + 1))])


async def test_what_an_older_rebuild_writes_late_at_any_time_does_no_harm(database: Database) -> None:
    rows = [row(number) for number in range(3)]
    await Ledger(database).append(rows)
    await Roller(database).roll()
    counting = InterruptedDatabase(database)
    await rebuild(counting)
    for timed_out in range(counting.operations):
        for arrival in range(counting.operations + 1):
            async with database.operation():
                await database.collection("rollups").delete_many({"day": {"$exists": True}})
            slow = InterruptedDatabase(database, at=timed_out, fault=Fault.LATE)
            with pytest.raises(StorageUnavailable):
                await rebuild(slow)
            if not slow.late:
                break  # that was no write

            await rebuild(InterruptedDatabase(database, before=doing(arrival, slow.arrive)))
            await slow.arrive()

            await assert_exact(database, rows)


async def test_a_rebuild_mends_also_what_a_batch_touches_at_any_moment_of_it(database: Database) -> None:
    collection, booked = database.collection("rollups"), on_each_day(0)
    await Ledger(database).append(booked)
    await Roller(database).roll()
    counting = InterruptedDatabase(database)
    await rebuild(counting)
    for moment in range(counting.operations):
        async with database.operation():
            await collection.update_many({"day": {"$exists": True}}, {"$inc": {"m.wrong.requests": 1}})
        booked += on_each_day(3 + 3 * moment)
        await Ledger(database).append(booked[-3:])

        await rebuild(InterruptedDatabase(database, before=doing(moment, Roller(database).roll)))
        await Roller(database).roll()

        await assert_exact(database, booked)


def on_each_day(number: int) -> list[LedgerRow]:
    """Three calls, one on each day of `some_rows`."""
    return [replace(row(number + day), at=NOON + timedelta(days=day)) for day in range(3)]


async def test_a_rebuild_is_exact_while_rows_are_booked_and_rolled_up(
    database: Database, second_connection: Database
) -> None:
    rows = some_rows(range(600))
    done = asyncio.Event()

    async def work() -> None:
        for number in range(0, len(rows), 20):
            await Ledger(second_connection).append(rows[number : number + 20])
            await Roller(second_connection).roll()
        done.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work())
        while not done.is_set():
            with suppress(StorageUnavailable):  # the rollups keep changing: no bot is as busy as this one
                await rebuild(database)

    await assert_exact(database, rows)
