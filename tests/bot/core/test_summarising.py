"""Summaries: when one is written, what it replaces, and what happens when it cannot be."""

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.core.budget import BudgetKey, BudgetLimit, Giver, Period
from bot.core.calibration import Calibration
from bot.core.chores import TurnDone
from bot.core.errors import ProviderUnavailable, UsageError
from bot.core.events import Finish, FinishReason, TextDelta
from bot.core.ledger import CallKind, Whose
from bot.core.turn_record import Summary
from tests.bot.core.chore_shop import BIG, KEY, LONG, PLACE, WINDOW, Shop, shop
from tests.fakes.money import MemoryCalibrations
from tests.fakes.providers import Hold, ScriptedProvider, says

GIST = "Ann takes the train to Oslo at nine."
DOWN = ProviderUnavailable("down", provider="alpha", retry_after_s=999.0)
OLD = tuple((f"Question {number}", LONG) for number in range(16))


async def full(desk: Shop, turns: int = 16) -> TurnDone:
    """A thread whose last prompt came near the high-water mark."""
    done = await desk.talk(*OLD[:turns])
    return replace(done, prompt_tokens=int(0.85 * WINDOW.high))


async def test_a_context_that_is_nearly_full_is_summarised_down_to_about_the_low_water_mark() -> None:
    desk = shop(says(GIST))
    done = await full(desk)
    await desk.chores.after_turn(done)
    state = await desk.threads.state(KEY)

    assert state.summary is not None
    assert state.summary.text == GIST
    assert state.from_seq == state.summary.upto_seq + 1
    kept = len(OLD) - state.from_seq
    assert 5 <= kept <= 9
    (request,) = desk.provider.requests
    assert str(request.model.ref) == "alpha/cheap"
    assert "> Ann: Question 0" in request.messages[0].text
    assert f"Question {state.summary.upto_seq + 1}" not in request.messages[0].text
    (row,) = desk.rows
    assert (row.kind, row.author_key, row.model) == (CallKind.SUMMARY, "x:1", "alpha/cheap")
    assert row.turn_uid == f"{KEY}~summary~15"


async def test_the_next_summary_takes_the_former_one_in() -> None:
    desk = shop(says(GIST), says("Ann went to Oslo and to Bergen."))
    await desk.chores.after_turn(await full(desk))
    first = (await desk.threads.state(KEY)).summary
    await desk.chores.after_turn(await full(desk, 8))
    second = (await desk.threads.state(KEY)).summary

    assert first is not None
    assert second is not None
    assert second.upto_seq > first.upto_seq
    assert f"> {GIST}" in desk.provider.requests[1].messages[0].text
    assert "Question 0" not in desk.provider.requests[1].messages[0].text.split("[A person:]")[0]


async def test_nothing_is_summarised_while_there_is_room() -> None:
    desk = shop()
    done = await desk.talk(*OLD)
    await desk.chores.after_turn(replace(done, prompt_tokens=int(0.79 * WINDOW.high)))

    assert desk.provider.requests == []


async def test_a_small_oldest_part_is_not_worth_a_summary() -> None:
    desk = shop()
    done = await desk.talk(("a", "b"), ("c", "d"), ("e", "f"), (LONG * 16, "g"))
    await desk.chores.after_turn(replace(done, prompt_tokens=WINDOW.high))

    assert desk.provider.requests == []


async def test_a_long_system_prompt_leaves_less_room_for_turns() -> None:
    short, long = shop(says(GIST)), shop(says(GIST))
    for desk, prompt_tokens in ((short, 8_200), (long, 10_000)):
        done = await desk.talk(*OLD)
        await desk.chores.after_turn(replace(done, prompt_tokens=prompt_tokens))

    assert (await long.threads.state(KEY)).from_seq > (await short.threads.state(KEY)).from_seq


async def test_very_many_short_turns_are_summarised_before_they_are_cut() -> None:
    desk = shop(says(GIST))
    done = await desk.talk(*[(f"What is number {number}?", "It is what it is. " * 3) for number in range(170)])
    await desk.chores.after_turn(done)
    state = await desk.threads.state(KEY)

    assert state.summary is not None
    assert len(await desk.turns.recent(KEY, from_seq=state.from_seq, limit=200)) == 100


async def test_a_turn_that_was_asked_without_the_summary_of_meanwhile_makes_no_second_one() -> None:
    desk = shop(says(GIST))
    await desk.chores.after_turn(await full(desk))
    summary = (await desk.threads.state(KEY)).summary
    late = await desk.talk(("And then?", LONG))
    claimed_before = replace(late.claim, summary=None, from_seq=0)
    await desk.chores.after_turn(replace(late, claim=claimed_before, prompt_tokens=int(0.95 * WINDOW.high)))

    assert summary is not None
    assert (await desk.threads.state(KEY)).summary == summary
    assert len(desk.provider.requests) == 1


async def test_a_turn_that_is_not_in_the_conversation_any_more_makes_no_summary_of_what_follows() -> None:
    desk = shop()
    late = await full(desk)
    await desk.threads.start_afresh(KEY)
    await desk.talk(*OLD[:10])
    await desk.chores.after_turn(late)

    assert desk.provider.requests == []


async def test_only_one_process_writes_a_summary_at_a_time() -> None:
    hold = Hold()
    desk = shop([hold, *says(GIST)])
    done = await full(desk)
    rival = desk.rival(ScriptedProvider(name="alpha"))
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.chores.after_turn(done))
        await hold.reached()
        await rival.chores.after_turn(done)
        with pytest.raises(UsageError, match="right now"):
            await rival.chores.compact(PLACE, "x:2", uid="c", model=BIG, window=WINDOW, now=desk.clock.now())
        hold.release()

    assert rival.provider.requests == []
    assert (await desk.threads.state(KEY)).summary is not None


