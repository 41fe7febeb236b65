"""What a call cost: usage times a price that holds at that time.

The price of the model's own row counts first, then a `PriceSource`. Where neither knows one the cost is
unknown, never zero. Knows no price itself.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import BILLED_UNITS, Billed, Certainty, Cost, Rate

log = logging.getLogger(__name__)

#: Dollars per million tokens; dearer than anything there is, so a slip of the decimal point is seen.
HIGHEST_RATE_USD = 10_000
_NANO_PER_USD = Decimal(10) ** 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Dollars for one call; not `exact` where a part of it is charged at a rate that stands in for an unlisted one.

    `rates` are dollars for as many units as `BILLED_UNITS` says. `stand_in` is the model whose price was taken, None:
    its own.
    """

    usd: Decimal
    rates: Mapping[Billed, Decimal]
    exact: bool = True
    stand_in: str | None = None


class PriceSource(Protocol):
    """Somebody's list of prices."""

    @property
    def name(self) -> str:
        """What the ledger names as the source, with its version."""
        ...

    def charge(self, ref: ModelRef, usage: Usage, at: datetime, *, service_tier: str | None) -> Charge | None:
        """What `usage` of a model cost at a time; None: it does not know all that this takes.

        `service_tier` as in UsageReport.
        """
        ...


def is_plausible(rate: Decimal) -> bool:
    """Whether a price per million tokens can be meant: not negative, not absurdly high, a number at all."""
    return rate.is_finite() and 0 <= rate <= HIGHEST_RATE_USD


@dataclass(frozen=True, slots=True)
class Pricing:
    """`Pricer` by the prices of the catalogue's rows, then by `source` (None: there is no other)."""

    source: PriceSource | None = None
    _refused: set[ModelRef] = field(default_factory=set, init=False, repr=False, compare=False)

    def __call__(
        self, usage: Usage, model: ModelInfo, at: datetime, *, estimated: bool, service_tier: str | None = None
    ) -> Cost:
        if model.price is not None:
            charge = self._by_row(usage, model.ref, model.price)
            as_of = model.price.as_of
            source, priced_at = "catalogue", None if as_of is None else as_of.isoformat()
        elif self.source is not None:
            charge = self.source.charge(model.ref, usage, at, service_tier=service_tier)
            source, priced_at = self.source.name, at.date().isoformat()
        else:
            charge = None
        if charge is None:
            return Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none")
        return Cost(
            nano_usd=_nano(charge.usd),
            certainty=Certainty.ESTIMATED if estimated or not charge.exact else Certainty.EXACT,
            source=source if charge.stand_in is None else f"{source}, as {charge.stand_in}",
            priced_at=priced_at,
            rates=tuple(Rate(billed=billed, nano_usd=_nano(usd)) for billed, usd in charge.rates.items()),
        )

    def _by_row(self, usage: Usage, ref: ModelRef, price: Price) -> Charge | None:
        listed = (price.input, price.output, price.cached, price.cache_write, price.credit, price.audio_hour)
        rates = [Decimal(rate) for rate in listed if rate]
        if all(is_plausible(rate) for rate in rates):
            return _row_charge(usage, price)
        if ref not in self._refused:
            self._refused.add(ref)
            log.warning("the price of %s in the catalogue is negative or absurd: it counts as unknown", ref)
        return None


def _row_charge(usage: Usage, price: Price) -> Charge | None:
    """What was used by a row's rates; None where it has no rate for something, or the usage cannot be."""
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    unpriced = (usage.searches or (usage.audio_s and price.audio_hour is None)) and not _is_free(price)
    if fresh < 0 or unpriced or (usage.credits and price.credit is None):
        return None
    cached = price.input if price.cached is None else price.cached
    written = price.input if price.cache_write is None else price.cache_write
    lines = (
        (Billed.INPUT, fresh, price.input),
        (Billed.CACHED, usage.cached_tokens, cached),
        (Billed.CACHE_WRITE, usage.cache_write_tokens, written),
        (Billed.OUTPUT, usage.output_tokens, price.output),
        (Billed.CREDIT, usage.credits, price.credit or "0"),
        (Billed.AUDIO_HOUR, usage.audio_s, price.audio_hour or "0"),
    )
    rates = {billed: Decimal(rate) for billed, count, rate in lines if count}
    counts = {billed: Decimal(str(count)) for billed, count, _ in lines}
    usd = sum((rate * counts[billed] / BILLED_UNITS[billed] for billed, rate in rates.items()), Decimal(0))
    # A row has one rate for writes; whoever keeps them for an hour asks more.
    return Charge(usd=usd, rates=rates, exact=not usage.cache_write_1h_tokens or _is_free(price))


def _is_free(price: Price) -> bool:
    """A server that asks nothing for tokens asks nothing for the rest either, unless its row says so."""
    return not any(Decimal(rate or 0) for rate in (price.input, price.output, price.credit, price.audio_hour))


def _nano(usd: Decimal) -> int:
    return int((usd * _NANO_PER_USD).to_integral_value(rounding=ROUND_HALF_UP))
