"""Calls to a Messenger for one answer: paced, each with a deadline, repeated where that can help.

Decides by the kind of a DeliveryError alone; what the calls show is not its business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.pacing import Pacer, Pacers
from bot.core.place import Place
from bot.core.ports import Clock, Messenger

_TRIES = 6
#: For a platform that says "too many requests" without saying how long.
_RETRY_AFTER_S = 5.0

T = TypeVar("T")


class Calls:
    """The calls of one answer in `place`; `call_timeout_s` bounds each by the real clock.

    `permit` is awaited before a message is sent or changed, and raises when that is not ours to do any more.
    """

    def __init__(
        self,
        messenger: Messenger,
        pacers: Pacers,
        clock: Clock,
        place: Place,
        *,
        jitter: Callable[[], float],
        call_timeout_s: float,
        permit: Callable[[], Awaitable[None]],
    ) -> None:
        self.messenger = messenger
        self.permit = permit
        self.place = place
        self.clock = clock
        self.capabilities = messenger.capabilities(place)
        self._pacers = pacers
        self._jitter = jitter
        self._call_timeout_s = call_timeout_s

    async def pace(self, *, urgent: bool) -> None:
        """Wait until the chat may be written to, and count the call that follows."""
        await self._pacer.wait(urgent=urgent)

    async def once(self, call: Awaitable[T]) -> T:
        """Make a call that was paced; a rate limit holds up the chat's next ones. Raises DeliveryError."""
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await call
        except TimeoutError:
            kind = DeliveryKind.UNKNOWN_AFTER_SEND
            raise DeliveryError(kind, f"no reply in {self._call_timeout_s:.0f} s") from None
        except DeliveryError as error:
            if error.kind is DeliveryKind.RATE_LIMITED:
                self._pacer.penalise(_RETRY_AFTER_S if error.retry_after_s is None else error.retry_after_s)
            raise

    async def land(self, attempt: Callable[[], Awaitable[T]], *, deadline: float) -> T:
        """Repeat `attempt` until it returns: after a rate limit as often as it takes, else a few times.

        `deadline` is by the clock's monotonic time. Raises DeliveryError when repeating does not help any
        more.
        """
        failures = 0
        while True:
            await self._pace_until(deadline)
            try:
                return await attempt()
            except DeliveryError as error:
                if error.kind is DeliveryKind.RATE_LIMITED:
                    continue
                failures += 1
                if error.kind is not DeliveryKind.TRANSIENT or failures == _TRIES:
                    raise
            await self.clock.sleep(2.0 ** (failures - 2) * (0.5 + self._jitter()))

    async def _pace_until(self, deadline: float) -> None:
        delay_s = self._pacer.next_free_s(urgent=True)
        if self.clock.monotonic() + delay_s > deadline:
            raise DeliveryError(DeliveryKind.RATE_LIMITED, "not before the deadline", retry_after_s=delay_s)
        await self._pacer.wait(urgent=True)

    @property
    def _pacer(self) -> Pacer:
        return self._pacers.of(self.place, self.capabilities)


class Worker:
    """A background task that is ended between its calls, never within one.

    A call that is cancelled may have been carried out all the same, and then nobody knows the message's id.
    """

    def __init__(self) -> None:
        self.ending = False
        self._busy = False
        self._task: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup, work: Coroutine[object, object, None]) -> None:
        """Begin; done once."""
        self._task = tasks.create_task(work)

    @property
    def started(self) -> bool:
        return self._task is not None

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Hold off the end while a call is under way."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def end(self) -> None:
        """Let it end: now, or after the call it is in."""
        self.ending = True
        if self._task is not None and not self._busy:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait for the end."""
        if self._task is not None:
            await asyncio.wait([self._task])
