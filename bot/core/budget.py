"""Budgets as values: whose money, for how long, how much; and when a period begins and ends. Pure.

Days, weeks (from Monday) and months are those of UTC. Knows neither where limits are kept nor what is spent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.ledger import SpendingScope, Whose

#: In place of a key: the budget holds for each person, channel or server by itself.
EACH = "*"


class Period(StrEnum):
    """How long a budget lasts before it begins anew."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, at: datetime) -> datetime:
        """The beginning of the period that `at` lies in."""
        today = at.replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            return today
        return today - timedelta(days=today.weekday()) if self is Period.WEEK else today.replace(day=1)

    def end(self, at: datetime) -> datetime:
        """The beginning of the next period: when the budget resets."""
        start = self.start(at)
        if self is Period.MONTH:
            return (start + timedelta(days=32)).replace(day=1)
        return start + timedelta(days=1 if self is Period.DAY else 7)


class Giver(StrEnum):
    """Who set a limit: an owner of the bot (or its settings), or somebody who manages the server."""

    OWNER = "owner"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True, order=True)
class BudgetKey:
    """What a budget is for. `key` is an author, channel or space key, `EACH`, or empty for everyone together."""

    whose: Whose
    key: str
    period: Period

    def __str__(self) -> str:
        return f"{self.whose}:{self.key}/{self.period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimit:
    """A limit that was set: at most `nano_usd` in each period."""

    budget: BudgetKey
    nano_usd: int
    giver: Giver = Giver.OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One counter that a call has to fit: what is spent of `scope` since `since`, at most `limit_nano`."""

    counter: str
    scope: SpendingScope
    period: Period
    since: datetime
    resets_at: datetime
    limit_nano: int

    @classmethod
    def of(cls, scope: SpendingScope, period: Period, limit_nano: int, at: datetime) -> "Due":
        """The counter of the period that `at` lies in."""
        since = period.start(at)
        return cls(
            counter=f"{scope.whose}:{scope.key}/{period}/{since:%Y-%m-%d}",
            scope=scope,
            period=period,
            since=since,
            resets_at=period.end(at),
            limit_nano=limit_nano,
        )
