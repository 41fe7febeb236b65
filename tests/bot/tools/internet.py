"""A small internet on loopback: names, what each address serves, and who was connected to.

The fetcher under test believes in public addresses; its sockets are diverted to one raw server here. Raw, because the
answers are what no decent server sends.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.clock import START

PUBLIC, OTHER = "93.184.216.34", "2606:2800:220:1::1"


def answer(body: bytes = b"", *, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer with its length; `Content_Type="…"` is a header."""
    lines = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    """An answer that leads somewhere else."""
    return answer(b"over there", status=status, Location=location)


@dataclass(slots=True)
class Internet:
    """`pages`: by `host/path`, what is sent; a page of several pieces stays open after the last, None closes.

    `names`: the addresses of each host, one answer a look-up, the last one again and again.
    """

    pages: dict[str, bytes | tuple[bytes | None, ...]] = field(default_factory=dict)
    names: dict[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    requests: list[Mapping[str, str]] = field(default_factory=list)
    port: int = 0
    _left: dict[str, deque[Sequence[str]]] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """What a name server would say."""
        self.looked_up.append(host)
        left = self._left.setdefault(host, deque(self.names.get(host, [[PUBLIC]])))
        found = left.popleft() if len(left) > 1 else left[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return found

    def open_socket(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """A socket that notes whom it should connect to, and connects to this server."""
        internet = self

        class Diverted(socket.socket):
            @property
            def family(self) -> socket.AddressFamily:
                return socket.AddressFamily(info[0])  # what it is taken for; the server here knows IPv4 only

            def connect(self, address: object) -> None:
                assert isinstance(address, tuple)
                internet.connected.append((address[0], address[1]))
                super().connect(("127.0.0.1", internet.port))

        return Diverted(socket.AF_INET, socket.SOCK_STREAM)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            page = f"{headers['host']}{head[0].split(' ')[1]}"
            self.asked.append(page)
            self.requests.append(headers)
            found = self.pages.get(page, answer(status="404 Not Found"))
            for piece in (found, None) if isinstance(found, bytes) else found:
                if piece is None:
                    return
                writer.write(piece)
                await writer.drain()
            await self.closing.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client had enough
        finally:
            writer.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Internet]:
    """An internet that is there until the end of the test."""
    internet = Internet()
    server = await asyncio.start_server(internet.serve, "127.0.0.1", 0)
    internet.port = server.sockets[0].getsockname()[1]
    try:
        yield internet
    finally:
        internet.closing.set()
        server.close()
        await server.wait_closed()


def self_signed(name: str, folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=3_650))
        .not_valid_after(START + timedelta(days=3_650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
