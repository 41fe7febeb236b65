"""Repairs how PyMongo waits on a condition under Python 3.11; later versions need no repair and get none.

PyMongo waits by `asyncio.wait_for`, which before Python 3.12 runs the wait in a task of its own. An operation
that is cancelled just when that task takes the lock back leaves the lock taken for ever, and no operation of
the process finds a server again. Seen with PyMongo 4.20 in an outage; knows nothing of what is waited for.
"""

import asyncio
import sys
from typing import Any

from pymongo.asynchronous import pool, topology


def repair_waits() -> None:
    """Make PyMongo's waits keep to the task that waits. Doing it twice changes nothing."""
    if sys.version_info < (3, 12):
        for module in (pool, topology):
            # Set by name, since it is not ours; test_driver_waits.py notices when PyMongo renames it.
            vars(module)["_async_cond_wait"] = _wait_on


async def _wait_on(condition: Any, timeout: float | None) -> bool:
    """As PyMongo's: whether it was notified in time; the lock is held again in any case."""
    try:
        async with asyncio.timeout(timeout):
            return bool(await condition.wait())
    except TimeoutError:
        return False
