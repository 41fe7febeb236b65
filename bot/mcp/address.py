"""A server that runs elsewhere: the SDK's transport over streamable HTTP, with bounds on what comes back.

The operator names the address, so private ones are right here. Redirects are followed within the same origin only
(the SDK's rule), proxies of the environment are not used.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx2
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client

from bot.mcp.server_settings import Address

MAX_ANSWER_BYTES = 8 * 2**20
_CONNECT_S = 10.0
#: Streams of changes are silent for long; calls have deadlines of their own.
_SILENCE_S = 900.0
#: For the farewell: leaving must not wait for a server that is gone.
_FAREWELL_S = 2.0


class Refusals:
    """What the server last refused with, which the SDK does not tell."""

    def __init__(self) -> None:
        self.status: int | None = None

    def words(self) -> str | None:
        """For the operator; None: it refused nothing."""
        if self.status is None:
            return None
        hint = ", so the headers are wrong" if self.status in (401, 403) else ""
        return f"it answers with HTTP {self.status}{hint}"


class _Bounded(httpx2.AsyncBaseTransport):
    """Plain answers up to a limit; the SDK bounds the events of streams itself."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, refusals: Refusals) -> None:
        self._inner = inner
        self._refusals = refusals

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "DELETE":
            request.extensions["timeout"] = httpx2.Timeout(_FAREWELL_S).as_dict()
        self._refusals.status = None
        response = await self._inner.handle_async_request(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            self._refusals.status = response.status_code
        if response.headers.get("content-encoding", "identity") != "identity":
            # Nobody asked for it, and a few bytes could become gigabytes.
            await response.aclose()
            raise httpx2.ReadError("a compressed answer")
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        if not is_stream and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    """A body that breaks off when it gets too long."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._body:
            count += len(chunk)
            if count > MAX_ANSWER_BYTES:
                raise httpx2.StreamError(f"more than {MAX_ANSWER_BYTES // 2**20} MB")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


@asynccontextmanager
async def open_address(address: Address, refusals: Refusals) -> AsyncIterator[Transport]:
    """A transport to the server; a broken connection cancels what runs inside it, and comes out as a group.

    Yields something that the SDK's client enters and leaves.
    """
    client = httpx2.AsyncClient(
        headers={**address.headers, "Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(_CONNECT_S, read=_SILENCE_S),
        transport=_Bounded(httpx2.AsyncHTTPTransport(trust_env=False), refusals),
        trust_env=False,
    )
    async with client:
        yield streamable_http_client(address.url, http_client=client, max_sse_event_size=MAX_ANSWER_BYTES)
