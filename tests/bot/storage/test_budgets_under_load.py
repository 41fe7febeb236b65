"""Budgets over MongoDB when processes ask at once and die: never more than the limit, and no hold for ever."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from bot.core.errors import StorageUnavailable
from bot.storage.budgets import BudgetStore
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from tests.bot.storage.conftest import DATABASE
from tests.bot.storage.interrupted import Fault, InterruptedDatabase, Killed
from tests.bot.storage.spender import MAX_HOLD, dues

PROCESSES = 4
AT_ONCE = 50
ROUNDS = 4
#: About a third of what the processes would spend without it.
LIMIT = PROCESSES * AT_ONCE * ROUNDS * MAX_HOLD // 12


@asynccontextmanager
async def spending_process(uri: str, seed: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of spender.py, ready to begin."""
    arguments = [uri, DATABASE, str(seed), str(ROUNDS), str(AT_ONCE), str(LIMIT)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bot.storage.spender", *arguments, stdin=pipe, stdout=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(40):
        return (await process.stdout.readline()).decode()


async def test_processes_that_spend_at_once_never_pass_a_cap(mongodb_uri: str, database: Database) -> None:
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(spending_process(mongodb_uri, n)) for n in range(PROCESSES)]
        for process in processes:
            assert await line_of(process) == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        results = [json.loads(await line_of(process)) for process in processes]

    budgets, counters = BudgetStore(database, Ledger(database)), dues(LIMIT)
    await budgets.settle_abandoned(0)
    spent = await budgets.spent(counters)
    booked = sum(result["booked"] for result in results)
    assert max(result["seen"] for result in results) <= LIMIT
    assert [(spent[due.counter].used_nano, spent[due.counter].held_nano) for due in counters] == [(booked, 0)] * 2
    assert booked <= LIMIT
    assert sum(result["refused"] for result in results) > 0
    assert sum(result["settled"] for result in results) < booked
    assert (await budgets.reserve("more", LIMIT - booked + 1, counters)).lacking == counters[0]
    assert (await budgets.reserve("rest", LIMIT - booked, counters)).lacking is None


async def operations_of_a_call(database: Database, counters: list[str]) -> int:
    counting = InterruptedDatabase(database)
    await call(BudgetStore(counting, Ledger(database)), "counted", counters)
    async with database.operation():
        await database.collection("counters").delete_many({})
    return counting.operations


async def call(budgets: BudgetStore, hold: str, counters: list[str]) -> None:
    await budgets.reserve(hold, 60, dues(100))
    await budgets.settle(hold, 40, counters)


@pytest.mark.parametrize("fault", list(Fault))
async def test_no_money_is_held_for_ever_wherever_a_process_dies(database: Database, fault: Fault) -> None:
    counters = [due.counter for due in dues(100)]
    for end in range(await operations_of_a_call(database, counters)):
        broken = InterruptedDatabase(database, at=end, fault=fault)
        with suppress(Killed, StorageUnavailable):
            await call(BudgetStore(broken, Ledger(database)), "a", counters)
        await broken.arrive()
        budgets = BudgetStore(database, Ledger(database))

        await budgets.settle_abandoned(0)

        spent = (await budgets.spent(dues(100))).values()
        assert {counter.held_nano for counter in spent} == {0}
        assert {counter.used_nano for counter in spent} in ({0}, {40})
        async with database.operation():
            await database.collection("counters").delete_many({})


async def test_a_refusal_that_is_never_undone_is_freed(database: Database) -> None:
    wide, narrow = dues(100)[::-1], dues(10)[:1]
    await BudgetStore(database, Ledger(database)).reserve("first", 5, [*wide, *narrow])
    dying = InterruptedDatabase(database, at=2)
    with pytest.raises(Killed):
        await BudgetStore(dying, Ledger(database)).reserve("second", 50, [wide[0], narrow[0]])
    budgets = BudgetStore(database, Ledger(database))
    assert (await budgets.spent(wide[:1]))[wide[0].counter].held_nano == 55

    await budgets.settle_abandoned(0)

    assert (await budgets.spent(wide[:1]))[wide[0].counter].held_nano == 0


async def test_a_settlement_that_is_applied_late_counts_once(database: Database) -> None:
    budgets, counters = BudgetStore(database, Ledger(database)), [due.counter for due in dues(100)]
    slow = InterruptedDatabase(database, at=0, fault=Fault.LATE)
    await budgets.reserve("a", 60, dues(100))
    with pytest.raises(StorageUnavailable):
        await BudgetStore(slow, Ledger(database)).settle("a", 40, counters)
    await budgets.settle("a", 40, counters)

    await slow.arrive()

    spent = await budgets.spent(dues(100))
    assert {(counter.used_nano, counter.held_nano) for counter in spent.values()} == {(40, 0)}


async def test_a_counter_that_many_begin_at_once_begins_once(database: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        stores = [BudgetStore(database, Ledger(database)) for _ in range(8)]
        for number, store in enumerate(stores):
            tasks.create_task(store.reserve(f"call {number}", 10, dues(1_000)))

    spent = await stores[0].spent(dues(1_000))
    assert {(counter.used_nano, counter.held_nano) for counter in spent.values()} == {(0, 80)}
    async with database.operation():
        assert await database.collection("counters").count_documents({}) == 2


async def test_holds_are_found_by_index_and_counters_end(database: Database) -> None:
    budgets = BudgetStore(database, Ledger(database))
    await budgets.reserve("a", 10, dues(100))
    await budgets.settle("a", 10, [dues(100)[1].counter])

    async with database.operation():
        open_, settled = [await database.collection("counters").find_one({"_id": due.counter}) for due in dues(100)]

    assert open_ is not None
    assert settled is not None
    assert open_["oldest"] == open_["holds"][0]["at"]
    assert settled["oldest"] is None
    assert (open_["expire_at"] - dues(100)[0].resets_at).days == 100
