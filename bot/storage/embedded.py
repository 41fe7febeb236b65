"""A private MongoDB for those who have none: the first user of a data folder starts it, the last stops it.

Two locks in the folder decide, and the kernel drops them with their process: `start.lock` (exclusive, while
someone starts or stops the server) and `users.lock` (shared, held by each process that uses it). There is no
daemon; a server whose users were all killed is adopted by the next start. It does not know what is stored.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from pymongo.errors import PyMongoError

from bot.core.errors import StorageUnavailable
from bot.storage import mongod_process as process
from bot.storage.mongod import explain_exit, find_mongod
from bot.storage.mongod_process import Home, open_home
from bot.storage.replica_set import become_primary, server_pid

if sys.platform != "win32":
    import fcntl

START_TIMEOUT_S = 60.0
# A server that is just stopping still writes its checkpoint: so long its files may be in use.
IN_USE_TIMEOUT_S = 15.0
_WATCH_S = 0.5
_MAX_RESTART_PAUSE_S = 30.0
_POLL_S = 0.01
_IN_USE = "DBPathInUse"

_log = logging.getLogger(__name__)


@asynccontextmanager
async def embedded_mongod(data_dir: Path, *, mongod: str | None = None) -> AsyncIterator[str]:
    """Run the private server of `data_dir` while the context is open; yields its MongoDB URI.

    Processes that name the same folder share the server. If it dies meanwhile it is started again. `mongod`
    is the program, None = look for it (see `find_mongod`). Leaving waits until the last user's server has
    ended, also under cancellation.

    Raises:
        StorageUnavailable: it cannot run; message and remedy say why, in one line each.
    """
    if sys.platform == "win32":
        raise StorageUnavailable(
            "The private MongoDB needs Unix sockets, which this system lacks.", remedy="Set MONGODB_URI."
        )
    home = await asyncio.to_thread(open_home, data_dir)
    membership = _Membership(home, mongod)
    try:
        await _to_the_end(membership.join, on_cancel=membership.close)
        yield home.uri
    finally:
        await _to_the_end(membership.leave, on_cancel=membership.close)


async def _to_the_end(work: Callable[[], None], *, on_cancel: Callable[[], None]) -> None:
    """Run `work` in a thread and wait for its end even when cancelled: half a start leaves a server over."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    error_of_work = future.exception()
    if cancelled is not None:
        raise cancelled
    if error_of_work is not None:
        raise error_of_work


