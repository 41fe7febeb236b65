"""A circuit breaker: who fails again and again is left alone for a while, then one call tries whether it works again.

Knows neither models nor errors: whoever makes the calls tells how they ended. Does no I/O and never waits.
"""

from bot.core.ports import Clock

FAILURES_TO_OPEN = 5
FIRST_OPEN_S = 30.0
LONGEST_OPEN_S = 300.0
#: Enough to come to the longest time; more would be too large a number one day.
_MOST_DOUBLINGS = 8
#: What a server asks for is kept up to this: one wrong header must not take a model away for a day.
LONGEST_ASKED_S = 3_600.0
#: While the probe runs, nobody knows how long it takes.
_PROBE_S = 5.0


class Breaker:
    """Closed: all may call. Open: nobody. Half-open, once the time is over: one call, whose end closes or opens it.

    `enter` gives a ticket that the end of the call is told with. A call that began before the breaker opened or closed
    tells nothing about the time since, so its ticket counts no more.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticket = 0
        self._failures = 0
        #: How often it opened in a row; 0: it is closed.
        self._opened = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def open_for_s(self) -> float | None:
        """Seconds for which nobody may call; None: a call may be made."""
        if not self._opened:
            return None
        left_s = self._open_until - self._clock.monotonic()
        if left_s > 0:
            return left_s
        return _PROBE_S if self._probing else None

    def enter(self) -> int | None:
        """Begin a call and return its ticket, to be used for one of the methods below; None: it may not be made."""
        if self.open_for_s is not None:
            return None
        self._probing = bool(self._opened)
        return self._ticket

    def succeeded(self, ticket: int) -> None:
        """The call worked."""
        if ticket != self._ticket:
            return
        self._failures = 0
        if self._opened:
            self._opened, self._probing = 0, False
            self._ticket += 1

    def failed(self, ticket: int) -> None:
        """The call failed, and the next one may fail as well."""
        if ticket != self._ticket:
            return
        self._failures += 1
        if self._opened or self._failures >= FAILURES_TO_OPEN:
            self._open(min(FIRST_OPEN_S * 2**self._opened, LONGEST_OPEN_S))
            self._opened = min(self._opened + 1, _MOST_DOUBLINGS)

    def asked_to_wait(self, ticket: int, seconds: float) -> None:
        """The server wants no call for so long."""
        if ticket == self._ticket:
            self._open(min(seconds, LONGEST_ASKED_S))
            self._opened = max(self._opened, 1)

    def left(self, ticket: int) -> None:
        """The call ended without telling anything: it was stopped, or the request was at fault."""
        if ticket == self._ticket:
            self._probing = False

    def _open(self, seconds: float) -> None:
        self._open_until = self._clock.monotonic() + seconds
        self._failures, self._probing = 0, False
        self._ticket += 1
