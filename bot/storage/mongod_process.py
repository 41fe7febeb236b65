"""One mongod process: its files, its command line, starting it, seeing whether it lives, ending it.

It does not know who uses the server (embedded.py holds the locks) nor what is in it. All of it blocks.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from bot.core.errors import StorageUnavailable
from bot.storage.mongod import cannot_execute

STOP_TIMEOUT_S = 30.0
# The system's limit is 104 (macOS) or 108 bytes; mongod also splits at commas and colons.
_MAX_SOCKET_PATH_BYTES = 100
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+@-]+")
_MAX_LOG_BYTES = 10_000_000
_POLL_S = 0.02

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where one private server keeps its things; `socket` may be outside of `folder` (see `open_home`)."""

    folder: Path
    socket: Path

    @property
    def database(self) -> Path:
        """The server's own files. Never delete them while it may live: it would write into the new ones."""
        return self.folder / "db"

    @property
    def log(self) -> Path:
        """The server's log, appended to by every start."""
        return self.folder / "mongod.log"

    @property
    def output(self) -> Path:
        """What the newest start wrote before it had a log, such as a library that is missing."""
        return self.folder / "mongod.out"

    @property
    def pid_file(self) -> Path:
        """Written by mongod."""
        return self.folder / "mongod.pid"

    @property
    def uri(self) -> str:
        """For any client on this machine and of this user."""
        return f"mongodb://{quote_plus(str(self.socket))}/?directConnection=true"


def open_home(data_dir: Path) -> Home:
    """Make and check the folder of the private server under `data_dir`.

    Raises:
        StorageUnavailable: the folder cannot be made or written to.
    """
    folder = Path(os.path.abspath(data_dir)) / "mongodb"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "db").mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        return Home(folder=folder, socket=_socket_path(folder))
    except OSError as error:
        raise StorageUnavailable(
            f"The folder {folder} cannot be written to: {error.strerror or error}.",
            remedy="Set DATA_DIR to a folder that the user who runs Parley may write to.",
        ) from error


def _socket_path(folder: Path) -> Path:
    path = folder / "mongod.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(str(path)):
        return path
    # Everyone who shares the data folder must come to the same name, and nobody else may have made it.
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"parley-{os.getuid()}-{mark}"
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{private} is not a private folder of this user")
    return private / "mongod.sock"


def launch(program: Path, home: Home) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own: Ctrl-C in the terminal and our own end do not reach it.

    Raises:
        StorageUnavailable: the system cannot run the program.
    """
    home.socket.unlink(missing_ok=True)  # left by a kill -9; mongod would refuse to bind
    if home.log.exists() and home.log.stat().st_size > _MAX_LOG_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))
    with home.output.open("wb") as output:
        try:
            return subprocess.Popen(
                _command_line(program, home),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=home.folder,
            )
        except OSError as error:
            raise cannot_execute(program, error) from error


def _command_line(program: Path, home: Home) -> list[str]:
    options = {
        "--dbpath": str(home.database),
        "--port": "27017",  # names nothing: the only address is the socket, no TCP port is opened
        "--bind_ip": str(home.socket),
        "--filePermissions": "0600",
        "--replSet": "rs0",
        "--oplogSize": "128",
        "--wiredTigerCacheSizeGB": "0.25",
        # 17 MB on disk instead of 315 MB for an empty database.
        "--wiredTigerEngineConfigString": "log=(prealloc=false,file_max=16MB)",
        # Closes CVE-2025-14847 in 6.0.5 together with the private socket.
        "--networkMessageCompressors": "disabled",
        "--logpath": str(home.log),
        "--pidfilepath": str(home.pid_file),
    }
    line = [str(program), "--nounixsocket", "--quiet", "--logappend"]
    line += [word for option in options.items() for word in option]
    # A transaction that a killed process left open would block its documents for 60 s and more.
    for parameter in ("diagnosticDataCollectionEnabled=false", "transactionLifetimeLimitSeconds=5"):
        line += ["--setParameter", parameter]
    return line


def is_listening(home: Home) -> bool:
    """Whether someone accepts connections on the socket; says nothing about answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(home.socket))
        except OSError as error:
            # A full backlog is a server that hangs, not one that is away.
            return isinstance(error, TimeoutError | BlockingIOError)
    return True


def recorded_pid(home: Home) -> int | None:
    """The process that mongod wrote down, if it is still a mongod of this folder."""
    try:
        pid = int(home.pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if is_alive(pid) and serves(pid, home) else None


def serves(pid: int, home: Home) -> bool:
    """Whether the process is a mongod of this folder: numbers of processes are used again."""
    try:
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # macOS has no /proc
        question = ["/bin/ps", "-ww", "-p", str(pid), "-o", "command="]
        shown = subprocess.run(question, capture_output=True, text=True)
        command_line = shown.stdout
    return str(home.database) in command_line


def is_alive(pid: int) -> bool:
    """Whether the process still runs; reaps it when it was our child. A zombie is gone."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except OSError:  # gone, or the number went to a process of somebody else
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] != b"Z"
    except OSError:
        return not Path("/proc/self").exists()


def stop(pid: int, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Ask the server to end and wait for it; after `timeout_s` kill it, which its journal survives."""
    for word, wait_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 5.0)):
        if not is_alive(pid):
            return
        os.kill(pid, word)
        if _wait_until_gone(pid, wait_s):
            return
        _log.warning("mongod (process %d) does not end after signal %s", pid, word.name)


def _wait_until_gone(pid: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
