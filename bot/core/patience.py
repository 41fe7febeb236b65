"""Waiting out a storage outage: try again until it works, and tell each chat once that this is why it waits."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.core.errors import StorageUnavailable
from bot.core.place import Place
from bot.core.ports import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 3.0


class Patience:
    """Retries storage operations (all are idempotent). `notify` tells a chat in plain words; it never raises."""

    def __init__(self, clock: Clock, notify: Callable[[Place], Awaitable[None]]) -> None:
        self._clock = clock
        self._notify = notify
        self._told: set[str] = set()
        self._out_since: float | None = None

    async def persist(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        place: Place | None = None,
        deadline_s: float | None = None,
    ) -> T:
        """The result of `operation`, tried until it works. `place` is told at the first failure (None: nobody is).

        Raises:
            StorageUnavailable: nothing worked within `deadline_s` (None: no limit).
        """
        give_up_at = None if deadline_s is None else self._clock.monotonic() + deadline_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                result = await operation()
            except StorageUnavailable as error:
                self._note_outage(error)
                if give_up_at is not None and self._clock.monotonic() + pause_s > give_up_at:
                    raise
                await self._tell(place)
            else:
                self._note_recovery()
                return result
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _tell(self, place: Place | None) -> None:
        if place is not None and place.channel_key not in self._told:
            self._told.add(place.channel_key)
            await self._notify(place)

    def _note_outage(self, error: StorageUnavailable) -> None:
        if self._out_since is None:
            self._out_since = self._clock.monotonic()
            log.error("storage is away: %s %s", error, error.remedy)

    def _note_recovery(self) -> None:
        if self._out_since is not None:
            log.warning("storage is back after %.1f s", self._clock.monotonic() - self._out_since)
            self._out_since = None
            self._told.clear()
