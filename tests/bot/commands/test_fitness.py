"""Settings are checked against the model that would have to follow them."""

import pytest

from bot.commands import COMMANDS
from tests.fakes.desk import Counter, model

REASONER = model(
    "alpha/one", temperature=False, max_output_tokens=8_000, efforts=("low", "high"), reasoning=True, json=False
)
PLAIN = model("alpha/two")


def counter_of(*models: object, **facts: object) -> Counter:
    return Counter(commands=COMMANDS, models=models, **facts)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("temperature 0.5", "takes no temperature"),
        ("top_p 0.5", "takes no temperature and no top-p"),
        ("max_output 9000", "writes at most 8,000 tokens"),
        ("effort medium", "takes these efforts: low, high"),
        ("json on", "cannot be held to JSON"),
        ("fallback gamma/x", "`gamma/x` cannot be asked"),
        ("fallback x", "provider/model"),
        ("price_ceiling -1", "dollars per million tokens"),
    ],
)
async def test_what_the_model_refuses_is_refused_with_what_it_takes(line: str, words: str) -> None:
    counter = counter_of(REASONER, PLAIN)

    assert words in (await counter.type(f"/settings {line}")).text
    assert counter.settings.values == {}


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("max_output 8000", {"max_output": 8_000}),
        ("effort High", {"effort": "high"}),
        ("json off", {"json": False}),
        ("fallback alpha/two", {"fallback": "alpha/two"}),
        ("fallback off", {"fallback": "off"}),
        ("price_ceiling 12.5", {"price_ceiling": 12.5}),
    ],
)
async def test_what_it_takes_is_set(line: str, stored: dict[str, object]) -> None:
    counter = counter_of(REASONER, PLAIN)

    await counter.type(f"/settings {line}")

    assert counter.settings.values == {"me:x:1": stored}


async def test_a_model_that_cannot_be_told_how_much_to_think_says_so() -> None:
    text = (await counter_of(PLAIN).type("/settings effort high")).text

    assert "cannot be told how much to think" in text


async def test_a_ceiling_below_the_models_price_is_set_with_a_word() -> None:
    text = (await counter_of(PLAIN).type("/settings price_ceiling 5")).text

    assert "`none` → `$5`" in text
    assert "`alpha/two` costs $10.00, and the price ceiling here is $5" in text


async def test_a_ceiling_over_an_unknown_price_is_set_with_a_word() -> None:
    text = (await counter_of(model("beta/x")).type("/settings price_ceiling 5")).text

    assert "price of `beta/x` is not known" in text


async def test_where_auto_chooses_nothing_is_refused() -> None:
    counter = counter_of(REASONER)
    counter.settings.values["me:x:1"] = {"model": "auto"}

    await counter.type("/settings temperature 0.5")

    assert counter.settings.values["me:x:1"]["temperature"] == 0.5
