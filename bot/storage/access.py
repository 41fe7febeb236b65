"""Who may use the bot, as owners decided at run time, and who was turned away today.

Of someone who is not allowed nothing is kept but that fact, for two days. Knows no rule of access.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from bot.storage.codec import Document
from bot.storage.database import Database

#: Longer than a day, so that a day of any time zone is covered.
REFUSAL_KEPT: Final = timedelta(days=2)


class AccessStore:
    """See `bot.core.stores.AccessStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self) -> Mapping[str, str]:
        async with self._database.operation():
            documents = await self._access.find({}, {"role": 1}).to_list()
        return {document["_id"]: document["role"] for document in documents}

    async def put(self, entry: str, role: str) -> None:
        update = {"$set": {"role": role}, "$setOnInsert": {"at": self._database.clock.now()}}
        async with self._database.operation():
            await self._access.update_one({"_id": entry}, update, upsert=True)

    async def remove(self, entry: str) -> bool:
        async with self._database.operation():
            result = await self._access.delete_one({"_id": entry})
        return bool(result.deleted_count)

    async def first_refusal_today(self, author_key: str, today: str) -> bool:
        refusal = {"_id": f"{author_key}~{today}", "expire_at": self._database.clock.now() + REFUSAL_KEPT}
        async with self._database.operation():
            try:
                await self._database.collection("refusals").insert_one(refusal)
            except DuplicateKeyError:
                return False
        return True

    @property
    def _access(self) -> AsyncCollection[Document]:
        return self._database.collection("access")
