"""What was looked up a short while ago, and what is being looked up now: the same thing is not paid for twice.

Kept in memory, for everybody alike. Knows nothing of what it keeps.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from bot.core.ports import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The `size` newest values, each for `ttl_s` seconds."""

    def __init__(self, clock: Clock, *, size: int, ttl_s: float) -> None:
        self._clock = clock
        self._size = size
        self._ttl_s = ttl_s
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is kept for `key`; None: nothing, or it is too old."""
        value, kept_at_s = self._kept.get(key, (None, 0.0))
        return value if value is not None and self._clock.monotonic() - kept_at_s < self._ttl_s else None

    def put(self, key: K, value: V) -> None:
        """Keep a value; the oldest goes where there is no room."""
        self._kept.pop(key, None)
        self._kept[key] = (value, self._clock.monotonic())
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)


class Shared(Generic[K, V]):
    """Work that several wait for is done once at a time. A failure is everybody's, a cancellation only the worker's."""

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Future[V]] = {}

    async def run(self, key: K, work: Callable[[], Awaitable[V]]) -> tuple[V, bool]:
        """What `work` returns, here or where it runs already for `key`; and whether it ran here."""
        while (running := self._running.get(key)) is not None:
            await asyncio.wait([running])
            if not running.cancelled():
                return running.result(), False
        return await self._work(key, work), True

    async def _work(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._running[key] = future
        try:
            value = await work()
        except asyncio.CancelledError:
            future.cancel()  # whoever waits takes over
            raise
        except Exception as error:
            future.set_exception(error)
            future.exception()  # looked at: nobody may be waiting
            raise
        else:
            future.set_result(value)
            return value
        finally:
            del self._running[key]
