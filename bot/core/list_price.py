"""What a model costs as a price list would say it: dollars per million tokens, for choosing and comparing. Pure.

What a call really cost is `pricing`'s business: there are tiers, caches and dates.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

from bot.core.catalogue import ModelInfo
from bot.core.events import Usage
from bot.core.ports import Pricer

#: Prices step up for long prompts: ask for few tokens, tell per million.
_SAMPLE_TOKENS, _SAMPLES_PER_MILLION = 1_000, 1_000
_NANO = Decimal(10) ** 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """Nano-dollars per million tokens of a short prompt and of its answer."""

    input_nano: int
    output_nano: int

    @property
    def output_usd(self) -> Decimal:
        """Dollars per million tokens of answer: what `price_ceiling` bounds."""
        return self.output_nano / _NANO

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing."""
        return not self.input_nano and not self.output_nano


def list_price(model: ModelInfo, price: Pricer, at: datetime) -> ListPrice | None:
    """The price of a model on the day of `at` (UTC); None when it is not known.

    A hashable pricer is asked once a day and model, so this may be called often.
    """
    day = at.astimezone(UTC).date()
    return _remembered(model, price, day) if isinstance(price, Hashable) else _of_day(model, price, day)


def _of_day(model: ModelInfo, price: Pricer, day: date) -> ListPrice | None:
    at = datetime.combine(day, time(), UTC)
    asked = price(Usage(input_tokens=_SAMPLE_TOKENS, output_tokens=0), model, at, estimated=False)
    answered = price(Usage(input_tokens=0, output_tokens=_SAMPLE_TOKENS), model, at, estimated=False)
    if asked.nano_usd is None or answered.nano_usd is None:
        return None
    return ListPrice(
        input_nano=asked.nano_usd * _SAMPLES_PER_MILLION, output_nano=answered.nano_usd * _SAMPLES_PER_MILLION
    )


_remembered = lru_cache(maxsize=8_192)(_of_day)


def above_ceiling(model: ModelInfo, listed: ListPrice | None, ceiling_usd: float | None) -> str | None:
    """Why a model may not answer under a price ceiling (None: there is none), in a sentence; None: it may."""
    if ceiling_usd is None:
        return None
    limit = f"the price ceiling here is ${ceiling_usd:g} per million tokens of answer"
    if listed is None:
        return f"The price of `{model.ref}` is not known, and {limit}."
    if listed.output_usd > ceiling_usd:
        return f"`{model.ref}` costs ${listed.output_usd:,.2f}, and {limit}."
    return None
