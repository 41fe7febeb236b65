"""The stores about money in memory: budgets, rate limits, what was learnt of models, and answers kept.

Held to what the real ones do by the contract suites in tests/bot/storage. Setting `down` makes a store raise
StorageUnavailable; a test that owns the clock decides when holds, buckets and answers are old.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.budget import BudgetKey, BudgetLimit, Due, Giver
from bot.core.clock import SystemClock
from bot.core.money_stores import Bucket, CachedAnswer, Reservation, Spent, row_id_of
from bot.core.ports import Clock
from tests.fakes.memory_threads import Outage
from tests.fakes.stores import MemoryLedger

#: A call that was given up keeps its place for so long, should its row be booked after all.
GIVEN_UP_AFTER_S = 86_400.0


@dataclass(slots=True, kw_only=True)
class Hold:
    """What one call holds since `since_s` (monotonic); `freed`: it counts no more, but its cost may still come."""

    nano_usd: int
    since_s: float
    freed: bool = False


@dataclass(slots=True, kw_only=True)
class MemoryCounter:
    """One counter; `done` are the holds that were settled last."""

    used_nano: int
    holds: dict[str, Hold] = field(default_factory=dict)
    done: deque[str] = field(default_factory=lambda: deque(maxlen=128))
    warned: bool = False

    def spent(self) -> Spent:
        """What it holds."""
        return Spent(
            used_nano=self.used_nano, held_nano=sum(hold.nano_usd for hold in self.holds.values() if not hold.freed)
        )

    def knows(self, hold: str) -> bool:
        """Whether this hold was taken before."""
        return hold in self.holds or hold in self.done

    def settle(self, hold: str, nano_usd: int | None) -> bool:
        """Put a cost in the place of a hold, None: what it was for; False when there is no such hold."""
        held = self.holds.pop(hold, None)
        if held is None:
            return False
        self.used_nano += held.nano_usd if nano_usd is None else nano_usd
        self.done.append(hold)
        return True


class MemoryBudgets(Outage):
    """See `bot.core.money_stores.BudgetStore`; `counters` and `set_limits` are public for assertions."""

    def __init__(self, ledger: MemoryLedger | None = None, clock: Clock | None = None) -> None:
        self.counters: dict[str, MemoryCounter] = {}
        self.set_limits: dict[tuple[BudgetKey, Giver], BudgetLimit] = {}
        self._ledger = MemoryLedger() if ledger is None else ledger
        self._clock = SystemClock() if clock is None else clock

    async def limits(self) -> tuple[BudgetLimit, ...]:
        self._answer()
        return tuple(self.set_limits[key] for key in sorted(self.set_limits))

    async def set_limit(self, limit: BudgetLimit) -> None:
        self._answer()
        self.set_limits[limit.budget, limit.giver] = limit

    async def remove_limit(self, limit: BudgetLimit) -> bool:
        self._answer()
        return self.set_limits.pop((limit.budget, limit.giver), None) is not None

    async def reserve(self, hold: str, nano_usd: int, dues: Sequence[Due]) -> Reservation:
        self._answer()
        tightest = {due.counter: due for due in sorted(dues, key=lambda due: -due.limit_nano)}
        counters = {due.counter: await self._counter(due) for due in dues}
        lacking = None
        for name, counter in counters.items():
            spent = counter.spent()
            fits = spent.used_nano + spent.held_nano + nano_usd <= tightest[name].limit_nano
            if not fits and not counter.knows(hold):
                lacking = tightest[name]
                break
        for counter in counters.values():
            if lacking is not None:
                counter.holds.pop(hold, None)
            elif not counter.knows(hold):
                counter.holds[hold] = Hold(nano_usd=nano_usd, since_s=self._clock.monotonic())
        return Reservation(lacking=lacking, spent={name: counter.spent() for name, counter in counters.items()})

    async def settle(self, hold: str, nano_usd: int | None, counters: Collection[str]) -> None:
        self._answer()
        for name in counters:
            if name in self.counters:
                self.counters[name].settle(hold, nano_usd)

    async def spent(self, dues: Sequence[Due]) -> Mapping[str, Spent]:
        self._answer()
        return {
            due.counter: self.counters[due.counter].spent()
            if due.counter in self.counters
            else Spent(used_nano=await self._booked(due), held_nano=0)
            for due in dues
        }

    async def note_warned(self, counter: str) -> bool:
        self._answer()
        found = self.counters.get(counter)
        if found is None or found.warned:
            return False
        found.warned = True
        return True

    async def settle_abandoned(self, older_than_s: float) -> int:
        self._answer()
        return sum(self._settle_abandoned(counter, older_than_s) for counter in self.counters.values())

    def _settle_abandoned(self, counter: MemoryCounter, older_than_s: float) -> int:
        now, settled = self._clock.monotonic(), 0
        for key, hold in list(counter.holds.items()):
            row = self._ledger.booked.get(row_id_of(key))
            if now - hold.since_s < older_than_s:
                continue
            if row is not None:
                settled += counter.settle(key, row.cost.nano_usd)
            elif not hold.freed:
                hold.freed = True
                settled += 1
            elif now - hold.since_s >= GIVEN_UP_AFTER_S:
                del counter.holds[key]
        return settled

    async def _counter(self, due: Due) -> MemoryCounter:
        if due.counter not in self.counters:
            booked = await self._booked(due)
            self.counters.setdefault(due.counter, MemoryCounter(used_nano=booked))
        return self.counters[due.counter]

    async def _booked(self, due: Due) -> int:
        spending = await self._ledger.spending(due.scope, due.since)
        return sum(model.nano_usd for model in spending.models)


@dataclass(slots=True, kw_only=True)
class _Level:
    """What was in a bucket at `at_s` (monotonic)."""

    amount: float
    at_s: float


class MemoryRates(Outage):
    """See `bot.core.money_stores.RateStore`; `level` is for assertions."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._levels: dict[str, _Level] = {}
        self._clock = SystemClock() if clock is None else clock

    async def take(self, buckets: Sequence[Bucket]) -> tuple[Bucket, float] | None:
        self._answer()
        for number, bucket in enumerate(buckets):
            lack = min(bucket.amount, bucket.per_minute) - self.level(bucket)
            if lack > 0:
                self._draw(buckets[:number], sign=-1)
                return bucket, lack * 60 / bucket.per_minute
            self._draw([bucket], sign=1)
        return None

    async def correct(self, buckets: Sequence[Bucket]) -> None:
        self._answer()
        self._draw(buckets, sign=1)

    def level(self, bucket: Bucket) -> float:
        """What is in it now; negative: it is in debt."""
        known = self._levels.get(bucket.key)
        if known is None:
            return bucket.per_minute
        refilled = (self._clock.monotonic() - known.at_s) * bucket.per_minute / 60
        return min(known.amount + refilled, bucket.per_minute)

    def _draw(self, buckets: Sequence[Bucket], *, sign: int) -> None:
        for bucket in buckets:
            amount = min(self.level(bucket) - sign * bucket.amount, bucket.per_minute)
            self._levels[bucket.key] = _Level(amount=amount, at_s=self._clock.monotonic())


class MemoryCalibrations(Outage):
    """See `bot.core.money_stores.CalibrationStore`; `factors` is public for assertions."""

    def __init__(self, factors: Mapping[str, float] | None = None) -> None:
        self.factors: dict[str, float] = dict(factors or {})

    async def load(self) -> Mapping[str, float]:
        self._answer()
        return dict(self.factors)

    async def save(self, factors: Mapping[str, float]) -> None:
        self._answer()
        self.factors.update(factors)


class MemoryAnswers(Outage):
    """See `bot.core.money_stores.AnswerCache`; `answers` also holds those whose time is over."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.answers: dict[str, CachedAnswer] = {}
        self._clock = SystemClock() if clock is None else clock
        self._until: dict[str, datetime] = {}

    async def load(self, digest: str) -> CachedAnswer | None:
        self._answer()
        until = self._until.get(digest)
        return None if until is None or until <= self._clock.now() else self.answers[digest]

    async def save(self, digest: str, answer: CachedAnswer, ttl_s: float) -> None:
        self._answer()
        self.answers[digest] = answer
        self._until[digest] = self._clock.now() + timedelta(seconds=ttl_s)
