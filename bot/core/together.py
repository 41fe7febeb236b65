"""Waiting for several things at once, with their errors as they are.

A TaskGroup wraps what its tasks raise into a group; callers here decide by the class of the one error that counts.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def both(first: Coroutine[None, None, A], second: Coroutine[None, None, B]) -> tuple[A, B]:
    """Run two coroutines at once and return both results; the first error cancels the other and is raised bare."""
    errors: list[Exception] = []
    tasks: list[asyncio.Task[object]] = []

    async def held(work: Coroutine[None, None, T]) -> T:
        # Before Python 3.13 a TaskGroup that knows of an error drops a cancellation from outside: keep it
        # from knowing.
        try:
            return await work
        except Exception as error:
            errors.append(error)
            for task in tasks:
                task.cancel()
            raise asyncio.CancelledError from None

    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(held(first)), group.create_task(held(second))
            tasks += [one, two]
    finally:
        first.close()  # one that was cancelled before it began would be warned about
        second.close()
    if errors:
        raise errors[0]
    return one.result(), two.result()
