"""What stands in front of every operation: a fair queue, a circuit breaker, honest errors, cancellation."""

import asyncio

import pytest
from pymongo.errors import NetworkTimeout, OperationFailure

from bot.core.errors import StorageUnavailable
from bot.storage.guard import OPEN_S, POOL_SIZE, Guard
from tests.fakes.clock import ManualClock


async def fails(guard: Guard, error: Exception) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        async with guard.operation():
            raise error
    return caught.value


async def works(guard: Guard) -> None:
    async with guard.operation():
        pass


async def times_out(guard: Guard, times: int) -> None:
    for _ in range(times):
        await fails(guard, NetworkTimeout("timed out"))


async def test_after_three_time_outs_nobody_waits_any_more() -> None:
    guard = Guard(ManualClock())
    await times_out(guard, 2)
    await works(guard)
    await times_out(guard, 3)

    with pytest.raises(StorageUnavailable, match="several times"):
        await works(guard)


async def test_one_caller_every_five_seconds_finds_out_whether_the_server_is_back() -> None:
    clock = ManualClock()
    guard = Guard(clock)
    await times_out(guard, 3)
    await clock.advance(OPEN_S)

    async with guard.operation():
        with pytest.raises(StorageUnavailable, match="several times"):
            await works(guard)

    await works(guard)


async def test_a_caller_that_times_out_again_keeps_the_breaker_open() -> None:
    clock = ManualClock()
    guard = Guard(clock)
    await times_out(guard, 3)
    await clock.advance(OPEN_S)
    await times_out(guard, 1)

    with pytest.raises(StorageUnavailable, match="several times"):
        await works(guard)


async def test_errors_that_are_no_time_outs_do_not_open_the_breaker() -> None:
    guard = Guard(ManualClock())
    for _ in range(10):
        await fails(guard, OperationFailure("no"))

    await works(guard)


async def test_an_error_has_one_line_and_no_credentials() -> None:
    guard = Guard(ManualClock(), secrets=["hunter2", ""])

    error = await fails(guard, OperationFailure("at mongodb://ada:x@host/\nwith hunter2"))

    assert str(error) == "MongoDB: OperationFailure: at mongodb://***@host/ with ***"


async def test_errors_of_the_program_pass_as_they_are() -> None:
    guard = Guard(ManualClock())

    with pytest.raises(KeyError):
        async with guard.operation():
            raise KeyError("x")


async def test_operations_wait_for_a_free_connection_in_the_order_of_their_coming() -> None:
    clock, hold, served = ManualClock(auto=False), asyncio.Event(), []
    guard = Guard(clock)

    async def operate(number: int) -> None:
        async with guard.operation():
            served.append(number)
            await hold.wait()

    async with asyncio.TaskGroup() as tasks:
        for number in range(3 * POOL_SIZE):
            tasks.create_task(operate(number))
        await clock.settle()
        at_once = len(served)
        hold.set()

    assert at_once == POOL_SIZE
    assert served == list(range(3 * POOL_SIZE))


@pytest.mark.parametrize("error", [None, OperationFailure("late")], ids=["result", "error"])
async def test_a_cancellation_that_the_driver_drops_still_ends_the_task(error: Exception | None) -> None:
    guard, waiting = Guard(ManualClock()), asyncio.Event()

    async def operate() -> None:
        async with guard.operation():
            try:
                waiting.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if error is not None:
                    raise error from None

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(operate())
        await waiting.wait()
        task.cancel()

    assert task.cancelled()


async def test_a_task_that_is_being_cancelled_can_still_clean_up() -> None:
    guard, waiting, cleaned = Guard(ManualClock()), asyncio.Event(), []

    async def operate() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            await works(guard)
            cleaned.append(True)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(operate())
        await waiting.wait()
        task.cancel()

    assert cleaned == [True]
