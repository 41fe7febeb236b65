"""The fake's time, ids and change signal.

Time is the machine's clock plus an offset that a test may advance, so that a 15 minute token
expires without anybody sleeping. Snowflakes grow strictly, as Discord's do.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

DISCORD_EPOCH_MS = 1_420_070_400_000

T = TypeVar("T")


class Clock:
    """Seconds since 1970, advanced at will by a test."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def now_s(self) -> float:
        return time.time() + self._offset_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s(), UTC)

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds


class Snowflakes:
    """Strictly growing ids: milliseconds since 2015 above 22 bits of worker and sequence."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0
        self._sequence = 0

    def next(self, *, new_millisecond: bool = False) -> int:
        """Give the next id; `new_millisecond` spreads guilds over the shards ((id >> 22) % count)."""
        now_ms = int(self._clock.now_s() * 1000) - DISCORD_EPOCH_MS
        if now_ms > self._last_ms or new_millisecond or self._sequence == 0xFFF:
            self._last_ms = max(now_ms, self._last_ms + 1)
            self._sequence = 0
        else:
            self._sequence += 1
        return self._last_ms << 22 | self._sequence


def timestamp_of(snowflake: int) -> datetime:
    return datetime.fromtimestamp(((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000, UTC)


class Changes:
    """Wakes those who wait for the fake's state to satisfy a predicate."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def wait_for(self, predicate: Callable[[], T], deadline_s: float) -> T:
        """Return the first truthy value of the predicate, asked again after each change.

        Raises:
            TimeoutError: the deadline passed.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(deadline_s):
            while not (value := predicate()):
                waiter: asyncio.Future[None] = loop.create_future()
                self._waiting.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiting.discard(waiter)
        return value
