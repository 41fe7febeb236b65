"""What a call may cost at worst: never less than it costs, and never more answer than the money pays for."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, Price
from bot.core.events import Usage
from bot.core.message import Image, Message, Role, Text
from bot.core.prompt_bound import likely_bound, prompt_bound
from bot.core.worst_case import LEAST_OUTPUT_TOKENS, UNASKED_OUTPUT_TOKENS, WorstCase, worst_case
from tests.bot.core.spending import FREE, PRICED, PRICING, UNPRICED, asks
from tests.fakes.clock import START

RATES = st.decimals(min_value=0, max_value=200, places=3).map(str)
PRICES = st.builds(
    Price,
    input=RATES,
    output=RATES,
    cached=st.none() | RATES,
    cache_write=st.none() | RATES,
)


def of(model: ModelInfo, prompt_tokens: int = 1_000, max_output_tokens: int | None = None) -> WorstCase:
    worst = worst_case(asks(model, max_output_tokens=max_output_tokens), prompt_tokens, PRICING, START)
    assert worst is not None
    return worst


def bound(prompt_tokens: int) -> int:
    return prompt_bound(asks(), prompt_tokens)


def test_the_prompt_counts_with_what_estimates_may_be_wrong_by() -> None:
    assert of(PRICED, 1_000).nano_usd(100) == bound(1_000) * 2_500 + 100 * 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    id: str
    longest: int
    asked: int | None = None
    model_max: int | None = None
    window: int | None = None


@pytest.mark.parametrize(
    "case",
    [
        Length(id="nobody asked, nothing known", longest=UNASKED_OUTPUT_TOKENS),
        Length(id="nobody asked, the model allows less", model_max=4_096, longest=4_096),
        Length(id="nobody asked, the model allows more", model_max=128_000, longest=UNASKED_OUTPUT_TOKENS),
        Length(id="nobody asked, the window is small", window=8_192, longest=8_192 - likely_bound(asks(), 1_000)),
        Length(id="nobody asked, the window is nearly full", window=2_000, longest=LEAST_OUTPUT_TOKENS),
        Length(id="asked for", asked=50_000, longest=50_000),
        Length(id="asked for more than the model can", asked=50_000, model_max=4_096, longest=4_096),
        Length(id="asked for little", asked=16, longest=16),
    ],
    ids=lambda case: case.id,
)
def test_how_long_the_answer_may_get(case: Length) -> None:
    model = replace(PRICED, max_output_tokens=case.model_max, window_tokens=case.window)

    assert of(model, max_output_tokens=case.asked).longest == case.longest


def test_without_a_price_there_is_no_worst_case() -> None:
    assert worst_case(asks(UNPRICED), 1_000, PRICING, START) is None


def test_what_costs_nothing_is_free() -> None:
    assert of(FREE).is_free
    assert not of(PRICED).is_free


@pytest.mark.parametrize(
    ("options", "cache_key", "written"),
    [(None, None, True), (None, "thread", True), (True, "thread", True), (True, None, False), (False, None, True)],
)
def test_a_dearer_cache_write_counts_unless_it_is_surely_switched_off(
    options: bool | None, cache_key: str | None, written: bool
) -> None:
    price = Price(input="1", output="0", cached="0.1", cache_write="1.25")
    model = replace(PRICED, price=price, cache_options=options)
    worst = worst_case(asks(model, cache_key=cache_key), 1_000, PRICING, START)

    assert worst is not None
    assert worst.prompt.cache_write_tokens == (bound(1_000) if written else 0)


def test_pictures_may_make_the_whole_prompt_cost_as_pictures() -> None:
    picture = Image(content=b"png", media_type="image/png")
    request = replace(asks(), messages=(Message(role=Role.USER, parts=(Text(text="What?"), picture)),))
    seen: list[Usage] = []

    def watched(usage: Usage, *facts: object, **more: object) -> object:
        seen.append(usage)
        return PRICING(usage, PRICED, START, estimated=True)

    worst_case(request, 1_000, watched, START)  # type: ignore[arg-type]  # takes whatever it is called with

    assert prompt_bound(request, 1_000) in {usage.image_tokens for usage in seen}


@given(PRICES, st.integers(0, 300_000), st.none() | st.integers(16, 200_000), st.booleans(), st.data())
def test_no_usage_within_the_bounds_costs_more(
    price: Price, prompt_tokens: int, asked: int | None, caching: bool, data: st.DataObject
) -> None:
    model = replace(PRICED, price=price)
    request = asks(model, max_output_tokens=asked, cache_key="thread" if caching else None)
    worst = worst_case(request, prompt_tokens, PRICING, START)
    assert worst is not None
    output_tokens = data.draw(st.integers(0, worst.longest))
    input_tokens = data.draw(st.integers(0, bound(prompt_tokens)))
    cached = data.draw(st.integers(0, input_tokens))
    written = data.draw(st.integers(0, input_tokens - cached))
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=data.draw(st.integers(0, output_tokens)),
        cached_tokens=cached,
        cache_write_tokens=written,
    )

    cost = PRICING(usage, model, START, estimated=False).nano_usd

    assert cost is not None
    assert cost <= worst.nano_usd(output_tokens)


@given(PRICES, st.integers(0, 100_000), st.integers(0, 10**10))
def test_the_affordable_answer_is_the_longest_that_the_money_pays_for(
    price: Price, prompt_tokens: int, nano_usd: int
) -> None:
    worst = of(replace(PRICED, price=price), prompt_tokens)
    tokens = worst.affordable(nano_usd)

    if tokens is None:
        assert worst.nano_usd(worst.least) > nano_usd
    else:
        assert worst.least <= tokens <= worst.longest
        assert worst.nano_usd(tokens) <= nano_usd
        assert tokens == worst.longest or worst.nano_usd(tokens + 1) > nano_usd


def stepped(usage: Usage, model: ModelInfo, *facts: object, **more: object) -> object:
    rate = Decimal("5") if usage.input_tokens > 200_000 else Decimal("2.5")
    row = replace(model, price=Price(input=str(rate), output=str(rate * 4)))
    return PRICING(usage, row, START, estimated=True)


@pytest.mark.parametrize(
    ("prompt_tokens", "held_tokens", "rate"),
    [
        (180_000, bound(180_000), 5_000),
        # A bound of 182,000 or so: a fifth more is beyond the step.
        (140_000, bound(140_000) * 12 // 10, 5_000),
        (100_000, bound(100_000), 2_500),
    ],
    ids=["above", "a little below", "far below"],
)
def test_a_step_in_the_price_for_long_prompts_is_met(prompt_tokens: int, held_tokens: int, rate: int) -> None:
    worst = worst_case(asks(PRICED), prompt_tokens, stepped, START)  # type: ignore[arg-type]  # takes whatever it is called with

    assert worst is not None
    assert worst.nano_usd(0) == held_tokens * rate
