"""What was looked up is kept for a while, and looked up once at a time."""

import asyncio

import pytest

from bot.tools._recent import Recent, Shared
from tests.fakes.clock import ManualClock


class _Errand:
    """Work that waits for a gate, and counts how often it is begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def run(self) -> str:
        self.begun += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return f"result {self.begun}"


async def test_a_value_is_kept_until_its_time_is_over() -> None:
    clock = ManualClock(auto=False)
    recent: Recent[str, str] = Recent(clock, size=2, ttl_s=60.0)
    recent.put("a", "1")

    await clock.advance(59.0)
    assert recent.get("a") == "1"

    await clock.advance(1.0)
    assert recent.get("a") is None


def test_the_oldest_goes_where_there_is_no_room() -> None:
    recent: Recent[str, str] = Recent(ManualClock(), size=2, ttl_s=60.0)
    for key in ("a", "b", "a", "c"):
        recent.put(key, key)

    assert [recent.get(key) for key in ("a", "b", "c")] == ["a", None, "c"]


async def test_equal_work_is_done_once_and_only_one_caller_did_it() -> None:
    shared: Shared[str, str] = Shared()
    errand = _Errand()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(shared.run("a", errand.run)) for _ in range(3)]
        other = group.create_task(shared.run("b", errand.run))
        await asyncio.sleep(0)
        errand.gate.set()

    assert errand.begun == 2
    assert sorted(task.result()[1] for task in tasks) == [False, False, True]
    assert other.result()[1] is True


async def test_a_failure_is_told_to_all_who_wait_and_then_forgotten() -> None:
    shared: Shared[str, str] = Shared()
    errand = _Errand()
    errand.error = LookupError("nothing there")
    outcomes: list[str] = []

    async def run() -> None:
        with pytest.raises(LookupError) as caught:
            await shared.run("a", errand.run)
        outcomes.append(str(caught.value))

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        group.create_task(run())
        await asyncio.sleep(0)
        errand.gate.set()
    errand.error = None

    assert outcomes == ["nothing there", "nothing there"]
    assert await shared.run("a", errand.run) == ("result 2", True)


async def test_whoever_waits_takes_over_when_the_worker_is_stopped() -> None:
    shared: Shared[str, str] = Shared()
    errand = _Errand()
    async with asyncio.TaskGroup() as group:
        worker = group.create_task(shared.run("a", errand.run))
        await asyncio.sleep(0)
        waiting = group.create_task(shared.run("a", errand.run))
        await asyncio.sleep(0)
        worker.cancel()
        errand.gate.set()

    assert worker.cancelled()
    assert waiting.result() == ("result 2", True)


async def test_one_who_stops_waiting_stops_nobody_else() -> None:
    shared: Shared[str, str] = Shared()
    errand = _Errand()
    async with asyncio.TaskGroup() as group:
        worker = group.create_task(shared.run("a", errand.run))
        await asyncio.sleep(0)
        waiting = group.create_task(shared.run("a", errand.run))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        errand.gate.set()

    assert worker.result() == ("result 1", True)
