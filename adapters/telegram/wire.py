"""The HTTP exchange with the Bot API: the library's `Bot` over requests that fail in our terms.

The library's own errors lose what decides here (was the request sent, which status, how long to wait) and one
of them holds the token. Knows no chat, no message and no DeliveryError.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Mapping
from typing import TypeVar
from urllib.parse import quote

import httpx
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, HTTPXRequest, RequestData

T = TypeVar("T")

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
UPLOAD_TIMEOUT_S = 60.0
#: For a file from its first to its last byte; getFile, too, takes until the server itself has the file.
DOWNLOAD_TIMEOUT_S = 60.0
#: Over this many requests at once, further ones wait for a free connection.
CONNECTIONS = 64

#: Failures that come before the first byte of the request is out.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)
#: What the server says of files that it gives to no bot; it names no path of one then, or refuses.
TOO_BIG = "file is too big"
_STRANGE = "an answer that is none of the Bot API's"
_REST_OF_A_MESSAGE: Mapping[str, object] = {"date": 0, "chat": {"id": 0, "type": "private"}}
#: Loggers that write the URL of a request, which holds the token, or the text of messages.
_TALKATIVE = ("httpx", "httpcore", "telegram")


class Refused(TelegramError):
    """The server answered with an error.

    `description` is its own text without a prefix. `retry_after_s` is the wait that it asks for and
    `migrate_to` the id of the supergroup that a group became; None where it names none.
    """

    def __init__(
        self,
        status: int,
        description: str,
        *,
        retry_after_s: float | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(f"{status} {description}")
        self.status = status
        self.description = description
        self.retry_after_s = retry_after_s
        self.migrate_to = migrate_to


class Unreachable(TelegramError):
    """There was no answer. `sent`: the request may have been carried out nevertheless."""

    def __init__(self, what: str, *, sent: bool) -> None:
        super().__init__(what)
        self.sent = sent


class BotRequest(HTTPXRequest):
    """Raises nothing but Refused and Unreachable, which know no URL; every request has a deadline."""

    def __init__(self, connections: int, context: ssl.SSLContext) -> None:
        super().__init__(
            connection_pool_size=connections,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            write_timeout=READ_TIMEOUT_S,
            pool_timeout=READ_TIMEOUT_S,
            media_write_timeout=UPLOAD_TIMEOUT_S,
            httpx_kwargs={"verify": context},
        )

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        reading_s = float(read_timeout) if isinstance(read_timeout, int | float) else READ_TIMEOUT_S
        sending_s = UPLOAD_TIMEOUT_S if request_data is not None and request_data.contains_files else READ_TIMEOUT_S
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S + sending_s + reading_s):
                status, payload = await super().do_request(url, method, request_data, read_timeout=reading_s)
        except TimeoutError:
            raise Unreachable("no answer in time", sent=True) from None
        except TelegramError as error:
            cause = error.__cause__
            raise Unreachable(type(cause).__name__, sent=not isinstance(cause, _NEVER_SENT)) from None
        except Exception as error:
            raise Unreachable(type(error).__name__, sent=not isinstance(error, _NEVER_SENT)) from None
        if not 200 <= status <= 299:
            raise _refusal(status, payload)
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, object]:
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "result" not in answer:
            raise Unreachable(_STRANGE, sent=True)
        result = answer["result"]
        if isinstance(result, dict) and "message_id" in result:
            # A message that we sent: only its id is read, so nothing else of it may fail or cost time.
            answer["result"] = {"message_id": result["message_id"], **_REST_OF_A_MESSAGE}
        return answer


class PollRequest(BotRequest):
    """Hands over the updates of getUpdates as they came: one that the library cannot read would fail all."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(1, context)
        self._updates: list[dict[str, object]] = []

    async def do_request(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        self._updates = []
        status, payload = await super().do_request(*args, **kwargs)  # type: ignore[arg-type]  # handed on
        updates = self.parse_json_payload(payload)["result"]
        if isinstance(updates, list):
            self._updates = [update for update in updates if isinstance(update, dict)]
        return status, b'{"ok":true,"result":[]}'

    def take(self) -> list[dict[str, object]]:
        """The updates of the last getUpdates, once."""
        updates, self._updates = self._updates, []
        return updates


class Connection:
    """One bot account: `bot` for every method but getUpdates, which is `poll` on a connection of its own."""

    def __init__(self, token: str, api_url: str) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        context = httpx.create_ssl_context()
        url = api_url.rstrip("/")
        self._file_url = f"{url}/file/bot{token}"
        self._own_folder = f"/{token}/"
        self._files = httpx.AsyncClient(
            verify=context,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"Accept-Encoding": "identity"},
        )
        self._polling = PollRequest(context)
        self._calling = BotRequest(CONNECTIONS, context)
        self.bot = Bot(
            token,
            base_url=f"{url}/bot",
            base_file_url=f"{url}/file/bot",
            request=self._calling,
            get_updates_request=self._polling,
        )

    async def poll(self, *, offset: int, wait_s: int, kinds: tuple[str, ...]) -> list[dict[str, object]]:
        """The updates from `offset` on, oldest first, within `wait_s`; raises Refused and Unreachable."""
        await self.bot.get_updates(offset=offset, timeout=wait_s, allowed_updates=kinds)
        return self._polling.take()

    async def download(self, file_id: str, *, max_bytes: int, timeout_s: float = DOWNLOAD_TIMEOUT_S) -> bytes | None:
        """The bytes of a file, None when there are more than `max_bytes`; raises Refused and Unreachable.

        The URL of a file holds the token and is known here only.
        """
        file = await understood(self.bot.get_file(file_id, read_timeout=timeout_s))
        if (file.file_size or 0) > max_bytes:
            return None
        if not file.file_path:
            raise Refused(400, TOO_BIG)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(self._url_of(file.file_path), max_bytes)
        except TimeoutError:
            raise Unreachable("the file did not come in time", sent=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unreachable(type(error).__name__, sent=True) from None

    def _url_of(self, path: str) -> str:
        """Always over HTTP: a server in local mode names a path of its own disk, of which the end is the file's.

        The library puts its own idea of the URL in front of paths that are no files of this machine.
        """
        path = path.removeprefix(f"{self.bot.base_file_url}/")
        return f"{self._file_url}/{quote(path.rpartition(self._own_folder)[2].lstrip('/'))}"

    async def _read(self, url: str, max_bytes: int) -> bytes | None:
        async with self._files.stream("GET", url) as response:
            if response.status_code != 200:
                raise Refused(response.status_code, "the file is not there")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise Unreachable(_STRANGE, sent=True)
            if int(response.headers.get("Content-Length", 0)) > max_bytes:
                return None
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > max_bytes:
                    return None
        return bytes(content)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._polling.shutdown()
        await self._calling.shutdown()
        await self._files.aclose()


async def understood(call: Awaitable[T]) -> T:
    """The result of a call; one that the library cannot read, whatever it raises for that, is Unreachable."""
    try:
        return await call
    except TelegramError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Unreachable(_STRANGE, sent=True) from None


def _refusal(status: int, payload: bytes) -> Refused:
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):  # a proxy's page
        return Refused(status, "no answer of the Bot API")
    parameters = answer.get("parameters")
    found: Mapping[str, object] = parameters if isinstance(parameters, dict) else {}
    retry_after, migrate_to = found.get("retry_after"), found.get("migrate_to_chat_id")
    return Refused(
        status,
        str(answer.get("description", "")).removeprefix("Bad Request: ").removeprefix("Forbidden: "),
        retry_after_s=float(retry_after) if isinstance(retry_after, int | float) else None,
        migrate_to=migrate_to if isinstance(migrate_to, int) else None,
    )
