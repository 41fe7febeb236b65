"""From booked rows to rollups: in numbered batches, beside the turns, and never one row twice or none.

A batch is written down before it is applied: the ids of its rows, which are marked as waiting, and their sums. It is
opened under the next number if nobody opened one since the number was read; whoever finds it open applies it: each
rollup knows the last batch that it holds, then the rows lose their mark, then the batch is closed. Each of these
writes does nothing when it comes a second time or too late, so any process may die anywhere, and several may work at
once: the next one finishes. There is no lease to wait for. Knows nothing of what a row costs.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from bson.int64 import Int64
from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from bot.core.errors import StorageUnavailable
from bot.core.ports import Clock
from bot.storage.codec import Document
from bot.storage.rollup_documents import add_up, increments, rollup_id

log = logging.getLogger(__name__)

BATCH_ROWS: Final = 500
EVERY_S: Final = 2.0
#: Between the batches of a backlog, so that who reads sums finds a moment in which nothing changes.
PAUSE_S: Final = 0.1
#: The rollups' own progress: among them, so that whoever drops or restores them cannot keep one without the other.
STATE_ID: Final = "~roller"
WAITING: Final[Document] = {"unrolled": True}
_DUPLICATE_KEY: Final = 11000


class Source(Protocol):
    """What is needed of a database: see `bot.storage.database.Database`."""

    clock: Clock

    def collection(self, name: str) -> AsyncCollection[Document]: ...

    def operation(self) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far rolling up has come: the last number given, and the batch of that number if it is open."""

    number: int
    batch: Document | None


class Roller:
    """Rolls up the rows that wait. Any number of them may run, in any number of processes."""

    def __init__(self, database: Source) -> None:
        self._database = database

    async def run(self) -> None:
        """Roll up what is booked, every other second, until cancelled."""
        while True:
            backlog = False
            try:
                backlog = await self._roll_batch() >= BATCH_ROWS
            except StorageUnavailable as error:
                log.debug("nothing rolled up while storage is away: %s", error)
            except Exception:
                log.exception("rolling up failed")
            await self._database.clock.sleep(PAUSE_S if backlog else EVERY_S)

    async def roll(self) -> int:
        """Roll up all rows that wait now; returns how many. Raises StorageUnavailable."""
        total = 0
        while rolled := await self._roll_batch():
            total += rolled
            if rolled < BATCH_ROWS:
                break
        return total

    async def progress(self) -> Progress:
        """How far it has come, as stored. Raises StorageUnavailable."""
        async with self._database.operation():
            document = await self._rollups.find_one({"_id": STATE_ID})
        if document is None:
            return Progress(number=0, batch=None)
        return Progress(number=int(document["number"]), batch=document.get("batch"))

    async def finish_open(self) -> int:
        """Finish a batch that is open, whoever opened it; returns its number or the last one. Raises as `roll`."""
        while (progress := await self.progress()).batch is not None:
            await self._apply(progress.number, progress.batch)
        return progress.number

    async def take_number(self) -> int:
        """A number of one's own, later than all batches so far, which are closed. Raises StorageUnavailable."""
        while not await self._advance(number := await self.finish_open(), None):
            pass
        return number + 1

    async def _roll_batch(self) -> int:
        """One batch of the rows that wait; 0 when none do."""
        while True:
            # The number is read before the rows: if it is still the last one when the batch is opened, then no other
            # batch was opened since, and what waited in between is in none.
            number = await self.finish_open()
            batch = await self._next_batch()
            if batch is None:
                return 0
            if await self._advance(number, batch):
                await self._apply(number + 1, batch)
                return len(batch["rows"])

    async def _next_batch(self) -> Document | None:
        usage = self._database.collection("usage")
        async with self._database.operation():
            waiting = await usage.find(WAITING, {"_id": 1}, hint="unrolled", limit=BATCH_ROWS).to_list()
        if not waiting:
            return None
        ids = [row["_id"] for row in waiting]
        async with self._database.operation():
            sums = await (await usage.aggregate([{"$match": {"_id": {"$in": ids}}}, *add_up()])).to_list()
        return {"rows": ids, "sums": sums}

    async def _advance(self, number: int, batch: Document | None) -> bool:
        """Give out the next number, with a batch to open; False when somebody else did since `number` was read."""
        found = {"_id": STATE_ID, "number": number}
        values = {"number": Int64(number + 1)} if batch is None else {"number": Int64(number + 1), "batch": batch}
        async with self._database.operation():
            try:
                result = await self._rollups.update_one(found, {"$set": values}, upsert=number == 0)
            except DuplicateKeyError:
                return False
        return bool(result.modified_count or result.upserted_id)

    async def _apply(self, number: int, batch: Document) -> None:
        # A rollup that holds this batch or a later one is not found, and to make it anew fails: all is in there.
        updates = [
            UpdateOne(
                {"_id": rollup_id(added), "batch": {"$lt": number}},
                {
                    "$inc": increments(added),
                    "$set": {"batch": Int64(number)},
                    "$setOnInsert": {"scope": added["_id"]["scope"], "day": added["_id"]["day"]},
                },
                upsert=True,
            )
            for added in batch["sums"]
        ]
        await write_rollups(self._database, updates)
        unmark = {"$unset": {"unrolled": ""}}
        async with self._database.operation():
            await self._database.collection("usage").update_many({"_id": {"$in": batch["rows"]}}, unmark)
        async with self._database.operation():
            await self._rollups.update_one({"_id": STATE_ID, "number": number}, {"$unset": {"batch": ""}})

    @property
    def _rollups(self) -> AsyncCollection[Document]:
        return self._database.collection("rollups")


async def write_rollups(database: Source, writes: Sequence[UpdateOne | InsertOne[Document]]) -> None:
    """Write each one but where that would make a rollup that is there already."""
    if not writes:
        return
    async with database.operation():
        try:
            await database.collection("rollups").bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether nothing was amiss but that some of the documents were there already."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(e["code"] == _DUPLICATE_KEY for e in failed)