class _Membership:
    """One user's share in the server of a data folder. `close` may be called from any thread."""

    def __init__(self, home: Home, mongod: str | None) -> None:
        self._home = home
        self._mongod = mongod
        self._users: BinaryIO | None = None
        self._pid: int | None = None
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="mongod-watch", daemon=True)

    def join(self) -> None:
        """Take a share; the server takes writes when this returns, unless `close` was called."""
        with self._start_lock():
            self._users = (self._home.folder / "users.lock").open("ab")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._ensure_running()
        self._watcher.start()

    def close(self) -> None:
        """Make a running `join` or restart end early."""
        self._closing.set()

    def leave(self) -> None:
        """Give the share back; the last one stops the server. Does nothing without a share."""
        self._closing.set()
        if self._watcher.is_alive():
            self._watcher.join()
        if self._users is None:
            return
        try:
            with self._start_lock(abortable=False):
                # Without a pid we never had a working server: one that hangs is left for the operator.
                if self._pid is not None and _try_lock(self._users):
                    self._stop({self._pid, process.recorded_pid(self._home)})
        finally:
            self._users.close()
            self._users = None

    def _stop(self, pids: set[int | None]) -> None:
        # Two numbers differ when another user started the server again a moment ago.
        for pid in pids:
            if pid is not None and process.serves(pid, self._home):
                process.stop(pid)
        self._home.socket.unlink(missing_ok=True)

    @contextmanager
    def _start_lock(self, *, abortable: bool = True) -> Iterator[None]:
        deadline = time.monotonic() + START_TIMEOUT_S + process.STOP_TIMEOUT_S
        with (self._home.folder / "start.lock").open("ab") as lock:
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise StorageUnavailable(
                        "Another process has been starting or stopping the private MongoDB for too long.",
                        remedy=f"End the other parley process that uses {self._home.folder}.",
                    )
                if abortable and self._closing.is_set():
                    break  # without the lock: who was closed starts nothing any more
                time.sleep(_POLL_S)
            yield

    def _ensure_running(self) -> None:
        """Adopt the server that answers on the socket, else start one. Needs the start lock."""
        deadline = time.monotonic() + START_TIMEOUT_S
        in_use_deadline = time.monotonic() + IN_USE_TIMEOUT_S
        while not self._closing.is_set():
            if process.is_listening(self._home):
                self._adopt(deadline)
                return
            if not self._launch(deadline):
                if time.monotonic() > in_use_deadline:
                    raise _in_use(self._home)
                time.sleep(0.2)

    def _adopt(self, deadline: float) -> None:
        try:
            self._pid = server_pid(self._home)
            wait_s = max(1.0, deadline - time.monotonic())
            become_primary(self._home, timeout_s=wait_s, wanted=lambda: not self._closing.is_set())
        except PyMongoError as error:
            pid = process.recorded_pid(self._home)
            raise StorageUnavailable(
                f"The private MongoDB (process {pid or 'unknown'}) does not answer.",
                remedy=f"End it with `kill -9 {pid}` (nothing stored is lost) and start again."
                if pid
                else f"Read {self._home.log}.",
            ) from error

    def _launch(self, deadline: float) -> bool:
        """Start a server and wait until it listens; False = its files are in use by another one.

        Raises:
            StorageUnavailable: it ended, or does not listen before the deadline.
        """
        program = find_mongod(self._mongod)
        log_start = self._home.log.stat().st_size if self._home.log.exists() else 0
        server = process.launch(program, self._home)
        self._pid = server.pid
        while not process.is_listening(self._home):
            code = server.poll()
            if code is not None:
                self._pid = None
                words = _words_of(self._home, log_start)
                if _IN_USE in words:
                    return False
                raise explain_exit(program, code, words, log=self._home.log)
            if self._closing.is_set():
                break
            if time.monotonic() > deadline:
                raise StorageUnavailable(
                    f"The private MongoDB did not start within {START_TIMEOUT_S:.0f} s.",
                    remedy=f"Read {self._home.log}.",
                )
            time.sleep(_POLL_S)
        _let_go(server)
        return True

    def _watch(self) -> None:
        """Start the server again when it died; every user watches, the start lock lets one of them act."""
        pause_s = _WATCH_S
        while not self._closing.wait(pause_s):
            if self._pid is not None and process.is_alive(self._pid):
                pause_s = _WATCH_S
                continue
            try:
                _log.warning("the private MongoDB ended; starting it again")
                with self._start_lock():
                    self._ensure_running()
            except (StorageUnavailable, OSError) as error:
                pause_s = min(pause_s * 2, _MAX_RESTART_PAUSE_S)
                _log.error("the private MongoDB cannot be started again: %s", error)


def _try_lock(lock: BinaryIO) -> bool:
    """Take it alone, or (False) find that others have it. A shared lock of ours is turned into this one."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _let_go(server: subprocess.Popen[bytes]) -> None:
    # It may outlive us on purpose; without a return code Popen would warn of a child left running.
    server.returncode = 0


def _words_of(home: Home, log_start: int) -> str:
    """What the newest start wrote: its output, then its part of the log."""
    words = home.output.read_text(errors="replace")
    if home.log.exists():
        with home.log.open("rb") as log:
            log.seek(log_start if log_start <= home.log.stat().st_size else 0)
            words += log.read().decode(errors="replace")
    return words


def _in_use(home: Home) -> StorageUnavailable:
    return StorageUnavailable(
        f"The database files in {home.database} are in use by another mongod.",
        remedy="Stop that mongod, or set DATA_DIR to another folder.",
    )
