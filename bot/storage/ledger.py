"""The account of provider calls in MongoDB: append-only rows, and their sums from rollups.

`cost` is nano-USD as int64, null where it is unknown; `rates` are those that made it up, by what they are for;
`unrolled` marks a row that is in no rollup yet. Knows no prices and no budgets.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import Final

from bson.int64 import Int64
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from bot.core.errors import StorageUnavailable
from bot.core.ledger import DaySpending, LedgerRow, ModelSpending, Spending, SpendingScope
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database
from bot.storage.rollup_documents import SUMS, add_up, rows_of, scope_name, sums_added, sums_in
from bot.storage.rollups import WAITING, Progress, Roller, only_duplicates

_TRIES: Final = 20
_PAUSE_S: Final = 0.02
_OF_A_DAY: Final = ("requests", "nano_usd", "estimated_requests", "unknown_requests")

_Sums = Iterable[tuple[str, str, Mapping[str, int]]]


class Ledger:
    """See `bot.core.stores.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._roller = Roller(database)

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        if not rows:
            return
        async with self._database.operation():
            try:
                await self._usage.insert_many([_to_row(row) for row in rows], ordered=False)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise

    async def spending(self, scope: SpendingScope, since: datetime | None) -> Spending:
        """As the port: rollups and what waits for them, read in a moment in which no batch was applied."""
        for _ in range(_TRIES):
            number = await self._roller.finish_open()
            rolled = await self._rolled(scope_name(scope), since)
            waiting = await self._waiting(scope, since)
            if await self._roller.progress() == Progress(number=number, batch=None):
                return _spending(chain(sums_in(rolled), sums_added(waiting)))
            await self._database.clock.sleep(_PAUSE_S)
        raise StorageUnavailable("calls are being added up faster than their sums can be read")

    async def rows(self, scope: SpendingScope, since: datetime | None, limit: int) -> tuple[LedgerRow, ...]:
        newest = self._usage.find(rows_of(scope, since), sort=[("at", -1)], limit=limit)
        async with self._database.operation():
            documents = await newest.to_list()
        return tuple(_from_row(document) for document in documents)

    @property
    def _usage(self) -> AsyncCollection[Document]:
        return self._database.collection("usage")

    async def _rolled(self, scope: str, since: datetime | None) -> list[Document]:
        found: Document = {"scope": scope}
        if since is not None:
            found["day"] = {"$gte": since.astimezone(UTC).date().isoformat()}
        async with self._database.operation():
            return await self._database.collection("rollups").find(found, {"_id": 0, "day": 1, "m": 1}).to_list()

    async def _waiting(self, scope: SpendingScope, since: datetime | None) -> list[Document]:
        stages = [{"$match": {**WAITING, **rows_of(scope, since)}}, *add_up(scope=scope_name(scope))]
        async with self._database.operation():
            # Without the hint the server may walk through all rows of a person for the few that wait.
            return await (await self._usage.aggregate(stages, hint="unrolled")).to_list()


def _spending(sums: _Sums) -> Spending:
    models: dict[str, list[int]] = defaultdict(lambda: [0] * len(SUMS))
    days: dict[str, list[int]] = defaultdict(lambda: [0] * len(_OF_A_DAY))
    for day, model, added in sums:
        _add(models[model], SUMS, added)
        _add(days[day], _OF_A_DAY, added)
    found = [ModelSpending(model=model, **dict(zip(SUMS, values, strict=True))) for model, values in models.items()]
    return Spending(
        models=tuple(sorted(found, key=lambda model: (-model.nano_usd, model.model))),
        days=tuple(
            DaySpending(day=date.fromisoformat(day), **dict(zip(_OF_A_DAY, values, strict=True)))
            for day, values in sorted(days.items())
        ),
    )


def _add(values: list[int], names: Sequence[str], added: Mapping[str, int]) -> None:
    for place, name in enumerate(names):
        if name in added:
            values[place] += added[name]


def _to_row(row: LedgerRow) -> Document:
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
        "rates": {rate.billed.value: Int64(rate.nano_usd) for rate in cost.rates},
        **WAITING,
        "v": 2,
    }


def _from_row(document: Document) -> LedgerRow:
    cost = {
        "nano_usd": None if document["cost"] is None else int(document["cost"]),
        "certainty": document["certainty"],
        "source": document["price_source"],
        "priced_at": document["priced_at"],
        "rates": [{"billed": name, "nano_usd": rate} for name, rate in document.get("rates", {}).items()],
    }
    fields = {**document, "id": document["_id"], "space_key": document.get("space_key"), "cost": cost}
    return from_document(LedgerRow, fields)
