"""Answers that can be given again: one document under the digest of all that was asked, until its time is over.

Knows nothing of how a digest is made.
"""

from datetime import timedelta

from pymongo.asynchronous.collection import AsyncCollection

from bot.core.money_stores import CachedAnswer
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database


class AnswerCache:
    """See `bot.core.money_stores.AnswerCache`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, digest: str) -> CachedAnswer | None:
        # The server removes what is over once a minute: until then it is there and counts no more.
        found = {"_id": digest, "expire_at": {"$gt": self._database.clock.now()}}
        async with self._database.operation():
            document = await self._answers.find_one(found)
        return None if document is None else from_document(CachedAnswer, document)

    async def save(self, digest: str, answer: CachedAnswer, ttl_s: float) -> None:
        until = self._database.clock.now() + timedelta(seconds=ttl_s)
        document = {**to_document(answer), "expire_at": until, "v": 1}
        async with self._database.operation():
            await self._answers.replace_one({"_id": digest}, document, upsert=True)

    @property
    def _answers(self) -> AsyncCollection[Document]:
        return self._database.collection("answers")
