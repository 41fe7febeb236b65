"""More ports to storage: budgets, rate limits, what was learnt of models, and answers that can be given again.

As in `stores`: every method raises StorageUnavailable, every write is idempotent and durable when it returns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.budget import BudgetLimit, Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one counter holds: `used_nano` is settled, `held_nano` reserved by calls that run now."""

    used_nano: int
    held_nano: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What became of a reservation. `lacking` is the first budget that it did not fit, None: it holds in all.

    `spent` is what each counter holds, by its name; for a reservation that failed, of the lacking one at least.
    """

    lacking: Due | None
    spent: Mapping[str, Spent]


#: Stands in no id of a row.
_AGAIN = "#"


def hold_id(row_id: str, released: int) -> str:
    """What to hold a call under that was given up `released` times: a hold that was settled is over for good."""
    return f"{row_id}{_AGAIN}{released}" if released else row_id


def row_id_of(hold: str) -> str:
    """The id of the row of the call that a hold is for."""
    return hold.partition(_AGAIN)[0]


class BudgetStore(Protocol):
    """Limits that people set, and the counters that calls are held against before they are made."""

    async def limits(self) -> tuple[BudgetLimit, ...]:
        """Every limit that was set at run time."""
        ...

    async def set_limit(self, limit: BudgetLimit) -> None:
        """Set a limit; an owner's and a manager's for the same budget stand beside each other."""
        ...

    async def remove_limit(self, limit: BudgetLimit) -> bool:
        """Take back the limit for this budget by this giver (the amount does not matter); False: there was none."""
        ...

    async def reserve(self, hold: str, nano_usd: int, dues: Sequence[Due]) -> Reservation:
        """Hold an amount in every counter, or in none: never does the sum of used and held exceed a limit.

        `hold` is a `hold_id` of the ledger row that the call will have; holding it again changes nothing. A counter
        that is new begins with what the ledger says was spent of its scope since its start.
        """
        ...

    async def settle(self, hold: str, nano_usd: int | None, counters: Collection[str]) -> None:
        """Put what a call really cost in the place of its hold; at most once for each hold.

        0: it was not made. None: nobody knows, and it is charged what was held for it.
        """
        ...

    async def spent(self, dues: Sequence[Due]) -> Mapping[str, Spent]:
        """What the counters hold now, by name; one that is new holds what the ledger says."""
        ...

    async def note_warned(self, counter: str) -> bool:
        """Note that people were told that this counter nears its limit; True for the one who is first."""
        ...

    async def settle_abandoned(self, older_than_s: float) -> int:
        """Settle the holds of calls that nobody will: as `settle` with what the ledger booked, else with nothing.

        Returns how many. Those of `older_than_s` seconds and more are taken for abandoned. For a day, one that was
        settled with nothing still takes its cost, once, should it be settled or booked after all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket that refills at `per_minute` and holds a minute's worth; `amount` is to be taken out of it."""

    key: str
    per_minute: int
    amount: int


class RateStore(Protocol):
    """Rate limits, shared by all processes; time is the database's."""

    async def take(self, buckets: Sequence[Bucket]) -> tuple[Bucket, float] | None:
        """Take all amounts (None), or none of them: which bucket lacks, and in how many seconds it will do.

        An amount above `per_minute` is taken when the bucket is full. A bucket may be in debt after `correct`.
        """
        ...

    async def correct(self, buckets: Sequence[Bucket]) -> None:
        """Take further amounts, negative ones give back, whatever is left; for what was estimated before."""
        ...


class CalibrationStore(Protocol):
    """How many tokens models count for one that we estimate, by model."""

    async def load(self) -> Mapping[str, float]:
        """All factors: `provider/id` -> factor."""
        ...

    async def save(self, factors: Mapping[str, float]) -> None:
        """Store these; others stay."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """An answer that was given before. `model` is `provider/id`."""

    text: str
    model: str
    at: datetime


class AnswerCache(Protocol):
    """Answers by a digest of all that was asked; each vanishes after its time."""

    async def load(self, digest: str) -> CachedAnswer | None:
        """The answer, None when there is none that still counts."""
        ...

    async def save(self, digest: str, answer: CachedAnswer, ttl_s: float) -> None:
        """Keep an answer for so many seconds."""
        ...
