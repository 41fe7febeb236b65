"""Waiting for several things at once, with their errors as they are.

A TaskGroup wraps what its tasks raise into a group; callers here decide by the class of the one error that counts.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def both(first: Coroutine[None, None, A], second: Coroutine[None, None, B]) -> tuple[A, B]:
    """Run two coroutines at once and return both results; the first error cancels the other and is raised bare."""
    try:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(first)
            two = group.create_task(second)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return one.result(), two.result()