@pytest.mark.parametrize("script", [[DOWN], [Finish(reason=FinishReason.CONTENT_FILTER)]], ids=["down", "refused"])
async def test_a_summary_that_failed_is_one_line_in_the_log_and_tried_again_later(
    script: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    desk = shop(script, says(GIST))
    done = await full(desk)
    await desk.chores.after_turn(done)

    assert len([record for record in caplog.records if "no summary" in record.getMessage()]) == 1
    assert (await desk.threads.state(KEY)).summary is None
    await desk.chores.after_turn(await full(desk, 1))
    assert (await desk.threads.state(KEY)).summary is not None


async def test_storage_that_is_away_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    desk = shop()
    done = await full(desk)
    desk.threads.down = True
    await desk.chores.after_turn(done)

    assert "no summary" in caplog.text


async def test_a_summary_that_comes_after_a_fresh_start_is_thrown_away() -> None:
    hold = Hold()
    desk = shop([hold, *says(GIST)])
    done = await full(desk)
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.chores.after_turn(done))
        await hold.reached()
        await desk.threads.start_afresh(KEY)
        hold.release()
    state = await desk.threads.state(KEY)

    assert (state.summary, state.from_seq) == (None, len(OLD))
    assert len(desk.rows) == 1


async def test_a_summary_that_reached_its_limit_is_used_as_far_as_it_goes() -> None:
    desk = shop([TextDelta(text=f"{GIST}\nAnd then"), Finish(reason=FinishReason.LENGTH)])
    await desk.chores.after_turn(await full(desk))
    summary = (await desk.threads.state(KEY)).summary

    assert summary is not None
    assert summary.text.startswith(GIST)


async def test_a_summary_is_never_longer_than_it_may_be() -> None:
    desk = shop(says("So it goes. \n" * 5_000))
    await desk.chores.after_turn(await full(desk))
    summary = (await desk.threads.state(KEY)).summary

    assert summary is not None
    assert len(summary.text) < 5_000


async def test_compacting_leaves_the_two_newest_turns_and_tells_what_it_did() -> None:
    desk = shop(says(GIST))
    await desk.talk(*OLD[:6])
    done = await desk.chores.compact(PLACE, "x:2", uid="c:1", model=BIG, window=WINDOW, now=desk.clock.now())
    state = await desk.threads.state(KEY)

    assert state.summary == Summary(upto_seq=3, text=GIST)
    assert (done.turns, state.from_seq) == (4, 4)
    assert 2_500 < done.before_tokens < 3_500
    assert 800 < done.after_tokens < 1_300
    (row,) = desk.rows
    assert (done.rows, row.id, row.author_key) == ((row,), "c:1~0~0", "x:2")


async def test_compacting_says_when_there_is_nothing_to_do() -> None:
    desk = shop()
    with pytest.raises(UsageError, match="Nothing was said"):
        await desk.chores.compact(PLACE, "x:2", uid="c", model=BIG, window=WINDOW, now=desk.clock.now())
    await desk.talk(("Hi", "Hello"), *OLD[:2])

    with pytest.raises(UsageError, match="nothing here to summarise"):
        await desk.chores.compact(PLACE, "x:2", uid="c", model=BIG, window=WINDOW, now=desk.clock.now())


async def test_compacting_that_failed_is_told_and_can_be_tried_again() -> None:
    desk = shop([DOWN], says(GIST))
    await desk.talk(*OLD[:6])
    with pytest.raises(ProviderUnavailable):
        await desk.chores.compact(PLACE, "x:2", uid="c:1", model=BIG, window=WINDOW, now=desk.clock.now())

    assert (
        await desk.chores.compact(PLACE, "x:2", uid="c:2", model=BIG, window=WINDOW, now=desk.clock.now())
    ).turns == 4


async def test_a_summary_longer_than_what_it_stands_for_is_not_used() -> None:
    calibration = Calibration(MemoryCalibrations({"alpha/cheap": 0.5}))
    await calibration.load()
    desk = shop(says("word " * 2_000), calibration=calibration)
    await desk.talk(("x " * 1_700, "ok"), *OLD[:2])
    with pytest.raises(UsageError, match="longer"):
        await desk.chores.compact(PLACE, "x:2", uid="c", model=BIG, window=WINDOW, now=desk.clock.now())

    assert (await desk.threads.state(KEY)).summary is None


async def test_the_chat_is_told_when_a_chore_finds_a_budget_near_its_end() -> None:
    budget = BudgetKey(whose=Whose.ALL, key="", period=Period.DAY)
    desk = shop(says(GIST), says(GIST), limits=(BudgetLimit(budget=budget, nano_usd=1_000_000_000, giver=Giver.OWNER),))
    await desk.talk(*OLD[:6])
    await desk.chores.compact(PLACE, "x:2", uid="c:1", model=BIG, window=WINDOW, now=desk.clock.now())
    (row,) = desk.rows
    expensive = replace(row, id="y~0~0", cost=replace(row.cost, nano_usd=850_000_000))
    fresh = shop(says(GIST), limits=desk.limits)
    await fresh.ledger.append([expensive])
    await fresh.talk(*OLD[:6])
    await fresh.chores.compact(PLACE, "x:2", uid="c:2", model=BIG, window=WINDOW, now=desk.clock.now())

    assert desk.messenger.texts() == ()
    (told,) = fresh.messenger.texts(PLACE)
    assert "budget" in told
