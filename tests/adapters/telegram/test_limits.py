"""The pace of all chats together, in virtual time."""

import asyncio

from adapters.telegram.limits import OVERALL, Meter, OverallPace
from bot.core.ports import Rate
from tests.fakes.clock import ManualClock


async def test_calls_that_arrive_late_still_keep_the_rate() -> None:
    clock = ManualClock()
    meter = Meter(clock, Rate(calls=3, window_s=1.0))
    arrivals: list[float] = []

    async def call(number: int) -> None:
        async with meter.turn():
            await clock.sleep(0.9 if number < 3 else 0.0)  # the first ones are slow to arrive
            arrivals.append(clock.elapsed_s)

    async with asyncio.TaskGroup() as group:
        for number in range(9):
            group.create_task(call(number))

    assert all(later - earlier > 0.999 for earlier, later in zip(arrivals, arrivals[3:], strict=False))
    assert len(arrivals) == 9


async def test_sends_do_not_queue_behind_edits() -> None:
    clock = ManualClock()
    pace = OverallPace(clock)
    sent: list[float] = []

    async def edit() -> None:
        async with pace.edit():
            pass

    async def send() -> None:
        async with pace.send():
            sent.append(clock.elapsed_s)

    async with asyncio.TaskGroup() as group:
        for _ in range(10 * OVERALL.calls):
            group.create_task(edit())
        await clock.sleep(0.5)
        for _ in range(5):
            group.create_task(send())

    assert sent == [0.5] * 5


async def test_a_call_that_is_cancelled_gives_its_slot_back() -> None:
    clock = ManualClock()
    meter = Meter(clock, Rate(calls=1, window_s=1.0))
    async with meter.turn():
        pass

    async def wait() -> None:
        async with meter.turn():
            pass

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait())
        await clock.sleep(0.5)
        waiting.cancel()
    await wait()

    assert clock.elapsed_s == 1.5
