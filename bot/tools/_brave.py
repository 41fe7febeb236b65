"""Brave Search: pages and news, over its HTTP API, where only searches that succeed are charged.

Domains are operators in the query there. What the server wrote about an error is never repeated.
"""

import html
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from urllib.parse import urlsplit

import aiohttp

from bot.core.errors import SettingsError
from bot.tools._look_up import (
    Failure,
    Findings,
    Hit,
    ServiceFailed,
    TimeRange,
    Topic,
    Wanted,
    bill_of,
    failure_of,
    nano_usd,
    objects_of,
    seconds_of,
    words_of,
)
from bot.tools.supplies import Supplies

NAME = "Brave Search"
DEFAULT_URL = "https://api.search.brave.com/res/v1"
_CONNECT_S = 5.0
_MAX_BODY_BYTES = 4_000_000
#: Limits of a query, operators included (reference of the API, parameter `q`).
_QUERY_CHARS = 400
_QUERY_WORDS = 50
_FRESHNESS: Mapping[TimeRange, str] = {
    TimeRange.DAY: "pd",
    TimeRange.WEEK: "pw",
    TimeRange.MONTH: "pm",
    TimeRange.YEAR: "py",
}
#: Codes that say more than their status; a wrong key is a 422 there.
_CODES: Mapping[str, Failure] = {
    "SUBSCRIPTION_TOKEN_INVALID": Failure.KEY,
    "SUBSCRIPTION_NOT_FOUND": Failure.KEY,
    "QUOTA_LIMITED": Failure.QUOTA,
    "RATE_LIMITED": Failure.RATE,
}
#: How hits are marked in titles and descriptions of news.
_MARK = re.compile(r"</?strong>")


class Brave:
    """`SearchService`."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, request_usd: Decimal) -> None:
        self._session = session
        self._base_url = base_url
        self._request_usd = request_usd

    @property
    def name(self) -> str:
        return NAME

    def worst_nano_usd(self, wanted: Wanted) -> int:
        return nano_usd(1, self._request_usd)

    async def search(self, wanted: Wanted) -> Findings:
        is_news = wanted.topic is Topic.NEWS
        url = f"{self._base_url}/{'news' if is_news else 'web'}/search"
        body = await self._get(url, _params_to_wire(wanted))
        found = body if is_news else body.get("web")
        results = found.get("results") if isinstance(found, dict) else None  # without hits `web` is left out
        hits = tuple(_hit_from_wire(result) for result in objects_of(results))
        bill = bill_of("brave/search", 1, credit_usd=self._request_usd, setting="BRAVE_REQUEST_USD", reported=False)
        return Findings(hits=hits, bill=bill)

    async def _get(self, url: str, params: Mapping[str, str]) -> Mapping[str, object]:
        try:
            # A redirect would take the token along.
            async with self._session.get(url, params=params, allow_redirects=False) as response:
                body = _object_of(await _read(response))
                if response.status != 200:
                    raise _translate_status(response.status, body or {}, response.headers)
        except TimeoutError:
            raise ServiceFailed(NAME, Failure.TIMEOUT) from None
        except (aiohttp.ClientError, ValueError):
            raise ServiceFailed(NAME, Failure.DOWN) from None
        if body is None:
            raise ServiceFailed(NAME, Failure.DOWN)
        return body


@asynccontextmanager
async def open_brave(supplies: Supplies, *, timeout_s: float = 10.0) -> AsyncGenerator[Brave, None]:
    """Brave Search with the key of `BRAVE_SEARCH_API_KEY`, at `BRAVE_SEARCH_BASE_URL` or its own address.

    An address without a path gets that of the API.

    Raises:
        SettingsError: there is no key.
    """
    key = (supplies.secret("BRAVE_SEARCH_API_KEY") or "").strip()
    if not key:
        raise SettingsError("BRAVE_SEARCH_API_KEY is not set: Brave Search cannot be used without a key.")
    base_url = (supplies.secret("BRAVE_SEARCH_BASE_URL") or DEFAULT_URL).rstrip("/")
    if not urlsplit(base_url).path:
        base_url += urlsplit(DEFAULT_URL).path
    async with aiohttp.ClientSession(
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "X-Subscription-Token": key},
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,  # proxies, as with the SDKs
    ) as session:
        yield Brave(session, base_url, supplies.brave_request_usd)


def _params_to_wire(wanted: Wanted) -> dict[str, str]:
    params = {
        "q": _query_to_wire(wanted),
        "count": str(wanted.max_results),
        "country": "ALL",  # left out, it means the United States
        "safesearch": "moderate",
    }
    if wanted.time_range is not None:
        params["freshness"] = _FRESHNESS[wanted.time_range]
    if wanted.topic is not Topic.NEWS:
        params |= {"result_filter": "web", "text_decorations": "false"}
    return params


def _query_to_wire(wanted: Wanted) -> str:
    """The query with `a site:b OR site:c NOT site:d`, as far as there is room: results are sifted afterwards anyway."""
    query = " ".join(wanted.query.split()[:_QUERY_WORDS])[:_QUERY_CHARS].rstrip()
    included = [f"{'OR ' * (number > 0)}site:{domain}" for number, domain in enumerate(wanted.include_domains)]
    for operator in (*included, *(f"NOT site:{domain}" for domain in wanted.exclude_domains)):
        longer = f"{query} {operator}"
        if len(longer) > _QUERY_CHARS or len(longer.split()) > _QUERY_WORDS:
            break
        query = longer
    return query


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError("more than any search finds")
    return bytes(body)


def _object_of(body: bytes) -> Mapping[str, object] | None:
    """The JSON object of an answer; None: it is something else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _translate_status(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> ServiceFailed:
    match body:  # the schema of the reference has `error`, its examples `errors`
        case {"error": {"code": str(code)}} | {"errors": [{"code": str(code)}, *_]}:
            pass
        case _:
            code = ""
    return ServiceFailed(NAME, _CODES.get(code) or failure_of(status), retry_after_s=_retry_after_s(headers))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """From `X-RateLimit-Reset: 1, 1419704`: when the last window opens of which `X-RateLimit-Remaining` has 0 left."""
    told = seconds_of(headers.get("Retry-After"))
    if told is not None:
        return told
    resets = [seconds_of(text) for text in headers.get("X-RateLimit-Reset", "").split(",")]
    lefts = [seconds_of(text) for text in headers.get("X-RateLimit-Remaining", "").split(",")]
    waits = [reset for reset, left in zip(resets, lefts, strict=False) if reset is not None and left == 0]
    return max(waits, default=resets[0])


def _hit_from_wire(result: Mapping[str, object]) -> Hit:
    return Hit(
        title=_plain(result.get("title")),
        url=words_of(result.get("url")),
        snippet=_plain(result.get("description")),
        date=words_of(result.get("page_age")) or words_of(result.get("age")) or None,
    )


def _plain(value: object) -> str:
    return html.unescape(_MARK.sub("", words_of(value)))
