"""Reads each file in a process of its own, with limits of time, memory and output: the port `FileReader`.

A file can cost its sender one clear line, and the bot nothing: the process knows no key, writes no file, and is ended
when it answered, when its time is up, or when nobody waits any more. Knows no kind of file.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bot.attachments.answer import DAMAGED, NO_MEMORY, GaveUp, decode
from bot.attachments.frames import Nonsense, Received, TooMuch, pack
from bot.core.errors import UnreadableFile
from bot.core.files import ReadFile

_log = logging.getLogger(__name__)

#: `-I -S`: no environment, no user's packages, and nothing that packages run at each start; where modules are is told
#: in the arguments, which also makes it work wherever the bot itself was found.
_PYTHON = ("-I", "-S", "-B", "-X", "utf8", "-c")
_START = "import sys; sys.path[:] = sys.argv[1:]; from bot.attachments.worker import main; main()"
_END_S = 5.0

_EMPTY = "is empty"
_TOO_SLOW = "took too long to read: send a smaller or simpler one"
_TOO_MUCH = "holds more than I can take in: send a part of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """What one file may cost.

    `time_s` is the time by the clock, `cpu_s` by the processor; `memory_bytes` are addresses, of which the interpreter
    and a library take some 100 MB. `output_bytes` is what comes back: words and pictures.
    """

    time_s: float = 40.0
    cpu_s: int = 20
    memory_bytes: int = 1_024 * 1_024 * 1_024
    output_bytes: int = 48_000_000


class SubprocessReader:
    """A `FileReader`. `kinds` is where its registry stands (`module:name`); `at_once` files are read at a time."""

    def __init__(
        self, *, kinds: str = "bot.attachments:KINDS", at_once: int = 2, limits: ReadLimits | None = None
    ) -> None:
        self._kinds = kinds
        self._limits = limits or ReadLimits()
        self._slots = asyncio.Semaphore(at_once)

    async def read(self, name: str, media_type: str | None, content: bytes) -> ReadFile:
        """As the port says; `media_type` is not asked."""
        if not content:
            raise UnreadableFile(_EMPTY)
        async with self._slots:
            try:
                received = await self._ask(name, content)
                # Megabytes of words take 10 ms: in a thread, others get a word in.
                return await asyncio.to_thread(lambda: decode(received.header, received.parts(), content))
            except TimeoutError as error:
                raise UnreadableFile(_TOO_SLOW) from error
            except TooMuch as error:
                raise UnreadableFile(_TOO_MUCH) from error
            except Nonsense as error:
                _log.warning("the reader of a file answered nonsense: %s", error)
                raise UnreadableFile(DAMAGED) from error
            except GaveUp as error:
                _log.info("a file of %d bytes could not be read: %s", len(content), error.where)
                raise

    async def _ask(self, name: str, content: bytes) -> Received:
        """Start a process, give it the file, and end it however this goes."""
        request = {
            "name": name,
            "kinds": self._kinds,
            "cpu_s": self._limits.cpu_s,
            "memory_bytes": self._limits.memory_bytes,
        }
        _, worker = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Worker(self._limits.output_bytes),
            *(sys.executable, *_PYTHON, _START, *_module_paths()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=os.sep,
            env=_environment(),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._limits.time_s):
                worker.send(pack(request, [content]), content)
                return await worker.answer()
        finally:
            await worker.end()


class _Worker(asyncio.SubprocessProtocol):
    """One process as the event loop sees it."""

    def __init__(self, max_bytes: int) -> None:
        self._received = Received(max_bytes)
        self._failure: Exception | None = None
        self._answered = asyncio.Event()
        self._gone = asyncio.Event()
        self._process: asyncio.SubprocessTransport
        self._killed = False

    def send(self, *parts: bytes) -> None:
        """Hand it all parts; the event loop passes them on as fast as they are taken."""
        pipe = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
        for part in parts:
            pipe.write(part)

    async def answer(self) -> Received:
        """What it said. Raises Nonsense, TooMuch, and UnreadableFile where it died instead."""
        await self._answered.wait()
        if self._failure is not None:
            raise self._failure
        return self._received

    async def end(self) -> None:
        """Kill it with all that it started, and wait until the system has forgotten it.

        An honest worker lives until then, so its number is nobody else's yet. The transport is closed last: before
        that it might take the process's end away from who waits for it.
        """
        if self._process.get_returncode() is None:
            self._killed = True
            _kill(self._process)
        to_worker = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
        if not to_worker.is_closing():
            to_worker.abort()
        cast(asyncio.ReadTransport, self._process.get_pipe_transport(1)).close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._gone.wait()
        self._process.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._process = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if self._answered.is_set():
            return
        try:
            if self._received.feed(data):
                self._answered.set()
        except (Nonsense, TooMuch) as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.is_set() and not self._killed:
            self._fail(UnreadableFile(_last_word(self._process.get_returncode())))
        self._gone.set()

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._answered.set()


def _last_word(code: int | None) -> str:
    """What it means that a worker ended without an answer."""
    if sys.platform != "win32" and code is not None and code < 0:
        _log.info("the reader of a file died of signal %d", -code)
        match -code:
            case signal.SIGXCPU:
                return _TOO_SLOW
            case signal.SIGKILL:  # the system ran out of memory: nobody else kills it before it answered
                return NO_MEMORY
            case _:
                return DAMAGED
    _log.warning("the reader of a file ended with code %s", code)
    return DAMAGED


def _kill(process: asyncio.SubprocessTransport) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.get_pid(), signal.SIGKILL)


def _module_paths() -> list[str]:
    """Where this process finds its modules, and the project itself first of all."""
    return [str(Path(__file__).parents[2]), *(str(Path(path).absolute()) for path in sys.path if path)]


def _environment() -> dict[str, str]:
    """Nothing; but Windows starts no program without knowing where it is itself."""
    return {"SYSTEMROOT": os.environ["SYSTEMROOT"]} if sys.platform == "win32" else {}
