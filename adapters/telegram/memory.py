"""Values that are true for a while: a small cache whose entries expire by the clock."""

from collections import OrderedDict
from typing import Generic, TypeVar

from bot.core.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

_KEPT = 1_000


class Expiring(Generic[K, V]):
    """Keeps the newest values for `fresh_s` seconds each."""

    def __init__(self, clock: Clock, fresh_s: float) -> None:
        self._clock = clock
        self._fresh_s = fresh_s
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, None when there is none or it is too old."""
        until, value = self._values.get(key, (float("-inf"), None))
        return value if self._clock.monotonic() < until else None

    def put(self, key: K, value: V) -> None:
        """Keep a value from now on."""
        self._values[key] = (self._clock.monotonic() + self._fresh_s, value)
        self._values.move_to_end(key)
        if len(self._values) > _KEPT:
            self._values.popitem(last=False)
