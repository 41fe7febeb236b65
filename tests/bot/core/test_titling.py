"""Titles of threads: made once by themselves, shown where the platform can, replaced when somebody asks."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import DeliveryKind, ProviderUnavailable, UsageError
from bot.core.events import Outcome
from bot.core.ledger import CallKind
from tests.bot.core.chore_shop import BIG, KEY, PLACE, shop
from tests.fakes.messenger import CAPABILITIES
from tests.fakes.providers import Hold, ScriptedProvider, says

HELLO = ("How do I get to Oslo?", "By train, at nine.")


async def test_the_first_answer_in_a_thread_gives_it_a_title_that_the_platform_shows() -> None:
    desk = shop(says('"Train to Oslo"'))
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert (await desk.threads.state(KEY)).title == "Train to Oslo"
    assert desk.messenger.names == {KEY: "Train to Oslo"}
    (row,) = desk.rows
    assert (row.kind, row.model, row.turn_uid) == (CallKind.TITLE, "alpha/cheap", f"{KEY}~title~0")
    assert "> Ann: How do I get to Oslo?" in desk.provider.requests[0].messages[0].text


async def test_a_thread_is_given_a_title_once() -> None:
    desk = shop(says("Train to Oslo"))
    await desk.chores.after_turn(await desk.talk(HELLO))
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert len(desk.provider.requests) == 1


async def test_two_processes_think_of_one_title() -> None:
    hold = Hold()
    desk = shop([hold, *says("Train to Oslo")])
    done = await desk.talk(HELLO)
    rival = desk.rival(ScriptedProvider(name="alpha"))
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.chores.after_turn(done))
        await hold.reached()
        await rival.chores.after_turn(done)
        hold.release()
    await rival.chores.after_turn(done)

    assert rival.provider.requests == []


async def test_no_title_is_thought_of_outside_of_threads_or_where_that_is_off_or_late() -> None:
    off, channel, failed, late = shop(titles=False), shop(), shop(), shop()
    await off.chores.after_turn(await off.talk(HELLO))
    await channel.chores.after_turn(await channel.talk(HELLO, place=replace(PLACE, thread=None)))
    await failed.chores.after_turn(await failed.talk(HELLO, outcome=Outcome.FAILED))
    await late.chores.after_turn(await late.talk(*[HELLO] * 4))

    assert [desk.provider.requests for desk in (off, channel, failed, late)] == [[], [], [], []]


async def test_a_thread_that_others_opened_keeps_its_name(caplog: pytest.LogCaptureFixture) -> None:
    desk = shop(says("Train to Oslo"))
    desk.messenger.named_by_people = frozenset({"51"})
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert desk.messenger.names == {}
    assert (await desk.threads.state(KEY)).title == "Train to Oslo"
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("kind", list(DeliveryKind))
async def test_a_name_that_cannot_be_changed_costs_nothing_but_that(kind: DeliveryKind) -> None:
    desk = shop(says("Train to Oslo"))
    desk.messenger.fail("rename", kind)
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert (await desk.threads.state(KEY)).title == "Train to Oslo"
    assert desk.messenger.texts() == ()


async def test_where_threads_have_no_names_nobody_is_asked_to_change_them() -> None:
    desk = shop(says("Train to Oslo"))
    desk.messenger.abilities = CAPABILITIES
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert desk.messenger.calls_of("rename") == ()


async def test_a_title_that_somebody_chose_meanwhile_stays() -> None:
    hold = Hold()
    desk = shop([hold, *says("Train to Oslo")])
    done = await desk.talk(HELLO)
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.chores.after_turn(done))
        await hold.reached()
        await desk.threads.set_title(KEY, "My trip", replace=True)
        hold.release()

    assert (await desk.threads.state(KEY)).title == "My trip"
    assert desk.messenger.names == {}


async def test_a_title_that_failed_is_tried_again_after_the_next_answer() -> None:
    desk = shop([ProviderUnavailable("down", provider="alpha", retry_after_s=999.0)], says("Train to Oslo"))
    await desk.chores.after_turn(await desk.talk(HELLO))
    await desk.chores.after_turn(await desk.talk(HELLO))

    assert (await desk.threads.state(KEY)).title == "Train to Oslo"


async def test_a_title_on_request_takes_the_place_of_an_older_one() -> None:
    desk = shop(says("Going to Oslo"))
    await desk.talk(HELLO)
    await desk.threads.set_title(KEY, "Old", replace=True)

    assert await desk.chores.title(PLACE, "x:2", uid="t:1", model=BIG) == "Going to Oslo"

    assert (await desk.threads.state(KEY)).title == "Going to Oslo"
    assert [row.id for row in desk.rows] == ["t:1~0~0"]


async def test_a_title_for_nothing_or_out_of_nothing_is_refused_in_words() -> None:
    desk = shop(says("***"))
    with pytest.raises(UsageError, match="Nothing was said"):
        await desk.chores.title(PLACE, "x:2", uid="t:1", model=BIG)
    await desk.talk(HELLO)
    with pytest.raises(UsageError, match="no title"):
        await desk.chores.title(PLACE, "x:2", uid="t:2", model=BIG)
    await desk.threads.start_afresh(KEY)
    with pytest.raises(UsageError, match="nothing here yet"):
        await desk.chores.title(PLACE, "x:2", uid="t:3", model=BIG)
