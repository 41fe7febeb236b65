"""Sends frames over one HTTP answer: pace, holds, breakages, and how far it came. Knows SSE, not the APIs."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.script import Breakage, Broken, Reply

MALFORMED = b'data: {"id": "chatcmpl-1", "choi\n\n'
_TURNS_BEFORE_THE_END = 2
_LINGER_OFF = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One piece of a stream; `chunk` marks what counts as output, `final` its end, `characters` are billed."""

    data: dict[str, Any] | str
    event: str | None = None
    chunk: bool = False
    final: bool = False
    characters: int = 0


class Progress:
    """How far a stream came; the fake reads it when the stream is over, however it ended."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.chunks = 0
        self.characters = 0
        self.completed = False
        self._changed = changed

    def count(self, frame: Frame) -> None:
        """Called after a frame was written."""
        self.chunks += frame.chunk
        self.characters += frame.characters
        self._changed()


async def hang() -> None:
    """Wait until the client leaves or the fake closes (the handler is cancelled then)."""
    await asyncio.Event().wait()


def break_connection(request: web.Request, *, reset: bool) -> None:
    """Drop the TCP connection: RST when `reset`, otherwise FIN."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
    else:
        transport.close()


class Sender:
    """One streamed answer; `error_frame` makes the frame of a scripted error from its sequence number."""

    malformed = MALFORMED

    def __init__(
        self,
        http: web.Request,
        reply: Reply,
        broken: Broken | None,
        progress: Progress,
        headers: Mapping[str, str],
        error_frame: Callable[[int], Frame],
    ) -> None:
        self._http = http
        self._reply = reply
        self._broken = broken
        self._progress = progress
        self._headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            **headers,
        }
        self._error_frame = error_frame

    async def send(self, frames: Sequence[Frame]) -> web.StreamResponse:
        """Write the frames in order; returns early when the script breaks the stream."""
        await self._hold()
        response = web.StreamResponse(headers=self._headers)
        await response.prepare(self._http)
        for number, frame in enumerate(frames):
            if self._breaks_before(frame):
                await self._break(response, number)
                return response
            if frame.chunk:
                await self._pace()
            await response.write(self.encode(frame))
            self._progress.count(frame)
            if frame.chunk:
                await self._hold()
        self._progress.completed = True
        # On a real wire the end of the body comes apart from the last event: whoever does not wait for it loses the
        # connection.
        for _ in range(_TURNS_BEFORE_THE_END):
            await asyncio.sleep(0)
        # The client may hang up right after the last event: the answer is complete all the same.
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    def encode(self, frame: Frame) -> bytes:
        """A frame as it goes out: a server-sent event."""
        return encode(frame)

    async def _pace(self) -> None:
        first = self._progress.chunks == 0
        delay_s = self._reply.first_token_delay_s if first else self._reply.chunk_interval_s
        if delay_s:
            await asyncio.sleep(delay_s)

    async def _hold(self) -> None:
        hold = self._reply.hold
        if hold is not None and hold.after_chunks == self._progress.chunks and not hold.reached.is_set():
            await hold.pause()

    def _breaks_before(self, frame: Frame) -> bool:
        if self._broken is None or not (frame.chunk or frame.final):
            return False
        return frame.final or self._progress.chunks == self._broken.after_chunks

    async def _break(self, response: web.StreamResponse, number: int) -> None:
        assert self._broken is not None
        match self._broken.how:
            case Breakage.HANG:
                await hang()
            case Breakage.RESET | Breakage.CUT as how:
                break_connection(self._http, reset=how is Breakage.RESET)
            case Breakage.MALFORMED:
                await response.write(self.malformed)
            case Breakage.ERROR | Breakage.NESTED_ERROR | Breakage.FAILED:
                await response.write(self.encode(self._error_frame(number)))
            case Breakage.NO_FINAL:
                pass


def encode(frame: Frame) -> bytes:
    """One server-sent event; Chat Completions has no `event:` line."""
    data = frame.data if isinstance(frame.data, str) else json.dumps(frame.data, ensure_ascii=False)
    head = f"event: {frame.event}\n" if frame.event else ""
    return f"{head}data: {data}\n\n".encode()
