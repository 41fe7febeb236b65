"""The google-genai SDK as Parley uses it: a client that our settings alone decide about, and its errors as ours.

The SDK's own aiohttp transport is left aside: it calls again by itself after up to ten seconds when a connection fails,
counts its timeout over the whole answer, and follows redirects with the key. What we say of an error is made of status
and code: the API's own message may quote the request or the key.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import httpx2
from google.genai import Client
from google.genai.errors import APIError
from google.genai.types import HttpOptions

from bot.core.errors import (
    AuthenticationFailed,
    ContextTooLong,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
)
from bot.providers._failures import plain_word, retry_after_s, unusable
from bot.providers._statuses import PASSING, in_stream, kind_of_status
from bot.providers.connection import Connection

#: All that a call and reading its stream can raise: broken JSON and values of a wrong type are ValueErrors, an error
#: object without its fields shows as one of the last three.
WIRE_ERRORS = (APIError, httpx2.HTTPError, ValueError, AttributeError, TypeError, KeyError)

#: The responses of the call that runs in this context.
_OPENED: ContextVar[list[httpx2.Response] | None] = ContextVar("opened", default=None)
_ROOT = "https://generativelanguage.googleapis.com"
_VERSION = "v1"
_VERSION_NAME = re.compile(r"v\d\w*")
_TOO_LONG = re.compile(r"token count .*exceeds|maximum number of tokens", re.IGNORECASE)
_BAD_KEY = re.compile(r"api key (not|expired)", re.IGNORECASE)
#: What no wait of seconds mends: a quota of nothing, an account without money.
_SPENT = re.compile(r"limit: 0\b(?!\.)|spend(ing)? (cap|limit)|credits are depleted", re.IGNORECASE)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


def open_http(connection: Connection) -> httpx2.AsyncClient:
    """The connections of a client. It takes nothing from the environment but proxies, and follows no redirect."""
    limits = httpx2.Timeout(connect=10.0, read=connection.read_timeout_s, write=60.0, pool=10.0).as_dict()

    async def limit(request: httpx2.Request) -> None:
        # The SDK gives each request its one timeout or none, and tells the server of it, which then cuts long answers.
        request.extensions["timeout"] = limits

    async def keep(response: httpx2.Response) -> None:
        if (opened := _OPENED.get()) is not None:
            opened.append(response)

    return httpx2.AsyncClient(event_hooks={"request": [limit], "response": [keep]})


@asynccontextmanager
async def hanging_up() -> AsyncIterator[None]:
    """Close what is requested inside the block, also when it was not read to its end.

    The SDK keeps the response to itself, in a ring of references: only the garbage collector would close it, and the
    model would write on at our cost.
    """
    opened: list[httpx2.Response] = []
    _OPENED.set(opened)
    try:
        yield
    finally:
        if _OPENED.get() is opened:  # it is not where another task closes the stream
            _OPENED.set(None)
        while opened:
            await opened.pop().aclose()


def open_client(connection: Connection, http: httpx2.AsyncClient) -> Client:
    """A client that never retries. Each argument here would otherwise be looked for in the environment."""
    root, version = _address(connection.base_url)
    return Client(
        enterprise=False,
        api_key=connection.key.get_secret_value() if connection.key else "none",
        http_options=HttpOptions(base_url=root, api_version=version, httpx_async_client=http),
    )


def translate_error(error: Exception, *, provider: str, now: datetime, begun: bool) -> ProviderError:
    """Our error for one of WIRE_ERRORS.

    `begun`: words of the answer were out already; what would pass with a new try is a broken stream then.
    """
    match error:
        case APIError():
            return _from_api(error, provider, now, begun=begun)
        case httpx2.TimeoutException() | TimeoutError():
            return unusable(provider, "no answer in time", begun=begun)
        case httpx2.HTTPError():
            return unusable(provider, "the connection failed", begun=begun)
        case _:
            return unusable(provider, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)


def _address(base_url: str | None) -> tuple[str, str]:
    """Where the API is, and its version, which may be the end of the address."""
    if base_url is None:
        return _ROOT, _VERSION
    root, _, end = base_url.rstrip("/").rpartition("/")
    return (root, end) if _VERSION_NAME.fullmatch(end) else (base_url, _VERSION)


def _from_api(error: APIError, provider: str, now: datetime, *, begun: bool) -> ProviderError:
    answered = isinstance(error.response, httpx2.Response)  # inside of a stream it is an object of the SDK's
    kind = _kind_of(error)
    told = f"{error.code} {plain_word(error.status)}"
    return in_stream(kind, begun=begun)(
        f"HTTP {told}" if answered else f"an error in the stream: {told}",
        provider=provider,
        status=error.code if answered else None,
        retry_after_s=_retry_after_s(error, now) if issubclass(kind, PASSING) else None,
    )


def _kind_of(error: APIError) -> type[ProviderError]:
    text = str(error.message)
    match error.code:
        # Status 400 has it all; FAILED_PRECONDITION is an account that may not ask from where it is without paying.
        case 400 if error.status == "FAILED_PRECONDITION" or _BAD_KEY.search(text) or _names_key(error):
            return AuthenticationFailed
        case 400 if _TOO_LONG.search(text):
            return ContextTooLong
        case 429 if _SPENT.search(text) or any("PerDay" in quota for quota in _quotas(error)):
            return QuotaExhausted
        case 499:  # cancelled, by them
            return ProviderUnavailable
        case code:
            return kind_of_status(code)


def _names_key(error: APIError) -> bool:
    return any(str(detail.get("reason")).startswith("API_KEY_") for detail in _details(error))


def _quotas(error: APIError) -> Iterator[str]:
    """The quotas that were exceeded, such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`."""
    for detail in _details(error):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            yield str(violation.get("quotaId")) if isinstance(violation, dict) else ""


def _retry_after_s(error: APIError, now: datetime) -> float | None:
    """Google says it in the error object (`"retryDelay": "7s"`); what stands before Google may use the header."""
    for detail in _details(error):
        if delay := _DELAY.fullmatch(str(detail.get("retryDelay"))):
            return float(delay[1])
    return retry_after_s(error.response.headers, now)


def _details(error: APIError) -> list[dict[str, Any]]:
    """What the error object says beside its message; the SDK hands it on as it came."""
    body = error.details.get("error") if isinstance(error.details, dict) else None
    details = body.get("details") if isinstance(body, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
