"""Budgets in MongoDB: limits that people set, and counters that calls are held against before they are made.

A counter is one document: what is settled, and the holds of calls that run. Taking a hold is one conditional write, so
the sum never passes a limit, however many processes ask at once. Knows no prices and not whose budgets count.

What is exact: a call that has a hold in a counter is counted in it once, with its cost. What is not: a call that ran
without a hold while its counter was made (its budget was set, or its period began, in the middle of it) is in what the
counter begins with only if it was booked by then; one that runs over the end of a period counts in the period that it
was held in, and also in the next one if it is booked before the first call of that.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from bson.int64 import Int64
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from bot.core.budget import BudgetLimit, Due
from bot.core.errors import StorageUnavailable
from bot.core.money_stores import Reservation, Spent, row_id_of
from bot.core.stores import Ledger
from bot.storage.codec import Document, from_document, to_document
from bot.storage.database import Database

#: How long a counter is kept after its period.
COUNTERS_KEPT: Final = timedelta(days=100)
#: A call that was given up keeps its place, at nothing, for so long: its row may be booked after all.
GIVEN_UP_AFTER_S: Final = 86_400.0
#: So many settled holds are remembered, so that a reservation that comes late or twice is not held again.
_DONE_KEPT: Final = 128
_TRIES: Final = 3


class BudgetStore:
    """See `bot.core.money_stores.BudgetStore`."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def limits(self) -> tuple[BudgetLimit, ...]:
        async with self._database.operation():
            documents = await self._limits.find().to_list()
        limits = [from_document(BudgetLimit, document) for document in documents]
        return tuple(sorted(limits, key=lambda limit: (limit.budget, limit.giver)))

    async def set_limit(self, limit: BudgetLimit) -> None:
        document = {**to_document(limit), "nano_usd": Int64(limit.nano_usd), "v": 1}
        async with self._database.operation():
            await self._limits.replace_one({"_id": _limit_id(limit)}, document, upsert=True)

    async def remove_limit(self, limit: BudgetLimit) -> bool:
        async with self._database.operation():
            result = await self._limits.delete_one({"_id": _limit_id(limit)})
        return bool(result.deleted_count)

    async def reserve(self, hold: str, nano_usd: int, dues: Sequence[Due]) -> Reservation:
        """As the port. Where the process dies in between, or undoing fails, `settle_abandoned` frees what was taken."""
        if not dues:
            return Reservation(lacking=None, spent={})
        tightest = {due.counter: due for due in sorted(dues, key=lambda due: -due.limit_nano)}
        counters = await self._take(hold, nano_usd, tightest)
        lacking = next((tightest[due.counter] for due in dues if not counters[due.counter]["known"]), None)
        if lacking is not None:
            await self._give_back(hold, counters)
            counters = {name: {**found, "held": found["others"]} for name, found in counters.items()}
        return Reservation(lacking=lacking, spent={name: _spent(found) for name, found in counters.items()})

    async def settle(self, hold: str, nano_usd: int | None, counters: Collection[str]) -> None:
        await self._settle(hold, nano_usd, counters)

    async def spent(self, dues: Sequence[Due]) -> Mapping[str, Spent]:
        counters = await self._find([due.counter for due in dues], {"used": 1, "held": _HELD})
        spent = {name: _spent(found) for name, found in counters.items()}
        for due in dues:
            if due.counter not in spent:
                spent[due.counter] = Spent(used_nano=await self._booked(due), held_nano=0)
        return spent

    async def note_warned(self, counter: str) -> bool:
        async with self._database.operation():
            result = await self._counters.update_one(
                {"_id": counter, "warned": {"$ne": True}}, {"$set": {"warned": True}}
            )
        return bool(result.modified_count)

    async def settle_abandoned(self, older_than_s: float) -> int:
        """As the port. For a day, one that was settled with nothing still takes its cost, if that comes after all."""
        before = {"$subtract": ["$$NOW", round(older_than_s * 1000)]}
        given_up = {"$subtract": ["$$NOW", round(GIVEN_UP_AFTER_S * 1000)]}
        stages: list[Document] = [
            {"$match": {"oldest": {"$type": "date"}, "$expr": {"$lte": ["$oldest", before]}}},
            {"$project": {"holds": {"$filter": {"input": "$holds", "cond": {"$lte": ["$$this.at", before]}}}}},
            {"$unwind": "$holds"},
            {"$set": {"holds.given_up": {"$lte": ["$holds.at", given_up]}}},
        ]
        async with self._database.operation():
            found = await (await self._counters.aggregate(stages)).to_list()
        costs = await self._costs({row_id_of(document["holds"]["id"]) for document in found})
        return sum([await self._settle_one(document["_id"], document["holds"], costs) for document in found])

    async def _settle_one(self, counter: str, hold: Document, costs: Mapping[str, int | None]) -> int:
        row_id = row_id_of(hold["id"])
        if row_id in costs:
            return await self._settle(hold["id"], costs[row_id], [counter])
        if "freed" not in hold:
            return await self._free(hold, counter)
        if hold["given_up"]:
            await self._give_back(hold["id"], [counter])
        return 0

    async def _take(self, hold: str, nano_usd: int, dues: Mapping[str, Due]) -> Mapping[str, Document]:
        """Hold an amount in every counter that it fits; the counters as they are after that."""
        updates = [_taking(hold, nano_usd, due) for due in dues.values()]
        for _ in range(_TRIES):
            if updates:
                async with self._database.operation():
                    await self._counters.bulk_write(updates)
            counters = await self._find(dues, _seen_by(hold))
            missing = [due for name, due in dues.items() if name not in counters]
            if not missing:
                return counters
            for due in missing:
                await self._create(due)
        raise StorageUnavailable("a budget's counter vanished")

    async def _create(self, due: Due) -> None:
        """Begin a counter. Of several processes the first counts: nothing was held in it when that one read."""
        counter: Document = {
            "_id": due.counter,
            "used": Int64(await self._booked(due)),
            "holds": [],
            "done": [],
            "expire_at": due.resets_at + COUNTERS_KEPT,
            "v": 1,
        }
        async with self._database.operation():
            try:
                await self._counters.insert_one(counter)
            except DuplicateKeyError:
                return

    async def _booked(self, due: Due) -> int:
        spending = await self._ledger.spending(due.scope, due.since)
        return sum(model.nano_usd for model in spending.models)

    async def _find(self, names: Collection[str], fields: Document) -> Mapping[str, Document]:
        async with self._database.operation():
            documents = await self._counters.find({"_id": {"$in": list(names)}}, fields).to_list()
        return {document["_id"]: document for document in documents}

    async def _settle(self, hold: str, nano_usd: int | None, counters: Collection[str]) -> int:
        done = {"$slice": [{"$concatArrays": ["$done", [{"$literal": hold}]]}, -_DONE_KEPT]}
        used = {"$add": ["$used", _held_for(hold) if nano_usd is None else Int64(nano_usd)]}
        return await self._change(hold, counters, [{"$set": {"used": used, "done": done}}, *_removed(hold)])

    async def _give_back(self, hold: str, counters: Collection[str]) -> None:
        await self._change(hold, counters, _removed(hold))

    async def _change(self, hold: str, counters: Collection[str], pipeline: list[Document]) -> int:
        """Change those counters that this hold is in; how many those were."""
        async with self._database.operation():
            result = await self._counters.update_many({"_id": {"$in": list(counters)}, "holds.id": hold}, pipeline)
        return result.modified_count

    async def _free(self, hold: Document, counter: str) -> int:
        """Hold nothing for it any more, but remember what that was."""
        update = {"$set": {"holds.$.nano": Int64(0), "holds.$.freed": Int64(hold["nano"])}}
        async with self._database.operation():
            result = await self._counters.update_one({"_id": counter, "holds.id": hold["id"]}, update)
        return result.modified_count

    async def _costs(self, ids: Collection[str]) -> Mapping[str, int | None]:
        """What the ledger booked of these calls; None: their cost is unknown."""
        if not ids:
            return {}
        async with self._database.operation():
            rows = await self._database.collection("usage").find({"_id": {"$in": list(ids)}}, {"cost": 1}).to_list()
        return {row["_id"]: None if row["cost"] is None else int(row["cost"]) for row in rows}

    @property
    def _limits(self) -> AsyncCollection[Document]:
        return self._database.collection("budgets")

    @property
    def _counters(self) -> AsyncCollection[Document]:
        return self._database.collection("counters")


