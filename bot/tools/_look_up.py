"""What a look-up on the web asks for, finds and costs, whichever service answers, and why one fails.

Values and the port to search services; knows none of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Protocol

from bot.core.events import Usage
from bot.core.ledger import Billed, Certainty, Cost, Rate
from bot.core.tools import ToolBill

_NANO_PER_USD = Decimal(10) ** 9


class Topic(StrEnum):
    """Which part of the web is searched."""

    GENERAL = "general"
    NEWS = "news"
    FINANCE = "finance"


class TimeRange(StrEnum):
    """How old a page may be."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Depth(StrEnum):
    """How thorough a search is; `ADVANCED` costs twice as much and takes longer."""

    BASIC = "basic"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One search: two that are equal have the same answer. Domains are bare, lower case and sorted."""

    query: str
    topic: Topic
    time_range: TimeRange | None
    include_domains: tuple[str, ...]
    exclude_domains: tuple[str, ...]
    depth: Depth
    max_results: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A page that was found, as the service tells it: all of it is text from outside. `date` None: not told."""

    title: str
    url: str
    snippet: str
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a service found, best first, and what it asks for that. `answer` is its own, None: it gives none."""

    hits: tuple[Hit, ...]
    bill: ToolBill
    answer: str | None = None


class Failure(StrEnum):
    """Why a service did not answer. What can be done about it differs."""

    KEY = "key"  # the operator must correct the key
    QUOTA = "quota"  # the operator must pay
    RATE = "rate"  # it passes by itself
    REJECTED = "rejected"  # this request will never be taken
    TIMEOUT = "timeout"
    DOWN = "down"


_IN_WORDS: Mapping[Failure, str] = {
    Failure.KEY: "refuses the bot's key, which its operator has to correct",
    Failure.QUOTA: "has no credits left, until its operator tops it up",
    Failure.RATE: "gets too many requests",
    Failure.REJECTED: "did not take the request; put it in other and fewer words",
    Failure.TIMEOUT: "did not answer in time",
    Failure.DOWN: "is down or cannot be reached",
}


_BY_STATUS: Mapping[int, Failure] = {
    401: Failure.KEY,
    402: Failure.QUOTA,
    403: Failure.KEY,
    408: Failure.TIMEOUT,
    429: Failure.RATE,
}


def failure_of(status: int) -> Failure:
    """What an HTTP status that is no success means where a service says nothing else; redirects are not followed."""
    return _BY_STATUS.get(status, Failure.REJECTED if 400 <= status < 500 else Failure.DOWN)


class ServiceFailed(Exception):
    """A service did not answer. `retry_after_s`: when it wants to be asked again, None: it did not say."""

    def __init__(self, service: str, failure: Failure, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{service}: {failure}")
        self.service = service
        self.failure = failure
        self.retry_after_s = retry_after_s

    def in_words(self) -> str:
        """Who failed and why, for people and models, without a full stop."""
        words = f"{self.service} {_IN_WORDS[self.failure]}"
        if self.failure is Failure.RATE:
            words += f"; try again in {_duration(self.retry_after_s)}"
        return words


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "a minute"
    return f"{math.ceil(seconds)} s" if seconds < 3_600 else f"{math.ceil(seconds / 3_600)} h"


class SearchService(Protocol):
    """Somebody who searches the web."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def worst_nano_usd(self, wanted: Wanted) -> int:
        """What the search costs at most."""
        ...

    async def search(self, wanted: Wanted) -> Findings:
        """Search, within a deadline of its own.

        Raises:
            ServiceFailed: it did not answer.
        """
        ...


def nano_usd(credits_: int, credit_usd: Decimal) -> int:
    """What so many credits cost."""
    return int((credits_ * credit_usd * _NANO_PER_USD).to_integral_value(ROUND_HALF_UP))


def bill_of(service: str, credits_: int, *, credit_usd: Decimal, setting: str, reported: bool) -> ToolBill:
    """What a service asks for: `reported` by itself, or counted by its price list. `setting` has the price."""
    cost = Cost(
        nano_usd=nano_usd(credits_, credit_usd),
        certainty=Certainty.EXACT if reported else Certainty.ESTIMATED,
        source=setting,
        rates=(Rate(billed=Billed.CREDIT, nano_usd=nano_usd(1, credit_usd)),),
    )
    return ToolBill(service=service, usage=Usage(input_tokens=0, output_tokens=0, credits=credits_), cost=cost)


def seconds_of(text: str | None) -> float | None:
    """Seconds that a header tells (`Retry-After: 12`); None: it tells none."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def words_of(value: object) -> str:
    """A field of somebody's JSON where words belong; empty where it holds something else."""
    return value if isinstance(value, str) else ""


def objects_of(value: object) -> tuple[Mapping[str, object], ...]:
    """The objects of a list in somebody's JSON; what is no list has none."""
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
