"""Prices from genai-prices: exact where they are known, unknown where the library would say nothing or 0."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices
from hypothesis import event, given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.events import Usage
from bot.core.ledger import Billed
from bot.core.pricing import Charge, Pricing
from bot.providers import PROVIDERS
from bot.providers._likeness import Likeness, likeness_of
from bot.providers.prices import GenaiPrices
from tests.bot.core.bill import nano_usd_of, usages

AT = datetime(2026, 11, 20, tzinfo=UTC)
IDS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "groq": "groq", "huggingface": "huggingface_"}
PRICES = GenaiPrices(IDS)
USAGE = Usage(input_tokens=1_000, output_tokens=500, cached_tokens=100)
MILLION = 1_000_000
#: Every model of these lists; hundreds of them, with all kinds of prices.
BILLED = [
    f"{ours}/{model.id}"
    for ours, theirs in IDS.items()
    for provider in get_snapshot().providers
    if provider.id == theirs
    for model in provider.models
]


def charge(name: str, usage: Usage, *, at: datetime = AT, tier: str | None = None) -> Charge | None:
    provider, _, model_id = name.partition("/")
    return PRICES.charge(ModelRef(provider, model_id), usage, at, service_tier=tier)


def priced(name: str, usage: Usage, *, tier: str | None = None) -> tuple[Decimal, bool] | None:
    """Dollars, and whether they are exact."""
    charged = charge(name, usage, tier=tier)
    return None if charged is None else (charged.usd, charged.exact)


def usd(name: str, usage: Usage, *, at: datetime = AT, tier: str | None = None) -> Decimal | None:
    charged = charge(name, usage, at=at, tier=tier)
    return None if charged is None else charged.usd


def test_the_registry_names_the_lists_as_the_library_does() -> None:
    known = {provider.id for provider in get_snapshot().providers}
    named = {row.name: row.prices_as for row in PROVIDERS if row.prices_as is not None}

    assert named.items() <= IDS.items()
    assert {name for name in named.values() if not name.endswith("_")} <= known


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-6-luna", "0.000341"),
        ("openai/gpt-6-astra", "0.0341"),
        ("groq/openai/gpt-oss-120b", "0.0004425"),
        ("huggingface/openai/gpt-oss-120b:groq", "0.000525"),
        ("gemini/gemini-3.5-flash-lite", "0.001523"),
    ],
)
def test_a_known_model_has_its_price(name: str, expected: str) -> None:
    assert priced(name, USAGE) == (Decimal(expected), True)


@pytest.mark.parametrize(
    "name",
    [
        "openai/no-such-model",
        "openai/whisper-1",  # has a price, but none for tokens
        "gemini/gemini-4-carbon",
        "gemini/gemini-4-hydrogen",
        "huggingface/openai/gpt-oss-120b",  # the router picks a host
        "huggingface/openai/gpt-oss-120b:cheapest",
        "compatible/gpt-4o",  # not OpenAI's, whatever its name
        "ollama/gpt-oss:20b",
    ],
)
def test_what_has_no_price_is_unknown_and_not_zero(name: str) -> None:
    assert charge(name, USAGE) is None


def test_long_prompts_and_cache_writes_cost_more() -> None:
    short = usd("openai/gpt-6-luna", Usage(input_tokens=100_000, output_tokens=0))
    long = usd("openai/gpt-6-luna", Usage(input_tokens=300_000, output_tokens=0))
    written = usd("openai/gpt-6-luna", Usage(input_tokens=100_000, output_tokens=0, cache_write_tokens=100_000))

    assert short is not None
    assert (long, written) == (short * 6, short * Decimal("1.25"))


def test_haiku_costs_five_times_as_much_above_100_000_tokens() -> None:
    short = usd("anthropic/claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=1_000))
    long = usd("anthropic/claude-haiku-5-5", Usage(input_tokens=100_001, output_tokens=1_000))

    # $0.10 and $0.50 a million below, five times that above.
    assert (short, long) == (Decimal("0.0105"), Decimal("0.0525005"))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # Sonnet 5.5: $2 in, $10 out, writes for five minutes x1.25, for an hour x2, reads $0.10.
        (Usage(input_tokens=MILLION, output_tokens=0), "2"),
        (Usage(input_tokens=MILLION, output_tokens=0, cache_write_tokens=MILLION), "2.5"),
        (Usage(input_tokens=MILLION, output_tokens=0, cache_write_tokens=MILLION, cache_write_1h_tokens=MILLION), "4"),
        (
            Usage(
                input_tokens=MILLION,
                output_tokens=MILLION,
                cached_tokens=100_000,
                cache_write_tokens=600_000,
                cache_write_1h_tokens=200_000,
                reasoning_tokens=900_000,
            ),
            # 0.3 fresh at 2, 0.1 read at 0.1, 0.4 at 2.5, 0.2 at 4, all output (reasoning is part of it) at 10.
            "12.41",
        ),
        # $10 for a thousand searches.
        (Usage(input_tokens=0, output_tokens=0, searches=3), "0.03"),
    ],
    ids=["fresh", "5 minutes", "1 hour", "all together", "searches"],
)
def test_anthropics_surcharges_are_charged(usage: Usage, expected: str) -> None:
    assert priced("anthropic/claude-sonnet-5-5", usage) == (Decimal(expected), True)


def test_a_price_changes_on_its_day() -> None:
    usage = Usage(input_tokens=MILLION, output_tokens=MILLION)

    assert usd("gemini/gemini-4-argon", usage) == 12
    assert usd("gemini/gemini-4-argon", usage, at=datetime(2026, 12, 1, tzinfo=UTC)) == 24


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (None, (Decimal("0.6"), True)),
        ("default", (Decimal("0.6"), True)),
        ("flex", (Decimal("0.3"), True)),
        ("PRIORITY", (Decimal("1.2"), True)),
        # Its price is not listed: the usual one stands in, and the cost is an estimate.
        ("scale", (Decimal("0.6"), False)),
    ],
)
def test_a_service_tier_has_its_price(tier: str | None, expected: tuple[Decimal, bool]) -> None:
    # Half a million each, so that the prompt's length plays no part: below 272,000 tokens the base price holds.
    usage = Usage(input_tokens=250_000, output_tokens=250_000)
    charged = charge("openai/gpt-6-luna", usage, tier=tier)

    assert charged is not None
    assert (charged.usd * 4, charged.exact) == expected


@pytest.mark.parametrize(
    ("name", "usage", "expected"),
    [
        # No price of their own: images and sound are input like any other.
        ("gemini/gemini-3.8-flash", Usage(input_tokens=1_000, output_tokens=0, image_tokens=600), "0.00075"),
        ("gemini/gemini-3.8-flash", Usage(input_tokens=1_000, output_tokens=0, audio_tokens=600), "0.00075"),
        # 500 at $0.25 and 500 at $0.50 a million.
        ("gemini/gemini-3.1-flash-lite", Usage(input_tokens=1_000, output_tokens=0, audio_tokens=500), "0.000375"),
        # 1,000 at $10 a million, of which 400 spoken at $64.
        ("openai/gpt-audio", Usage(input_tokens=0, output_tokens=1_000, audio_output_tokens=400), "0.0316"),
        # A cached prompt without a price for reading it costs as input.
        ("openai/gpt-audio", Usage(input_tokens=1_000, output_tokens=0, cached_tokens=900), "0.0025"),
        ("openai/whisper-1", Usage(input_tokens=0, output_tokens=0, audio_s=60.0), "0.006"),
        ("openai/gpt-transcribe", Usage(input_tokens=0, output_tokens=0, audio_s=1_800.0), "0.135"),
    ],
    ids=["images", "sound", "sound at its own price", "speech", "cached", "minutes", "half an hour"],
)
def test_every_kind_of_usage_costs_its_own_price_or_that_of_what_it_is_part_of(
    name: str, usage: Usage, expected: str
) -> None:
    assert priced(name, usage) == (Decimal(expected), True)


def test_groq_bills_at_least_ten_seconds_of_sound() -> None:
    def seconds(audio_s: float) -> Decimal | None:
        return usd("groq/whisper-large-v3-turbo", Usage(input_tokens=0, output_tokens=0, audio_s=audio_s))

    assert seconds(3_600.0) == Decimal("0.04")
    assert seconds(1.0) == seconds(10.0)


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("openai/gpt-6-luna", Usage(input_tokens=1_000, output_tokens=0, audio_s=3.0)),
        ("groq/openai/gpt-oss-120b", Usage(input_tokens=1_000, output_tokens=0, searches=1)),
        (
            "openai/gpt-6-luna",
            Usage(input_tokens=1_000, output_tokens=0, cache_write_tokens=500, cache_write_1h_tokens=500),
        ),
        ("openai/gpt-6-luna", Usage(input_tokens=10, output_tokens=5, cached_tokens=100)),
        ("openai/gpt-audio", Usage(input_tokens=10, output_tokens=5, audio_output_tokens=6)),
    ],
    ids=["seconds", "searches", "an hour of cache", "more cached than there was", "more spoken than there was"],
)
def test_what_cannot_be_priced_in_full_is_unknown(name: str, usage: Usage) -> None:
    assert charge(name, usage) is None


def test_which_sounds_were_cached_is_guessed_to_be_the_fewest() -> None:
    # 300 of 1,000 are fresh: so 200 of the 500 sounds were cached, at $0.05 a million instead of $0.50.
    usage = Usage(input_tokens=1_000, output_tokens=0, audio_tokens=500, cached_tokens=700)
    expected = 300 * Decimal("0.5") + 200 * Decimal("0.05") + 500 * Decimal("0.025")

    assert priced("gemini/gemini-3.1-flash-lite", usage) == (expected / MILLION, False)


def test_what_credits_cost_is_on_no_list() -> None:
    assert charge("openai/gpt-6-luna", Usage(input_tokens=1, output_tokens=1, credits=9)) is None
    assert charge("openai/gpt-6-luna", Usage(input_tokens=0, output_tokens=0, credits=2)) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-6-luna", (True, None)),
        ("openai/gpt-6-luna-2026-12-01", (True, None)),
        ("openai/gpt-6-luna-20261201", (True, None)),
        ("anthropic/claude-haiku-4-5-20251001", (True, None)),
        ("gemini/gemini-flash-latest", (True, None)),
        ("gemini/gemini-4-argon-preview", (True, None)),
        ("gemini/gemini-3.8-flash-001", (False, "gemini-3.8-flash")),
        ("gemini/gemini-3.6-flash-preview-11-2026", (False, "gemini-3.6-flash")),
        ("gemini/gemini-3.8-flash-xl", None),
        ("gemini/gemini-3.8-flash-image", None),
        ("gemini/gemini-3.5-flash-8b", None),
        ("gemini/gemini-1.5-flash-8b", None),
        ("openai/gpt-6-luna-pro", None),
    ],
)
def test_a_price_is_that_of_the_model_that_was_asked_for(name: str, expected: tuple[bool, str | None] | None) -> None:
    charged = charge(name, USAGE)

    assert (None if charged is None else (charged.exact, charged.stand_in)) == expected


def test_every_name_on_the_lists_means_itself() -> None:
    listed = [(provider, model) for provider in get_snapshot().providers for model in provider.models]
    found = [(model, likeness_of(model.id, model)) for provider, model in listed if provider.id in IDS.values()]

    assert {likeness for _, likeness in found} == {Likeness.SAME}


@given(st.sampled_from(BILLED), usages(), st.sampled_from([None, "priority", "flex"]))
def test_rates_and_usage_make_up_the_cost_to_the_nano_dollar(name: str, usage: Usage, tier: str | None) -> None:
    provider, _, model_id = name.partition("/")
    model = ModelInfo(ref=ModelRef(provider, model_id))
    cost = Pricing(PRICES)(usage, model, AT, estimated=False, service_tier=tier)
    event("unknown" if cost.nano_usd is None else "known")

    if cost.nano_usd is not None:
        assert nano_usd_of(usage, cost.rates) == cost.nano_usd


def test_a_step_and_a_tier_are_in_the_rates() -> None:
    long = charge("openai/gpt-6-luna", Usage(input_tokens=300_000, output_tokens=10, cached_tokens=100_000))
    fast = charge("openai/gpt-6-luna", Usage(input_tokens=1_000, output_tokens=10), tier="priority")

    assert long is not None
    assert fast is not None
    assert long.rates == {
        Billed.INPUT: Decimal("0.2"),
        Billed.CACHED: Decimal("0.02"),
        Billed.OUTPUT: Decimal("0.75"),
    }
    assert fast.rates == {Billed.INPUT: Decimal("0.2"), Billed.OUTPUT: Decimal(1)}


@pytest.mark.parametrize(
    "absurd",
    [
        ModelPrice(input_mtok=Decimal(-1), output_mtok=Decimal(1)),
        ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(10_001)),
        ModelPrice(
            input_mtok=TieredPrices(base=Decimal(1), tiers=[Tier(start=1, price=Decimal(-2))]), output_mtok=Decimal(1)
        ),
    ],
    ids=["negative", "absurd", "negative for long prompts"],
)
def test_a_negative_or_absurd_price_is_unknown_and_told_once(
    absurd: ModelPrice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, listed = get_snapshot().find_provider_model("gpt-6-luna", None, "openai", None)
    monkeypatch.setattr(listed, "prices", absurd)
    prices = GenaiPrices(IDS)

    charges = [prices.charge(ModelRef("openai", "gpt-6-luna"), USAGE, AT, service_tier=None) for _ in range(3)]

    assert charges == [None, None, None]
    assert [record.message for record in caplog.records] == [
        f"{prices.name} lists a negative or absurd price for openai/gpt-6-luna: it counts as unknown"
    ]


def test_the_source_names_its_version() -> None:
    assert PRICES.name.startswith("genai-prices 0.")
