"""Keeps all requests of the bot together below Discord's global limit of 50 a second.

First come, first served over all channels; knows nothing of the limits of one channel, which the core keeps
by the place's capabilities. discord.py does not pace itself: in a burst its retries eat each other and
messages are lost.
"""

from bot.core.ports import Clock

#: Even spacing with a small burst: at most 45 in any second, and what the network bunches up stays below 50.
SPACING_S = 1 / 40
BURST = 5


class Pacer:
    """Hands out departures. `active` is False while the server shows that it has no limits."""

    def __init__(self, clock: Clock) -> None:
        self.active = True
        self._clock = clock
        self._next_s = clock.monotonic()
        self._paused_until_s = float("-inf")

    @property
    def wait_s(self) -> float:
        """How long somebody who came now would wait."""
        if not self.active:
            return 0.0
        return max(0.0, self._next_s - (BURST - 1) * SPACING_S - self._clock.monotonic())

    async def departure(self) -> None:
        """Wait for one's turn."""
        while (wait_s := self._reserve()) > 0:
            await self._clock.sleep(wait_s)
            if self._clock.monotonic() >= self._paused_until_s:
                return

    def pause(self, seconds: float) -> None:
        """The server said that everybody has to wait; who waits already queues up again behind the pause."""
        self.active = True
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic() + seconds)
        self._next_s = max(self._next_s, self._paused_until_s + BURST * SPACING_S)

    def _reserve(self) -> float:
        """Take the next free departure (generic cell rate algorithm) and return the seconds until then."""
        wait_s = self.wait_s
        if self.active:
            self._next_s = max(self._next_s, self._clock.monotonic()) + SPACING_S
        return wait_s
