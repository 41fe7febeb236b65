"""A gate in front of MongoDB: holds chosen commands of the bot, so that it stands where a test wants it.

Passes the messages of the wire protocol on as they are (OP_MSG, uncompressed).
https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import unquote, urlsplit

import bson

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013


@dataclass(slots=True, kw_only=True, eq=False)
class HeldCommand:
    """Holds every matching command or, with `reply`, lets it be carried out and holds what is answered.

    `needle` is a text that stands in the command, such as the key of a thread.
    """

    command: str
    collection: str
    needle: bytes
    reply: bool = False
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, deadline_s: float = 10.0) -> None:
        """Return when a command is held. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            await self._reached.wait()

    def strike(self) -> None:
        self._reached.set()

    def matches(self, message: bytes) -> bool:
        if _HEADER.unpack_from(message)[3] != _OP_MSG or self.needle not in message:
            return False
        # After the header: flags (4 bytes), then a section of kind 0, which holds the command.
        size = struct.unpack_from("<i", message, 21)[0]
        command = bson.decode(message[21 : 21 + size])
        return next(iter(command.items())) == (self.command, self.collection)


class MongoGate:
    """Stands in front of the server of `uri`, which listens on a unix socket; `uri` is the gate's own."""

    def __init__(self, uri: str) -> None:
        self._socket = unquote(urlsplit(uri).netloc)
        self._held: list[HeldCommand] = []
        self._parked: list[asyncio.Event] = []
        self._writers: set[StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.uri = ""

    async def __aenter__(self) -> "MongoGate":
        await self._listen()
        self.uri = f"mongodb://127.0.0.1:{self._port}/?directConnection=true"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shut()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Inside the block there is no server: connections end and are refused."""
        await self._shut()
        try:
            yield
        finally:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        assert self._server is not None
        self._server.close()
        self.forget()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    def hold(self, command: str, collection: str, needle: str, *, reply: bool = False) -> HeldCommand:
        """Hold such commands from now on."""
        held = HeldCommand(command=command, collection=collection, needle=needle.encode(), reply=reply)
        self._held.append(held)
        return held

    def forget(self) -> None:
        """Hold nothing any more; what is held is dropped with its connection."""
        self._held.clear()
        for parked in self._parked:
            parked.set()
        self._parked.clear()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._socket)
        self._writers |= {writer, server_writer}
        replies: set[int] = set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, server_writer, replies))
                group.create_task(self._replies(server_reader, writer, replies))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass  # one side has gone: so does the other
        finally:
            for each in (writer, server_writer):
                each.close()
                self._writers.discard(each)

    async def _requests(self, reader: StreamReader, writer: StreamWriter, replies: set[int]) -> None:
        while True:
            message = await _read(reader)
            for held in self._held:
                if held.matches(message):
                    if held.reply:
                        replies.add(_HEADER.unpack_from(message)[1])
                        held.strike()
                    else:
                        await self._park(held)
            writer.write(message)
            await writer.drain()

    async def _replies(self, reader: StreamReader, writer: StreamWriter, replies: set[int]) -> None:
        while True:
            message = await _read(reader)
            if _HEADER.unpack_from(message)[2] in replies:
                await self._park(None)
            writer.write(message)
            await writer.drain()

    async def _park(self, held: HeldCommand | None) -> None:
        """Stay here until the gate forgets what it holds, and then drop the connection."""
        parked = asyncio.Event()
        self._parked.append(parked)
        if held is not None:
            held.strike()
        await parked.wait()
        raise ConnectionResetError


async def _read(reader: StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack("<i", size)[0] - 4)
