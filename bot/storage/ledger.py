"""The account of provider calls in MongoDB: append-only rows, added up by the server.

`cost` is nano-USD as int64, null where it is unknown. Knows no prices and no budgets.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from bson.int64 import Int64
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from bot.core.ledger import Certainty, LedgerRow, ModelSpending, Spending, SpendingScope
from bot.core.place import Scope
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database

_DUPLICATE_KEY = 11000


class Ledger:
    """See `bot.core.stores.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        if not rows:
            return
        async with self._database.operation():
            try:
                await self._usage.insert_many([_row(row) for row in rows], ordered=False)
            except BulkWriteError as error:
                if not _only_duplicates(error):
                    raise

    async def spending(self, scope: SpendingScope, since: datetime | None) -> Spending:
        found: Document = {_scope_field(scope.scope): scope.key}
        if since is not None:
            found["at"] = {"$gte": since}
        async with self._database.operation():
            sums = await self._usage.aggregate([{"$match": found}, *_SUM_BY_MODEL])
            documents = await sums.to_list()
        return Spending(models=tuple(from_document(ModelSpending, document) for document in documents))

    @property
    def _usage(self) -> AsyncCollection[Document]:
        return self._database.collection("usage")


def _counted(certainty: Certainty) -> Document:
    return {"$sum": {"$cond": [{"$eq": ["$certainty", certainty.value]}, 1, 0]}}


_SUM_BY_MODEL: tuple[Document, ...] = (
    {
        "$group": {
            "_id": "$model",
            "requests": {"$sum": 1},
            "input_tokens": {"$sum": "$usage.input_tokens"},
            "cached_tokens": {"$sum": "$usage.cached_tokens"},
            "output_tokens": {"$sum": "$usage.output_tokens"},
            "nano_usd": {"$sum": "$cost"},
            "estimated_requests": _counted(Certainty.ESTIMATED),
            "unknown_requests": _counted(Certainty.UNKNOWN),
        }
    },
    {"$set": {"model": "$_id"}},
    {"$sort": {"nano_usd": -1, "model": 1}},
)


def _scope_field(scope: Scope) -> str:
    match scope:
        case Scope.ME:
            return "author_key"
        case Scope.CHANNEL:
            return "channel_key"
        case Scope.SERVER:
            return "space_key"
        case Scope.THREAD:
            raise ValueError("spending is not kept by thread")
        case _:
            assert_never(scope)


def _row(row: LedgerRow) -> Document:
    """The row with its cost taken apart; a `space_key` of None is left out, its index skips the row."""
    fields = to_document(row)
    cost = row.cost
    del fields["id"]
    if row.space_key is None:
        del fields["space_key"]
    return {
        "_id": row.id,
        **fields,
        "cost": None if cost.nano_usd is None else Int64(cost.nano_usd),
        "certainty": cost.certainty.value,
        "price_source": cost.source,
        "priced_at": cost.priced_at,
        "v": 1,
    }


def _only_duplicates(error: BulkWriteError) -> bool:
    details = error.details or {}
    failed = details.get("writeErrors", [])
    return not details.get("writeConcernErrors") and all(e["code"] == _DUPLICATE_KEY for e in failed)
