"""What stands in front of every database operation: a queue, a circuit breaker and one translation of errors.

Knows nothing of collections. PyMongo's own pool lets waiters starve (p99 2 s at 256 tasks), a fair semaphore
of the pool's size in front of it does not.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from pymongo.errors import PyMongoError

from bot.core.errors import StorageUnavailable
from bot.core.ports import Clock

POOL_SIZE = 32
#: After this many time-outs in a row nobody waits any more, but for one caller every OPEN_S seconds.
TIMEOUTS_TO_OPEN = 3
OPEN_S = 5.0

_USERINFO = re.compile(r"//[^/\s]*@")
_DETAIL_MAX_CHARS = 200
#: From here on the driver tells its own time-outs and its view of the cluster, at length.
_DRIVER_DETAILS = " (configured timeouts"


class Guard:
    """Lets `POOL_SIZE` operations run at a time, first come, first served; none while the server hangs."""

    def __init__(self, clock: Clock, secrets: Collection[str] = ()) -> None:
        self._clock = clock
        self._secrets = tuple(secret for secret in secrets if secret)
        self._slots = asyncio.Semaphore(POOL_SIZE)
        self._timeouts = 0
        self._closed_until = 0.0

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        """Around one database operation.

        Raises:
            StorageUnavailable: for every PyMongoError of the block; at once while the breaker is open.
        """
        self._refuse_while_open()
        async with self._slots:
            self._admit()
            cancellations = _cancellations()
            try:
                async with self.translated():
                    yield
            finally:
                if _cancellations() > cancellations:
                    # In Python 3.11 asyncio.wait_for, which PyMongo sends with, drops a cancellation that
                    # comes in the moment of its result: the task would go on as if nobody had asked.
                    raise asyncio.CancelledError

    @asynccontextmanager
    async def translated(self) -> AsyncIterator[None]:
        """The translation and the counting of time-outs alone, for operations that must not wait (ping)."""
        try:
            yield
        except PyMongoError as error:
            self._timeouts = self._timeouts + 1 if error.timeout else 0
            if self._timeouts >= TIMEOUTS_TO_OPEN:
                self._closed_until = self._clock.monotonic() + OPEN_S
            raise StorageUnavailable(self._describe(error)) from error
        self._timeouts = 0

    def _refuse_while_open(self) -> None:
        if self._timeouts >= TIMEOUTS_TO_OPEN and self._clock.monotonic() < self._closed_until:
            raise StorageUnavailable("MongoDB did not answer several times in a row")

    def _admit(self) -> None:
        self._refuse_while_open()
        if self._timeouts >= TIMEOUTS_TO_OPEN:
            self._closed_until = self._clock.monotonic() + OPEN_S

    def _describe(self, error: PyMongoError) -> str:
        """One line without credentials: the driver does not print the URI, a server behind a proxy might."""
        what = str(error).partition(_DRIVER_DETAILS)[0]
        detail = _USERINFO.sub("//***@", " ".join(what.split()))
        for secret in self._secrets:
            detail = detail.replace(secret, "***")
        return f"MongoDB: {type(error).__name__}: {detail[:_DETAIL_MAX_CHARS]}"


def _cancellations() -> int:
    """How often the present task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
