"""Reads an answer of the Chat Completions wire as the server wrote it: events, or the one document of a server that
does not stream.

The SDK's own stream hides whether `[DONE]` came, and builds objects that nobody needs.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2

from bot.providers._lines import LineBuffer
from bot.providers._read_out import read_out

#: The mark at the end of a stream.
DONE = "[DONE]"
_DONE = DONE.encode()
_MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")


async def read_events(response: httpx2.Response) -> AsyncGenerator[Any, None]:
    """The parsed data of each event, then DONE where the server said so.

    An answer without events is taken for one JSON document. Raises ValueError for what is no JSON.
    """
    document = bytearray()
    seen = False
    buffer = LineBuffer()
    pieces = _pieces(response)
    async with aclosing(pieces):
        async for piece in pieces:
            for line in buffer.feed(piece):
                if line.startswith(b"data:"):
                    seen = True
                    data = line[5:].strip()
                    if data == _DONE:
                        await read_out(pieces, (httpx2.HTTPError,))
                        yield DONE
                        return
                    if data:
                        yield json.loads(data)
                elif not seen and not line.startswith(_OTHER_FIELDS):
                    document += line
                    if len(document) > _MAX_DOCUMENT_BYTES:
                        raise ValueError("neither events nor a document")
    if document and not seen:
        yield json.loads(document)
        yield DONE


async def _pieces(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """What arrives, with an end to the last line."""
    async for piece in response.aiter_bytes():
        yield piece
    yield b"\n"
