"""Rollups computed anew from the ledger, a day at a time, while turns are booked and rolled up.

A day is replaced under a number of its own (see rollups.py). What a later batch has touched meanwhile is left alone,
since that batch's rows may or may not be among those that were read; such a day is done again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pymongo
from bson.int64 import Int64
from pymongo import InsertOne, UpdateOne

from bot.core.errors import StorageUnavailable
from bot.storage.codec import Document
from bot.storage.rollup_documents import add_up, by_model, rollup_id
from bot.storage.rollups import Roller, Source, write_rollups

#: Instead of the client's few seconds: a day of a busy bot is many rows, and finding the days reads an index whole.
TIMEOUT_S: Final = 60.0
_TRIES: Final = 50
#: A day is worked on for some hundredths of a second; a batch comes every other second.
_PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild went through."""

    days: int
    rollups: int


async def rebuild(database: Source) -> Rebuilt:
    """Compute all rollups anew; rows that wait to be rolled up stay waiting. Safe while the bot runs.

    Raises:
        StorageUnavailable: the database does not answer, or rows were rolled up faster than a day can be added up;
            doing it again is safe.
    """
    roller = Roller(database)
    days = await _days(database)
    rollups = 0
    for day in days:
        rollups += await _rebuild_day(database, roller, day)
    return Rebuilt(days=len(days), rollups=rollups)


async def _days(database: Source) -> list[str]:
    """All days with rows or with rollups."""
    of_rows: list[Document] = [{"$group": {"_id": {"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}}}}]
    of_rollups: list[Document] = [{"$match": {"day": {"$exists": True}}}, {"$group": {"_id": "$day"}}]
    found = [*await _aggregate(database, "usage", of_rows), *await _aggregate(database, "rollups", of_rollups)]
    return sorted({group["_id"] for group in found})


async def _rebuild_day(database: Source, roller: Roller, day: str) -> int:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    rolled = {"at": {"$gte": start, "$lt": start + timedelta(days=1)}, "unrolled": {"$exists": False}}
    for _ in range(_TRIES):
        number = await roller.take_number()
        added = await _aggregate(database, "usage", [{"$match": rolled}, *add_up()])
        if await _replace(database, day, added, number):
            return len(added)
        await database.clock.sleep(_PAUSE_S)
    raise StorageUnavailable(f"the rollups of {day} keep changing", remedy="Run it again when the bot is less busy.")


async def _replace(database: Source, day: str, added: Sequence[Document], number: int) -> bool:
    """Make these the rollups of a day; False: not all could be replaced."""
    collection, rollups = database.collection("rollups"), {rollup_id(sums): sums for sums in added}
    async with database.operation():
        known = {found["_id"] for found in await collection.find({"day": day}, {"_id": 1}).to_list()}
    await write_rollups(database, [_write(key, sums, number, known) for key, sums in rollups.items()])
    async with database.operation():
        await collection.delete_many({"day": day, "batch": {"$lt": number}, "_id": {"$nin": list(rollups)}})
    async with database.operation():
        return await collection.find_one({"day": day, "batch": {"$ne": number}}, {"_id": 1}) is None


def _write(key: str, added: Document, number: int, known: Collection[str]) -> UpdateOne | InsertOne[Document]:
    """Replace a rollup of before this number; a new one is inserted, which takes the server a tenth of the time."""
    values = {"scope": added["_id"]["scope"], "day": added["_id"]["day"], "m": by_model(added), "batch": Int64(number)}
    if key in known:
        return UpdateOne({"_id": key, "batch": {"$lt": number}}, {"$set": values})
    return InsertOne({"_id": key, **values})


async def _aggregate(database: Source, collection: str, stages: list[Document]) -> list[Document]:
    with pymongo.timeout(TIMEOUT_S):
        async with database.operation():
            return await (await database.collection(collection).aggregate(stages)).to_list()
