"""Rolling up over MongoDB: every row in exactly one time, whoever dies, comes late or works at the same time."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import pymongo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import StorageUnavailable
from bot.core.ledger import LedgerRow, SpendingScope, Whose
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from bot.storage.rollup_documents import escape, unescape
from bot.storage.rollups import BATCH_ROWS, EVERY_S, PAUSE_S, Roller
from tests.bot.storage.booked import SCOPES, assert_exact, some_rows, wipe
from tests.bot.storage.conftest import DATABASE
from tests.bot.storage.interrupted import Fault, InterruptedDatabase, Killed, doing
from tests.bot.storage.samples import NOON
from tests.bot.storage.worlds import OwnedClock
from tests.fakes.stores import MemoryLedger


async def operations_of_a_roll(database: Database) -> int:
    await Ledger(database).append(some_rows(range(12)))
    counting = InterruptedDatabase(database)
    assert await Roller(counting).roll() == 12
    await wipe(database)
    return counting.operations


async def test_what_was_booked_is_in_the_sums_before_and_after_it_is_rolled_up(database: Database) -> None:
    ledger, memory, roller = Ledger(database), MemoryLedger(), Roller(database)
    for rows in (some_rows(range(40)), some_rows(range(30, 60))):
        await ledger.append(rows)
        await memory.append(rows)
        for scope in SCOPES:
            expected = await memory.spending(scope, None)
            assert await ledger.spending(scope, None) == expected
        await roller.roll()
        for scope in SCOPES:
            assert await ledger.spending(scope, NOON.replace(hour=0)) == await memory.spending(scope, None)

    await assert_exact(database, list(memory.booked.values()))
    assert await roller.roll() == 0


async def test_a_backlog_of_several_batches_is_rolled_up_whole(database: Database) -> None:
    rows = some_rows(range(2 * BATCH_ROWS + 1))
    await Ledger(database).append(rows)

    assert await Roller(database).roll() == len(rows)
    await assert_exact(database, rows)


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_a_process_that_dies_anywhere_loses_and_doubles_nothing(database: Database, fault: Fault) -> None:
    for death in range(await operations_of_a_roll(database)):
        first, later = some_rows(range(12)), some_rows(range(12, 20))
        await Ledger(database).append(first)
        with pytest.raises(Killed):
            await Roller(InterruptedDatabase(database, at=death, fault=fault)).roll()
        await Ledger(database).append(later)

        await Roller(database).roll()

        await assert_exact(database, first + later)
        await wipe(database)


@pytest.mark.parametrize("then_dies", [False, True], ids=["and_the_next_goes_on", "and_the_next_dies"])
async def test_a_write_that_is_applied_late_at_any_time_changes_nothing(database: Database, then_dies: bool) -> None:
    first, later = some_rows(range(4)), some_rows(range(4, 8))
    for timed_out in range(await operations_of_a_roll(database)):
        for arrival in range(12):
            await Ledger(database).append(first)
            slow = InterruptedDatabase(database, at=timed_out, fault=Fault.LATE)
            with pytest.raises(StorageUnavailable):
                await Roller(slow).roll()
            if not slow.late:
                break  # that was no write
            await Ledger(database).append(later)
            death = arrival + 1 if then_dies else None
            other = InterruptedDatabase(database, at=death, before=doing(arrival, slow.arrive))
            with suppress(Killed):
                await Roller(other).roll()
            await slow.arrive()
            await Roller(database).roll()

            await assert_exact(database, first + later)
            await wipe(database)
        await wipe(database)


async def test_sums_are_exact_whenever_rows_are_rolled_up_while_they_are_read(database: Database) -> None:
    ledger, rows = Ledger(database), some_rows(range(60))
    memory = MemoryLedger()
    for moment in range(6):
        await ledger.append(rows[moment * 10 : moment * 10 + 10])
        await memory.append(rows[moment * 10 : moment * 10 + 10])
        reader = InterruptedDatabase(database, before=doing(moment, Roller(database).roll))

        spending = await Ledger(reader).spending(SpendingScope(whose=Whose.ALL), None)

        assert spending == await memory.spending(SpendingScope(whose=Whose.ALL), None)
        await Roller(database).roll()


async def test_sums_are_exact_while_processes_book_roll_up_and_die(
    database: Database, second_connection: Database
) -> None:
    chance, rows = random.Random(7), some_rows(range(400))
    booked = asyncio.Event()

    async def book(part: list[LedgerRow], connection: Database) -> None:
        for number in range(0, len(part), 10):
            await Ledger(connection).append(part[number : number + 10])

    async def roll(connection: Database) -> None:
        while not booked.is_set():
            mortal = InterruptedDatabase(connection, at=chance.randrange(12), fault=chance.choice(list(Fault)))
            with suppress(Killed, StorageUnavailable):
                await Roller(mortal).roll()
            await mortal.arrive()

    async def watch(connection: Database) -> None:
        """Sums only grow, by whole rows, whatever is applied at that moment."""
        seen = 0
        while not booked.is_set():
            spending = await Ledger(connection).spending(SpendingScope(whose=Whose.ALL), None)
            requests = sum(model.requests for model in spending.models)
            assert seen <= requests <= len(rows)
            seen = requests

    async with asyncio.TaskGroup() as tasks:
        for connection in (database, second_connection):
            tasks.create_task(roll(connection))
            tasks.create_task(roll(connection))
        tasks.create_task(watch(database))
        async with asyncio.TaskGroup() as bookings:
            bookings.create_task(book(rows[:200], database))
            bookings.create_task(book(rows[200:], second_connection))
        booked.set()

    await Roller(database).roll()
    await assert_exact(database, rows)


class TwoPauses(OwnedClock):
    """A clock whose second sleep never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.second = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 2:
            self.second.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def rolling_process(uri: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of rolling.py that rolls up; killed at the end, whatever it does just then."""
    arguments = ["-m", "tests.bot.storage.rolling", uri, DATABASE]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(40):
            assert await process.stdout.readline() == b"rolling\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_processes_that_are_killed_while_they_roll_up_leave_sums_exact(
    mongodb_uri: str, database: Database
) -> None:
    rows, killed_at = some_rows(range(600)), (200, 400)
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(rolling_process(mongodb_uri)) for _ in killed_at]
        for number in range(0, len(rows), 10):
            await Ledger(database).append(rows[number : number + 10])
            if number in killed_at:
                processes[killed_at.index(number)].kill()

    await Roller(database).roll()
    await assert_exact(database, rows)


async def test_run_rolls_up_until_cancelled_and_survives_an_outage(database: Database) -> None:
    rows, clock = some_rows(range(5)), TwoPauses()
    await Ledger(database).append(rows)
    flaky = InterruptedDatabase(database, at=1, fault=Fault.LATE)
    flaky.clock = clock

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Roller(flaky).run())
        await clock.second.wait()
        running.cancel()

    assert clock.slept == [EVERY_S, EVERY_S]
    await assert_exact(database, rows)


async def test_a_backlog_is_worked_off_with_short_pauses(database: Database) -> None:
    rows, clock = some_rows(range(BATCH_ROWS + 1)), TwoPauses()
    await Ledger(database).append(rows)
    paced = InterruptedDatabase(database)
    paced.clock = clock

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Roller(paced).run())
        await clock.second.wait()
        running.cancel()

    assert clock.slept == [PAUSE_S, EVERY_S]
    await assert_exact(database, rows)


async def test_nothing_to_roll_up_costs_two_reads_by_index(database: Database) -> None:
    await Ledger(database).append(some_rows(range(20)))
    await Roller(database).roll()
    counting = InterruptedDatabase(database)

    assert await Roller(counting).roll() == 0
    assert counting.operations == 2


async def test_rows_of_the_version_before_are_rolled_up_when_the_database_is_opened(
    mongodb_uri: str, database: Database
) -> None:
    name, rows = "parley_version_1", some_rows(range(50))
    await Ledger(database).append(rows)
    with pymongo.MongoClient[Document](mongodb_uri) as client:
        old = [{**document, "v": 1} for document in client[DATABASE]["usage"].find({}, {"unrolled": 0})]
        client[name]["usage"].insert_many(old)
        client[name]["meta"].insert_one({"_id": "schema", "version": 1, "until": NOON - timedelta(days=9_999)})
        try:
            async with Database(mongodb_uri, name) as opened:
                await assert_exact(opened, rows)
            async with Database(mongodb_uri, name) as again:
                await assert_exact(again, rows)
        finally:
            client.drop_database(name)


@given(st.text(min_size=1))
def test_any_name_of_a_model_can_be_a_field(model: str) -> None:
    field = escape(model)

    assert unescape(field) == model
    assert not set(field) & {".", "$", "\0"}
