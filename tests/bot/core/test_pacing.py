"""How often one chat is written to."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.core.pacing import Pacer, Pacers
from bot.core.place import ChatKind, Place
from bot.core.ports import Capabilities, Rate
from tests.fakes.clock import ManualClock
from tests.fakes.messenger import CAPABILITIES

PLACE = Place(platform="test", account="1", chat="10", kind=ChatKind.SHARED)
FIVE_IN_FIVE = replace(CAPABILITIES, edit_interval_s=0.1, rates=(Rate(calls=5, window_s=5.0),), reserved=2)
TWENTY_A_MINUTE = replace(CAPABILITIES, edit_interval_s=1.0, rates=(Rate(calls=20, window_s=60.0),), reserved=6)


async def take(pacer: Pacer, clock: ManualClock, count: int, *, urgent: bool) -> list[float]:
    times = []
    for _ in range(count):
        await pacer.wait(urgent=urgent)
        times.append(round(clock.elapsed_s, 2))
    return times


@pytest.mark.parametrize("capabilities", [FIVE_IN_FIVE, TWENTY_A_MINUTE], ids=["5 in 5 s", "20 in 60 s"])
@pytest.mark.parametrize("urgent", [True, False], ids=["urgent", "edits"])
async def test_no_window_ever_holds_more_calls_than_allowed(capabilities: Capabilities, urgent: bool) -> None:
    clock = ManualClock()
    times = await take(Pacer(clock, capabilities), clock, 60, urgent=urgent)
    rate = capabilities.rates[0]
    allowed = rate.calls if urgent else rate.calls - capabilities.reserved

    for begin in times:
        assert sum(begin <= at < begin + rate.window_s - 0.05 for at in times) <= allowed


async def test_urgent_calls_go_out_at_once_until_the_window_is_full() -> None:
    clock = ManualClock()

    assert await take(Pacer(clock, FIVE_IN_FIVE), clock, 6, urgent=True) == [0, 0, 0, 0, 0, 5.0]


async def test_edits_leave_the_reserved_calls_to_urgent_ones() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, FIVE_IN_FIVE)
    await take(pacer, clock, 20, urgent=False)

    assert pacer.next_free_s(urgent=False) > 0
    assert pacer.next_free_s(urgent=True) == 0
    began = round(clock.elapsed_s, 2)
    assert await take(pacer, clock, 2, urgent=True) == [began, began]


async def test_edits_begin_fast_and_slow_down_instead_of_stalling() -> None:
    clock = ManualClock()
    times = await take(Pacer(clock, TWENTY_A_MINUTE), clock, 60, urgent=False)
    gaps = [after - before for before, after in pairwise(times)]

    assert gaps[0] == 1.0
    assert max(gaps) < 9.0
    assert times[-1] < 400.0


async def test_edits_keep_their_interval_from_any_call_before() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, replace(CAPABILITIES, edit_interval_s=1.5, rates=()))
    await pacer.wait(urgent=True)
    await pacer.wait(urgent=False)

    assert clock.elapsed_s == 1.5


async def test_a_penalty_holds_up_every_call() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, FIVE_IN_FIVE)
    pacer.penalise(90.0)
    pacer.penalise(10.0)

    assert pacer.next_free_s(urgent=True) == 90.0
    assert await take(pacer, clock, 1, urgent=True) == [90.0]


async def test_urgent_calls_are_served_in_the_order_of_asking() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, FIVE_IN_FIVE)
    served = []

    async def ask(name: int) -> None:
        await pacer.wait(urgent=True)
        served.append((name, round(clock.elapsed_s)))

    async with asyncio.TaskGroup() as tasks:
        for name in range(12):
            tasks.create_task(ask(name))

    assert served == [(name, name // 5 * 5) for name in range(12)]


async def test_a_newcomer_does_not_overtake_one_who_waits() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, FIVE_IN_FIVE)
    served = []

    async def ask(name: str, at_s: float) -> None:
        await clock.sleep(at_s)
        await pacer.wait(urgent=True)
        served.append(name)

    await take(pacer, clock, 5, urgent=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask("newcomer", 5.0))
        tasks.create_task(ask("first", 1.0))

    assert served == ["first", "newcomer"]


async def test_whoever_gives_up_waiting_takes_no_call() -> None:
    clock = ManualClock(auto=False)
    pacer = Pacer(clock, FIVE_IN_FIVE)
    await take(pacer, clock, 5, urgent=True)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(pacer.wait(urgent=True))
        await clock.settle()
        waiting.cancel()
    await clock.advance(5.0)

    assert await take(pacer, clock, 5, urgent=True) == [5.0] * 5


async def test_chats_do_not_wait_for_each_other() -> None:
    pacers = Pacers(ManualClock())
    pacers.of(PLACE, FIVE_IN_FIVE).penalise(60.0)

    assert pacers.of(replace(PLACE, chat="11"), FIVE_IN_FIVE).next_free_s(urgent=True) == 0


async def test_threads_share_their_chats_pacer_unless_they_have_limits_of_their_own() -> None:
    pacers = Pacers(ManualClock())
    own = replace(FIVE_IN_FIVE, rates_per_thread=True)
    thread = replace(PLACE, thread="7")

    assert pacers.of(thread, FIVE_IN_FIVE) is pacers.of(PLACE, FIVE_IN_FIVE)
    assert pacers.of(thread, own) is not pacers.of(PLACE, own)


async def test_pacers_of_silent_chats_are_dropped() -> None:
    clock = ManualClock()
    pacers = Pacers(clock)
    for chat in range(1_000):
        await pacers.of(replace(PLACE, chat=str(chat)), FIVE_IN_FIVE).wait(urgent=True)
    pacers.of(replace(PLACE, chat="penalised"), FIVE_IN_FIVE).penalise(600.0)
    await clock.sleep(61.0)
    pacers.of(PLACE, FIVE_IN_FIVE)

    assert len(pacers) == 2


async def test_a_pacer_that_somebody_waits_for_is_kept() -> None:
    clock = ManualClock()
    pacers = Pacers(clock)
    pacer = pacers.of(PLACE, TWENTY_A_MINUTE)
    await take(pacer, clock, 20, urgent=True)
    await clock.sleep(59.0)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(take(pacer, clock, 25, urgent=True))
        await clock.sleep(30.0)
        pacers.of(replace(PLACE, chat="11"), TWENTY_A_MINUTE)

        assert pacers.of(PLACE, TWENTY_A_MINUTE) is pacer
        assert not waiting.done()
