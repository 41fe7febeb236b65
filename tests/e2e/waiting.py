"""Waiting for a condition with a deadline: another process can only be looked at again and again."""

import asyncio
import inspect
import time
from collections.abc import Callable

_LOOK_EVERY_S = 0.03


async def until(look: Callable[[], object], what: str, *, within_s: float = 15.0) -> None:
    """Return as soon as `look`, which may be a coroutine function, gives something true.

    Raises:
        AssertionError: it never did; says what was waited for, and the last value.
    """
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}; last seen: {value!r}"
        await asyncio.sleep(_LOOK_EVERY_S)
