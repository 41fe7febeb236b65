"""What a call cost, and how sure that is."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import Billed, Certainty, Cost, Rate
from bot.core.pricing import Charge, Pricing
from tests.bot.core.bill import nano_usd_of, usages

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
REF = ModelRef("openai", "gpt-6-luna")
RATE = st.decimals(min_value=0, max_value=200, places=4).map(str)
USAGE = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=400)


@dataclass
class ListOfPrices:
    """A `PriceSource` that knows one number."""

    answer: Decimal | None
    asked: list[tuple[ModelRef, Usage, datetime, str | None]] = field(default_factory=list)
    name: str = "a list"
    exact: bool = True
    stand_in: str | None = None

    def charge(self, ref: ModelRef, usage: Usage, at: datetime, *, service_tier: str | None) -> Charge | None:
        self.asked.append((ref, usage, at, service_tier))
        if self.answer is None:
            return None
        rates = {Billed.INPUT: self.answer}
        return Charge(usd=self.answer, rates=rates, exact=self.exact, stand_in=self.stand_in)


def test_the_price_of_the_row_counts_before_any_list() -> None:
    prices = ListOfPrices(Decimal(99))
    model = ModelInfo(ref=REF, price=Price(input="1", output="5", cached="0.1", as_of=date(2026, 11, 1)))

    cost = Pricing(prices)(USAGE, model, AT, estimated=False)

    # 600 at $1, 400 at $0.1 and 100 at $5 per million.
    expected = Cost(
        nano_usd=1_140_000,
        certainty=Certainty.EXACT,
        source="catalogue",
        priced_at="2026-11-01",
        rates=(
            Rate(billed=Billed.INPUT, nano_usd=1_000_000_000),
            Rate(billed=Billed.CACHED, nano_usd=100_000_000),
            Rate(billed=Billed.OUTPUT, nano_usd=5_000_000_000),
        ),
    )
    assert cost == expected
    assert prices.asked == []


def test_cached_input_without_a_price_of_its_own_costs_as_input() -> None:
    model = ModelInfo(ref=REF, price=Price(input="1", output="5"))

    assert Pricing()(USAGE, model, AT, estimated=False).nano_usd == 1_500_000


def test_a_price_of_zero_is_exact_and_free() -> None:
    model = ModelInfo(ref=REF, price=Price(input="0", output="0"))

    cost = Pricing()(USAGE, model, AT, estimated=False)

    assert (cost.nano_usd, cost.certainty) == (0, Certainty.EXACT)


def test_the_list_is_asked_for_the_time_of_the_call() -> None:
    prices = ListOfPrices(Decimal("0.000341"))

    cost = Pricing(prices)(USAGE, ModelInfo(ref=REF), AT, estimated=False, service_tier="flex")

    rates = (Rate(billed=Billed.INPUT, nano_usd=341_000),)
    assert cost == Cost(
        nano_usd=341_000, certainty=Certainty.EXACT, source="a list", priced_at="2026-11-20", rates=rates
    )
    assert prices.asked == [(REF, USAGE, AT, "flex")]


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(ListOfPrices(None))], ids=["no list", "not on the list"])
@pytest.mark.parametrize("estimated", [False, True])
def test_a_price_that_nobody_knows_is_unknown_and_not_zero(pricing: Pricing, estimated: bool) -> None:
    cost = pricing(USAGE, ModelInfo(ref=REF), AT, estimated=estimated)

    assert cost == Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none")


def test_estimated_usage_makes_an_estimated_cost() -> None:
    cost = Pricing(ListOfPrices(Decimal(1)))(USAGE, ModelInfo(ref=REF), AT, estimated=True)

    assert (cost.nano_usd, cost.certainty) == (10**9, Certainty.ESTIMATED)


def test_a_rate_that_stands_in_for_an_unlisted_one_makes_an_estimated_cost() -> None:
    cost = Pricing(ListOfPrices(Decimal(1), exact=False))(USAGE, ModelInfo(ref=REF), AT, estimated=False)

    assert (cost.nano_usd, cost.certainty) == (10**9, Certainty.ESTIMATED)


def by_row(usage: Usage, **rates: str) -> Cost:
    return Pricing()(usage, ModelInfo(ref=REF, price=Price(**rates)), AT, estimated=False)  # type: ignore[arg-type]  # rates alone


def test_written_input_costs_what_the_row_says_or_as_input() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=0, cached_tokens=400, cache_write_tokens=500)

    # 100 at $1, 400 at $0.1, 500 at $1.25 per million.
    assert by_row(usage, input="1", output="5", cached="0.1", cache_write="1.25").nano_usd == 765_000
    assert by_row(usage, input="1", output="5", cached="0.1").nano_usd == 640_000


def test_an_hour_of_cache_by_a_row_is_an_estimate() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=0, cache_write_tokens=500, cache_write_1h_tokens=500)

    assert by_row(usage, input="1", output="5", cache_write="1.25").certainty is Certainty.ESTIMATED
    assert by_row(usage, input="0", output="0").certainty is Certainty.EXACT


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=10, output_tokens=5, searches=1),
        Usage(input_tokens=10, output_tokens=5, audio_s=1.5),
        Usage(input_tokens=10, output_tokens=5, cached_tokens=11),
        Usage(input_tokens=10, output_tokens=5, cached_tokens=6, cache_write_tokens=5),
    ],
    ids=["searches", "seconds", "more cached than there was", "more written than there was"],
)
def test_what_a_row_has_no_rate_for_is_unknown(usage: Usage) -> None:
    assert by_row(usage, input="1", output="5").certainty is Certainty.UNKNOWN


def test_at_home_everything_is_free() -> None:
    usage = Usage(input_tokens=10, output_tokens=5, searches=1, audio_s=3.0)

    cost = by_row(usage, input="0", output="0")

    assert (cost.nano_usd, cost.certainty, cost.source) == (0, Certainty.EXACT, "catalogue")


@pytest.mark.parametrize("rate", ["-1", "-0.0001", "10000.01", "1e9", "NaN", "Infinity"])
def test_a_negative_or_absurd_price_is_unknown_and_told_once(rate: str, caplog: pytest.LogCaptureFixture) -> None:
    pricing = Pricing()
    model = ModelInfo(ref=REF, price=Price(input="1", output=rate))

    costs = [pricing(USAGE, model, AT, estimated=False) for _ in range(3)]

    assert {cost.certainty for cost in costs} == {Certainty.UNKNOWN}
    assert [record.message for record in caplog.records] == [
        "the price of openai/gpt-6-luna in the catalogue is negative or absurd: it counts as unknown"
    ]


@pytest.mark.parametrize(
    ("usd", "nano"), [("0.0000000004", 0), ("0.0000000005", 1), ("0.0000000015", 2), ("0.0000000025", 3)]
)
def test_halves_of_a_nano_dollar_are_rounded_up(usd: str, nano: int) -> None:
    assert Pricing(ListOfPrices(Decimal(usd)))(USAGE, ModelInfo(ref=REF), AT, estimated=False).nano_usd == nano


@given(
    tokens=st.integers(0, 10**7),
    share=st.floats(0, 1),
    price=st.decimals(0, 1_000, places=4, allow_nan=False),
)
def test_the_cost_is_the_tokens_times_the_price(tokens: int, share: float, price: Decimal) -> None:
    usage = Usage(input_tokens=tokens, output_tokens=tokens, cached_tokens=int(tokens * share))
    model = ModelInfo(ref=REF, price=Price(input=str(price), output=str(price)))

    expected = 2 * tokens * price * 1_000
    assert abs((Pricing()(usage, model, AT, estimated=False).nano_usd or 0) - expected) <= Decimal("0.5")


def test_the_price_of_another_model_says_whose_it_is() -> None:
    cost = Pricing(ListOfPrices(Decimal(1), exact=False, stand_in="luna"))(
        USAGE, ModelInfo(ref=REF), AT, estimated=False
    )

    assert (cost.certainty, cost.source) == (Certainty.ESTIMATED, "a list, as luna")


def test_credits_cost_what_the_row_says_and_nothing_is_guessed() -> None:
    usage = Usage(input_tokens=0, output_tokens=0, credits=2)

    assert by_row(usage, input="0", output="0", credit="0.008").nano_usd == 16_000_000
    assert by_row(usage, input="1", output="1").nano_usd is None
    assert by_row(usage, input="0", output="0").nano_usd is None


@given(usages(), st.builds(Price, input=RATE, output=RATE, cached=st.none() | RATE, cache_write=st.none() | RATE))
def test_a_row_of_the_ledger_can_be_billed_anew_from_its_own_rates(usage: Usage, price: Price) -> None:
    cost = Pricing()(usage, ModelInfo(ref=REF, price=price), AT, estimated=False)

    if cost.nano_usd is not None:
        assert nano_usd_of(usage, cost.rates) == cost.nano_usd
