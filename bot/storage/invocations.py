"""Commands in progress: known by their uid for a day after they were answered, so that none runs twice.

Knows nothing of what a command does.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from bot.core.inbound import Inbound
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database

KEPT_AFTER_END: Final = timedelta(days=1)
#: One that was never answered is of no use to anyone by then.
KEPT_AT_MOST: Final = timedelta(days=3)
_MAX_AT_ONCE: Final = 100


class InvocationStore:
    """See `bot.core.stores.InvocationStore`; `abandoned` hands out at most 100 at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, inbound: Inbound) -> bool:
        now = self._database.clock.now()
        document: Document = {
            "_id": inbound.uid,
            "inbound": to_document(inbound),
            "account": inbound.place.account_key,
            "open": True,
            "handed_at": now,
            "expire_at": now + KEPT_AT_MOST,
            "v": 1,
        }
        async with self._database.operation():
            try:
                await self._invocations.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def end(self, uid: str) -> None:
        forget_at = self._database.clock.now() + KEPT_AFTER_END
        update = {"$set": {"expire_at": forget_at}, "$unset": {"open": "", "inbound": ""}}
        async with self._database.operation():
            await self._invocations.update_one({"_id": uid}, update)

    async def abandoned(self, older_than_s: float, accounts: Collection[str]) -> tuple[Inbound, ...]:
        found: list[Inbound] = []
        now = self._database.clock.now()
        before = now - timedelta(seconds=older_than_s)
        due = {"open": True, "handed_at": {"$lt": before}, "account": {"$in": list(accounts)}}
        while len(found) < _MAX_AT_ONCE and (inbound := await self._hand_out(due, now)) is not None:
            found.append(inbound)
        return tuple(found)

    async def _hand_out(self, due: Document, now: datetime) -> Inbound | None:
        async with self._database.operation():
            document = await self._invocations.find_one_and_update(
                due,
                {"$set": {"handed_at": now}},
                sort=[("handed_at", 1)],
                return_document=ReturnDocument.AFTER,
            )
        return None if document is None else from_document(Inbound, document["inbound"])

    @property
    def _invocations(self) -> AsyncCollection[Document]:
        return self._database.collection("invocations")
