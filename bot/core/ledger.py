"""The account of provider calls: what a row holds and what reports add up. Values only.

Money is nano-USD as an integer where it is stored, Decimal where it is computed; None is unknown and never shown as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.core.events import Usage


class Certainty(StrEnum):
    """How far a cost can be trusted.

    `EXACT`: reported usage times a known price. `ESTIMATED`: the usage was estimated. `UNKNOWN`: no price is known.
    """

    EXACT = "exact"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


class Billed(StrEnum):
    """What a rate is for: a million tokens, but an hour of sound, a thousand searches, and one credit.

    `INPUT`, `IMAGE` and `AUDIO` are those parts of the prompt that were neither read from a cache (`CACHED…`) nor
    written to one (`CACHE_WRITE…`); images, sounds and speech without a rate of their own are `INPUT` and `OUTPUT`.
    """

    INPUT = "input"
    IMAGE = "image"
    AUDIO = "audio"
    CACHED = "cached"
    CACHED_IMAGE = "cached_image"
    CACHED_AUDIO = "cached_audio"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    OUTPUT = "output"
    AUDIO_OUTPUT = "audio_output"
    AUDIO_HOUR = "audio_hour"
    SEARCHES = "searches"
    CREDIT = "credit"


#: How many units of what was billed a rate is for; sound is counted in seconds.
BILLED_UNITS: Mapping[Billed, int] = {
    **dict.fromkeys(Billed, 1_000_000),
    Billed.AUDIO_HOUR: 3_600,
    Billed.SEARCHES: 1_000,
    Billed.CREDIT: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What was asked for something in one call, after steps for long prompts and service tiers.

    `nano_usd` is for as many units as `BILLED_UNITS` says.
    """

    billed: Billed
    nano_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one call cost. `nano_usd` is None exactly when `certainty` is UNKNOWN.

    `source` names where the price is from (`catalogue`, `genai-prices 0.2.3`, `none`), `priced_at` its date. `rates`
    are those that made it up, one for each kind of thing that was used.
    """

    nano_usd: int | None
    certainty: Certainty
    source: str
    priced_at: str | None = None
    rates: tuple[Rate, ...] = ()


class CallStatus(StrEnum):
    """How the call ended: to its end, broken off (stopped, failed, timed out), or lost with its process."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    LOST = "lost"


class CallKind(StrEnum):
    """What a call was made for. `CACHED`: an answer from the response cache, for which nobody was called."""

    ANSWER = "answer"
    CACHED = "cached"
    COMPARISON = "comparison"
    SUMMARY = "summary"
    TITLE = "title"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"
    SEARCH = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One provider call. `id` is `turn uid~fence~number of the call`.

    `first_token_s` is None when nothing came; `channel_key` and `space_key` are those of the place. `turn_uid` is what
    the call belongs to: a turn, or the command that asked for it. `service_tier` as in UsageReport.
    """

    id: str
    at: datetime
    turn_uid: str
    thread_key: str
    channel_key: str
    space_key: str | None
    author_key: str
    provider: str
    model: str
    model_answered: str | None
    usage: Usage
    usage_estimated: bool
    cost: Cost
    status: CallStatus
    first_token_s: float | None
    duration_s: float
    kind: CallKind = CallKind.ANSWER
    service_tier: str | None = None


class Whose(StrEnum):
    """Whose money: one person's, a channel's, a server's, or everyone's."""

    USER = "user"
    CHANNEL = "channel"
    SERVER = "server"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingScope:
    """Whose calls to add up; `key` is the author, channel or space key, empty for ALL."""

    whose: Whose
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpending:
    """Sums for one model.

    `nano_usd` adds the known costs; `unknown_requests` had none, and those of `estimated_requests` are guesses.
    """

    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    nano_usd: int
    estimated_requests: int
    unknown_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpending:
    """Sums for one day in UTC; money as in ModelSpending."""

    day: date
    requests: int
    nano_usd: int
    estimated_requests: int
    unknown_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Sums by model, the dearest first, and by day, the oldest first; days without calls are left out."""

    models: tuple[ModelSpending, ...]
    days: tuple[DaySpending, ...] = ()
