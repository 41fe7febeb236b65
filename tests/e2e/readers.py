"""The processes in which a bot reads files, as the system lists them."""

import contextlib
from collections.abc import Sequence

import psutil

from tests.e2e.parley import Parley
from tests.e2e.waiting import until

_MODULE = "bot.attachments.worker"


def readers_of(parley: Parley) -> list[psutil.Process]:
    """Those of a running bot that are at work now."""
    return [child for child in psutil.Process(parley.pid).children() if _reads(child)]


async def suspend_next(parley: Parley, known: Sequence[psutil.Process]) -> psutil.Process:
    """Wait for a reader that is none of the `known`, and let it stand still."""
    found: list[psutil.Process] = []

    def has_come() -> bool:
        found[:] = [reader for reader in readers_of(parley) if reader not in known]
        return bool(found)

    await until(has_come, "another reader")
    found[0].suspend()
    return found[0]


def _reads(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        is_alive = process.status() != psutil.STATUS_ZOMBIE
        return is_alive and any(_MODULE in argument for argument in process.cmdline())
    return False
