"""Tavily: search and reading of pages, by its SDK. Imported only where there is a key.

Without a key the SDK would use Tavily's public mode: it is never opened so. What goes wrong is told by status here,
because the SDK's errors keep neither the status nor how long to wait; what the server wrote is never repeated.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import httpx
from tavily import AsyncTavilyClient  # type: ignore[import-untyped]  # the SDK has no types
from tavily.errors import TimeoutError as TavilyTimeout  # type: ignore[import-untyped]  # the SDK has no types

from bot.core.errors import SettingsError
from bot.core.tools import ToolBill
from bot.tools._look_up import (
    Depth,
    Failure,
    Findings,
    Hit,
    ServiceFailed,
    Wanted,
    bill_of,
    failure_of,
    nano_usd,
    objects_of,
    seconds_of,
    words_of,
)
from bot.tools.supplies import Supplies

NAME = "Tavily"
DEFAULT_URL = "https://api.tavily.com"
#: Beyond the SDK's own deadline, which starts anew with every piece that arrives.
_GRACE_S = 2.0
#: What the SDK adds of its own accord and from the environment, and nobody needs.
_NEEDLESS_HEADERS = ("X-Client-Source", "X-Project-ID", "X-Tavily-Orgid")
_PAGES_PER_CREDIT = 5
#: Whoever reports more for one call cannot be meant seriously.
_MOST_CREDITS = 1_000
_FAILURES: Mapping[int, Failure] = {
    432: Failure.QUOTA,  # the limit of the key or the plan
    433: Failure.QUOTA,  # the limit of pay-as-you-go
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """The words of a page, as Markdown. `title` is empty where Tavily tells none."""

    title: str
    text: str


class Tavily:
    """`SearchService` and reader of pages."""

    def __init__(
        self, client: AsyncTavilyClient, credit_usd: Decimal, *, search_timeout_s: float, extract_timeout_s: float
    ) -> None:
        self._client = client
        self._credit_usd = credit_usd
        self._search_timeout_s = search_timeout_s
        self._extract_timeout_s = extract_timeout_s

    @property
    def name(self) -> str:
        return NAME

    def worst_nano_usd(self, wanted: Wanted) -> int:
        return nano_usd(_search_credits(wanted), self._credit_usd)

    async def search(self, wanted: Wanted) -> Findings:
        asked = self._client.search(
            wanted.query,
            search_depth=wanted.depth.value,
            topic=wanted.topic.value,
            time_range=wanted.time_range and wanted.time_range.value,
            max_results=wanted.max_results,
            include_domains=list(wanted.include_domains) or None,
            exclude_domains=list(wanted.exclude_domains) or None,
            include_answer=True,
            include_usage=True,
            timeout=self._search_timeout_s,
        )
        body = await _answer(asked, self._search_timeout_s)
        hits = tuple(_hit_from_wire(result) for result in objects_of(body.get("results")))
        bill = self._bill("tavily/search", body, _search_credits(wanted))
        return Findings(hits=hits, answer=words_of(body.get("answer")) or None, bill=bill)

    def worst_extract_nano_usd(self, pages: int) -> int:
        """What reading so many pages costs at most."""
        return nano_usd(_extract_credits(pages), self._credit_usd)

    async def extract(self, urls: Sequence[str]) -> tuple[Mapping[str, Extract], ToolBill | None]:
        """The pages that could be read, by the address that was asked for (at most 20), and what that costs.

        Raises:
            ServiceFailed: none was read.
        """
        asked = self._client.extract(
            list(urls), extract_depth="basic", format="markdown", include_usage=True, timeout=self._extract_timeout_s
        )
        body = await _answer(asked, self._extract_timeout_s)
        asked_for = {_comparable(url): url for url in urls}
        read = {
            asked_for[_comparable(url)]: Extract(title=words_of(result.get("title")), text=text)
            for result in objects_of(body.get("results"))
            if (url := words_of(result.get("url")))
            and (text := words_of(result.get("raw_content")))
            and _comparable(url) in asked_for
        }
        bill = self._bill("tavily/extract", body, _extract_credits(len(read)))
        return read, bill if read or bill.usage.credits else None

    def _bill(self, service: str, body: Mapping[str, object], listed: int) -> ToolBill:
        """By the credits that Tavily reports; it counts some calls as 0 and the one that fills a credit as 1."""
        reported = _credits_from_wire(body)
        return bill_of(
            service,
            listed if reported is None else reported,
            credit_usd=self._credit_usd,
            setting="TAVILY_CREDIT_USD",
            reported=reported is not None,
        )


@asynccontextmanager
async def open_tavily(
    supplies: Supplies, *, search_timeout_s: float = 15.0, extract_timeout_s: float = 20.0
) -> AsyncGenerator[Tavily, None]:
    """Tavily with the key of `TAVILY_API_KEY`, at `TAVILY_BASE_URL` or its own address.

    `extract_timeout_s` is told to Tavily as well, which takes 1 to 60.

    Raises:
        SettingsError: there is no key.
    """
    key = (supplies.secret("TAVILY_API_KEY") or "").strip()
    if not key:
        raise SettingsError("TAVILY_API_KEY is not set: Tavily is not used without a key.")
    http = httpx.AsyncClient(
        base_url=supplies.secret("TAVILY_BASE_URL") or DEFAULT_URL, event_hooks={"response": [_refuse_failures]}
    )
    async with http:
        client = AsyncTavilyClient(api_key=key, client=http)
        for header in _NEEDLESS_HEADERS:
            http.headers.pop(header, None)
        yield Tavily(
            client,
            supplies.tavily_credit_usd,
            search_timeout_s=search_timeout_s,
            extract_timeout_s=extract_timeout_s,
        )


class _BadStatus(Exception):
    """An answer that is none. Not an httpx error, so that the SDK hands it on as it is."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.retry_after_s = retry_after_s


