"""FakeTavily: an aiohttp server on loopback that plays Tavily's search and extract.

It finds the pages that it was given, refuses what the reference does not allow, and counts credits as the price list
does: 1 or 2 a search, 1 for every 5 pages that were extracted, over all calls.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.fakes.found_page import FoundPage, within
from tests.fakes.script import HttpFault, Reply, Silence
from tests.fakes.tavily.check import Refused, check_extract, check_search
from tests.fakes.wire_server import WireServer, answer_of

KEY = "tvly-test-fake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that came, refused or not; names of headers are lower case."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class FakeTavily(WireServer):
    """Start with `async with`; a scripted HttpFault or Silence is the answer to the next sound request.

    A scripted Reply only delays it by its `hold`. `reports_usage` False: it never tells credits.
    """

    def __init__(self, *pages: FoundPage, key: str = KEY, reports_usage: bool = True) -> None:
        super().__init__()
        self.pages = pages
        self.key = key
        self.answer: str | None = None
        self.requests: list[Request] = []
        self.credits = 0
        self._reports_usage = reports_usage
        self._extracted = 0

    @property
    def searches(self) -> list[Mapping[str, Any]]:
        """The bodies of searches, in order."""
        return [request.body for request in self.requests if request.path == "/search"]

    @property
    def extracts(self) -> list[Mapping[str, Any]]:
        """The bodies of extractions, in order."""
        return [request.body for request in self.requests if request.path == "/extract"]

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_post("/search", self._search)
        app.router.add_post("/extract", self._extract)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self._came(request)
        try:
            response = await handler(request)
        except Refused as refusal:
            response = _error(refusal.status, refusal.message)
        self._changed.set()
        return response

    async def _search(self, http: web.Request) -> web.StreamResponse:
        body = await self._body(http)
        check_search(body)
        if (scripted := await self._scripted()) is not None:
            return scripted
        credits_ = 2 if body.get("search_depth") == "advanced" else 1
        self.credits += credits_
        return web.json_response(
            {
                "query": body["query"],
                "follow_up_questions": None,
                "answer": self.answer if body.get("include_answer") else None,
                "images": [],
                "results": [_result(page, number) for number, page in enumerate(self._found(body))],
                "response_time": 0.4,
                "request_id": "123e4567-e89b-12d3-a456-426614174111",
            }
            | self._usage(body, credits_)
        )

    def _found(self, body: Mapping[str, Any]) -> list[FoundPage]:
        wanted = tuple(body.get("include_domains", ()))
        unwanted = tuple(body.get("exclude_domains", ()))
        pages = [
            page for page in self.pages if (not wanted or within(page.url, wanted)) and not within(page.url, unwanted)
        ]
        return pages[: body.get("max_results", 5)]

    async def _extract(self, http: web.Request) -> web.StreamResponse:
        body = await self._body(http)
        urls = check_extract(body)
        if (scripted := await self._scripted()) is not None:
            return scripted
        known = {page.url: page.words for page in self.pages if page.words is not None}
        before = self._extracted // 5
        self._extracted += sum(url in known for url in urls)
        credits_ = self._extracted // 5 - before
        self.credits += credits_
        failed = [{"url": url, "error": "Failed to fetch url"} for url in urls if url not in known]
        return web.json_response(
            {
                "results": [{"url": url, "raw_content": known[url], "images": []} for url in urls if url in known],
                "failed_results": failed,
                "response_time": 0.2,
                "request_id": "123e4567-e89b-12d3-a456-426614174112",
            }
            | self._usage(body, credits_)
        )

    def _usage(self, body: Mapping[str, Any], credits_: int) -> dict[str, object]:
        return {"usage": {"credits": credits_}} if body.get("include_usage") and self._reports_usage else {}

    async def _scripted(self) -> web.StreamResponse | None:
        match self._script.popleft() if self._script else None:
            case HttpFault() as fault:
                return answer_of(fault)
            case Silence():
                return await self._stay_silent(self._left)
            case Reply(hold=hold) if hold is not None:
                await hold.pause()
        return None

    async def _body(self, http: web.Request) -> Mapping[str, Any]:
        try:
            body = json.loads(await http.read())
        except ValueError:
            body = None
        headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
        known = body if isinstance(body, dict) else {}
        self.requests.append(Request(path=http.path, headers=headers, body=MappingProxyType(known)))
        self._changed.set()
        if headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(401, "Unauthorized: missing or invalid API key.")
        if headers.get("content-type", "").partition(";")[0] != "application/json" or not isinstance(body, dict):
            raise Refused(422, "body: Input should be a valid dictionary")
        return known


def out_of_credits() -> HttpFault:
    """The plan's limit is used up."""
    words = "This request exceeds your plan's set usage limit. Please upgrade your plan or contact support@tavily.com"
    return HttpFault(status=432, body={"detail": {"error": words}})


def over_pay_as_you_go() -> HttpFault:
    """The limit that the account has set for itself is used up."""
    words = "This request exceeds the pay-as-you-go limit. You can increase your limit on the Tavily dashboard."
    return HttpFault(status=433, body={"detail": {"error": words}})


def too_many_requests(retry_after_s: int | None = None) -> HttpFault:
    """More requests a minute than the key may make."""
    words = "Your request has been blocked due to excessive requests. Please reduce the rate of requests."
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return HttpFault(status=429, body={"detail": {"error": words}}, headers=headers)


def server_error() -> HttpFault:
    """A problem of theirs."""
    return HttpFault(status=500, body={"detail": {"error": "Internal Server Error"}})


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"detail": {"error": message}}, status=status)


def _result(page: FoundPage, number: int) -> dict[str, object]:
    date = {} if page.date is None else {"published_date": page.date}
    score = round(0.98 - number / 100, 2)
    return {"url": page.url, "title": page.title, "content": page.snippet, "score": score, "raw_content": None} | date
