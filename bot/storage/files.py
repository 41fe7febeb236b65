"""Bytes in MongoDB, in pieces under their SHA-256, and what was read from attachments, under the attachment's key.

Both vanish when their time is over. Knows no kind of file.
"""

import asyncio
import hashlib
import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from bot.core.files import FileNote
from bot.storage.codec import Document, from_document, storable, to_document
from bot.storage.database import Database

MAX_BYTES: Final = 15_000_000
#: The journal is one line that all writes wait in: a document of 10 MB holds up everybody's for 50 to 120 ms, these
#: for 20 at most, and all of them together take no longer.
PIECE_BYTES: Final = 500_000
#: Of a reply of the server, which is decoded while nobody else runs.
_PIECES_AT_ONCE: Final = 2
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
        ids = _piece_ids(sha256, len(content), PIECE_BYTES)
        async with self._database.operation():
            with pymongo.timeout(_BYTES_TIMEOUT_S):
                found = self._blobs.find({"_id": {"$in": ids}}, {"expire_at": 1})
                ends = {piece["_id"]: piece["expire_at"] async for piece in found}
                for number, key in enumerate(ids):
                    # Renewing writes the whole piece anew: 130 ms for all of 10 MB, while looking at it takes one.
                    is_kept = key in ends and (ends[key] >= self._aging or await self._renew(key))
                    if not is_kept:
                        data = content[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
                        await self._insert(key, data, media_type, len(content))
        return sha256

    async def load(self, sha256s: Collection[str]) -> Mapping[str, bytes]:
        """As the port; what is still used lives on, for which it is written to about once a day."""
        if not sha256s:
            return {}
        async with self._database.operation():
            with pymongo.timeout(_BYTES_TIMEOUT_S):
                first = await self._find(set(sha256s))
                rest = {key: _further_ids(blob) for key, blob in first.items()}
                further = await self._find({key for keys in rest.values() for key in keys})
                pieces = first | further
                for key in [key for key, piece in pieces.items() if piece["expire_at"] < self._aging]:
                    await self._renew(key)
        data = {key: b"".join(pieces[each]["data"] for each in (key, *rest[key]) if each in pieces) for key in first}
        return {key: content for key, content in data.items() if len(content) == first[key]["size"]}

    async def note(self, attachment_key: str) -> FileNote | None:
        found = {"_id": storable(attachment_key), "expire_at": {"$gt": self._database.clock.now()}}
        async with self._database.operation():
            document = await self._readings.find_one(found)
        return None if document is None else from_document(FileNote, document["note"])

    async def set_note(self, attachment_key: str, note: FileNote) -> None:
        key = {"_id": storable(attachment_key)}
        # Bytes that were there already may have been left as they were: a note must not outlive them.
        document = {"note": to_document(note), "expire_at": self._aging, "v": 1}
        async with self._database.operation():
            await self._readings.replace_one(key, document, upsert=True)

    async def _find(self, ids: Collection[str]) -> dict[str, Document]:
        """The pieces with these ids that are not over yet."""
        if not ids:
            return {}
        # The server removes what is over once a minute: until then it is there and counts no more.
        found = {"_id": {"$in": list(ids)}, "expire_at": {"$gt": self._database.clock.now()}}
        pieces = self._blobs.find(found, {"data": 1, "size": 1, "expire_at": 1}).batch_size(_PIECES_AT_ONCE)
        return {piece["_id"]: piece async for piece in pieces}

    async def _renew(self, key: str) -> bool:
        """Start the time of a piece anew; whether it is there."""
        renewed = await self._blobs.update_one({"_id": key}, {"$set": {"expire_at": self._end}})
        return renewed.matched_count > 0

    async def _insert(self, key: str, data: bytes, media_type: str, size: int) -> None:
        piece = {"data": data, "media_type": storable(media_type), "size": size, "expire_at": self._end, "v": 1}
        try:
            await self._blobs.insert_one({"_id": key, **piece})
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


def _piece_ids(sha256: str, size: int, piece_bytes: int) -> list[str]:
    """The first piece goes by the hash alone, so that most blobs are one document; an empty one has one, too."""
    return [sha256, *(f"{sha256}:{number}" for number in range(1, math.ceil(size / piece_bytes)))]


def _further_ids(first: Document) -> list[str]:
    """Of the blob whose first piece this is; all but the last one are as long as the first."""
    return _piece_ids(first["_id"], first["size"], max(1, len(first["data"])))[1:]


async def _digest(content: bytes) -> str:
    if len(content) < _HASHED_AT_ONCE_BYTES:
        return hashlib.sha256(content).hexdigest()
    # Python lets others run while it hashes.
    return (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
