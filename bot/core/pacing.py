"""How fast one chat may be written to: sliding windows, a spread of edits, penalties of the platform.

One pacer per chat, so one chat never waits for another. Knows nothing of messages: it only hands out
permission for calls. What a platform limits over all its chats is the adapter's own business.
"""

import asyncio
from collections import deque

from bot.core.place import Place
from bot.core.ports import Capabilities, Clock, Rate

_SWEEP_S = 60.0
#: Shorter waits are none: sums of floats may leave a remainder that no clock can sleep off.
_TICK_S = 0.001


class Pacer:
    """Permissions for calls in one chat.

    Urgent calls (sends and last states) may use every call of a window, in the order of asking. The others
    leave `reserved` calls free, keep `edit_interval_s` from any call before, and spread out the more, the
    fuller the window is: a long answer slows its edits down instead of stalling when the window is used up.
    """

    def __init__(self, clock: Clock, capabilities: Capabilities) -> None:
        self._clock = clock
        self._rates = capabilities.rates
        self._reserved = capabilities.reserved
        self._interval_s = capabilities.edit_interval_s
        self._keep_s = max([self._interval_s, *(rate.window_s for rate in self._rates)])
        self._calls: deque[float] = deque()
        self._blocked_until = float("-inf")
        self._urgent = asyncio.Lock()

    async def wait(self, *, urgent: bool) -> None:
        """Return when a call may be made, and count it."""
        if urgent:
            async with self._urgent:  # FIFO: of two answers in one chat none starves
                await self._take(urgent=True)
        else:
            await self._take(urgent=False)

    def next_free_s(self, *, urgent: bool) -> float:
        """Seconds until a call could be made if nobody else made one; 0.0 is now."""
        now = self._forget()
        at = self._blocked_until
        for rate in self._rates:
            at = max(at, self._free_at(rate, urgent=urgent))
        if not urgent and self._calls:
            at = max(at, self._calls[-1] + self._interval_s)
        return at - now if at - now > _TICK_S else 0.0

    def penalise(self, retry_after_s: float) -> None:
        """The platform wants no call in this chat for so long."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + retry_after_s)

    @property
    def idle(self) -> bool:
        """Whether forgetting this pacer changes nothing; then there is nothing to wait for, either."""
        now = self._forget()
        return not self._calls and self._blocked_until <= now

    async def _take(self, *, urgent: bool) -> None:
        while (delay_s := self.next_free_s(urgent=urgent)) > 0:
            await self._clock.sleep(delay_s)
        self._calls.append(self._clock.monotonic())

    def _free_at(self, rate: Rate, *, urgent: bool) -> float:
        budget = max(1, rate.calls if urgent else rate.calls - self._reserved)
        starts = self._clock.monotonic() - rate.window_s
        used = [at for at in self._calls if at > starts]
        if len(used) >= budget:
            return used[-budget] + rate.window_s
        if urgent or not used:
            return float("-inf")
        # With the factor 2 the calls of a window take just longer than the window: it is never used up.
        return used[-1] + 2 * rate.window_s / budget * len(used) / budget

    def _forget(self) -> float:
        """Drop calls that count nowhere any more; returns the time."""
        now = self._clock.monotonic()
        while self._calls and self._calls[0] <= now - self._keep_s:
            self._calls.popleft()
        return now


class Pacers:
    """The pacers of all chats that were written to lately; idle ones are dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pacers: dict[str, Pacer] = {}
        self._sweep_at = clock.monotonic() + _SWEEP_S

    def __len__(self) -> int:
        return len(self._pacers)

    def of(self, place: Place, capabilities: Capabilities) -> Pacer:
        """The pacer of the chat; ask anew for every call, it may be another one after a while of silence."""
        if self._clock.monotonic() >= self._sweep_at:
            self._sweep()
        key = place.thread_key if capabilities.rates_per_thread else place.channel_key
        pacer = self._pacers.get(key)
        if pacer is None:
            pacer = self._pacers[key] = Pacer(self._clock, capabilities)
        return pacer

    def _sweep(self) -> None:
        self._pacers = {key: pacer for key, pacer in self._pacers.items() if not pacer.idle}
        self._sweep_at = self._clock.monotonic() + _SWEEP_S
