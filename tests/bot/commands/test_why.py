"""/why: what became of the last message."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.commands import COMMANDS
from bot.core.events import Outcome, Usage
from bot.core.ledger import CallStatus, Certainty, Cost, LedgerRow
from bot.core.turn_record import Item, ItemKind, PassedOver, Route, ToolStep, TurnRecord
from tests.fakes.clock import START
from tests.fakes.desk import ANN, PRIVATE, Counter

KEY = PRIVATE.thread_key
ASKED = Item(
    uid="x:7",
    kind=ItemKind.MESSAGE,
    author_key=ANN.key,
    author_name=ANN.name,
    text="Why is the sky `blue`?",
    message_id="7",
    at=START,
    order=7,
)
CALL = LedgerRow(
    id="x:7~1~0",
    at=START,
    turn_uid="x:7",
    thread_key=KEY,
    channel_key=PRIVATE.channel_key,
    space_key=None,
    author_key=ANN.key,
    provider="alpha",
    model="alpha/one",
    model_answered=None,
    usage=Usage(input_tokens=1_234, output_tokens=56),
    usage_estimated=False,
    cost=Cost(nano_usd=3_000_000, certainty=Certainty.EXACT, source="test"),
    status=CallStatus.COMPLETED,
    first_token_s=0.2,
    duration_s=1.0,
)
TURN = TurnRecord(
    uid="x:7",
    thread_key=KEY,
    seq=0,
    fence=1,
    at=START + timedelta(seconds=2.5),
    items=(ASKED,),
    steps=(),
    answer="Rayleigh.",
    outcome=Outcome.ANSWERED,
    reason=None,
    model="alpha/one",
    calls=(CALL,),
    route=Route(asked="alpha/one"),
)


async def why(turn: TurnRecord | None) -> str:
    counter = Counter(commands=COMMANDS)
    if turn is not None:
        await counter.turns.append(turn)
    return (await counter.type("/why")).text


async def test_where_nothing_was_asked_it_says_so() -> None:
    assert await why(None) == "Nothing was asked here yet."


async def test_it_tells_model_calls_tokens_money_and_time() -> None:
    text = await why(TURN)

    assert "Why is the sky 'blue'?" in text
    assert "- It was answered by `alpha/one`." in text
    assert "- `alpha/one` is the model here" in text
    assert "- 1 call, 1,234 tokens in, 56 out, $0.0030." in text
    assert "- From message to answer it took 2.5 s." in text


async def test_it_tells_why_auto_picked_the_model() -> None:
    text = await why(replace(TURN, route=Route(asked="auto", reasons=("Short chat: the cheapest fast model.",))))

    assert "`auto`, chosen for each message" in text
    assert "- Short chat: the cheapest fast model." in text
    assert "is the model here" not in text


async def test_it_tells_which_models_failed_before() -> None:
    passed = (PassedOver(model="beta/two", why="beta is not reachable right now"),)
    text = await why(replace(TURN, route=Route(asked="beta/two", passed_over=passed)))

    assert "- `beta/two` was asked first, but beta is not reachable right now." in text
    assert "is the model here" not in text


@pytest.mark.parametrize(
    ("outcome", "reason", "line"),
    [
        (Outcome.FAILED, "alpha is not reachable right now. (ref 1)", "- It was not answered: alpha is not"),
        (Outcome.PARTIAL, "The connection broke.", "- The answer broke off by `alpha/one`: The connection broke."),
        (Outcome.STOPPED, "Stopped.", "- It was stopped."),
        (Outcome.REFUSED, "You are not allowed.", "- It was refused: You are not allowed."),
    ],
)
async def test_it_tells_how_it_ended(outcome: Outcome, reason: str, line: str) -> None:
    assert line in await why(replace(TURN, outcome=outcome, reason=reason))


async def test_it_names_tools_and_a_cached_answer() -> None:
    step = ToolStep(name="calculate", arguments="{}", result="4", is_error=False, duration_s=0.1)
    text = await why(replace(TURN, steps=(step, step), route=Route(asked="alpha/one", cached=True)))

    assert "- Tools used: calculate." in text
    assert "from the response cache" in text


async def test_an_unknown_price_is_not_shown_as_nothing() -> None:
    free = replace(CALL, cost=Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none"))

    assert "unknown" in await why(replace(TURN, calls=(free,)))


async def test_a_model_that_was_asked_for_once_is_not_called_the_one_that_is_set() -> None:
    counter = Counter(commands=COMMANDS)
    route = Route(asked="beta/two", reasons=("It was asked again, of another model.",))
    await counter.turns.append(replace(TURN, model="beta/two", route=route))
    text = (await counter.type("/why")).text

    assert "- It was asked again, of another model." in text
    assert "is set here" not in text


async def test_an_answer_to_an_old_question_is_not_said_to_have_taken_that_long() -> None:
    counter = Counter(commands=COMMANDS)
    await counter.turns.append(replace(TURN, uid="x:99", at=START + timedelta(hours=3)))

    assert "From message to answer" not in (await counter.type("/why")).text
