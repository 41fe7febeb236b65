"""How many tokens models count for one that we estimate: one document for each model, under `provider/id`."""

from collections.abc import Mapping

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from bot.storage.codec import Document
from bot.storage.database import Database


class CalibrationStore:
    """See `bot.core.money_stores.CalibrationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Mapping[str, float]:
        async with self._database.operation():
            documents = await self._calibrations.find({}, {"factor": 1}).to_list()
        return {document["_id"]: float(document["factor"]) for document in documents}

    async def save(self, factors: Mapping[str, float]) -> None:
        if not factors:
            return
        now = self._database.clock.now()
        updates = [
            UpdateOne({"_id": model}, {"$set": {"factor": float(factor), "at": now}}, upsert=True)
            for model, factor in factors.items()
        ]
        async with self._database.operation():
            await self._calibrations.bulk_write(updates, ordered=False)

    @property
    def _calibrations(self) -> AsyncCollection[Document]:
        return self._database.collection("calibrations")
