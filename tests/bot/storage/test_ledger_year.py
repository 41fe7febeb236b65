"""A year of 20,000 calls over MongoDB: rolled up and rebuilt sums are those of the rows, to the nano-dollar."""

from bench.ledger_year import EVERYONE, HEAVIEST, SERVER, START, fill, mark
from bot.core.ledger import Spending
from bot.storage.database import Database
from bot.storage.ledger import Ledger
from bot.storage.rebuild import rebuild
from bot.storage.rollups import Roller
from tests.fakes.stores import MemoryLedger

ROWS = 20_000
WAITING = 1_000
SCOPES = (HEAVIEST, SERVER, EVERYONE)


async def sums(database: Database) -> list[Spending]:
    return [await Ledger(database).spending(scope, START) for scope in SCOPES]


async def test_a_years_sums_are_those_of_its_rows_rebuilt_and_rolled_up(database: Database) -> None:
    await fill(database, ROWS)
    rows = await Ledger(database).rows(EVERYONE, None, ROWS + 1)
    memory = MemoryLedger()
    await memory.append(rows)
    expected = [await memory.spending(scope, START) for scope in SCOPES]
    assert len(rows) == ROWS
    assert [len(spending.days) for spending in expected] == [365] * len(SCOPES)

    await mark(database, WAITING)
    await rebuild(database)
    rebuilt = await sums(database)
    assert await Roller(database).roll() == WAITING

    assert rebuilt == expected
    assert await sums(database) == expected
