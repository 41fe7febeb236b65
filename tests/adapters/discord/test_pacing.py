"""The global limit: nobody waits without need, no second holds too many, and the order is kept."""

import asyncio

from adapters.discord.pacing import Pacer
from tests.fakes.clock import ManualClock

DISCORDS_LIMIT = 50


async def departures(pacer: Pacer, clock: ManualClock, count: int) -> list[tuple[int, float]]:
    """Who left when, of `count` that come at once."""
    left: list[tuple[int, float]] = []

    async def leave(number: int) -> None:
        await pacer.departure()
        left.append((number, clock.elapsed_s))

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(leave(number))
    return left


async def test_a_few_requests_do_not_wait() -> None:
    clock = ManualClock()
    left = await departures(Pacer(clock), clock, 5)

    assert [at_s for _, at_s in left] == [0.0] * 5


async def test_no_second_holds_more_than_discord_allows_with_a_margin() -> None:
    clock = ManualClock()
    left = await departures(Pacer(clock), clock, 400)
    times = [at_s for _, at_s in left]
    fullest = max(sum(start <= at_s < start + 1 for at_s in times) for start in times)

    assert [number for number, _ in left] == list(range(400))
    assert fullest <= 0.92 * DISCORDS_LIMIT
    assert times[-1] < 400 / 39


async def test_a_pause_holds_up_everybody_and_does_not_end_in_a_burst() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(departures(pacer, clock, 60))
        await clock.advance(0.5)
        pacer.pause(10)
    late = [at_s for _, at_s in leaving.result() if at_s > 0.5]

    assert len(late) > 30
    assert min(late) >= 10.5
    assert max(sum(start <= at_s < start + 1 for at_s in late) for start in late) <= 0.92 * DISCORDS_LIMIT


async def test_without_limits_nobody_waits_until_the_server_says_otherwise() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)
    pacer.active = False
    await departures(pacer, clock, 500)

    assert clock.elapsed_s == 0
    pacer.pause(1)
    left = await departures(pacer, clock, 1)
    assert left[0][1] >= 1
