"""Turns in MongoDB: one document each under the uid of the first item, its fields named as in `TurnRecord`.

`author` is that of the first item, `current` is there while the turn belongs to the context. Of a thread it knows only
where somebody started afresh.
"""

from collections.abc import Sequence
from typing import Final

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, PyMongoError

from bot.core.files import FileNote
from bot.core.stores import TurnQuery, TurnsFound
from bot.core.turn_record import TurnRecord
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database
from bot.storage.turn_search import turn_filter

#: A regular expression over 10,000 turns takes some 50 ms.
_SEARCH_S: Final = 1.0

#: Fields of the document that the value does not have, or that are written apart from it.
_APART = ("uid", "superseded_by")


class TurnStore:
    """See `bot.core.stores.TurnStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[TurnRecord, ...]:
        """As the port; bounds and order come from the partial index, so a thread's length is no matter."""
        found = {"thread_key": thread_key, "current": True, "seq": {"$gte": from_seq}}
        return tuple(reversed(await self._newest(found, limit, {"calls": 0})))

    async def files(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[FileNote, ...]:
        found = {
            "thread_key": thread_key,
            "current": True,
            "seq": {"$gte": from_seq},
            "items.files.name": {"$exists": True},
        }
        async with self._database.operation():
            cursor = self._turns.find(found, {"items.files": 1}).sort("seq", pymongo.DESCENDING).limit(limit)
            turns = await cursor.to_list()
        notes = [
            from_document(FileNote, note)
            for turn in reversed(turns)
            for item in turn["items"]
            for note in item.get("files", ())
        ]
        return tuple(notes[-limit:])

    async def append(self, turn: TurnRecord) -> None:
        """As the port, but a higher fence replaces a lower one: it belongs to who showed its answer last."""
        older = {"_id": turn.uid, "fence": {"$lt": turn.fence}}
        update = {"$set": _fields(turn), "$setOnInsert": {"current": True}}
        async with self._database.operation():
            try:
                await self._turns.update_one(older, update, upsert=True)
            except DuplicateKeyError:
                return  # stored already, under this fence or a higher one

    async def set_messages(self, uid: str, message_ids: Sequence[str]) -> None:
        await self._update(uid, {"$set": {"message_ids": list(message_ids)}})

    async def load(self, uid: str) -> TurnRecord | None:
        async with self._database.operation():
            document = await self._turns.find_one({"_id": uid})
        return None if document is None else _turn(document)

    async def last(self, thread_key: str) -> TurnRecord | None:
        turns = await self._newest({"thread_key": thread_key, "current": True}, 1)
        return turns[0] if turns else None

    async def supersede(self, uid: str, by: str) -> None:
        await self._update(uid, {"$set": {"superseded_by": by}, "$unset": {"current": ""}})

    async def search(self, query: TurnQuery) -> TurnsFound:
        """As the port; runs along the index from the newest turn, and reads no more of it than it needs."""
        async with self._database.operation():
            threads = self._database.collection("threads")
            thread = await threads.find_one({"_id": query.thread_key}, {"fresh": 1})
            found = turn_filter(query, from_seq=(thread or {}).get("fresh", 0))
            newest = self._turns.find(found, {"calls": 0, "steps": 0}, sort=[("seq", -1)], limit=query.limit)
            try:
                with pymongo.timeout(_SEARCH_S):
                    documents = await newest.to_list()
            except PyMongoError as error:
                # Not for the guard, which would take a long conversation for a database that hangs.
                if not error.timeout:
                    raise
                return TurnsFound(turns=(), in_time=False)
        return TurnsFound(turns=tuple(_turn({**document, "steps": []}) for document in documents))

    @property
    def _turns(self) -> AsyncCollection[Document]:
        return self._database.collection("turns")

    async def _newest(self, found: Document, limit: int, projection: Document | None = None) -> list[TurnRecord]:
        newest = self._turns.find(found, projection, sort=[("seq", -1)], limit=limit)
        async with self._database.operation():
            documents = await newest.to_list()
        return [_turn(document) for document in documents]

    async def _update(self, uid: str, update: Document) -> None:
        async with self._database.operation():
            await self._turns.update_one({"_id": uid}, update)


def _fields(turn: TurnRecord) -> Document:
    fields = {name: value for name, value in to_document(turn).items() if name not in _APART}
    first = turn.items[0]
    return {**fields, "author": {"key": first.author_key, "name": first.author_name}, "v": 1}


def _turn(document: Document) -> TurnRecord:
    return from_document(TurnRecord, {**document, "uid": document["_id"]})
