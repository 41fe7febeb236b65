"""Rate limits in MongoDB: one token bucket a document, refilled by the server's clock whenever it is asked.

A bucket that nobody asked for until it was full again is no document at all. Knows nothing of requests or models.
Writes cannot be told apart: one that timed out and is applied later takes, or gives back, for nothing, and a minute
mends that.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from bot.core.money_stores import Bucket
from bot.storage.codec import Document
from bot.storage.database import Database

_MINUTE_MS: Final = 60_000


class RateStore:
    """See `bot.core.money_stores.RateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, buckets: Sequence[Bucket]) -> tuple[Bucket, float] | None:
        """As the port, one bucket after the other; names the first that lacks."""
        for number, bucket in enumerate(buckets):
            lack = await self._take(bucket)
            if lack > 0:
                await self.correct([replace(taken, amount=-taken.amount) for taken in buckets[:number]])
                return bucket, lack * 60 / bucket.per_minute
        return None

    async def correct(self, buckets: Sequence[Bucket]) -> None:
        if not buckets:
            return
        updates = [UpdateOne({"_id": bucket.key}, _drawing(bucket), upsert=True) for bucket in buckets]
        async with self._database.operation():
            await self._rates.bulk_write(updates)

    async def _take(self, bucket: Bucket) -> float:
        """Take the amount (0.0), or nothing: how much is lacking."""
        enough = min(bucket.amount, bucket.per_minute)
        async with self._database.operation():
            # Never None, since it is made where it is missing.
            document: Any = await self._rates.find_one_and_update(
                {"_id": bucket.key},
                _drawing(bucket, enough=enough),
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return 0.0 if document["taken"] else float(enough - document["level"])

    @property
    def _rates(self) -> AsyncCollection[Document]:
        return self._database.collection("rates")


def _drawing(bucket: Bucket, *, enough: float | None = None) -> list[Document]:
    """Refill the bucket, then draw the amount, if `enough` is in it (None: in any case); `taken` says so."""
    full = bucket.per_minute
    # A server's clock may be set back, and another server may come to lead: time only goes forward here.
    elapsed_ms: Any = {"$max": [0, {"$subtract": ["$$NOW", {"$ifNull": ["$at", "$$NOW"]}]}]}
    refilled = {"$add": [{"$ifNull": ["$level", full]}, {"$multiply": [elapsed_ms, full / _MINUTE_MS]}]}
    # What was given back may be more than it holds: it is cut off at the next refill.
    rest = {"$subtract": ["$level", bucket.amount]}
    full_in_ms = {"$toLong": {"$multiply": [{"$subtract": [full, "$level"]}, _MINUTE_MS / full]}}
    return [
        {"$set": {"level": {"$min": [full, refilled]}, "at": {"$max": ["$at", "$$NOW"]}}},
        {"$set": {"taken": True if enough is None else {"$gte": ["$level", enough]}}},
        {"$set": {"level": {"$cond": ["$taken", rest, "$level"]}}},
        {"$set": {"expire_at": {"$add": ["$at", full_in_ms]}}},
    ]
