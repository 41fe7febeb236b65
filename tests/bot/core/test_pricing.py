"""What a call cost, and how sure that is."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import Certainty, Cost
from bot.core.pricing import Pricing

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
REF = ModelRef("openai", "gpt-6-luna")
USAGE = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=400)


@dataclass
class ListOfPrices:
    """A `PriceSource` that knows one number."""

    answer: Decimal | None
    asked: list[tuple[ModelRef, Usage, datetime]] = field(default_factory=list)
    name: str = "a list"

    def usd(self, ref: ModelRef, usage: Usage, at: datetime) -> Decimal | None:
        self.asked.append((ref, usage, at))
        return self.answer


def test_the_price_of_the_row_counts_before_any_list() -> None:
    prices = ListOfPrices(Decimal(99))
    model = ModelInfo(ref=REF, price=Price(input="1", output="5", cached="0.1", as_of=date(2026, 11, 1)))

    cost = Pricing(prices)(USAGE, model, AT, estimated=False)

    # 600 at $1, 400 at $0.1 and 100 at $5 per million.
    expected = Cost(nano_usd=1_140_000, certainty=Certainty.EXACT, source="catalogue", priced_at="2026-11-01")
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

    cost = Pricing(prices)(USAGE, ModelInfo(ref=REF), AT, estimated=False)

    assert cost == Cost(nano_usd=341_000, certainty=Certainty.EXACT, source="a list", priced_at="2026-11-20")
    assert prices.asked == [(REF, USAGE, AT)]


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(ListOfPrices(None))], ids=["no list", "not on the list"])
@pytest.mark.parametrize("estimated", [False, True])
def test_a_price_that_nobody_knows_is_unknown_and_not_zero(pricing: Pricing, estimated: bool) -> None:
    cost = pricing(USAGE, ModelInfo(ref=REF), AT, estimated=estimated)

    assert cost == Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none")


def test_estimated_usage_makes_an_estimated_cost() -> None:
    cost = Pricing(ListOfPrices(Decimal(1)))(USAGE, ModelInfo(ref=REF), AT, estimated=True)

    assert (cost.nano_usd, cost.certainty) == (10**9, Certainty.ESTIMATED)


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
