"""The price of a model as a list would say it."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.events import Usage
from bot.core.ledger import Certainty, Cost
from bot.core.list_price import ListPrice, list_price
from bot.core.pricing import Pricing

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
MODEL = ModelInfo(ref=ModelRef("a", "x"))


class RisingPrices:
    """A pricer whose prices double every day; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(
        self, usage: Usage, model: ModelInfo, at: datetime, *, estimated: bool, service_tier: str | None = None
    ) -> Cost:
        self.asked += 1
        nano_usd = usage.input_tokens * at.day + usage.output_tokens * at.day * 2
        return Cost(nano_usd=nano_usd, certainty=Certainty.EXACT, source="test")


class UnhashablePrices(RisingPrices):
    """The same as a value that cannot be a key."""

    __hash__ = None  # type: ignore[assignment]  # that is what it is for


def test_it_is_dollars_per_million_tokens() -> None:
    price = list_price(ModelInfo(ref=MODEL.ref, price=Price(input="0.25", output="12.5")), Pricing(), AT)

    assert price == ListPrice(input_nano=250_000_000, output_nano=12_500_000_000)
    assert price.output_usd == Decimal("12.5")
    assert not price.is_free


def test_nothing_known_is_none_and_nothing_asked_is_free() -> None:
    free = list_price(ModelInfo(ref=MODEL.ref, price=Price(input="0", output="0")), Pricing(), AT)

    assert list_price(MODEL, Pricing(), AT) is None
    assert free is not None
    assert free.is_free


def test_a_price_is_looked_up_once_a_day_and_model() -> None:
    prices = RisingPrices()

    for minutes in range(0, 1_200, 10):
        list_price(MODEL, prices, AT - timedelta(minutes=minutes))
    once = prices.asked
    tomorrow = list_price(MODEL, prices, AT + timedelta(minutes=1))

    assert once == 2
    assert tomorrow == ListPrice(input_nano=21_000_000, output_nano=42_000_000)


def test_the_day_is_that_of_utc() -> None:
    prices = RisingPrices()
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))

    assert list_price(MODEL, prices, elsewhere) == list_price(MODEL, prices, AT)
    assert prices.asked == 2


def test_a_price_that_was_changed_in_the_catalogue_counts_at_once() -> None:
    pricing = Pricing()
    before = list_price(ModelInfo(ref=MODEL.ref, price=Price(input="1", output="1")), pricing, AT)
    after = list_price(ModelInfo(ref=MODEL.ref, price=Price(input="2", output="2")), pricing, AT)

    assert before is not None
    assert after is not None
    assert (before.output_usd, after.output_usd) == (Decimal(1), Decimal(2))


def test_a_pricer_that_cannot_be_remembered_is_asked_each_time() -> None:
    prices = UnhashablePrices()

    assert list_price(MODEL, prices, AT) == list_price(MODEL, prices, AT)
    assert prices.asked == 4
