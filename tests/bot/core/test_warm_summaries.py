"""Summaries over a warm prompt: by whom they are asked for, and what happens when that goes wrong."""

from dataclasses import replace

import pytest

from bot.core.budget import BudgetKey, BudgetLimit, Giver, Period
from bot.core.chores import Compaction, TurnDone
from bot.core.errors import ContextTooLong, ProviderUnavailable
from bot.core.events import Finish, FinishReason
from bot.core.ledger import CallKind, Whose
from bot.core.turn_record import Summary
from tests.bot.core.chore_shop import BIG, KEY, LONG, PLACE, WINDOW, Shop, sent_for, shop
from tests.fakes.providers import Script, calls_tool, says

GIST = "Ann takes the train to Oslo at nine."
TASK = "[This is no message of the conversation"
TEXT = "[A person:]"
OLD = tuple((f"Question {number}", LONG) for number in range(16))


async def full(desk: Shop) -> TurnDone:
    """A thread whose last prompt came near the high-water mark, and is in its provider's cache."""
    done = await desk.talk(*OLD)
    turns = await desk.turns.recent(KEY, from_seq=0, limit=200)
    return replace(done, prompt_tokens=int(0.85 * WINDOW.high), sent=sent_for(turns, at=desk.clock.now()))


async def compact(desk: Shop, uid: str = "c") -> Compaction:
    return await desk.chores.compact(PLACE, "x:2", uid=uid, model=BIG, window=WINDOW, now=desk.clock.now())


def beginnings(desk: Shop) -> list[str]:
    """How the last message of each request begins."""
    return [request.messages[-1].text[: len(TASK)] for request in desk.provider.requests]


async def test_a_summary_over_the_warm_prompt_stands_for_the_same_turns_as_one_of_a_text() -> None:
    warm, cold = shop(says(GIST), cheap=BIG), shop(says(GIST), cheap=BIG)
    await warm.chores.after_turn(await full(warm))
    await cold.chores.after_turn(replace(await full(cold), sent=None))

    assert beginnings(warm) == [TASK]
    assert beginnings(cold)[0].startswith(TEXT)
    summary = (await warm.threads.state(KEY)).summary
    assert summary is not None
    assert summary == (await cold.threads.state(KEY)).summary
    assert f"> Ann: Question {summary.upto_seq + 1}\n" in warm.provider.requests[0].messages[-1].text
    (row,) = warm.rows
    assert (row.kind, row.model, row.turn_uid) == (CallKind.SUMMARY, "alpha/big", f"{KEY}~summary~15")


async def test_a_cheaper_model_gets_a_text() -> None:
    desk = shop(says(GIST))
    await desk.chores.after_turn(await full(desk))

    assert beginnings(desk)[0].startswith(TEXT)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(calls_tool("look_up"), id="a tool"),
        pytest.param([Finish(reason=FinishReason.STOP)], id="silence"),
        pytest.param([Finish(reason=FinishReason.LENGTH)], id="thought too long"),
        pytest.param([ContextTooLong("too long", provider="alpha")], id="too long"),
    ],
)
async def test_a_model_that_does_not_write_it_that_way_is_asked_for_a_text(script: Script) -> None:
    desk = shop(script, says(GIST), cheap=BIG)
    done = await full(desk)
    desk.chores._warm.remember(KEY, done.sent)
    compaction = await compact(desk)

    assert beginnings(desk)[0] == TASK
    assert beginnings(desk)[1].startswith(TEXT)
    assert (await desk.threads.state(KEY)).summary == Summary(upto_seq=13, text=GIST)
    assert list(compaction.rows) == desk.rows
    assert len({row.id for row in desk.rows}) == len(desk.rows)


async def test_a_provider_that_is_down_is_not_asked_again_at_once() -> None:
    desk = shop([ProviderUnavailable("down", provider="alpha", retry_after_s=999.0)], cheap=BIG)
    await desk.chores.after_turn(await full(desk))

    assert len(desk.provider.requests) == 1
    assert (await desk.threads.state(KEY)).summary is None


async def test_a_budget_that_has_no_room_for_the_whole_prompt_may_have_it_for_the_text() -> None:
    budget = BudgetKey(whose=Whose.ALL, key="", period=Period.DAY)
    limit = BudgetLimit(budget=budget, nano_usd=50_000_000, giver=Giver.OWNER)
    desk = shop(says(GIST), cheap=BIG, limits=(limit,))
    done = await full(desk)
    assert done.sent is not None
    long = replace(done.sent.request, system="Be kind. " * 4_000)
    await desk.chores.after_turn(replace(done, sent=replace(done.sent, request=long)))

    assert beginnings(desk)[0].startswith(TEXT)
    assert (await desk.threads.state(KEY)).summary is not None


async def test_compacting_takes_the_warm_prompt_within_five_minutes() -> None:
    soon, late = shop(says(GIST), cheap=BIG), shop(says(GIST), cheap=BIG)
    for desk, seconds in ((soon, 200), (late, 301)):
        done = await full(desk)
        await desk.chores.after_turn(replace(done, prompt_tokens=100))
        await desk.clock.advance(seconds)
        await compact(desk)

    assert beginnings(soon) == [TASK]
    assert beginnings(late)[0].startswith(TEXT)


async def test_compacting_after_an_answer_of_another_process_takes_the_text() -> None:
    desk = shop(says(GIST), cheap=BIG)
    done = await full(desk)
    await desk.chores.after_turn(replace(done, prompt_tokens=100))
    await desk.talk(("And then?", "To Bergen."), ("And then?", "To Voss."))
    await compact(desk)

    assert beginnings(desk)[0].startswith(TEXT)
