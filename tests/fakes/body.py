"""A body as bad servers send one: in pieces, cut off, without end, or longer than announced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Answer 200 with these pieces.

    `length` is what the head says, None: nothing. A body that is shorter than that is cut off. `hangs`: after the
    pieces nothing comes any more, until the client goes. `encoding`: what the head says of the compression.
    """

    pieces: Sequence[bytes]
    length: int | None = None
    hangs: bool = False
    encoding: str | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send it; the line of a body that is not whole is cut."""
        response = web.StreamResponse()
        response.content_length = self.length
        if self.encoding is not None:
            response.headers["Content-Encoding"] = self.encoding
        await response.prepare(request)
        transport = request.transport
        assert transport is not None, "the client was there a moment ago"
        try:
            for piece in self.pieces:
                await response.write(piece)
            while self.hangs and not transport.is_closing():  # noqa: ASYNC110  # aiohttp tells nobody that it closes
                await asyncio.sleep(0.01)
        except ConnectionError:
            return response  # the client has had enough
        if self.length is not None and sum(map(len, self.pieces)) < self.length:
            transport.abort()
        return response
