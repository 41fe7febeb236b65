"""Waiting for a state of the fake without sleeping: every change wakes all waiters, which look again."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Signal:
    """Wakes waiters on `fire`; lives in one event loop."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Let every waiter look again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_for(self, predicate: Callable[[], T], deadline_s: float) -> T:
        """Return the first true value of `predicate`.

        Raises:
            TimeoutError: it was never true within `deadline_s`.
        """
        async with asyncio.timeout(deadline_s):
            while not (value := predicate()):
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiters.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.discard(waiter)
        return value
