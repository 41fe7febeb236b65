"""Another machine's time of day from an HTTP answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bot.remote_time import http_time


@asynccontextmanager
async def answering(head: str) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request with `head`; yields its address and the requests."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(head.replace("\n", "\r\n").encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


async def test_the_date_is_read_whatever_the_status_and_no_path_is_sent() -> None:
    head = "HTTP/1.1 404 Not Found\nServer: x\nDATE: Sat, 21 Nov 2026 03:13:29 GMT\n\n"
    async with answering(head) as (url, requests):
        told = await http_time([f"{url}/bot123:secret"])

    assert told == ("127.0.0.1", datetime(2026, 11, 21, 3, 13, 29, tzinfo=UTC))
    assert b"secret" not in requests[0]


async def test_the_next_address_is_asked_when_one_does_not_tell() -> None:
    async with (
        answering("HTTP/1.1 200 OK\n\n") as (silent, _),
        answering("HTTP/1.1 200 OK\nDate: yesterday\n\n") as (wrong, _),
        answering("HTTP/1.1 200 OK\nDate: Sat, 21 Nov 2026 03:13:29 GMT\n\n") as (right, _),
    ):
        told = await http_time(["http://127.0.0.1:1", silent, wrong, right])

    assert told is not None


async def test_nobody_tells() -> None:
    async with answering("SSH-2.0-OpenSSH_9.2\n\n") as (url, _):
        assert await http_time([url, "http://127.0.0.1:1"]) is None
