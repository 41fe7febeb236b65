"""PyMongo's lock survives the cancellation of an operation that waits for a server."""

import asyncio

from pymongo._asyncio_lock import Condition, Lock
from pymongo.asynchronous import pool, topology

from bot.storage.driver_waits import repair_waits

#: By its name, as PyMongo itself calls it.
_WAIT = "_async_cond_wait"


async def test_a_wait_that_is_cancelled_while_it_takes_the_lock_back_leaves_it_free() -> None:
    repair_waits()
    lock = Lock()
    condition = Condition(lock)
    waiting = asyncio.Event()

    async def wait_and_be_cancelled() -> None:
        async with lock:
            waiting.set()
            await getattr(topology, _WAIT)(condition, 0.01)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(wait_and_be_cancelled())
        await waiting.wait()
        async with lock:
            async with asyncio.timeout(2):
                while not lock._waiters:  # noqa: ASYNC110  # PyMongo's lock tells nobody who waits for it
                    await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            assert lock.locked(), "it is still ours"

    assert task.cancelled()
    assert not lock.locked()


async def test_a_wait_tells_whether_it_was_notified() -> None:
    repair_waits()
    condition = Condition(Lock())

    async def notify() -> None:
        async with condition:
            condition.notify_all()

    async with asyncio.TaskGroup() as group, condition:
        assert await getattr(pool, _WAIT)(condition, 0.01) is False
        group.create_task(notify())
        assert await getattr(pool, _WAIT)(condition, 5) is True
