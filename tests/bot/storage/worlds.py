"""What the contract suites run against: all stores over MongoDB, and their fakes in memory."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.core import money_stores, stores
from bot.core.files import FileStore
from bot.core.turn_record import Claim
from bot.storage.access import AccessStore
from bot.storage.answers import AnswerCache
from bot.storage.budgets import BudgetStore
from bot.storage.calibrations import CalibrationStore
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.files import FileStore as MongoFiles
from bot.storage.invocations import InvocationStore
from bot.storage.ledger import Ledger
from bot.storage.rates import RateStore
from bot.storage.settings import SettingStore
from bot.storage.threads import ThreadStore
from bot.storage.turns import TurnStore
from tests.bot.storage.samples import PLACE, item
from tests.fakes.files import MemoryFiles
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.money import MemoryAnswers, MemoryBudgets, MemoryCalibrations, MemoryRates
from tests.fakes.stores import (
    MemoryAccess,
    MemoryInvocations,
    MemoryLedger,
    MemorySettings,
    MemoryTurnStore,
)

LEASE_S = 30.0


class OwnedClock:
    """A `Clock` that stands still until `now_` is moved."""

    def __init__(self) -> None:
        self.now_ = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        return self.now_

    def monotonic(self) -> float:
        return self.now_.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.now_ += timedelta(seconds=seconds)


class World(Protocol):
    """One implementation of all stores, with the means to let time pass."""

    clock: OwnedClock
    turns: stores.TurnStore
    ledger: stores.Ledger
    settings: stores.SettingStore
    access: stores.AccessStore
    invocations: stores.InvocationStore
    budgets: money_stores.BudgetStore
    rates: money_stores.RateStore
    calibrations: money_stores.CalibrationStore
    answers: money_stores.AnswerCache
    files: FileStore

    def threads(self, owner: str) -> stores.ThreadStore:
        """The store as the process `owner` has it."""
        ...

    async def expire(self, thread_key: str) -> None:
        """The thread's lease runs out, as if its owner had died."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """So much time passes, for holds and buckets as well, whose clock is the database's."""
        ...


class MemoryWorld:
    """The fakes."""

    def __init__(self) -> None:
        self.clock = OwnedClock()
        self._threads = MemoryThreadStore("nobody", LEASE_S, self.clock)
        self.turns: stores.TurnStore = MemoryTurnStore(self._threads.lanes)
        self.files: FileStore = MemoryFiles(self.clock)
        ledger = MemoryLedger()
        self.ledger: stores.Ledger = ledger
        self.settings: stores.SettingStore = MemorySettings()
        self.access: stores.AccessStore = MemoryAccess()
        self.invocations: stores.InvocationStore = MemoryInvocations(self.clock)
        self.budgets: money_stores.BudgetStore = MemoryBudgets(ledger, self.clock)
        self.rates: money_stores.RateStore = MemoryRates(self.clock)
        self.calibrations: money_stores.CalibrationStore = MemoryCalibrations()
        self.answers: money_stores.AnswerCache = MemoryAnswers(self.clock)

    def threads(self, owner: str) -> stores.ThreadStore:
        return self._threads.rival(owner)

    async def expire(self, thread_key: str) -> None:
        self._threads.lanes[thread_key].until = 0.0

    async def pass_time(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


class MongoWorld:
    """The real ones."""

    def __init__(self, database: Database, clock: OwnedClock) -> None:
        self.clock = clock
        self.turns: stores.TurnStore = TurnStore(database)
        self.ledger: stores.Ledger = Ledger(database)
        self.settings: stores.SettingStore = SettingStore(database)
        self.access: stores.AccessStore = AccessStore(database)
        self.invocations: stores.InvocationStore = InvocationStore(database)
        self.budgets: money_stores.BudgetStore = BudgetStore(database, self.ledger)
        self.rates: money_stores.RateStore = RateStore(database)
        self.calibrations: money_stores.CalibrationStore = CalibrationStore(database)
        self.answers: money_stores.AnswerCache = AnswerCache(database)
        self.files: FileStore = MongoFiles(database)
        self._database = database

    def threads(self, owner: str) -> stores.ThreadStore:
        return ThreadStore(self._database, owner=owner, lease_s=LEASE_S)

    async def expire(self, thread_key: str) -> None:
        past = datetime(2020, 1, 1, tzinfo=UTC)
        async with self._database.operation():
            await self._database.collection("threads").update_one({"_id": thread_key}, {"$set": {"until": past}})

    async def pass_time(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

        def earlier(field: str) -> Document:
            return {"$subtract": [field, round(seconds * 1000)]}

        aged = {"$mergeObjects": ["$$this", {"at": earlier("$$this.at")}]}
        holds = {"holds": {"$map": {"input": "$holds", "in": aged}}, "oldest": earlier("$oldest")}
        async with self._database.operation():
            await self._database.collection("counters").update_many({}, [{"$set": holds}])
            await self._database.collection("rates").update_many({}, [{"$set": {"at": earlier("$at")}}])


async def claimed(world: World, owner: str = "a", number: int = 1) -> Claim:
    """The claim of `owner` on a thread with the one message `number`."""
    claim = (await world.threads(owner).ingest(PLACE, item(number))).claim
    assert claim is not None
    return claim


def numbers(claim: Claim | None) -> list[str]:
    """The message ids of what a claim holds, in order."""
    return [] if claim is None else [str(item.message_id) for item in claim.items]
