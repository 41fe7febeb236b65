"""How numbers and money look."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.formatting import amount, cost, count, excerpt, money, price, span
from bot.core.ledger import Certainty


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    nano_usd: int | None
    text: str


@pytest.mark.parametrize(
    "case",
    [
        Sum(nano_usd=None, text="unknown"),
        Sum(nano_usd=0, text="$0"),
        Sum(nano_usd=1_200_000, text="$0.0012"),
        Sum(nano_usd=1_000_000, text="$0.0010"),
        Sum(nano_usd=999_999, text="$0.0010"),
        Sum(nano_usd=987_654, text="$0.00099"),
        Sum(nano_usd=120_000, text="$0.00012"),
        Sum(nano_usd=4_000, text="$0.000004"),
        Sum(nano_usd=1, text="$0.000000001"),
        Sum(nano_usd=2_500_000_000, text="$2.5000"),
        Sum(nano_usd=1_234_567_890_000, text="$1,234.5679"),
    ],
    ids=lambda case: case.text,
)
def test_money_shows_enough_digits(case: Sum) -> None:
    assert case.text == money(case.nano_usd)


@given(st.integers(min_value=1, max_value=10**15))
def test_money_never_rounds_to_nothing_and_stays_near(nano_usd: int) -> None:
    shown = Decimal(money(nano_usd).replace("$", "").replace(",", ""))
    exact = Decimal(nano_usd) / 10**9

    assert shown > 0
    assert abs(shown - exact) <= exact / 20


@pytest.mark.parametrize(
    ("text", "nano_usd", "certainty"),
    [
        ("$0.0012", 1_200_000, Certainty.EXACT),
        ("about $0.0012", 1_200_000, Certainty.ESTIMATED),
        ("unknown", None, Certainty.UNKNOWN),
        ("unknown", None, Certainty.ESTIMATED),
    ],
)
def test_cost_tells_how_far_it_can_be_trusted(text: str, nano_usd: int | None, certainty: Certainty) -> None:
    assert text == cost(nano_usd, certainty)


@pytest.mark.parametrize(
    ("text", "nano_usd"),
    [
        ("$2.50", 2_500_000_000),
        ("$10.00", 10_000_000_000),
        ("$0.075", 75_000_000),
        ("$1,234.00", 1_234 * 10**9),
    ],
)
def test_a_price_is_exact_with_at_least_cents(text: str, nano_usd: int) -> None:
    assert text == price(nano_usd)


def test_thousands_are_apart_and_nouns_agree() -> None:
    assert (count(1234), amount(1, "request"), amount(1234, "request"), amount(0, "request")) == (
        "1,234",
        "1 request",
        "1,234 requests",
        "0 requests",
    )


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_an_excerpt_is_one_line_of_bounded_length_without_code_marks(text: str, limit: int) -> None:
    line = excerpt(text, limit)

    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert "`" not in line


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 min", 0.0),
        ("1 min", 59.0),
        ("2 min", 61.0),
        ("1 h", 3_600.0),
        ("3 h 20 min", 12_000.0),
        ("1 d", 86_400.0),
        ("12 d 4 h", 12 * 86_400 + 4 * 3_600 + 59 * 60.0),
    ],
)
def test_a_time_to_wait_has_its_two_largest_units(text: str, seconds: float) -> None:
    assert text == span(seconds)
