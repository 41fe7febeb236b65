"""Waiting for several things at once, with their errors as they are.

A TaskGroup wraps what its tasks raise into a group; callers here decide by the class of the one error that counts.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar, cast

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def both(first: Coroutine[None, None, A], second: Coroutine[None, None, B]) -> tuple[A, B]:
    """Run two coroutines at once and return both results; the first error cancels the other and is raised bare."""
    one, two = await _all_of(first, second)
    return cast("A", one), cast("B", two)


async def all_of(works: Iterable[Coroutine[None, None, T]]) -> tuple[T, ...]:
    """The same for any number, with their results in order."""
    return cast("tuple[T, ...]", await _all_of(*works))


async def _all_of(*works: Coroutine[None, None, object]) -> tuple[object, ...]:
    errors: list[Exception] = []
    tasks: list[asyncio.Task[object]] = []

    async def held(work: Coroutine[None, None, object]) -> object:
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
            tasks += [group.create_task(held(work)) for work in works]
    finally:
        for work in works:
            work.close()  # one that was cancelled before it began would be warned about
    if errors:
        raise errors[0]
    return tuple(task.result() for task in tasks)
