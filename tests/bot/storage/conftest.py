"""Databases for the stores' tests: one name for the session, emptied after each test."""

from collections.abc import AsyncIterator

import pymongo
import pytest

from bot.storage.database import Database
from tests.bot.storage.worlds import MemoryWorld, MongoWorld, OwnedClock, World

DATABASE = "parley_tests"


@pytest.fixture
def owned_clock() -> OwnedClock:
    return OwnedClock()


@pytest.fixture
async def database(mongodb_uri: str, owned_clock: OwnedClock) -> AsyncIterator[Database]:
    """An open, empty database with all its indexes; its clock is the test's."""
    async with Database(mongodb_uri, DATABASE, clock=owned_clock) as opened:
        yield opened
    with pymongo.MongoClient[dict[str, object]](mongodb_uri) as client:
        for name in client[DATABASE].list_collection_names():
            if name != "meta" and not name.startswith("system."):
                client[DATABASE][name].delete_many({})


@pytest.fixture(params=["memory", "mongodb"])
def world(request: pytest.FixtureRequest) -> World:
    """Each contract test runs twice: against the fakes, and against the real stores."""
    if request.param == "memory":
        return MemoryWorld()
    clock: OwnedClock = request.getfixturevalue("owned_clock")
    return MongoWorld(request.getfixturevalue("database"), clock)


@pytest.fixture
async def second_connection(mongodb_uri: str, database: Database) -> AsyncIterator[Database]:
    """The same database as another process has it."""
    async with Database(mongodb_uri, DATABASE) as opened:
        yield opened
