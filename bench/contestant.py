"""A bot as a subprocess: started with an environment and nothing else, measured from outside.

What its operating system says of it, and its stage. Knows no scenario.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.stage import MODEL, Stage, open_stage

READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
PARLEY = ("-m", "bot", "run")
FLOOR = ("-m", "bench.floor")
_ROOT = Path(__file__).parent.parent
#: What a process needs of its surroundings; everything else would be somebody's configuration.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A running bot. `server` is its database's process, None for a bot without one."""

    name: str
    stage: Stage
    process: psutil.Process
    server: psutil.Process | None = None

    def cpu_ms(self) -> float:
        """CPU time so far of all its threads, without its database."""
        return _cpu_ms(self.process)

    def server_cpu_ms(self) -> float:
        """CPU time so far of its database, 0 where it has none."""
        return 0.0 if self.server is None else _cpu_ms(self.server)

    def rss_mib(self) -> float:
        """Resident memory, without its database."""
        return float(self.process.memory_info().rss) / 2**20


@asynccontextmanager
async def running(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    channels: int,
    environ: Mapping[str, str] | None = None,
    server: psutil.Process | None = None,
) -> AsyncIterator[Contestant]:
    """Start a bot on a stage of its own; inside the block it is connected.

    Raises:
        RuntimeError: it ended before it was connected; the text has its last words.
    """
    log = folder / f"{name}.log"
    async with open_stage(channels) as stage:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=folder,  # not ours: a developer's .env lies there
                env=_environ(stage) | dict(environ or {}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            await _connected(stage, process, log)
            yield Contestant(name=name, stage=stage, process=psutil.Process(process.pid), server=server)
        finally:
            await _end(process)


def _environ(stage: Stage) -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
        "PYTHONPATH": str(_ROOT),
        "DISCORD_TOKEN": stage.discord.token,
        "DISCORD_API_URL": stage.discord.url,
        "OPENAI_API_KEY": stage.openai.key,
        "OPENAI_BASE_URL": stage.openai.url,
        "DEFAULT_MODEL": MODEL,
        "ACCESS": "open",
        "LOG_LEVEL": "WARNING",
    }


async def _connected(stage: Stage, process: asyncio.subprocess.Process, log: Path) -> None:
    """Return when the gateway has identified it."""
    try:
        await stage.discord.wait_for(
            lambda: stage.discord.connections or process.returncode is not None, READY_TIMEOUT_S
        )
    except TimeoutError:
        raise RuntimeError(f"did not connect:\n{_last_words(log)}") from None
    if process.returncode is not None:
        raise RuntimeError(f"ended with {process.returncode}:\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    return log.read_text()[-2000:]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system) * 1000
