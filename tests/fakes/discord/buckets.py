"""Rate limits: fixed windows per route and major parameter, and the global 50 requests a second.

https://discord.com/developers/docs/topics/rate-limits
"""

import hashlib
from dataclasses import dataclass

from tests.fakes.discord.clock import Clock
from tests.fakes.discord.records import Json

GLOBAL_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`limit` requests per `window_s`, counted per major parameter (channel, guild or webhook)."""

    name: str
    limit: int
    window_s: float


CREATE = Limit(name="create", limit=5, window_s=5.0)
EDIT = Limit(name="edit", limit=5, window_s=5.0)
TYPING = Limit(name="typing", limit=5, window_s=5.0)
DELETE = Limit(name="delete", limit=5, window_s=1.0)
REACTION = Limit(name="reaction", limit=1, window_s=0.25)
WEBHOOK = Limit(name="webhook", limit=5, window_s=2.0)
OTHER = Limit(name="other", limit=50, window_s=1.0)


@dataclass(slots=True)
class Window:
    used: int
    ends_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the limits say about one request: headers for any answer, a body when it is refused."""

    headers: dict[str, str]
    refusal: Json | None = None


class Buckets:
    def __init__(self, clock: Clock, *, enabled: bool) -> None:
        self._clock = clock
        self._enabled = enabled
        self._windows: dict[tuple[str, str], Window] = {}
        self.refused_global = 0
        self.refused_routes: dict[str, int] = {}
        """Count of 429 answers by bucket name."""

    @property
    def refused(self) -> int:
        return self.refused_global + sum(self.refused_routes.values())

    def admit(self, limit: Limit | None, major: str, *, counts_globally: bool) -> Verdict:
        """Count one request; `limit` None has no bucket (interaction callbacks)."""
        if not self._enabled:
            return Verdict(headers={})
        if counts_globally:
            window = self._window(("global", ""), 1.0)
            window.used += 1
            if window.used > GLOBAL_LIMIT:
                self.refused_global += 1
                return self._refuse(window, {"X-RateLimit-Global": "true"}, scope="global")
        if limit is None:
            return Verdict(headers={})
        window = self._window((limit.name, major), limit.window_s)
        window.used += 1
        headers = self._headers(limit, window)
        if window.used > limit.limit:
            self.refused_routes[limit.name] = self.refused_routes.get(limit.name, 0) + 1
            return self._refuse(window, headers, scope="user")
        return Verdict(headers=headers)

    def _window(self, key: tuple[str, str], length_s: float) -> Window:
        now_s = self._clock.now_s()
        window = self._windows.get(key)
        if window is None or window.ends_at_s <= now_s:
            window = self._windows[key] = Window(used=0, ends_at_s=now_s + length_s)
        return window

    def _headers(self, limit: Limit, window: Window) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit.limit),
            "X-RateLimit-Remaining": str(max(limit.limit - window.used, 0)),
            "X-RateLimit-Reset": f"{window.ends_at_s:.3f}",
            "X-RateLimit-Reset-After": f"{max(window.ends_at_s - self._clock.now_s(), 0.001):.3f}",
            "X-RateLimit-Bucket": hashlib.md5(limit.name.encode(), usedforsecurity=False).hexdigest(),
        }

    def _refuse(self, window: Window, headers: dict[str, str], *, scope: str) -> Verdict:
        wait_s = round(max(window.ends_at_s - self._clock.now_s(), 0.001), 3)
        return Verdict(
            headers=headers | {"X-RateLimit-Scope": scope, "Retry-After": str(max(1, round(wait_s + 0.5)))},
            refusal={
                "message": "You are being rate limited.",
                "retry_after": wait_s,
                "global": scope == "global",
            },
        )