async def _refuse_failures(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        raise _BadStatus(response.status_code, seconds_of(response.headers.get("Retry-After")))


async def _answer(asked: Awaitable[object], timeout_s: float) -> Mapping[str, object]:
    """The body of an answer.

    Raises:
        ServiceFailed: there is none; all that the SDK raises ends here.
    """
    try:
        async with asyncio.timeout(timeout_s + _GRACE_S):
            body = await asked
    except _BadStatus as error:
        raise _translate_status(error) from None
    except (TavilyTimeout, TimeoutError):
        raise ServiceFailed(NAME, Failure.TIMEOUT) from None
    except (httpx.HTTPError, ValueError, AttributeError, TypeError, RecursionError):
        # The SDK does not look at what came: broken JSON is a ValueError, JSON of another shape one of the others.
        raise ServiceFailed(NAME, Failure.DOWN) from None
    if not isinstance(body, dict):
        raise ServiceFailed(NAME, Failure.DOWN)
    return body


def _translate_status(error: _BadStatus) -> ServiceFailed:
    failure = _FAILURES.get(error.status) or failure_of(error.status)
    return ServiceFailed(NAME, failure, retry_after_s=error.retry_after_s)


def _search_credits(wanted: Wanted) -> int:
    """docs.tavily.com, API credits: 1 for a basic search, 2 for an advanced one."""
    return 2 if wanted.depth is Depth.ADVANCED else 1


def _extract_credits(pages: int) -> int:
    """docs.tavily.com, API credits: basic extraction is 1 for every 5 pages that were read."""
    return -(-pages // _PAGES_PER_CREDIT)


def _credits_from_wire(body: Mapping[str, object]) -> int | None:
    usage = body.get("usage")
    credits_ = usage.get("credits") if isinstance(usage, dict) else None
    if isinstance(credits_, bool) or not isinstance(credits_, int | float):
        return None
    return int(credits_) if 0 <= credits_ <= _MOST_CREDITS and float(credits_).is_integer() else None


def _hit_from_wire(result: Mapping[str, object]) -> Hit:
    return Hit(
        title=words_of(result.get("title")),
        url=words_of(result.get("url")),
        snippet=words_of(result.get("content")),
        date=words_of(result.get("published_date")) or None,
    )


def _comparable(url: str) -> str:
    """An address for comparison: Tavily may hand it back without its fragment or its last slash."""
    return url.partition("#")[0].rstrip("/")
