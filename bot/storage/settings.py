"""What people set for a thread, a channel, a server or themselves, one document for each of them.

Names and values are stored as they are given; what they mean is the core's business. What was read is believed for
some seconds: a turn asks several times, and other processes seldom change anything.
"""

from collections.abc import Mapping, Sequence

from pymongo.asynchronous.collection import AsyncCollection

from bot.storage.codec import Document
from bot.storage.database import Database

#: After so long a change by another process is seen; own changes are seen at once.
FRESH_S = 10.0
_KEPT = 4_096

Values = Mapping[str, object]


class SettingStore:
    """See `bot.core.stores.SettingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Values]] = {}
        self._changes = 0

    async def load(self, keys: Sequence[str]) -> Mapping[str, Values]:
        known = self._fresh(keys)
        values = await self._read(keys) if known is None else known
        return {key: found for key, found in values.items() if found}

    def _fresh(self, keys: Sequence[str]) -> Mapping[str, Values] | None:
        """What is known of all keys, None when something is unknown or too old."""
        oldest = self._database.clock.monotonic() - FRESH_S
        known = {key: self._known[key] for key in keys if key in self._known}
        if len(known) < len(keys) or any(read_at < oldest for read_at, _ in known.values()):
            return None
        return {key: values for key, (_, values) in known.items()}

    async def _read(self, keys: Sequence[str]) -> Mapping[str, Values]:
        changes, read_at = self._changes, self._database.clock.monotonic()
        async with self._database.operation():
            documents = await self._settings.find({"_id": {"$in": list(keys)}}).to_list()
        values: dict[str, Values] = {key: {} for key in keys}
        values.update({document["_id"]: document["values"] for document in documents})
        if changes == self._changes:  # else something was set meanwhile
            if len(self._known) > _KEPT:
                self._known.clear()
            self._known.update({key: (read_at, found) for key, found in values.items()})
        return values

    async def set(self, key: str, name: str, value: object | None) -> None:
        # $setField takes any name, also one with dots or dollars in it, which a path would not.
        field = {
            "field": {"$literal": name},
            "input": {"$ifNull": ["$values", {}]},
            "value": "$$REMOVE" if value is None else {"$literal": value},
        }
        try:
            async with self._database.operation():
                await self._settings.update_one({"_id": key}, [{"$set": {"values": {"$setField": field}}}], upsert=True)
        finally:  # also one that timed out may have been applied
            self._changes += 1
            self._known.pop(key, None)

    @property
    def _settings(self) -> AsyncCollection[Document]:
        return self._database.collection("settings")
