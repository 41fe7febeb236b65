"""Faults that a test plants into matching requests: error answers, cut lines, delays, gates.

A fault meets a request after authorisation and before the rate limits; the first planted match wins.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Protocol

from tests.fakes.body import Body
from tests.fakes.discord.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer without executing; a `str` body goes out as HTML, as Cloudflare's pages do."""

    status: int
    body: Json | str = ""
    headers: dict[str, str] = field(default_factory=dict)
    via: bool = True


def rate_limited(retry_after_s: float, *, is_global: bool = False, via: bool = True) -> Respond:
    """Build a 429; without `via` it looks like a Cloudflare ban."""
    return Respond(
        status=429,
        body={"message": "You are being rate limited.", "retry_after": retry_after_s, "global": is_global},
        headers={"Retry-After": str(max(1, round(retry_after_s)))},
        via=via,
    )


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the connection before executing or, with `after`, once executed and unanswered."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Hold the request for some seconds before executing it."""

    seconds: float


class Gate:
    """Holds matching requests until `release`; with `after` they are executed and only unanswered."""

    def __init__(self, *, after: bool = False) -> None:
        self.after = after
        self.held = 0
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self, deadline_s: float = 5.0) -> None:
        """Wait until a request is held here."""
        async with asyncio.timeout(deadline_s):
            await self._reached.wait()

    def release(self) -> None:
        self._released.set()

    async def hold(self) -> None:
        self.held += 1
        self._reached.set()
        await self._released.wait()


Action = Respond | Drop | Delay | Gate | Body


class Planted(Protocol):
    """A planted fault; `hits` counts the requests that it met."""

    @property
    def hits(self) -> int: ...


@dataclass(slots=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    action: Action
    left: int | None
    hits: int = 0


class Faults:
    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._gates: list[Gate] = []

    def add(self, method: str, path_regex: str, action: Action, times: int | None = 1) -> Planted:
        """Plant a fault for requests whose method is `method` ("*" for any) and whose path matches.

        The regex is searched in the path below /api/v10, e.g. r"^/channels/1/messages$". Files of the CDN have
        paths like /attachments/1/2/a.png; they may get a Respond or a Body, which in turn is for them alone.
        `times` None means always.
        """
        rule = _Rule(method, re.compile(path_regex), action, times)
        self._rules.append(rule)
        if isinstance(action, Gate):
            self._gates.append(action)
        return rule

    def clear(self) -> None:
        """Forget all faults and let go of what gates hold."""
        self._rules.clear()
        for gate in self._gates:
            gate.release()

    def match(self, method: str, path: str) -> Action | None:
        for rule in self._rules:
            if rule.left != 0 and rule.method in ("*", method) and rule.path.search(path):
                rule.hits += 1
                rule.left = None if rule.left is None else rule.left - 1
                return rule.action
        return None
