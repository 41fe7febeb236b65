"""Faults that a test asks for: what happens to the next requests whose method matches.

A fault strikes before the method runs, or after it ran and before its answer is sent: the second kind is the
window in which a client cannot know whether its message went out.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field

from tests.fakes.body import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer with this instead of running the method."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Abort the connection; with `after` the method has run by then."""

    after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Wait; with `after` the method has run by then."""

    seconds: float
    after: bool = False


class Gate:
    """Hold matching requests until released; with `after` the method has run by then."""

    def __init__(self, *, after: bool = False) -> None:
        self.after = after
        self.arrived = 0
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()
        self._dropping = False

    async def reached(self, deadline_s: float = 10.0) -> None:
        """Return when a request stands at the gate.

        Raises:
            TimeoutError: none came.
        """
        async with asyncio.timeout(deadline_s):
            await self._reached.wait()

    def release(self, *, drop: bool = False) -> None:
        """Let held and later requests go on, or abort their connections (before: they never run)."""
        self._dropping = drop
        self._opened.set()

    async def hold(self) -> bool:
        """Stand at the gate; return whether the request goes on."""
        self.arrived += 1
        self._reached.set()
        await self._opened.wait()
        return not self._dropping


Action = Respond | Drop | Delay | Gate | Body

SERVER_ERROR = Respond(
    status=500, body=b'{"ok":false,"error_code":500,"description":"Internal Server Error: sent by the fake"}'
)
BAD_GATEWAY = Respond(
    status=502,
    body=b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>"
    b"<h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n",
    content_type="text/html",
)


def too_many_requests(retry_after_s: int) -> Respond:
    """Return a one-off 429; `FakeTelegram.penalise` makes one that lasts."""
    description = f"Too Many Requests: retry after {retry_after_s}"
    parameters = {"retry_after": retry_after_s}
    body = {"ok": False, "error_code": 429, "description": description, "parameters": parameters}
    return Respond(status=429, body=json.dumps(body).encode())


@dataclass(slots=True)
class _Planned:
    pattern: re.Pattern[str]
    action: Action
    times: int | None


@dataclass(slots=True)
class Faults:
    """The plan of faults, in the order they were added; the first that matches strikes."""

    _planned: list[_Planned] = field(default_factory=list)

    def add(self, method_regex: str, action: Action, times: int | None = 1) -> None:
        """Let `action` strike the next `times` requests (None: all) whose method matches fully.

        Case does not matter. A file download has the method name `file`, and may get a Body.
        """
        self._planned.append(_Planned(re.compile(method_regex, re.IGNORECASE), action, times))

    def clear(self) -> None:
        """Forget what has not struck yet."""
        self._planned.clear()

    def take(self, method: str) -> Action | None:
        """Return the fault for a request, counting it."""
        for planned in self._planned:
            if planned.pattern.fullmatch(method):
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times == 0:
                        self._planned.remove(planned)
                return planned.action
        return None
