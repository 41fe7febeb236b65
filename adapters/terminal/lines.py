"""Lines of a file descriptor as they arrive, without a thread that could not be stopped.

Takes pipes, sockets and terminals through the event loop; plain files are read at once, for they never wait.
"""

import asyncio
import os

_CHUNK_BYTES = 65_536


class LineReader:
    """Reads UTF-8 lines; what is not UTF-8 becomes replacement characters."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self._ended = False

    async def next(self) -> str | None:
        """The next line without its end, the last one also if it has none; None at the end of the input."""
        scanned = 0
        while True:
            end = self._buffer.find(b"\n", scanned)
            if end >= 0:
                line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
                return _text(line)
            if self._ended:
                rest, self._buffer = self._buffer, b""
                return _text(rest) if rest else None
            scanned = len(self._buffer)
            chunk = await self._read()
            self._ended = not chunk
            self._buffer += chunk

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        try:
            loop.add_reader(self._descriptor, readable.set)
        except OSError:  # epoll and kqueue refuse plain files
            return os.read(self._descriptor, _CHUNK_BYTES)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._descriptor)
        return os.read(self._descriptor, _CHUNK_BYTES)


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removesuffix("\r")
