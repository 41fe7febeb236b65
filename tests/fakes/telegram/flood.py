"""Flood control: sends and edits of one chat share a limit, and all chats share another.

Figures are those that people measure (Telegram publishes "about one a second", "20 a minute", "30 a second").
A request during a penalty is refused and prolongs nothing.
"""

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLimits:
    """The limits; shorten them where a test cannot wait (`retry_after` on the wire is whole seconds)."""

    private_burst: int = 3
    private_interval_s: float = 1.0
    group_count: int = 20
    group_window_s: float = 60.0
    overall_count: int = 30
    overall_window_s: float = 1.0
    penalty_s: float = 5.0


_ALL_CHATS = 0


class FloodControl:
    """Counts sends and edits; `refusals` counts the 429s of each chat."""

    def __init__(self, limits: FloodLimits, clock: Callable[[], float], *, enabled: bool) -> None:
        self.limits = limits
        self.enabled = enabled
        self.refusals: Counter[int] = Counter()
        self._clock = clock
        self._penalties: dict[int, float] = {}
        self._recent: dict[int, deque[float]] = {}
        self._next_due: dict[int, float] = {}

    def penalise(self, chat_id: int, seconds: float) -> None:
        """Refuse sends and edits in the chat for `seconds`, also when flood control is off."""
        self._penalties[chat_id] = self._clock() + seconds

    def spend(self, chat_id: int, *, is_private: bool) -> int | None:
        """Count one send or edit; return None if it may go, else the seconds to wait (at least 1)."""
        now = self._clock()
        wait = self._penalty_left(chat_id, now)
        if wait is None and self.enabled and (culprit := self._exceeded(chat_id, is_private, now)) is not None:
            self.penalise(culprit, self.limits.penalty_s)
            wait = self._penalty_left(chat_id, now)
        if wait is None:
            return None
        self.refusals[chat_id] += 1
        return max(1, math.ceil(wait))

    def _penalty_left(self, chat_id: int, now: float) -> float | None:
        until = max(self._penalties.get(chat_id, now), self._penalties.get(_ALL_CHATS, now))
        return until - now if until > now else None

    def _exceeded(self, chat_id: int, is_private: bool, now: float) -> int | None:
        limits = self.limits
        if self._is_full(_ALL_CHATS, limits.overall_count, limits.overall_window_s, now):
            return _ALL_CHATS
        if is_private:
            due = max(self._next_due.get(chat_id, now), now)
            if due - now > (limits.private_burst - 1) * limits.private_interval_s + 1e-6:
                return chat_id
            self._next_due[chat_id] = due + limits.private_interval_s
        else:
            if self._is_full(chat_id, limits.group_count, limits.group_window_s, now):
                return chat_id
            self._recent[chat_id].append(now)
        self._recent[_ALL_CHATS].append(now)
        return None

    def _is_full(self, key: int, count: int, window_s: float, now: float) -> bool:
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - window_s:
            recent.popleft()
        return len(recent) >= count
