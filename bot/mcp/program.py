"""A server that runs as our child: its process, its messages line by line, and its end.

The SDK has such a transport, too; this one bounds what a server may send, reads its standard error, and gives it no
variable of our own environment. Knows nothing of the protocol but that a message is a line of JSON-RPC.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from bot.mcp.failures import ServerGone
from bot.mcp.server_settings import Program

#: A result with a picture in it may be some megabytes.
MAX_MESSAGE_BYTES = 8 * 2**20
#: Lines on standard output that are no messages (a banner, a stray print), before it is given up.
_MAX_STRAY_LINES = 1_000
#: Characters of standard error that are passed on, for each start.
_STDERR_CHARS = 20_000
_STDERR_LINE_CHARS = 4_096
#: Messages to the server that wait in us, so that nobody waits for a server that does not read.
_WAITING_MESSAGES = 100
_WRITE_S = 30.0
#: For the end by itself once its input is closed, then for that after SIGTERM.
_GRACE_S = 2.0
#: The system needs a moment to report an end.
_REPORT_S = 1.0
_POLL_S = 0.01

#: What the SDK's session reads from and writes to.
Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
_Incoming = MemoryObjectSendStream[SessionMessage | Exception]
_Outgoing = MemoryObjectReceiveStream[SessionMessage]


@asynccontextmanager
async def run_program(program: Program, told: Callable[[str], None]) -> AsyncIterator[Streams]:
    """Start the program and yield the streams of its messages; when left, it and its children have ended.

    `told` gets the lines of its standard error, cut at 4,096 characters, and no more than about 20,000 in all.

    Raises:
        OSError: it cannot be started.
        ServerGone: it ended or misbehaved; in a group, and what runs inside is cancelled.
    """
    transport, process = await _start(program)
    stdin, stdout, stderr = _pipes(process)
    incoming, to_session = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    from_session, outgoing = anyio.create_memory_object_stream[SessionMessage](_WAITING_MESSAGES)
    try:
        with incoming, to_session, from_session, outgoing:
            async with asyncio.TaskGroup() as group:
                pumps = (
                    group.create_task(_read(process, stdout, incoming)),
                    group.create_task(_write(stdin, outgoing)),
                    group.create_task(_listen(stderr, told)),
                )
                try:
                    yield to_session, from_session
                finally:
                    for pump in pumps:
                        pump.cancel()
    finally:
        try:
            await _end(process, stdin)
        finally:
            _signal(process, signal.SIGKILL)  # also what of its children is still there
            await _has_ended(process, _REPORT_S)
            transport.close()


async def _start(program: Program) -> tuple[asyncio.SubprocessTransport, Process]:
    """As `create_subprocess_exec`, which does not give the transport, without which the pipes cannot be closed.

    In a session of its own, so that Ctrl-C in our terminal does not reach it, and its children can be ended with it.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(limit=MAX_MESSAGE_BYTES, loop=loop),
        program.command,
        *program.args,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=dict(program.env),
        cwd=program.cwd,
        start_new_session=True,
    )
    return transport, Process(transport, protocol, loop)


def _pipes(process: Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("a process without the pipes that it was started with")
    return process.stdin, process.stdout, process.stderr


async def _read(process: Process, stdout: asyncio.StreamReader, incoming: _Incoming) -> None:
    stray = 0
    while True:
        try:
            line = await stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            await _has_ended(process, _REPORT_S)
            code = process.returncode
            raise ServerGone(
                "it closed its standard output" if code is None else f"it ended with exit code {code}"
            ) from None
        except asyncio.LimitOverrunError:
            raise ServerGone(f"it sent a message of more than {MAX_MESSAGE_BYTES // 2**20} MB") from None
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            stray += bool(line.strip())
            if stray > _MAX_STRAY_LINES:
                raise ServerGone("it writes other things than messages to its standard output") from None
            continue
        await incoming.send(SessionMessage(message))


async def _write(stdin: asyncio.StreamWriter, outgoing: _Outgoing) -> None:
    async for message in outgoing:
        stdin.write(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
        try:
            async with asyncio.timeout(_WRITE_S):
                await stdin.drain()
        except TimeoutError:
            raise ServerGone("it does not read its standard input") from None
        except ConnectionError:
            await asyncio.sleep(_REPORT_S)  # the end of its output tells more, where that comes
            raise ServerGone("it closed its standard input") from None


async def _listen(stderr: asyncio.StreamReader, told: Callable[[str], None]) -> None:
    """Read standard error to its end, whatever is passed on: a full pipe would stop the server."""
    budget, rest = _STDERR_CHARS, ""
    while chunk := await stderr.read(_STDERR_LINE_CHARS):
        *lines, rest = (rest + chunk.decode(errors="replace")).split("\n")
        rest = rest[:_STDERR_LINE_CHARS]
        for line in filter(str.strip, lines):
            if budget > 0:
                told(line[:_STDERR_LINE_CHARS])
            budget -= len(line)


async def _end(process: Process, stdin: asyncio.StreamWriter) -> None:
    """By the protocol's rule: close its input, and only where that does not end it, ask by SIGTERM.

    https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown
    """
    stdin.close()
    if not await _has_ended(process, _GRACE_S):
        _signal(process, signal.SIGTERM)
        await _has_ended(process, _GRACE_S)


async def _has_ended(process: Process, within_s: float) -> bool:
    """Whether it ends in that time; `process.wait` would also wait for children that hold its pipes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while process.returncode is None:  # noqa: ASYNC110  # asyncio has no event for the end alone
                await asyncio.sleep(_POLL_S)
    return process.returncode is not None


def _signal(process: Process, number: signal.Signals) -> None:
    """To it and all of its session's group; nobody may be left there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
