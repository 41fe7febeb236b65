"""Prices from `genai-prices`: dated, with tiers and cache rates, from its own bundle (nothing is fetched).

Importing it takes 160 ms and 27 MB, so only `bot.app` does that, and only when a provider has prices there.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import __version__, calc_price

from bot.core.catalogue import ModelRef
from bot.core.events import Usage


class GenaiPrices:
    """`PriceSource` over genai-prices.

    `ids` maps our providers to theirs (`prices_as` of the registry's rows). A provider that is not in it
    has no price: without a provider the library would guess one, and bill a local "gpt-4o" as OpenAI's.
    """

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids

    @property
    def name(self) -> str:
        return f"genai-prices {__version__}"

    def usd(self, ref: ModelRef, usage: Usage, at: datetime) -> Decimal | None:
        provider_id, model_id = self._theirs(ref)
        if provider_id is None:
            return None
        try:
            priced = calc_price(_to_priced(usage), model_id, provider_id=provider_id, genai_request_timestamp=at)
        except (LookupError, ValueError):
            return None
        # A unit without a price counts as 0 there: a model billed by the minute would come out free.
        price = priced.model_price
        if price.input_mtok is None or price.output_mtok is None:
            return None
        return priced.total_price if priced.total_price >= 0 else None

    def _theirs(self, ref: ModelRef) -> tuple[str | None, str]:
        own = self._ids.get(ref.provider)
        if own is None or not own.endswith("_"):
            return own, ref.id
        # One price list per host; without a host the router picks one, and nobody can tell the price.
        model_id, _, host = ref.id.rpartition(":")
        return (f"{own}{host}", model_id) if model_id else (None, ref.id)


def _to_priced(usage: Usage) -> PricedUsage:
    """Both count alike: cached tokens are parts of the input, and cost as input where they have no price."""
    return PricedUsage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
