"""Lanes in MongoDB: one document per thread, one write per step (see lanes.py for the pipelines).

Knows no turn and no provider. Owners are told apart by a name that each process invents for itself.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from bot.core.errors import Fenced, StorageUnavailable
from bot.core.place import Place
from bot.core.stores import ThreadState
from bot.core.turn_record import Attempt, Claim, Ingested, Item, Summary
from bot.storage import lanes
from bot.storage.codec import Document, from_document, storable
from bot.storage.database import Database

#: What a claim is read from: not the ring, which is long.
_FIELDS: Document = dict.fromkeys(
    ("place", "fence", "n", "from_seq", "fresh", "attempt", "tries", "np", "q", "summary", "title"), 1
)
#: The queue only travels to who has to work on it.
_INGEST_FIELDS: Document = {**_FIELDS, "ingest": 1, "q": {"$cond": ["$ingest.claimed", "$q", []]}}


class ThreadStore:
    """See `bot.core.stores.ThreadStore`. `owner` is unique to this process, leases last `lease_s` seconds."""

    def __init__(self, database: Database, *, owner: str, lease_s: float = 12.0) -> None:
        self._database = database
        self._owner = owner
        self._lease_s = lease_s

    async def ingest(self, place: Place, item: Item) -> Ingested:
        pipeline = lanes.ingest(place, item, self._owner, self._lease_s)
        document = await self._change({"_id": place.thread_key}, pipeline, projection=_INGEST_FIELDS, upsert=True)
        assert document is not None, "an upsert returns its document"  # noqa: S101
        did = document["ingest"]
        claim = _claim(document) if did["claimed"] else None
        return Ingested(claim=claim, duplicate=did["did"] == "duplicate", full=did["did"] == "full")

    async def begin_attempt(self, claim: Claim) -> None:
        await self._note(claim, {"called": True})

    async def begin_send(self, claim: Claim, page: int) -> None:
        await self._note(claim, {"sending": page + 1})

    async def record_message(self, claim: Claim, page: int, message_id: str) -> None:
        await self._note(claim, {"pages": {str(page): message_id}})

    async def finish(self, claim: Claim, uids: Collection[str], *, from_seq: int = 0) -> Claim | None:
        pipeline = lanes.finish(claim, uids, from_seq, self._owner, self._lease_s)
        document = await self._change(_fenced(claim), pipeline)
        if document is None:
            raise Fenced(claim.thread_key)
        return _claim(document) if document["np"] else None

    async def hold(self, claim: Claim) -> None:
        mine = {**_fenced(claim), "owner": self._owner}
        if not await self._update(mine, [{"$set": {"until": lanes.renewed(self._lease_s)}}]):
            raise Fenced(claim.thread_key)

    async def release(self, claim: Claim) -> None:
        async with self._database.operation():
            await self._threads.update_one(_fenced(claim), {"$set": {"owner": None, "until": lanes.NEVER}})

    async def heartbeat(self, thread_keys: Collection[str]) -> Mapping[str, str]:
        if not thread_keys:
            return {}
        mine = {"_id": {"$in": list(thread_keys)}, "owner": self._owner}
        async with self._database.operation():
            await self._threads.update_many(mine, [{"$set": {"until": lanes.renewed(self._lease_s)}}])
        async with self._database.operation():
            stops = self._threads.find({**mine, "stop": {"$exists": True}}, {"stop": 1})
            return {document["_id"]: document["stop"] async for document in stops}

    async def claim_expired(
        self, limit: int, accounts: Collection[str], running: Collection[str] = ()
    ) -> tuple[Claim, ...]:
        claims: list[Claim] = []
        pipeline = lanes.takeover(self._owner, self._lease_s)
        expired = {"np": {"$gt": 0}, "account": {"$in": list(accounts)}, "$expr": lanes.LEASE_OVER}
        if running:
            expired["_id"] = {"$nin": list(running)}
        try:
            while len(claims) < limit:
                document = await self._change(expired, pipeline, sort=[("until", 1)])
                if document is None:
                    break
                claims.append(_claim(document))
        except StorageUnavailable:
            if not claims:
                raise  # else what was claimed by then is ours, and has to be run
        return tuple(claims)

    async def withdraw(self, thread_key: str, author_key: str | None, running: Collection[str]) -> tuple[Item, ...]:
        async with self._database.operation():
            document = await self._threads.find_one_and_update(
                {"_id": thread_key},
                lanes.withdraw(author_key, running),
                projection={"q": 1},
                return_document=ReturnDocument.BEFORE,
            )
        items = () if document is None else _items(document)
        return tuple(i for i in items if i.uid not in running and author_key in (None, i.author_key))

    async def request_stop(self, thread_key: str, by: str) -> bool:
        runs = {"_id": thread_key, "$expr": lanes.LEASE_LIVE}
        return await self._update(runs, {"$set": {"stop": by}})

    async def revise(self, thread_key: str, message_id: str, text: str | None) -> bool:
        found = {"_id": thread_key, "q.message_id": message_id, "$expr": lanes.has_waiting(message_id)}
        return await self._update(found, lanes.revise(message_id, text))

    async def start_afresh(self, thread_key: str) -> None:
        await self._update({"_id": thread_key}, lanes.start_afresh())

    async def is_joined(self, thread_key: str) -> bool:
        async with self._database.operation():
            return await self._threads.find_one({"_id": thread_key}, {"_id": 1}) is not None

    async def state(self, thread_key: str) -> ThreadState:
        wanted = dict.fromkeys(("n", "from_seq", "fresh", "summary", "title"), 1)
        async with self._database.operation():
            document = await self._threads.find_one({"_id": thread_key}, wanted)
        if document is None:
            return ThreadState()
        return ThreadState(
            next_seq=int(document["n"]),
            from_seq=int(document["from_seq"]),
            fresh_seq=int(document.get("fresh", 0)),
            summary=_summary(document),
            title=document.get("title"),
        )

    async def begin_chore(self, thread_key: str, chore: str, lease_s: float) -> bool:
        found = {"_id": thread_key, "$expr": lanes.chore_free(chore)}
        return await self._update(found, lanes.begin_chore(chore, lease_s))

    async def end_chore(self, thread_key: str, chore: str) -> None:
        await self._update({"_id": thread_key}, {"$unset": {f"chores.{chore}": ""}})

    async def set_summary(self, thread_key: str, summary: Summary) -> bool:
        found = {"_id": thread_key, **lanes.takes_summary(summary)}
        return await self._update(found, lanes.set_summary(summary))

    async def set_title(self, thread_key: str, title: str, *, replace: bool) -> bool:
        # As in `finish`, twice does no harm: who repeats a write that came through is told the same.
        untitled = {} if replace else {"title": {"$in": [None, storable(title)]}}
        return await self._update({"_id": thread_key, **untitled}, {"$set": {"title": storable(title)}})

    @property
    def _threads(self) -> AsyncCollection[Document]:
        return self._database.collection("threads")

    async def _change(self, found: Document, pipeline: list[Document], **options: Any) -> Document | None:
        how = {"projection": _FIELDS, "return_document": ReturnDocument.AFTER, **options}
        async with self._database.operation():
            document: Document | None = await self._threads.find_one_and_update(found, pipeline, **how)
        return document

    async def _update(self, found: Document, update: Document | list[Document]) -> bool:
        async with self._database.operation():
            result = await self._threads.update_one(found, update)
        return bool(result.matched_count)

    async def _note(self, claim: Claim, changes: Document) -> None:
        if not await self._update(_fenced(claim), lanes.note(claim, changes)):
            raise Fenced(claim.thread_key)


def _fenced(claim: Claim) -> Document:
    """A fence has one owner ever: it also matches after a release, so that a repeated write is harmless."""
    return {"_id": claim.thread_key, "fence": claim.fence}


def _claim(document: Document) -> Claim:
    items = _items(document)
    return Claim(
        place=from_document(Place, document["place"]),
        fence=int(document["fence"]),
        items=items,
        next_seq=int(document["n"]),
        from_seq=int(document["from_seq"]),
        fresh_seq=int(document.get("fresh", 0)),
        attempt=_attempt(document.get("attempt"), items[0].uid),
        tries=document["tries"],
        summary=_summary(document),
        titled=document.get("title") is not None,
    )


def _summary(document: Document) -> Summary | None:
    kept = document.get("summary")
    return None if kept is None else from_document(Summary, kept)


def _items(document: Document) -> tuple[Item, ...]:
    return tuple(from_document(Item, item) for item in document["q"])


def _attempt(noted: Document | None, head: str) -> Attempt | None:
    if noted is None or noted["uid"] != head:
        return None
    pages = sorted(noted["pages"].items(), key=lambda page: int(page[0]))
    return Attempt(
        uid=noted["uid"],
        fence=int(noted["fence"]),
        at=noted["at"],
        called=noted["called"],
        sending=noted["sending"],
        message_ids=tuple(message_id for _, message_id in pages),
    )
