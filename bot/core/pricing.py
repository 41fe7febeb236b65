"""What a call cost: usage times a price that holds at that time.

The price of the model's own row counts first, then a `PriceSource`. Where neither knows one the cost is
unknown, never zero. Knows no price itself.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import Certainty, Cost

_NANO_PER_USD = Decimal(10) ** 9
_MILLION = Decimal(10) ** 6


class PriceSource(Protocol):
    """Somebody's list of prices."""

    @property
    def name(self) -> str:
        """What the ledger names as the source, with its version."""
        ...

    def usd(self, ref: ModelRef, usage: Usage, at: datetime) -> Decimal | None:
        """What `usage` of a model cost at a time, in dollars; None: it does not know all that this takes."""
        ...


@dataclass(frozen=True, slots=True)
class Pricing:
    """`Pricer` by the prices of the catalogue's rows, then by `source` (None: there is no other)."""

    source: PriceSource | None = None

    def __call__(self, usage: Usage, model: ModelInfo, at: datetime, *, estimated: bool) -> Cost:
        if model.price is not None:
            as_of = model.price.as_of
            usd, source = _by_row(usage, model.price), "catalogue"
            return _cost(usd, source, None if as_of is None else as_of.isoformat(), estimated=estimated)
        found = None if self.source is None else self.source.usd(model.ref, usage, at)
        if self.source is None or found is None:
            return Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none")
        return _cost(found, self.source.name, at.date().isoformat(), estimated=estimated)


def _by_row(usage: Usage, price: Price) -> Decimal:
    fresh = usage.input_tokens - usage.cached_tokens
    cached = price.input if price.cached is None else price.cached
    dollars = (
        fresh * Decimal(price.input)
        + usage.cached_tokens * Decimal(cached)
        + usage.output_tokens * Decimal(price.output)
    )
    return dollars / _MILLION


def _cost(usd: Decimal, source: str, priced_at: str | None, *, estimated: bool) -> Cost:
    nano = int((usd * _NANO_PER_USD).to_integral_value(rounding=ROUND_HALF_UP))
    certainty = Certainty.ESTIMATED if estimated else Certainty.EXACT
    return Cost(nano_usd=nano, certainty=certainty, source=source, priced_at=priced_at)
