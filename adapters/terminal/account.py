"""Which account a terminal chat is: the first one of its data folder that no other chat holds.

Two chats on one folder would otherwise share a conversation and answer for each other. The kernel drops the
lock with its process: whoever starts after a kill gets the same account and what was left unanswered in it.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

_FIRST = "main"


@contextmanager
def claim_account(data_dir: Path) -> Iterator[str]:
    """Hold `main`, or the first free one of `2`, `3`… while the context is open. Raises OSError."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in count(1):
        account = _FIRST if number == 1 else str(number)
        with (data_dir / f"terminal-{account}.lock").open("ab") as lock:
            if _try_lock(lock):
                yield account
                return


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
