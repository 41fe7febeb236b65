"""Hands events to the core: those of one channel in their order, each again and again until it is stored.

Knows neither Discord nor what is in an event.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from bot.core.errors import StorageUnavailable
from bot.core.inbound import Inbound
from bot.core.ports import Accept, Clock

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.5
RETRY_LAST_S = 10.0

Job = Callable[[], Awaitable[None]]


class Intake:
    """Runs jobs in lanes. A job translates an event, looks up what it needs, and calls `deliver`."""

    def __init__(self, group: asyncio.TaskGroup, accept: Accept, clock: Clock) -> None:
        self._group = group
        self._accept = accept
        self._clock = clock
        self._lanes: dict[str, deque[Job]] = {}
        self._holds = 0
        self._open = asyncio.Event()
        self._open.set()

    def submit(self, lane: str, job: Job) -> None:
        """Run a job after all others of its lane; what it raises is logged and costs this job alone."""
        waiting = self._lanes.get(lane)
        if waiting is not None:
            waiting.append(job)
            return
        self._lanes[lane] = deque([job])
        self._group.create_task(self._run(lane))

    def submit_first(self, lane: str, job: Job) -> None:
        """Run a job before those of its lane that have not begun; for use while on hold."""
        if lane in self._lanes:
            self._lanes[lane].appendleft(job)
        else:
            self.submit(lane, job)

    def hold(self) -> None:
        """Begin no job until there was a `resume` for each `hold`."""
        self._holds += 1
        self._open.clear()

    def resume(self) -> None:
        """Go on after a `hold`."""
        self._holds -= 1
        if self._holds == 0:
            self._open.set()

    async def deliver(self, inbound: Inbound) -> None:
        """Pass an event to the core until it has it: Discord does not deliver anything again."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                await self._accept(inbound)
                return
            except StorageUnavailable as error:
                log.warning("an event waits for storage: %s", error)
            await self._clock.sleep(delay_s)
            delay_s = min(RETRY_LAST_S, delay_s * 2)

    async def _run(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            await self._open.wait()
            job = waiting.popleft()
            try:
                await job()
            except Exception:
                log.exception("an event of Discord was lost")
        del self._lanes[lane]
