"""/models: filters, health, fresh lists, and what could be configured."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.commands import COMMANDS
from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.errors import AuthenticationFailed, ProviderUnavailable
from bot.core.place import Author
from tests.fakes.clock import START
from tests.fakes.desk import ANN, OWNER, Counter, FixedDirectory, model

TODAY = START.date()


@dataclass(slots=True)
class Listed(FixedDirectory):
    """A directory that tells what could be configured and keeps who wanted fresh lists."""

    refreshes: list[bool] = field(default_factory=list)

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        self.refreshes.append(refresh)
        found = await FixedDirectory(self.models).catalogue()
        return replace(found, unconfigured={"gemini": "GEMINI_API_KEY", "groq": "GROQ_API_KEY"})


def counter_of(*models: ModelInfo) -> Counter:
    return Counter(commands=COMMANDS, models=models)


def listed(counter: Counter) -> Listed:
    directory = Listed(counter.models)
    counter.desk = replace(counter.desk, directory=directory)
    return directory


async def test_everything_that_is_known_is_in_the_line() -> None:
    counter = counter_of(
        model(
            "alpha/whole",
            name="Whole",
            window_tokens=1_000_000,
            vision=True,
            pdf=True,
            audio=True,
            tools=True,
            json=True,
            reasoning=True,
            retires=TODAY + timedelta(days=9),
        )
    )

    assert (
        "- `alpha/whole` Whole: $2.50 in, $10.00 out per million tokens · 1,000,000 tokens · "
        f"sees images, reads PDF, hears, tools, JSON, reasons · retires on {TODAY + timedelta(days=9)}\n"
    ) in (await counter.type("/models")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("vision", ["alpha/eye"]),
        ("vision free", []),
        ("free", ["demo/parrot"]),
        ("provider:alpha", ["alpha/eye", "alpha/plain"]),
        ("provider:alpha tools", ["alpha/plain"]),
    ],
)
async def test_words_can_be_filters(query: str, expected: list[str]) -> None:
    counter = counter_of(model("alpha/eye", vision=True), model("alpha/plain", tools=True), model("demo/parrot"))
    text = (await counter.type(f"/models {query}")).text

    assert [name for name in ("alpha/eye", "alpha/plain", "demo/parrot") if f"- `{name}`" in text] == expected


async def test_a_retired_model_is_not_listed_and_one_that_is_gone_says_so() -> None:
    counter = counter_of(model("alpha/old", retires=TODAY), model("alpha/lost", gone=True))
    text = (await counter.type("/models")).text

    assert "alpha/old" not in text
    assert "`alpha/lost`: $2.50 in, $10.00 out per million tokens · is not on the list of alpha any more" in text


async def test_fresh_lists_can_be_asked_for() -> None:
    counter = counter_of(model("alpha/one"), model("beta/two"))
    directory = listed(counter)
    plain = await counter.type("/models refresh")
    searched = await counter.type("/models Refresh beta")
    await counter.type("/models alpha refresh")

    assert directory.refreshes == [True, True, False]
    assert "**2 models**" in plain.text
    assert "**1 model** for “beta”" in searched.text


async def test_pages_do_not_ask_again() -> None:
    counter = counter_of(*(model(f"alpha/{number}") for number in range(20)))
    listed(counter)
    answer = await counter.type("/models refresh")

    assert answer.rows[-1][0].line == "models 2"


@pytest.mark.parametrize(("author", "told"), [(OWNER, True), (ANN, False)], ids=["owner", "anyone"])
async def test_owners_are_told_what_they_could_configure(author: Author, told: bool) -> None:
    counter = counter_of(model("alpha/one"))
    listed(counter)
    line = "Not configured: gemini (GEMINI_API_KEY), groq (GROQ_API_KEY)."

    assert (line in (await counter.type("/models", author=author)).text) is told
    assert (line in (await counter.type("/models nothing", author=author)).text) is told


async def test_what_could_be_configured_stands_on_the_last_page() -> None:
    counter = counter_of(*(model(f"alpha/{number}") for number in range(10)))
    listed(counter)

    assert "Not configured" not in (await counter.type("/models", author=OWNER)).text
    assert "Not configured" in (await counter.type("/models 2", author=OWNER)).text


async def test_a_model_that_works_says_how_soon_it_begins() -> None:
    counter = counter_of(model("alpha/one"))
    for seconds in (0.5, 0.84, 3.0):
        counter.health.record(counter.models[0].ref, first_token_s=seconds, error=None)

    assert "· begins after 0.8 s (p95 3.0 s, 3 calls)\n" in (await counter.type("/models")).text


async def test_a_model_that_fails_says_so_and_why() -> None:
    counter = counter_of(model("alpha/one"), model("alpha/two"), model("beta/locked"))
    one, two, locked = (info.ref for info in counter.models)
    for _ in range(30):
        counter.health.record(one, first_token_s=None, error=ProviderUnavailable("down", provider="alpha"))
    for number in range(20):
        failed = number % 4 == 0
        error = ProviderUnavailable("x", provider="alpha") if failed else None
        counter.health.record(two, first_token_s=None if failed else 1.0, error=error)
    counter.health.record(locked, first_token_s=None, error=AuthenticationFailed("401", provider="beta"))

    text = (await counter.type("/models")).text
    lines = {ref.id: next(line for line in text.splitlines() if f"`{ref}`" in line) for ref in (one, two, locked)}

    assert "· **down**: left alone for " in lines["one"]
    assert "· **degraded**: 25 % errors (" in lines["two"]
    assert "· **down** (" in lines["locked"]


async def test_a_model_that_nobody_asked_says_nothing_of_health() -> None:
    counter = counter_of(model("alpha/one"))

    assert (await counter.type("/models")).text.split("\n\n")[1] == (
        "- `alpha/one`: $2.50 in, $10.00 out per million tokens"
    )