def _limit_id(limit: BudgetLimit) -> str:
    return f"{limit.giver}~{limit.budget}"


_HELD: Final[Document] = {"$sum": "$holds.nano"}
#: When the oldest hold of a counter was taken, null without holds: what the janitor looks for.
_NOTE_OLDEST: Final[Document] = {"$set": {"oldest": {"$min": "$holds.at"}}}


def _taking(hold: str, nano_usd: int, due: Due) -> UpdateOne:
    """Take a hold where it fits. Of one that is or was there already nothing changes."""
    total = {"$add": ["$used", _HELD, Int64(nano_usd)]}
    found = {
        "_id": due.counter,
        "holds.id": {"$ne": hold},
        "done": {"$ne": hold},
        "$expr": {"$lte": [total, Int64(due.limit_nano)]},
    }
    taken = {"id": {"$literal": hold}, "nano": Int64(nano_usd), "at": "$$NOW"}
    return UpdateOne(found, [{"$set": {"holds": {"$concatArrays": ["$holds", [taken]]}}}, _NOTE_OLDEST])


def _others(hold: str) -> Document:
    return {"$filter": {"input": "$holds", "cond": {"$ne": ["$$this.id", {"$literal": hold}]}}}


def _held_for(hold: str) -> Document:
    """What a hold is for, also if it was freed since."""
    own = {"$filter": {"input": "$holds", "cond": {"$eq": ["$$this.id", {"$literal": hold}]}}}
    return {"$sum": {"$map": {"input": own, "in": {"$ifNull": ["$$this.freed", "$$this.nano"]}}}}


def _removed(hold: str) -> list[Document]:
    return [{"$set": {"holds": _others(hold)}}, _NOTE_OLDEST]


def _seen_by(hold: str) -> Document:
    """What a reservation reads: sums, those of the other holds alone, and whether its hold is or was there."""
    nano_of_others = {"$map": {"input": _others(hold), "in": "$$this.nano"}}
    known = {"$in": [{"$literal": hold}, {"$concatArrays": ["$holds.id", "$done"]}]}
    return {"used": 1, "held": _HELD, "others": {"$sum": nano_of_others}, "known": known}


def _spent(counter: Document) -> Spent:
    return Spent(used_nano=int(counter["used"]), held_nano=int(counter["held"]))
