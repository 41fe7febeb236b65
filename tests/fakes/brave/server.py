"""FakeBrave: an aiohttp server on loopback that plays Brave Search's web and news endpoints.

It finds the pages that it was given, follows `site:` and `NOT site:` in a query, refuses what the reference does not
allow, answers compressed where that is asked for, and tells its limits in headers.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.fakes.found_page import FoundPage, within
from tests.fakes.script import HttpFault, Reply, Silence
from tests.fakes.wire_server import WireServer, answer_of

KEY = "BSA-test-fake"
_LIMITS = {
    "X-RateLimit-Limit": "1, 15000",
    "X-RateLimit-Policy": "1;w=1, 15000;w=2592000",
    "X-RateLimit-Remaining": "1, 14999",
    "X-RateLimit-Reset": "1, 1419704",
}


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


_FLAG = _like("true|false")
_RESULT = "(discussions|faq|infobox|locations|news|query|summarizer|videos|web)"
_COMMON: Mapping[str, Callable[[str], bool]] = {
    "q": lambda value: bool(value.strip()) and len(value) <= 400 and len(value.split()) <= 50,
    "country": _like(r"[A-Z]{2}|ALL"),
    "search_lang": _like(r"[a-z]{2}(-[a-z]+)?"),
    "ui_lang": _like(r"[a-z]{2}-[A-Z]{2}"),
    "safesearch": _like("off|moderate|strict"),
    "offset": _like("[0-9]"),
    "spellcheck": _FLAG,
    "freshness": _like(r"p[dwmy]|\d{4}-\d\d-\d\dto\d{4}-\d\d-\d\d"),
    "extra_snippets": _FLAG,
    "operators": _FLAG,
    "goggles": bool,
    "include_fetch_metadata": _FLAG,
}
_WEB = {
    **_COMMON,
    "count": lambda value: value.isdigit() and 1 <= int(value) <= 20,
    "text_decorations": _FLAG,
    "result_filter": _like(f"{_RESULT}(,{_RESULT})*"),
    "units": _like("metric|imperial"),
    "summary": _FLAG,
}
_NEWS = {**_COMMON, "count": lambda value: value.isdigit() and 1 <= int(value) <= 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that came, refused or not; names of headers are lower case."""

    path: str
    headers: Mapping[str, str]
    params: Mapping[str, str]


class FakeBrave(WireServer):
    """Start with `async with`; a scripted HttpFault or Silence is the answer to the next sound request."""

    def __init__(self, *pages: FoundPage, key: str = KEY) -> None:
        super().__init__()
        self.pages = pages
        self.key = key
        self.requests: list[Request] = []
        self.charged = 0

    @property
    def url(self) -> str:
        """What the settings take."""
        return f"{self.origin}/res/v1"

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/res/v1/web/search", self._guarded(_WEB, self._web))
        app.router.add_get("/res/v1/news/search", self._guarded(_NEWS, self._news))
        return app

    def _guarded(
        self, fields: Mapping[str, Callable[[str], bool]], answer: Callable[[web.Request], dict[str, object]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(http: web.Request) -> web.StreamResponse:
            self._came(http)
            headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
            self.requests.append(Request(path=http.path, headers=headers, params=MappingProxyType(dict(http.query))))
            self._changed.set()
            if (refusal := self._refusal(http, fields)) is not None:
                return refusal
            match self._script.popleft() if self._script else None:
                case HttpFault() as fault:
                    return answer_of(fault, _LIMITS)
                case Silence():
                    return await self._stay_silent(self._left)
                case Reply(hold=hold) if hold is not None:
                    await hold.pause()
            self.charged += 1
            response = web.json_response(answer(http), headers=_LIMITS)
            response.enable_compression()
            return response

        return handle

    def _refusal(self, http: web.Request, fields: Mapping[str, Callable[[str], bool]]) -> web.Response | None:
        token = http.headers.get("X-Subscription-Token")
        if token is None:
            return _validation("header", "x-subscription-token", "Field required")
        if token != self.key:
            return answer_of(
                _fault(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid."), _LIMITS
            )
        for name in ("q", *http.query):
            if name not in fields:
                return _validation("query", name, "Extra inputs are not permitted")
            if name not in http.query or len(http.query.getall(name)) > 1 or not fields[name](http.query[name]):
                return _validation("query", name, "Input is invalid")
        return None

    def _web(self, http: web.Request) -> dict[str, object]:
        found = [_result(page, "search_result") for page in self._found(http.query)]
        answer: dict[str, object] = {"type": "search", "query": {"original": http.query["q"]}, "mixed": {}}
        if found:
            answer["web"] = {"type": "search", "results": found, "family_friendly": True}
        return answer

    def _news(self, http: web.Request) -> dict[str, object]:
        found = [_result(page, "news_result") for page in self._found(http.query)]
        return {"type": "news", "query": {"original": http.query["q"]}, "results": found}

    def _found(self, query: Mapping[str, str]) -> list[FoundPage]:
        unwanted = tuple(re.findall(r"NOT site:(\S+)", query["q"]))
        wanted = tuple(re.findall(r"(?<!NOT )site:(\S+)", query["q"]))
        pages = [
            page for page in self.pages if (not wanted or within(page.url, wanted)) and not within(page.url, unwanted)
        ]
        return pages[: int(query.get("count", "20"))]


def rate_limited(*, remaining: str = "0, 14999", reset: str = "1, 1419704") -> HttpFault:
    """More requests than the plan allows; the headers tell of which window."""
    fault = _fault(429, "RATE_LIMITED", "Request rate limit exceeded for plan.")
    return HttpFault(
        status=429, body=fault.body, headers={"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    )


def quota_used_up() -> HttpFault:
    """All requests of the month are made."""
    return _fault(429, "QUOTA_LIMITED", "Request quota limit exceeded for plan.")


def _fault(status: int, code: str, detail: str, **meta: Any) -> HttpFault:
    error = {"id": "5d832250", "status": status, "code": code, "detail": detail, "meta": meta}
    return HttpFault(status=status, body={"type": "ErrorResponse", "error": error, "time": int(time.time())})


def _validation(place: str, name: str, message: str) -> web.Response:
    errors = [{"type": "value_error", "loc": [place, name], "msg": message}]
    detail = "Unable to validate request parameter(s)"
    return answer_of(_fault(422, "VALIDATION", detail, errors=errors), _LIMITS)


def _result(page: FoundPage, kind: str) -> dict[str, object]:
    date = {} if page.date is None else {"page_age": page.date, "age": "some days ago"}
    result: dict[str, object] = {
        "type": kind,
        "title": page.title,
        "url": page.url,
        "description": page.snippet,
        "meta_url": {"scheme": "https", "netloc": page.url.partition("://")[2].partition("/")[0]},
    }
    return result | date
