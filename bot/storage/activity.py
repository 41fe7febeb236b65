"""Where the bot was active, read from the threads that messages were accepted in (see lanes.py).

Knows no platform; for those that redeliver what was missed nobody asks.
"""

from datetime import datetime
from typing import Final

from pymongo import DESCENDING

from bot.core.place import Place
from bot.core.stores import ActiveChannel
from bot.storage.codec import from_document
from bot.storage.database import Database

_AT_MOST: Final = 500


class ActivityStore:
    """See `bot.core.stores.ActivityStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def active(self, account_key: str, since: datetime) -> tuple[ActiveChannel, ...]:
        found = {"account": account_key, "active_at": {"$gte": since}}
        wanted = {"place": 1, "last_order": 1}
        async with self._database.operation():
            threads = self._database.collection("threads").find(found, wanted)
            newest = threads.sort("active_at", DESCENDING).limit(_AT_MOST)
            return tuple(
                [
                    ActiveChannel(place=from_document(Place, document["place"]), last_order=document["last_order"])
                    async for document in newest
                ]
            )
