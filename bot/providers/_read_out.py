"""The end of an answer's HTTP body, behind the event that ends the answer.

A connection that is left before it cannot be used again, and the next call would pay for a new one. Knows no SDK.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

#: The end is as good as there when the last event is; a server that keeps it back gets its connection closed.
_PATIENCE_S = 0.5


async def read_out(left: AsyncIterator[Any], errors: tuple[type[Exception], ...]) -> None:
    """Take what is left of a body; `errors` are those of the wire, which mean nothing any more."""
    with suppress(*errors, TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            async for _ in left:
                pass
