"""Prices from `genai-prices`: dated, with tiers and cache rates, from its own bundle (nothing is fetched).

Importing it takes 160 ms and 27 MB, so only `bot.models` does that, and only when a provider has prices there.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import __version__
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo as PricedModel
from genai_prices.types import ModelPrice, TieredPrices

from bot.core.catalogue import ModelRef
from bot.core.events import Usage
from bot.core.ledger import Billed
from bot.core.pricing import Charge, is_plausible
from bot.providers._likeness import Likeness, likeness_of
from bot.providers._tiers import USUAL_TIERS

log = logging.getLogger(__name__)

#: What was used -> the prices of which one has to be there. All else that has no price of its own costs what the
#: tokens cost of which it is a part, as providers charge it: cached and written input, images and sound as input,
#: reasoning and speech as output. These here have no such base: the library would count them as 0.
_NEEDED = {
    "input_tokens": ("input_mtok",),
    "output_tokens": ("output_mtok",),
    "cache_write_1h_tokens": ("cache_write_1h_mtok",),
    "audio_s": ("audio_hours", "input_audio_hours"),
    "searches": ("web_searches_kcount",),
}
#: What was used -> the prices that are charged for it; the first that is listed counts.
_LISTED_AS: Mapping[Billed, tuple[str, ...]] = {
    Billed.INPUT: ("input_mtok",),
    Billed.IMAGE: ("input_image_mtok",),
    Billed.AUDIO: ("input_audio_mtok",),
    Billed.CACHED: ("cache_read_mtok", "input_mtok"),
    Billed.CACHED_IMAGE: ("cache_image_read_mtok",),
    Billed.CACHED_AUDIO: ("cache_audio_read_mtok",),
    Billed.CACHE_WRITE: ("cache_write_mtok", "input_mtok"),
    Billed.CACHE_WRITE_1H: ("cache_write_1h_mtok",),
    Billed.OUTPUT: ("output_mtok",),
    Billed.AUDIO_OUTPUT: ("output_audio_mtok",),
    Billed.AUDIO_HOUR: ("audio_hours", "input_audio_hours"),
    Billed.SEARCHES: ("web_searches_kcount",),
}


class GenaiPrices:
    """`PriceSource` over genai-prices.

    `ids` maps our providers to theirs (`prices_as` of the registry's rows). A provider that is not in it
    has no price: without a provider the library would guess one, and bill a local "gpt-4o" as OpenAI's.
    """

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self._refused: set[ModelRef] = set()

    @property
    def name(self) -> str:
        return f"genai-prices {__version__}"

    def charge(self, ref: ModelRef, usage: Usage, at: datetime, *, service_tier: str | None) -> Charge | None:
        provider_id, model_id = self._theirs(ref)
        if provider_id is None or usage.credits:  # nobody lists a price for those
            return None
        tier = (service_tier or "").lower()
        context = {"service_tier": tier} if tier else None
        try:
            provider, model = get_snapshot().find_provider_model(model_id, None, provider_id, None)
            likeness = likeness_of(model_id, model)
            price = model.get_prices(at, context)
            if likeness is Likeness.NONE or not self._is_sane(ref, price) or not _covers(price, usage):
                return None
            used = _to_priced(usage)
            priced = model.calc_price(used, provider, genai_request_timestamp=at, price_context=context)
        except (LookupError, ValueError):
            return None
        same = likeness is Likeness.SAME
        return Charge(
            usd=priced.total_price,
            rates=_applied(priced.model_price, usage, used),
            exact=same and _has_tier(model, tier) and not _is_guessed(price, usage),
            stand_in=None if same else model.id,
        )

    def _is_sane(self, ref: ModelRef, price: ModelPrice) -> bool:
        if all(is_plausible(rate) for rate in _rates(price)):
            return True
        if ref not in self._refused:
            self._refused.add(ref)
            log.warning("%s lists a negative or absurd price for %s: it counts as unknown", self.name, ref)
        return False

    def _theirs(self, ref: ModelRef) -> tuple[str | None, str]:
        own = self._ids.get(ref.provider)
        if own is None or not own.endswith("_"):
            return own, ref.id
        # One price list per host; without a host the router picks one, and nobody can tell the price.
        model_id, _, host = ref.id.rpartition(":")
        return (f"{own}{host}", model_id) if model_id else (None, ref.id)


def _to_priced(usage: Usage) -> PricedUsage:
    """Both count alike: cached, written, image and audio tokens are parts of the input.

    Which of the images and sounds were cached nobody reports. They count as fresh as far as the cached rest of the
    prompt allows that, which is the dearer reading.
    """
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    old_audio = max(0, usage.audio_tokens - fresh)
    old_images = max(0, usage.image_tokens - max(0, fresh - usage.audio_tokens))
    return PricedUsage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        input_audio_tokens=usage.audio_tokens,
        input_image_tokens=usage.image_tokens,
        cache_audio_read_tokens=min(old_audio, usage.cached_tokens),
        cache_image_read_tokens=min(old_images, max(0, usage.cached_tokens - old_audio)),
        output_tokens=usage.output_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        output_audio_tokens=usage.audio_output_tokens,
        # Transcription has the one price or the other.
        audio_seconds=usage.audio_s,
        input_audio_seconds=usage.audio_s,
        web_searches=usage.searches,
    )


def _applied(price: ModelPrice, usage: Usage, used: PricedUsage) -> Mapping[Billed, Decimal]:
    """The rates that made up the price, after steps for long prompts; `used` is what the library made it from."""
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    counts = {
        Billed.INPUT: fresh,
        Billed.IMAGE: usage.image_tokens,
        Billed.AUDIO: usage.audio_tokens,
        Billed.CACHED: usage.cached_tokens,
        Billed.CACHED_IMAGE: used.cache_image_read_tokens,
        Billed.CACHED_AUDIO: used.cache_audio_read_tokens,
        Billed.CACHE_WRITE: usage.cache_write_tokens - usage.cache_write_1h_tokens,
        Billed.CACHE_WRITE_1H: usage.cache_write_1h_tokens,
        Billed.OUTPUT: usage.output_tokens,
        Billed.AUDIO_OUTPUT: usage.audio_output_tokens,
        Billed.AUDIO_HOUR: usage.audio_s,
        Billed.SEARCHES: usage.searches,
    }
    listed = vars(price)
    found = {billed: _first(listed, keys) for billed, keys in _LISTED_AS.items() if counts[billed]}
    return {billed: _step(rate, usage.input_tokens) for billed, rate in found.items() if rate is not None}


def _first(listed: Mapping[str, Decimal | TieredPrices | None], keys: Sequence[str]) -> Decimal | TieredPrices | None:
    return next((rate for key in keys if (rate := listed.get(key)) is not None), None)


def _step(rate: Decimal | TieredPrices, input_tokens: int) -> Decimal:
    """The rate for a prompt of so many tokens: all of them cost what the highest step below asks."""
    if isinstance(rate, Decimal):
        return rate
    return next((tier.price for tier in reversed(rate.tiers) if input_tokens > tier.start), rate.base)


def _is_guessed(price: ModelPrice, usage: Usage) -> bool:
    """Whether it matters which of the images and sounds were cached."""
    own_price = (usage.audio_tokens and price.input_audio_mtok) or (usage.image_tokens and price.input_image_mtok)
    return bool(usage.cached_tokens and own_price)


def _covers(price: ModelPrice, usage: Usage) -> bool:
    """Whether everything that was used has a price."""
    return all(
        any(getattr(price, key) is not None for key in keys) for kind, keys in _NEEDED.items() if getattr(usage, kind)
    )


def _has_tier(model: PricedModel, tier: str) -> bool:
    """Whether the prices are those of the tier; else they are the usual ones."""
    if not tier or tier in USUAL_TIERS:
        return True
    return any(variant.when == {"service_tier": tier} for variant in model.price_variants or ())


def _rates(price: ModelPrice) -> Iterator[Decimal]:
    for value in vars(price).values():
        if isinstance(value, TieredPrices):
            yield value.base
            yield from (tier.price for tier in value.tiers)
        elif isinstance(value, Decimal):
            yield value
