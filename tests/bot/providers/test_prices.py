"""Prices from genai-prices: exact where they are known, unknown where the library would say nothing or 0."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.core.catalogue import ModelRef
from bot.core.events import Usage
from bot.providers import PROVIDERS
from bot.providers.prices import GenaiPrices

AT = datetime(2026, 11, 20, tzinfo=UTC)
PRICES = GenaiPrices({row.name: row.prices_as for row in PROVIDERS if row.prices_as})
USAGE = Usage(input_tokens=1_000, output_tokens=500, cached_tokens=100)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (ModelRef("openai", "gpt-6-luna"), "0.000341"),
        (ModelRef("openai", "gpt-6-astra"), "0.0341"),
        (ModelRef("groq", "openai/gpt-oss-120b"), "0.0004425"),
        (ModelRef("huggingface", "openai/gpt-oss-120b:groq"), "0.000525"),
    ],
)
def test_a_known_model_has_its_price(ref: ModelRef, expected: str) -> None:
    assert PRICES.usd(ref, USAGE, AT) == Decimal(expected)


@pytest.mark.parametrize(
    "ref",
    [
        ModelRef("openai", "no-such-model"),
        ModelRef("openai", "whisper-1"),  # has prices, but none for tokens
        ModelRef("huggingface", "openai/gpt-oss-120b"),  # the router picks a host
        ModelRef("huggingface", "openai/gpt-oss-120b:cheapest"),
        ModelRef("compatible", "gpt-4o"),  # not OpenAI's, whatever its name
        ModelRef("ollama", "gpt-oss:20b"),
    ],
    ids=str,
)
def test_what_has_no_price_is_unknown_and_not_zero(ref: ModelRef) -> None:
    assert PRICES.usd(ref, USAGE, AT) is None


def test_long_prompts_and_cache_writes_cost_more() -> None:
    luna = ModelRef("openai", "gpt-6-luna")
    short = PRICES.usd(luna, Usage(input_tokens=100_000, output_tokens=0), AT)
    long = PRICES.usd(luna, Usage(input_tokens=300_000, output_tokens=0), AT)
    written = PRICES.usd(luna, Usage(input_tokens=100_000, output_tokens=0, cache_write_tokens=100_000), AT)

    assert short is not None
    assert (long, written) == (short * 6, short * Decimal("1.25"))


def test_usage_that_cannot_be_is_unknown() -> None:
    broken = Usage(input_tokens=10, output_tokens=5, cached_tokens=100)

    assert PRICES.usd(ModelRef("openai", "gpt-6-luna"), broken, AT) is None


def test_the_source_names_its_version() -> None:
    assert PRICES.name.startswith("genai-prices 0.")
