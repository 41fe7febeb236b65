"""A bill made anew from what a row of the ledger holds: usage and rates, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import strategies as st

from bot.core.events import Usage
from bot.core.ledger import BILLED_UNITS, Billed, Rate

#: Short prompts, and such beyond the steps of all lists.
_PROMPTS = st.sampled_from([0, 7, 1_000, 99_999, 100_001, 250_000, 300_000, 1_000_000])


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Anything that one call can use."""
    tokens, output = draw(_PROMPTS), draw(st.integers(0, 20_000))
    cached = draw(st.sampled_from([0, tokens // 3, tokens]))
    written = draw(st.sampled_from([0, (tokens - cached) // 2, tokens - cached]))
    seen = tokens - written  # how much of what was written are pictures or sound, no provider says
    return Usage(
        input_tokens=tokens,
        output_tokens=output,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.sampled_from([0, 0, written // 2])),
        reasoning_tokens=output // 3,
        image_tokens=draw(st.sampled_from([0, 0, seen // 5])),
        audio_tokens=draw(st.sampled_from([0, 0, seen // 6])),
        audio_output_tokens=draw(st.sampled_from([0, 0, output // 2])),
        searches=draw(st.sampled_from([0, 0, 3])),
    )


def nano_usd_of(usage: Usage, rates: Sequence[Rate]) -> int:
    """What the usage costs by the rates; what has none of its own costs what it is a part of."""
    by = {rate.billed: Decimal(rate.nano_usd) for rate in rates}
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    old_audio = min(max(0, usage.audio_tokens - fresh), usage.cached_tokens)
    fresh_for_images = max(0, fresh - usage.audio_tokens)
    old_images = min(max(0, usage.image_tokens - fresh_for_images), usage.cached_tokens - old_audio)
    counts: Counter[Billed] = Counter()
    counts[Billed.INPUT] = fresh
    counts[Billed.CACHED] = usage.cached_tokens
    counts[Billed.CACHE_WRITE] = usage.cache_write_tokens
    counts[Billed.OUTPUT] = usage.output_tokens
    counts[Billed.SEARCHES] = usage.searches
    counts[Billed.CREDIT] = usage.credits
    parts = (
        (Billed.CACHE_WRITE_1H, Billed.CACHE_WRITE, usage.cache_write_1h_tokens),
        (Billed.CACHED_AUDIO, Billed.CACHED, old_audio),
        (Billed.CACHED_IMAGE, Billed.CACHED, old_images),
        (Billed.AUDIO, Billed.INPUT, usage.audio_tokens - old_audio),
        (Billed.IMAGE, Billed.INPUT, usage.image_tokens - old_images),
        (Billed.AUDIO_OUTPUT, Billed.OUTPUT, usage.audio_output_tokens),
    )
    for part, whole, count in parts:
        if part in by:
            counts[part] += count
            counts[whole] -= count
    nano = sum((by[what] * count / BILLED_UNITS[what] for what, count in counts.items() if count), Decimal(0))
    return int(nano.to_integral_value(rounding=ROUND_HALF_UP))
