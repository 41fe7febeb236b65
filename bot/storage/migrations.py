"""Changes of stored documents, each with a number, run once and in order under a lease.

A step may run twice (its lease can run out), so each one is idempotent. Knows no store.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from bot.core.clock import SystemClock
from bot.core.errors import StorageUnavailable
from bot.core.ports import Clock
from bot.storage.codec import Document
from bot.storage.rebuild import rebuild
from bot.storage.schema import apply_validators, ensure_indexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step: `version` is the schema's version after it."""

    version: int
    run: Callable[[AsyncDatabase[Document]], Awaitable[None]]


def migrations() -> tuple[Migration, ...]:
    """All steps, oldest first."""
    return (Migration(version=1, run=apply_validators), Migration(version=2, run=_roll_up_all))


async def _roll_up_all(database: AsyncDatabase[Document]) -> None:
    """Rollups for the rows of version 1, which carry no mark that they wait for any."""
    await ensure_indexes(database)  # reading the ledger by days takes one that is new
    await rebuild(_Unguarded(database))


class _Unguarded:
    """A database while it is being opened: nobody else uses the connection, nothing stands in line."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.clock: Clock = SystemClock()
        self._database = database

    def collection(self, name: str) -> AsyncCollection[Document]:
        return self._database[name]

    def operation(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


LEASE_S: Final = 60.0
#: Longer than the lease: a process that comes to run the same step meanwhile does no harm, giving up half-way would.
_STEP_S: Final = 600.0
_POLL_S: Final = 0.2
#: The end of a lease that nobody holds.
_FREE: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def migrate(database: AsyncDatabase[Document], steps: tuple[Migration, ...], *, owner: str, clock: Clock) -> None:
    """Bring the schema to the last step's version; waits while another process does it.

    Raises:
        StorageUnavailable: the schema is newer than this program, or another process changes it for too long.
    """
    meta, target = database["meta"], max((step.version for step in steps), default=0)
    deadline = clock.monotonic() + 2 * LEASE_S
    while (version := await _version(meta)) != target:
        if version > target:
            raise StorageUnavailable(
                f"the database has schema version {version}, this program knows {target}",
                remedy="Start the newer version of Parley that used this database last.",
            )
        if await _acquire(meta, owner):
            await _run(database, meta, steps, owner)
        elif clock.monotonic() > deadline:
            raise StorageUnavailable("another process has been changing the database's schema for minutes")
        else:
            await clock.sleep(_POLL_S)


async def _version(meta: AsyncCollection[Document]) -> int:
    document = await meta.find_one({"_id": "schema"})
    return 0 if document is None else int(document["version"])


async def _acquire(meta: AsyncCollection[Document], owner: str) -> bool:
    """Take the lease by the server's clock; False when another process has it."""
    unborn = {"version": 0, "until": _FREE}
    await meta.update_one({"_id": "schema"}, {"$setOnInsert": unborn}, upsert=True)
    free = {"_id": "schema", "$expr": {"$lt": ["$until", "$$NOW"]}}
    lease = {"owner": {"$literal": owner}, "until": {"$add": ["$$NOW", round(LEASE_S * 1000)]}}
    result = await meta.update_one(free, [{"$set": lease}])
    return bool(result.matched_count)


async def _run(
    database: AsyncDatabase[Document],
    meta: AsyncCollection[Document],
    steps: tuple[Migration, ...],
    owner: str,
) -> None:
    done = await _version(meta)
    for step in steps:
        if step.version > done:
            with pymongo.timeout(_STEP_S):  # instead of the client's few seconds: a step reads much
                await step.run(database)
            await meta.update_one({"_id": "schema", "owner": owner}, {"$max": {"version": step.version}})
    await meta.update_one({"_id": "schema", "owner": owner}, {"$set": {"until": _FREE}, "$unset": {"owner": ""}})
