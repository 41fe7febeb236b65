"""One HTTP exchange with Discord's API: request, answer, or a DeliveryError of the closed set of kinds.

Never retries and never waits for a channel's bucket; the callers know whether a call is worth that.
discord.py's own HTTP client does both silently: it holds a message until its bucket refills, and repeats a
502 for 25 s.
https://discord.com/developers/docs/topics/rate-limits
"""

import io
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from adapters.discord.pacing import Pacer
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.ports import Clock, File

TIMEOUT_S = 15.0
UPLOAD_TIMEOUT_S = 60.0
DOWNLOAD_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
_CONNECTIONS = 64
_CHUNK_BYTES = 65_536
_USER_AGENT = "DiscordBot (Parley, 0.1)"
#: "Thread is archived" comes as a 400, but no other content would help.
_FORBIDDEN_CODES = frozenset({50083})


class Refused(DeliveryError):
    """Discord answered with an error. `code` is its JSON error code, 0 where it gave none."""

    def __init__(self, kind: DeliveryKind, detail: str, *, code: int, retry_after_s: float | None = None) -> None:
        super().__init__(kind, detail, retry_after_s=retry_after_s)
        self.code = code


class Rest:
    """The API under one token. `open` before the first call, `aclose` after the last."""

    def __init__(self, token: str, api_url: str, clock: Clock) -> None:
        self.pacer = Pacer(clock)
        self._token = token
        self._base = api_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make the client; needs the running loop. Opening twice changes nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT},
            )

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        file: File | None = None,
        as_bot: bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> Any:
        """Make one call and return the parsed answer, None for an empty one.

        `as_bot` is False for interactions and their webhooks: these carry a token of their own in the path,
        and do not count against the global limit.

        Raises:
            DeliveryError: for everything that can go wrong; it is `Refused` when Discord answered.
        """
        if as_bot:
            await self.pacer.departure()
        data: bytes | aiohttp.FormData | None = None
        headers = {"Authorization": f"Bot {self._token}"} if as_bot else {}
        if file is not None:
            data, timeout_s = _form(body, file), max(timeout_s, UPLOAD_TIMEOUT_S)
        elif body is not None:
            data = _encode(body)
            headers["Content-Type"] = "application/json"
        name = f"{method} {path.split('/')[1]}"  # no more of the path: it may hold an interaction's token
        try:
            async with self._client.request(
                method,
                self._base + path,
                data=data,
                headers=headers,
                timeout=_timeout(timeout_s),
                allow_redirects=False,
            ) as response:
                text = await response.text(errors="replace")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _lost(name, error, reads=method == "GET") from None
        self._learn_limits(method, path, response)
        if response.status >= 300:
            raise self._refusal(name, response, text)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise DeliveryError(DeliveryKind.UNKNOWN_AFTER_SEND, f"{name}: the answer is no JSON") from None

    async def download(self, url: str, *, max_bytes: int, timeout_s: float = DOWNLOAD_TIMEOUT_S) -> bytes:
        """Read a file from the CDN; Discord gave and signed the address, and the token is not sent along.

        Raises:
            DeliveryError: INVALID for more than `max_bytes`, NOT_FOUND or FORBIDDEN for an address that ran out.
        """
        try:
            async with self._client.get(
                URL(url, encoded=True),  # as it is: the signature counts
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,
                timeout=_timeout(timeout_s, silence_s=TIMEOUT_S),
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise _cdn_refusal(response.status)
                content = await _read_at_most(response, max_bytes)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise DeliveryError(DeliveryKind.TRANSIENT, f"GET file: {type(error).__name__}") from None
        if content is None:
            raise DeliveryError(DeliveryKind.INVALID, f"the file has more than {max_bytes} bytes")
        return content

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise DeliveryError(DeliveryKind.TRANSIENT, "the connection to Discord is not open")
        return self._session

    def _learn_limits(self, method: str, path: str, response: aiohttp.ClientResponse) -> None:
        """Discord sends its limits with every message; a server of one's own that sends none has none."""
        if "X-RateLimit-Limit" in response.headers:
            self.pacer.active = True
        elif method == "POST" and path.endswith("/messages") and response.status == 200:
            self.pacer.active = False

    def _refusal(self, name: str, response: aiohttp.ClientResponse, text: str) -> Refused:
        answer = _parse(text)
        code, status = int(answer.get("code") or 0), response.status
        detail = f"{name}: {status} ({code}) {str(answer.get('message', ''))[:200]}"
        if status != 429:
            return Refused(_kind(status, code), detail, code=code)
        retry_after_s = _retry_after_s(answer, response.headers)
        # An answer that is not from the API itself comes from Cloudflare, which shuts out everything we send.
        if answer.get("global") or "retry_after" not in answer:
            self.pacer.pause(retry_after_s)
        return Refused(DeliveryKind.RATE_LIMITED, detail, code=code, retry_after_s=retry_after_s)


def _kind(status: int, code: int) -> DeliveryKind:
    if code in _FORBIDDEN_CODES:
        return DeliveryKind.FORBIDDEN
    match status:
        case 401 | 403:
            return DeliveryKind.FORBIDDEN
        case 404:
            return DeliveryKind.NOT_FOUND
        case 503:
            return DeliveryKind.TRANSIENT
        case _ if status >= 500:
            return DeliveryKind.UNKNOWN_AFTER_SEND  # the gateway in front gave up, the API may have gone on
        case _:
            return DeliveryKind.INVALID


def _lost(name: str, error: Exception, *, reads: bool) -> DeliveryError:
    """`reads`: the call changes nothing, so that it does not matter whether it was carried out."""
    never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    kind = DeliveryKind.TRANSIENT if never_sent or reads else DeliveryKind.UNKNOWN_AFTER_SEND
    return DeliveryError(kind, f"{name}: {type(error).__name__}")


def _retry_after_s(answer: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    for value in (answer.get("retry_after"), headers.get("Retry-After")):
        try:
            return max(0.0, float(value))  # type: ignore[arg-type]  # None is a TypeError, which is the point
        except (TypeError, ValueError):
            continue
    return 1.0


def _parse(text: str) -> Mapping[str, Any]:
    """An error's JSON object; empty where Cloudflare answered with a page."""
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _form(body: object, file: File) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # Discord does not understand an escaped `files[0]`
    form.add_field("payload_json", _encode(body).decode(), content_type="application/json")
    form.add_field("files[0]", io.BytesIO(file.content), filename=file.name, content_type=file.media_type)
    return form


async def _read_at_most(response: aiohttp.ClientResponse, max_bytes: int) -> bytes | None:
    """The body, None where it is larger, whatever its head says of it. Raises ValueError for a compressed one."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ValueError("compressed, which was not asked for")
    if (response.content_length or 0) > max_bytes:
        return None
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            return None
    return bytes(content)


def _cdn_refusal(status: int) -> Refused:
    """The CDN's limits are none of the API's, and reading twice does no harm."""
    kind = DeliveryKind.TRANSIENT if status == 429 or status >= 500 else _kind(status, 0)
    return Refused(kind, f"GET file: {status}", code=0)


def _timeout(seconds: float, *, silence_s: float | None = None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=CONNECT_TIMEOUT_S, sock_read=silence_s)
