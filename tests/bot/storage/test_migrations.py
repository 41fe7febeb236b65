"""Changes of the schema over MongoDB: once each, in order, by one process at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from bot.core.clock import SystemClock
from bot.core.errors import StorageUnavailable
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.migrations import Migration, migrate
from tests.bot.storage.worlds import OwnedClock


class Steps:
    """Migrations 1 to 3 that note when they ran; `failing` is the version that does not work."""

    def __init__(self, failing: int = 0) -> None:
        self.ran: list[int] = []
        self.failing = failing

    def all(self) -> tuple[Migration, ...]:
        return tuple(Migration(version=version, run=self._step(version)) for version in (1, 2, 3))

    def _step(self, version: int) -> Callable[[AsyncDatabase[Document]], Awaitable[None]]:
        async def run(_: AsyncDatabase[Document]) -> None:
            if version == self.failing:
                raise StorageUnavailable("in the middle")
            self.ran.append(version)

        return run


@pytest.fixture
async def unborn(database: Database) -> AsyncIterator[AsyncDatabase[Document]]:
    """A database without a schema document."""
    fresh = database.collection("meta").database.client["parley_migrations"]
    yield fresh
    await fresh.client.drop_database("parley_migrations")


async def test_steps_run_once_each_in_order(unborn: AsyncDatabase[Document]) -> None:
    steps = Steps()

    await migrate(unborn, steps.all()[:2], owner="a", clock=SystemClock())
    await migrate(unborn, steps.all(), owner="b", clock=SystemClock())

    assert steps.ran == [1, 2, 3]


async def test_processes_that_start_together_change_the_schema_once(unborn: AsyncDatabase[Document]) -> None:
    steps = Steps()

    async with asyncio.TaskGroup() as tasks:
        for owner in "abc":
            tasks.create_task(migrate(unborn, steps.all(), owner=owner, clock=SystemClock()))

    assert steps.ran == [1, 2, 3]


async def test_a_start_that_failed_goes_on_where_it_stopped(unborn: AsyncDatabase[Document]) -> None:
    steps = Steps(failing=2)
    with pytest.raises(StorageUnavailable):
        await migrate(unborn, steps.all(), owner="a", clock=SystemClock())
    steps.failing = 0
    await unborn["meta"].update_one({}, {"$set": {"until": datetime(2020, 1, 1, tzinfo=UTC)}})

    await migrate(unborn, steps.all(), owner="b", clock=SystemClock())

    assert steps.ran == [1, 2, 3]


async def test_a_lease_that_never_ends_is_an_error_after_two_minutes(unborn: AsyncDatabase[Document]) -> None:
    never = datetime.now(UTC) + timedelta(days=1)
    await unborn["meta"].insert_one({"_id": "schema", "version": 0, "until": never})
    clock = OwnedClock()
    begin = clock.monotonic()

    with pytest.raises(StorageUnavailable, match="another process"):
        await migrate(unborn, Steps().all(), owner="a", clock=clock)

    assert 120 <= clock.monotonic() - begin < 125


async def test_a_database_of_a_newer_program_is_left_alone(unborn: AsyncDatabase[Document]) -> None:
    await unborn["meta"].insert_one({"_id": "schema", "version": 4})

    with pytest.raises(StorageUnavailable, match="version 4") as caught:
        await migrate(unborn, Steps().all(), owner="a", clock=SystemClock())

    assert "newer version" in caught.value.remedy
