"""Ending a wait from outside: Stop and the turn's deadline, without cancelling the task that waits.

The lane goes on after Stop (it has a partial answer to store and to show), so Stop must not be a cancellation.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bot.core.errors import ParleyError, TurnTimeout

T = TypeVar("T")


class StopRequested(ParleyError):
    """Somebody pressed Stop."""


class Interrupt:
    """One turn's deadline and Stop switch. Times are those of the running event loop."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeout_s
        self._wait: asyncio.Timeout | None = None
        self.requested = False

    def start(self) -> None:
        """The deadline counts from now."""
        self._deadline = self._loop.time() + self._timeout_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, not below zero."""
        return max(0.0, self._deadline - self._loop.time())

    def request(self) -> None:
        """Stop: the present `within` and every later one raises."""
        self.requested = True
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(self._loop.time())

    async def within(self, awaitable: Awaitable[T]) -> T:
        """Await, but not beyond Stop or the deadline. One wait at a time.

        Raises:
            StopRequested: Stop came before or meanwhile.
            TurnTimeout: the deadline passed.
        """
        try:
            async with asyncio.timeout_at(self._loop.time() if self.requested else self._deadline) as wait:
                self._wait = wait
                return await awaitable
        except TimeoutError as error:
            if not wait.expired():
                raise
            if self.requested:
                raise StopRequested from error
            raise TurnTimeout(self._timeout_s) from error
        finally:
            self._wait = None
