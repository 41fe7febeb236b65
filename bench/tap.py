"""Between a bot and its MongoDB: sees each operation go out and its reply come back, and can hold replies up.

So the bot is measured as it is. With each reply held up for much longer than anything else takes, operations
that wait for each other cannot overlap any more, and those that go together cannot be told apart: the longest
row of operations that do not overlap is the number of sequential waits.
https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import bson

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_BODY_AT = _HEADER.size + 4 + 1  # after the flags and the kind of the first section
#: What the driver does by itself, beside the operations that somebody waits for.
_DRIVERS_OWN = frozenset({"hello", "ismaster", "isMaster", "ping", "buildInfo", "endSessions"})


@dataclass(slots=True, kw_only=True)
class Operation:
    """One command of the bot. `name` is like `find turns`; moments are `perf_counter` seconds."""

    name: str
    raw: bytes
    sent_at_s: float
    answered_at_s: float = field(default=float("inf"))

    def concerns(self, *ids: int) -> bool:
        """Whether the command mentions one of these ids of a channel or message."""
        return any(str(number).encode() in self.raw for number in ids)

    @property
    def ms(self) -> float:
        return (self.answered_at_s - self.sent_at_s) * 1000


class Tap:
    """Passes bytes on in both directions. `delay_s` holds up the replies to the bot's own operations."""

    def __init__(self, socket_path: str) -> None:
        self.delay_s = 0.0
        self.operations: list[Operation] = []
        self.port = 0
        self._socket_path = socket_path
        self._group = asyncio.TaskGroup()

    def concerning(self, *ids: int) -> list[Operation]:
        return [operation for operation in self.operations if operation.concerns(*ids)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the bot."""
        to_reader, to_writer = await asyncio.open_unix_connection(self._socket_path)
        waiting: dict[int, Operation] = {}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._out(reader, to_writer, waiting))
                await self._back(to_reader, writer, waiting)
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass  # one side hung up
        finally:
            to_writer.close()
            writer.close()

    async def _out(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: dict[int, Operation]
    ) -> None:
        while True:
            message, request_id, _ = await _read(reader)
            operation = _operation(message)
            if operation is not None:
                waiting[request_id] = operation
                self.operations.append(operation)
            writer.write(message)
            await writer.drain()

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: dict[int, Operation]
    ) -> None:
        while True:
            message, _, response_to = await _read(reader)
            operation = waiting.pop(response_to, None)
            if operation is not None:
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                operation.answered_at_s = time.perf_counter()
            writer.write(message)
            await writer.drain()


@asynccontextmanager
async def open_tap(socket_path: str) -> AsyncIterator[Tap]:
    """Listen on a port of this machine for one bot."""
    tap = Tap(socket_path)
    server = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()


def sequential(operations: Sequence[Operation]) -> int:
    """The longest row of operations of which each began after the one before was answered."""
    length, free_at_s = 0, float("-inf")
    for operation in sorted(operations, key=lambda each: each.answered_at_s):
        if operation.sent_at_s >= free_at_s:
            length, free_at_s = length + 1, operation.answered_at_s
    return length


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, int, int]:
    """One message whole, its own number and that of the request which it answers."""
    head = await reader.readexactly(_HEADER.size)
    size, request_id, response_to, _ = _HEADER.unpack(head)
    return head + await reader.readexactly(size - _HEADER.size), request_id, response_to


def _operation(message: bytes) -> Operation | None:
    """None for what is not an operation of the bot."""
    if _HEADER.unpack_from(message)[3] != _OP_MSG:
        return None
    size = struct.unpack_from("<i", message, _BODY_AT)[0]
    command = bson.decode(message[_BODY_AT : _BODY_AT + size])
    verb = next(iter(command))
    if verb in _DRIVERS_OWN:
        return None
    return Operation(name=f"{verb} {command[verb]}", raw=message, sent_at_s=time.perf_counter())
