"""The guard of network_guard.py: what stays on this machine passes, everything else fails the test."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from tests.network_guard import NetworkRefused, refused


async def _say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.fixture
def expect_refusal() -> None:
    """Marks a test that is refused on purpose; see conftest.py."""


@pytest.mark.usefixtures("expect_refusal")
@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.1", "10.0.0.1"])
def test_connecting_to_a_foreign_address_is_refused(host: str) -> None:
    with socket.socket() as client, pytest.raises(NetworkRefused, match=host):
        client.connect((host, 80))


@pytest.mark.usefixtures("expect_refusal")
def test_connecting_to_a_foreign_ipv6_address_is_refused() -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(NetworkRefused):
        client.connect(("2001:db8::1", 80))


@pytest.mark.usefixtures("expect_refusal")
def test_a_datagram_to_a_foreign_address_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(NetworkRefused):
        client.sendto(b"", ("192.0.2.1", 53))


@pytest.mark.usefixtures("expect_refusal")
@pytest.mark.parametrize("name", ["example.org", b"example.org"])
def test_looking_up_a_foreign_name_is_refused(name: str | bytes) -> None:
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo(name, 443)


@pytest.mark.usefixtures("expect_refusal")
async def test_asyncio_is_refused_as_well() -> None:
    with pytest.raises(NetworkRefused):
        await asyncio.open_connection("example.org", 443)


@pytest.mark.usefixtures("expect_refusal")
def test_a_refusal_that_the_code_swallows_is_still_on_record() -> None:
    with contextlib.suppress(RuntimeError):
        socket.getaddrinfo("example.org", 443)

    assert refused == ["socket.getaddrinfo 'example.org'"]


async def test_loopback_passes() -> None:
    server = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)

        assert await reader.read() == b""

        writer.close()
        await writer.wait_closed()


async def test_unix_sockets_pass(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = await asyncio.start_unix_server(_say_nothing, path)
    async with server:
        reader, writer = await asyncio.open_unix_connection(path)

        assert await reader.read() == b""

        writer.close()
        await writer.wait_closed()


def test_looking_up_numeric_addresses_and_localhost_passes() -> None:
    for host in ("192.0.2.1", "::1", "localhost"):
        assert socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
