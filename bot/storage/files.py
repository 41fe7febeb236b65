"""Bytes in MongoDB, one document under their SHA-256, and what was read from attachments, under the attachment's key.

Both vanish when their time is over. Knows no kind of file.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from bot.core.files import FileNote
from bot.storage.codec import Document, from_document, storable, to_document
from bot.storage.database import Database

#: A document holds 16 MiB; GridFS, for more, is twice as slow.
MAX_BYTES: Final = 15_000_000
#: The database's usual 5 s are for documents: this lets 15 MB pass at 6 Mbit/s.
_BYTES_TIMEOUT_S: Final = 20.0
#: Hashing so much takes longer than handing it to a thread.
_HASHED_AT_ONCE_BYTES: Final = 256 * 1024
#: Bytes that are used are renewed when this part of their time is over: once a day where they live for 30 days.
_RENEWED_AFTER: Final = 1 / 30


class FileStore:
    """See `bot.core.files.FileStore`. Bytes are kept for `ttl_days` after they were last used, give or take a day."""

    def __init__(self, database: Database, ttl_days: float = 30.0) -> None:
        self._database = database
        self._ttl = timedelta(days=ttl_days)

    async def save(self, content: bytes, media_type: str) -> str:
        """As the port; bytes that are there already are not sent again.

        Raises:
            ValueError: there are more than `MAX_BYTES`.
        """
        if len(content) > MAX_BYTES:
            raise ValueError(f"{len(content):,} bytes are too many to keep")
        sha256 = await _digest(content)
        blob = {"_id": sha256, "data": content, "media_type": storable(media_type), "size": len(content), "v": 1}
        async with self._database.operation():
            with pymongo.timeout(_BYTES_TIMEOUT_S):
                # Renewing writes all of a document anew: 130 ms for 10 MB, while looking at it takes one.
                there = await self._blobs.find_one({"_id": sha256}, {"expire_at": 1})
                is_kept = there is not None and (there["expire_at"] >= self._aging or await self._renew([sha256]))
                if not is_kept:
                    await self._insert({**blob, "expire_at": self._end})
        return sha256

    async def load(self, sha256s: Collection[str]) -> Mapping[str, bytes]:
        """As the port; what is still used lives on, for which it is written to about once a day."""
        if not sha256s:
            return {}
        # The server removes what is over once a minute: until then it is there and counts no more.
        found = {"_id": {"$in": list(set(sha256s))}, "expire_at": {"$gt": self._database.clock.now()}}
        async with self._database.operation():
            with pymongo.timeout(_BYTES_TIMEOUT_S):
                blobs = await self._blobs.find(found, {"data": 1, "expire_at": 1}).to_list()
                if old := [blob["_id"] for blob in blobs if blob["expire_at"] < self._aging]:
                    await self._renew(old)
        return {blob["_id"]: blob["data"] for blob in blobs}

    async def note(self, attachment_key: str) -> FileNote | None:
        found = {"_id": storable(attachment_key), "expire_at": {"$gt": self._database.clock.now()}}
        async with self._database.operation():
            document = await self._readings.find_one(found)
        return None if document is None else from_document(FileNote, document["note"])

    async def set_note(self, attachment_key: str, note: FileNote) -> None:
        key = {"_id": storable(attachment_key)}
        document = {"note": to_document(note), "expire_at": self._end, "v": 1}
        async with self._database.operation():
            await self._readings.replace_one(key, document, upsert=True)

    async def _renew(self, sha256s: list[str]) -> int:
        """Start the time of blobs anew; how many there are."""
        renewed = await self._blobs.update_many({"_id": {"$in": sha256s}}, {"$set": {"expire_at": self._end}})
        return renewed.matched_count

    async def _insert(self, blob: Document) -> None:
        try:
            await self._blobs.insert_one(blob)
        except DuplicateKeyError:
            return  # somebody else saved the same this moment, for as long

    @property
    def _blobs(self) -> AsyncCollection[Document]:
        return self._database.collection("blobs")

    @property
    def _readings(self) -> AsyncCollection[Document]:
        return self._database.collection("readings")

    @property
    def _end(self) -> datetime:
        return self._database.clock.now() + self._ttl

    @property
    def _aging(self) -> datetime:
        """What ends before this has its time started anew when it is used."""
        return self._end - self._ttl * _RENEWED_AFTER


async def _digest(content: bytes) -> str:
    if len(content) < _HASHED_AT_ONCE_BYTES:
        return hashlib.sha256(content).hexdigest()
    # Python lets others run while it hashes.
    return (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
