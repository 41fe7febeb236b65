"""One `parley` process: started with nothing but its settings, watched by its log, ended by signals.

Knows no platform. Every process that was started is ended, whatever a test does.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.e2e.waiting import until

STOP_TIMEOUT_S = 40.0
#: The first signal asks it to end well, the second to end at once.
_CLOSE_PATIENCE_S = (1.0, 10.0)
_ROOT = Path(__file__).parents[2]


class Parley:
    """Runs the bot in `folder`, which holds its data and its log. Settings stay the same over restarts."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.settings = dict(settings)
        self._folder = folder
        self._process: Process | None = None
        self._log_path = folder / "stderr.log"
        self._started_at = 0

    async def __aenter__(self) -> "Parley":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the process; not by kill -9 if that can be helped, for a private MongoDB would stay behind."""
        for patience_s in _CLOSE_PATIENCE_S:
            if not self.is_running:
                return
            self.send(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.ended()
        if self.is_running:
            await self.kill()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What all processes so far wrote to standard error."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def log_since_start(self) -> str:
        """The log of the newest process."""
        return self.log[self._started_at :]

    async def start(
        self, command: str = "run", *, piped: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        """Start a process; `piped` opens its input and output, `settings` count for this one only."""
        assert not self.is_running
        self._started_at = len(self.log)
        # Nothing of the machine's own environment: a key that is set there would be used.
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        environment = kept | {"PYTHONPATH": str(_ROOT)} | self.settings | dict(settings or {})
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                command,
                cwd=self._folder,
                env=environment,
                stdin=PIPE if piped else DEVNULL,
                stdout=PIPE if piped else DEVNULL,
                stderr=log,
            )

    async def wait_for_log(self, pattern: str, *, within_s: float = 20.0) -> re.Match[str]:
        """The first match in the newest process's log."""

        def stands_there() -> bool:
            found = bool(re.search(pattern, self.log_since_start))
            assert found or self.is_running, f"parley ended:\n{self.log_since_start}"
            return found

        await until(stands_there, f"{pattern!r} in the log", within_s=within_s)
        found = re.search(pattern, self.log_since_start)
        assert found is not None
        return found

    async def kill(self) -> None:
        """kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end, as a service manager does, and give the exit code."""
        return await self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send a signal and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end and give the exit code."""
        assert self._process is not None
        async with asyncio.timeout(STOP_TIMEOUT_S):
            return await self._process.wait()

    async def write(self, text: str) -> None:
        """Type into its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        await self._process.stdin.drain()

    def end_input(self) -> None:
        """Close its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def read_line(self, *, within_s: float = 20.0) -> str:
        """The next line of its standard output; empty at the end."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(within_s):
            return (await self._process.stdout.readline()).decode()

    async def read_rest(self, *, within_s: float = 20.0) -> str:
        """All that is left of its standard output."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(within_s):
            return (await self._process.stdout.read()).decode()

    async def _end(self, number: signal.Signals) -> int:
        self.send(number)
        return await self.ended()
