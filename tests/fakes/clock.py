"""Virtual time for tests: a `Clock` whose hours pass in no time and always in the same order.

With `auto` (the default) time jumps to the next sleeper as soon as nothing else in the event loop can run;
without it only `advance` moves it. Knows nothing of real timers, sockets or threads: whoever waits for those
does not own time.
"""

import asyncio
import heapq
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import cast

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """`Clock` that starts at `START` and 1,000 s; past `limit_s` it fails the sleepers of a hopeless wait."""

    def __init__(self, *, auto: bool = True, limit_s: float = 7 * 86_400.0) -> None:
        self._auto = auto
        self._limit_s = limit_s
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._watching = False

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._elapsed_s

    @property
    def sleepers(self) -> int:
        """How many tasks sleep now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return 1_000.0 + self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, self._count, future))
        if self._auto and not self._watching:
            self._watching = True
            loop.call_soon(self._watch, loop)
        await future

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass; sleepers that are due wake in their order, each done before the next."""
        if self._auto:
            await self.sleep(seconds)
            return
        end_s = self._elapsed_s + seconds
        await self.settle()
        while (due_s := self._next_due_s()) is not None and due_s <= end_s:
            self._wake_next()
            await self.settle()
        self._elapsed_s = max(self._elapsed_s, end_s)

    async def settle(self) -> None:
        """Let every other task run until it waits for something."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while _ready_callbacks(loop) > self._watching:  # noqa: ASYNC110  # "nothing can run" is no event
            await asyncio.sleep(0)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if not _ready_callbacks(loop) and self._next_due_s() is not None:
            self._wake_next()
        self._watching = self._next_due_s() is not None
        if self._watching:
            loop.call_soon(self._watch, loop)

    def _next_due_s(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake_next(self) -> None:
        due_s, _, future = heapq.heappop(self._sleepers)
        self._elapsed_s = max(self._elapsed_s, due_s)
        if self._elapsed_s > self._limit_s:
            future.set_exception(RuntimeError(f"{self._limit_s:.0f} s passed: what was awaited never comes"))
        else:
            future.set_result(None)


def _ready_callbacks(loop: asyncio.AbstractEventLoop) -> int:
    """How many callbacks are ready besides the one that runs; asyncio has no public way to ask."""
    return len(cast("deque[object]", loop._ready))  # type: ignore[attr-defined]  # BaseEventLoop's queue
