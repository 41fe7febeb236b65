"""The account of provider calls: what a row holds and what reports add up. Values only.

Money is nano-USD as an integer where it is stored, Decimal where it is computed; None is unknown and never shown as 0.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.events import Usage
from bot.core.place import Scope


class Certainty(StrEnum):
    """How far a cost can be trusted.

    `EXACT`: reported usage times a known price. `ESTIMATED`: the usage was estimated. `UNKNOWN`: no price is known.
    """

    EXACT = "exact"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one call cost. `nano_usd` is None exactly when `certainty` is UNKNOWN.

    `source` names where the price is from (`catalogue`, `genai-prices 0.2.3`, `none`), `priced_at` its date.
    """

    nano_usd: int | None
    certainty: Certainty
    source: str
    priced_at: str | None = None


class CallStatus(StrEnum):
    """How the call ended: to its end, broken off (stopped, failed, timed out), or lost with its process."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One provider call. `id` is `turn uid~fence~number of the call`.

    `first_token_s` is None when nothing came; `channel_key` and `space_key` are those of the place.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingScope:
    """Whose calls to add up: `scope` is ME, CHANNEL or SERVER, `key` the author, channel or space key."""

    scope: Scope
    key: str


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
class Spending:
    """Sums by model, the dearest first."""

    models: tuple[ModelSpending, ...]
