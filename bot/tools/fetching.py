"""The one way to a web page that a person, a model or another page named: only public addresses, only so much.

A name is resolved once a hop, every address it has is checked, and the connection goes to one of those and nowhere
else, so that a name which changes its mind (DNS rebinding) changes nothing. Knows nothing of who may ask for what.
"""

import asyncio
import codecs
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.tools._addresses import is_public
from bot.tools._targets import FetchRefused, Target, followed, target_of
from bot.tools._unpacking import Body, too_large

__all__ = ["FetchRefused", "Fetched", "Fetcher", "OpenSocket", "Patience", "Resolver"]

#: From a name and a port to all its addresses, as numbers. Raises OSError: it has none.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
#: From (family, type, protocol, canonical name, address) to a socket that is not connected yet.
OpenSocket = Callable[[tuple[int, int, int, str, tuple[object, ...]]], socket.socket]

_REDIRECTS = 5
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_ADDRESSES = 16
_LOOKUP_THREADS = 8
_CHUNK_BYTES = 64 * 1024
_HEADER_BYTES, _HEADERS = 8 * 1024, 100
_UNKNOWN_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
_SENT_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Parley/0.1; a chat bot that was asked to read this page)",
    "Accept": "text/html,application/xhtml+xml,text/*;q=0.9,application/pdf;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A page. `url` is where it was found after redirects, `media_type` the server's word without parameters.

    `charset` is the server's word for the encoding of a text, None: it does not say, or nobody knows it.
    """

    url: str
    media_type: str
    content: bytes
    charset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How slow a server may be: to connect, between two pieces, and on average once `grace_s` are over."""

    connect_s: float = 5.0
    silence_s: float = 10.0
    grace_s: float = 5.0
    least_bytes_per_s: int = 1_024


class Fetcher:
    """Fetches pages; may be shared. `aclose` at the end.

    `private_hosts` (`host` for the usual ports, `host:port` for any, lower case, IPv6 in brackets) are the operator's
    own: their addresses need not be public. A page elsewhere cannot redirect to them.
    """

    def __init__(
        self,
        *,
        private_hosts: frozenset[str] = frozenset(),
        resolver: Resolver | None = None,
        open_socket: OpenSocket | None = None,
        patience: Patience = Patience(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._private_hosts = private_hosts
        # Threads of its own: a name server that is slow on purpose must not hold up the files and names of others.
        self._lookups = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="lookup")
        self._resolve = resolver or self._look_up
        self._open_socket = open_socket or _plain_socket
        self._patience = patience
        self._monotonic = monotonic

    async def aclose(self) -> None:
        """Forget look-ups that nobody waits for any more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, url: str, *, max_bytes: int, timeout_s: float) -> Fetched:
        """Read a page of at most `max_bytes`, unpacked, within `timeout_s` for everything.

        Raises:
            FetchRefused: it may not be fetched, cannot be, or is too large or too slow; in words for the model.
        """
        try:
            async with asyncio.timeout(timeout_s):
                target = target_of(url, self._private_hosts)
                for _ in range(1 + _REDIRECTS):
                    found = await self._visit(target, max_bytes)
                    if isinstance(found, Fetched):
                        return found
                    target = found
        except TimeoutError as error:
            raise FetchRefused(f"the page took longer than {timeout_s:.0f} s") from error
        raise FetchRefused(f"the page redirects more than {_REDIRECTS} times")

    async def _visit(self, target: Target, max_bytes: int) -> Fetched | Target:
        """What is there: a page, or another address."""
        addresses = await self._checked(target)
        try:
            async with (
                self._session(target, addresses) as session,
                session.get(target.url, allow_redirects=False, headers=_SENT_HEADERS) as response,
            ):
                if response.status in _REDIRECTING:
                    return followed(target, response.headers.get("Location", ""), self._private_hosts)
                if not 200 <= response.status < 300:
                    raise FetchRefused(f"the server answered with status {response.status}")
                content = await self._body(response, max_bytes)
                return Fetched(
                    url=str(target.url), media_type=_media_type(response), charset=_charset(response), content=content
                )
        except aiohttp.ServerTimeoutError as error:
            raise FetchRefused("the server is too slow") from error
        except (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError) as error:
            raise FetchRefused("the server's certificate is not valid for this address") from error
        except aiohttp.ClientConnectorError as error:
            raise FetchRefused("the server cannot be reached") from error
        except (
            aiohttp.ClientError,
            ValueError,
        ) as error:  # aiohttp: ValueError for headers that it cannot make sense of
            raise FetchRefused("the server's answer is broken") from error

    async def _checked(self, target: Target) -> tuple[str, ...]:
        """All addresses of the target's host, once each of them may be connected to."""
        if target.is_literal:
            return (target.host,)  # was checked when it was read
        try:
            addresses = tuple(await self._resolve(target.host, target.port))[:_ADDRESSES]
        except OSError as error:
            raise FetchRefused("there is no such host") from error
        if not addresses:
            raise FetchRefused("there is no such host")
        if not target.is_private and not all(map(is_public, addresses)):
            raise FetchRefused("the host lies in a private network")
        return addresses

    def _session(self, target: Target, addresses: tuple[str, ...]) -> aiohttp.ClientSession:
        """A client for one exchange: no memory, no proxy, and no way to anything but `addresses`."""

        def open_socket(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
            if info[4][0] not in addresses:  # whatever the client made of the URL
                raise OSError("this address was not checked")
            return self._open_socket(info)

        connector = aiohttp.TCPConnector(
            resolver=_Pinned(target.host, addresses),
            use_dns_cache=False,
            force_close=True,
            socket_factory=open_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._patience.connect_s, sock_read=self._patience.silence_s
            ),
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            max_headers=_HEADERS,
        )

    async def _body(self, response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
        if (response.content_length or 0) > max_bytes:
            raise too_large(max_bytes)
        body = Body(response.headers.get("Content-Encoding", ""), max_bytes=max_bytes)
        began_s, arrived_bytes = self._monotonic(), 0
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            arrived_bytes += len(chunk)
            passed_s = self._monotonic() - began_s
            if passed_s > self._patience.grace_s and arrived_bytes < passed_s * self._patience.least_bytes_per_s:
                raise FetchRefused("the server is too slow")
            for _ in body.feed(chunk):
                await asyncio.sleep(0)
        return body.content()

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        infos = await asyncio.get_running_loop().run_in_executor(self._lookups, _addresses, host, port)
        return tuple(dict.fromkeys(infos))


class _Pinned(AbstractResolver):
    """Knows the checked addresses of one name and nothing else."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != self._host:
            raise OSError("this name was not checked")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def _plain_socket(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _addresses(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _charset(response: aiohttp.ClientResponse) -> str | None:
    given = response.charset
    try:
        return None if given is None else codecs.lookup(given).name
    except (LookupError, ValueError):
        return None


def _media_type(response: aiohttp.ClientResponse) -> str:
    """Without parameters; a type that is none becomes one of unknown bytes."""
    given = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return given if _TYPE.fullmatch(given) else _UNKNOWN_TYPE
