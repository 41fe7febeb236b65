"""Which services failed a moment ago and are better asked last: what is down costs its whole deadline each time."""

import logging
from collections.abc import Mapping

from bot.core.ports import Clock
from bot.tools._look_up import Failure, ServiceFailed

log = logging.getLogger(__name__)

#: Where the service itself does not say how long.
_REST_S: Mapping[Failure, float] = {
    Failure.KEY: 300.0,
    Failure.QUOTA: 300.0,
    Failure.RATE: 5.0,
    Failure.REJECTED: 0.0,  # another request may be taken
    Failure.TIMEOUT: 30.0,
    Failure.DOWN: 30.0,
}
_MAX_REST_S = 600.0


class Rests:
    """Failures by service, until they are over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_s: dict[str, tuple[ServiceFailed, float]] = {}

    def begin(self, failed: ServiceFailed) -> None:
        """A service failed; logged here."""
        log.warning("a look-up failed: %s", failed)
        rest_s = _REST_S[failed.failure] if failed.retry_after_s is None else min(failed.retry_after_s, _MAX_REST_S)
        self._until_s[failed.service] = (failed, self._clock.monotonic() + rest_s)

    def end(self, service: str) -> None:
        """A service answered."""
        self._until_s.pop(service, None)

    def why(self, service: str) -> ServiceFailed | None:
        """Why a service rests; None: it does not."""
        failed, until_s = self._until_s.get(service, (None, 0.0))
        return failed if self._clock.monotonic() < until_s else None
