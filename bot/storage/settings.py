"""What people set for a thread, a channel, a server or themselves, one document for each of them.

Names and values are stored as they are given; what they mean is the core's business.
"""

from collections.abc import Mapping, Sequence

from pymongo.asynchronous.collection import AsyncCollection

from bot.storage.codec import Document
from bot.storage.database import Database


class SettingStore:
    """See `bot.core.stores.SettingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        async with self._database.operation():
            documents = await self._settings.find({"_id": {"$in": list(keys)}}).to_list()
        return {document["_id"]: document["values"] for document in documents if document["values"]}

    async def set(self, key: str, name: str, value: object | None) -> None:
        # $setField takes any name, also one with dots or dollars in it, which a path would not.
        field = {
            "field": {"$literal": name},
            "input": {"$ifNull": ["$values", {}]},
            "value": "$$REMOVE" if value is None else {"$literal": value},
        }
        async with self._database.operation():
            await self._settings.update_one(
                {"_id": key}, [{"$set": {"values": {"$setField": field}}}], upsert=True
            )

    @property
    def _settings(self) -> AsyncCollection[Document]:
        return self._database.collection("settings")
