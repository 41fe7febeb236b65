"""/compare: one message to several models."""

import pytest

from bot.commands import COMMANDS
from bot.core.budget import EACH, BudgetKey, BudgetLimit, Period
from bot.core.errors import ProviderUnavailable
from bot.core.events import Usage
from bot.core.ledger import CallKind, Whose
from bot.core.purse import Pace
from tests.fakes.desk import ANN, CHANNEL, THREAD, Counter, model
from tests.fakes.providers import ScriptedProvider, says

MODELS = (
    model("alpha/one", aliases=("fast",)),
    model("beta/two", aliases=("smart",)),
    model("beta/three"),
)


def counter_of(alpha: ScriptedProvider, beta: ScriptedProvider, **facts: object) -> Counter:
    build: type[Counter] = Counter
    return build(commands=COMMANDS, models=MODELS, providers={"alpha": alpha, "beta": beta}, **facts)  # type: ignore[arg-type]  # a test's shorthand


async def test_every_model_answers_with_its_time_tokens_and_cost() -> None:
    alpha = ScriptedProvider(says("Rayleigh.", usage=Usage(input_tokens=1_000, output_tokens=10)), name="alpha")
    beta = ScriptedProvider(says("Scattering."), name="beta")
    counter = counter_of(alpha, beta)

    answer = await counter.type("/compare Why is the sky blue? fast smart", place=CHANNEL)

    assert "**Why is the sky blue?**" in answer.text
    assert "`alpha/one` · 0.0 s (first words after 0.0 s) · 1,000 in · 10 out · $0.0026" in answer.text
    assert "Rayleigh." in answer.text
    assert "`beta/two`" in answer.text
    assert "· unknown" in answer.text
    assert not answer.private
    assert [button.line for row in answer.rows for button in row] == [
        "model alpha/one keep",
        "model beta/two keep",
    ]


async def test_it_is_charged_like_any_turn() -> None:
    counter = counter_of(ScriptedProvider(says("a"), name="alpha"), ScriptedProvider(says("b"), name="beta"))

    await counter.type("/compare hi there fast smart")

    rows = list(counter.ledger.booked.values())
    assert {row.model for row in rows} == {"alpha/one", "beta/two"}
    assert {row.kind for row in rows} == {CallKind.COMPARISON}


async def test_slash_options_name_message_and_models() -> None:
    alpha, beta = ScriptedProvider(says("a"), name="alpha"), ScriptedProvider(says("b"), name="beta")
    counter = counter_of(alpha, beta)

    await counter.slash("compare", {"message": "What is fast?", "models": "alpha/one, three"})

    assert [message.text for message in alpha.requests[0].messages] == ["What is fast?"]
    assert beta.requests[0].model.ref.id == "three"


async def test_one_that_fails_says_why_beside_the_other() -> None:
    down = ProviderUnavailable("down", provider="beta", status=500)
    beta = ScriptedProvider((down,), (down,), (down,), name="beta")
    counter = counter_of(ScriptedProvider(says("Fine."), name="alpha"), beta)

    text = (await counter.type("/compare hello fast smart")).text

    assert "Fine." in text
    assert "beta is not reachable right now." in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/compare hello fast", "Name 2 to 4 different models"),
        ("/compare hello fast fast", "Name 2 to 4 different models"),
        ("/compare hello wombat", "I know no model `wombat`"),
        ("/compare fast smart", "Usage"),
    ],
)
async def test_what_is_missing_is_said_and_nobody_is_asked(line: str, words: str) -> None:
    alpha, beta = ScriptedProvider(name="alpha"), ScriptedProvider(name="beta")
    counter = counter_of(alpha, beta)

    assert words in (await counter.type(line)).text
    assert alpha.requests == []
    assert beta.requests == []


async def test_a_budget_holds_for_comparisons_as_well() -> None:
    alpha, beta = ScriptedProvider(says("never"), name="alpha"), ScriptedProvider(name="beta")
    limit = BudgetLimit(budget=BudgetKey(Whose.USER, EACH, Period.DAY), nano_usd=1)
    counter = counter_of(alpha, beta, limits=(limit,))

    text = (await counter.type("/compare hello fast smart")).text

    assert "budget" in text
    assert alpha.requests == []
    assert beta.requests == []


async def test_the_pace_counts_for_comparisons_as_well() -> None:
    alpha, beta = ScriptedProvider(says("a"), name="alpha"), ScriptedProvider(says("b"), name="beta")
    counter = counter_of(alpha, beta, pace=Pace(user_requests=1))

    await counter.type("/compare hello fast smart")
    text = (await counter.type("/compare hello fast smart")).text

    assert "seconds" in text
    assert len(alpha.requests) == 1


async def test_that_a_budget_nears_its_end_is_told_with_the_answers() -> None:
    alpha = ScriptedProvider(
        says("a", usage=Usage(input_tokens=340_000, output_tokens=0)), says("b"), says("c"), says("d"), name="alpha"
    )
    limit = BudgetLimit(budget=BudgetKey(Whose.USER, EACH, Period.DAY), nano_usd=10**9)
    models = (model("alpha/one", aliases=("fast",)), model("alpha/two", aliases=("smart",)))
    counter = Counter(commands=COMMANDS, models=models, providers={"alpha": alpha}, limits=(limit,))

    first = await counter.type("/compare hello fast smart")
    second = await counter.type("/compare hello fast smart")

    assert [answer.text.count("% of your budget") for answer in (first, second)] == [1, 0]


async def test_models_above_the_price_ceiling_are_not_asked() -> None:
    alpha, beta = ScriptedProvider(name="alpha"), ScriptedProvider(name="beta")
    counter = counter_of(alpha, beta)
    counter.settings.values["me:x:1"] = {"price_ceiling": 5}

    assert "`alpha/one` costs $10.00" in (await counter.type("/compare hello fast smart")).text
    assert alpha.requests == []
    assert beta.requests == []


async def test_what_is_set_here_counts_for_comparisons() -> None:
    alpha, beta = ScriptedProvider(says("a"), name="alpha"), ScriptedProvider(says("b"), name="beta")
    counter = counter_of(alpha, beta)
    counter.settings.values["me:x:1"] = {"system": "Be short.", "temperature": 0.5, "max_output": 100}

    await counter.type("/compare hello fast smart")

    request = alpha.requests[0]
    assert (request.system, request.temperature, request.max_output_tokens) == ("Be short.", 0.5, 100)


async def test_its_button_makes_a_model_the_channels_and_leaves_the_answers_where_they_are() -> None:
    counter = counter_of(
        ScriptedProvider(says("a"), name="alpha"),
        ScriptedProvider(says("b"), name="beta"),
        admins=frozenset({ANN.key}),
    )
    answer = await counter.type("/compare hello fast smart", place=THREAD)

    chosen = await counter.press(answer.rows[0][1].line, place=THREAD)

    assert not chosen.replace
    assert counter.settings.values == {"channel:x:bot:50": {"model": "beta/two"}}
