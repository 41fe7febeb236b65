"""FakeAnthropic: an aiohttp server on loopback that plays Anthropic's API.

It routes, authenticates, picks the scripted step and keeps the records; what is right and how it looks on the wire is
in the check_* modules and in `wire`.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.fakes.anthropic.answer import Answer, resolve
from tests.fakes.anthropic.check_messages import check_messages
from tests.fakes.anthropic.check_params import check_params
from tests.fakes.anthropic.models import MODELS, FakeModel, find_model, model_page
from tests.fakes.anthropic.prompt import PrefixCache, estimate_tokens, prompt_tokens
from tests.fakes.anthropic.reading import last_user_text, read
from tests.fakes.anthropic.record import Billed, Request
from tests.fakes.anthropic.refused import REQUEST_ID, Refused, error_body
from tests.fakes.anthropic.sender import AnthropicSender
from tests.fakes.anthropic.thoughts import check_thoughts
from tests.fakes.anthropic.wire import error_frame, frames, whole
from tests.fakes.model_server import Asked
from tests.fakes.script import Broken, HttpFault, Reply, Silence, Step
from tests.fakes.sse import Progress
from tests.fakes.wire_server import WireServer, answer_of

KEY = "sk-ant-test-fake"
VERSION = "2026-10-21"
MAX_BODY_BYTES = 32 * 1024 * 1024
_MESSAGES = "/v1/messages"
_REQUEST = web.RequestKey("request", Request)


def echo(asked: Asked) -> Step:
    """Which text reached the model."""
    return Reply(text=f"You said: {last_user_text(asked.body)}")


class FakeAnthropic(WireServer):
    """Start with `async with`; a `ModelServer`.

    `page_limit` is the most models on one page of the list. `clock` gives seconds and lets what is cached grow old.
    `default` answers what no scripted step is for.
    """

    def __init__(
        self,
        *,
        models: tuple[FakeModel, ...] = MODELS,
        page_limit: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.models = models
        self.page_limit = page_limit
        self.default: Callable[[Asked], Step] = echo
        self.requests: list[Request] = []
        self.billed: list[Billed] = []
        self._cache = PrefixCache(clock)

    @property
    def base_url(self) -> str:
        """As in `ModelServer`: with the `/v1` that a bare host gets from the settings."""
        return f"{self.origin}/v1"

    @property
    def key(self) -> str:
        """As in `ModelServer`."""
        return KEY

    @property
    def asked(self) -> list[Asked]:
        """As in `ModelServer`."""
        return [read(request.body, request.headers) for request in self.requests if request.path == _MESSAGES]

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=2 * MAX_BODY_BYTES, middlewares=[self._guard])
        app.router.add_post(_MESSAGES, self._generate)
        app.router.add_get("/v1/models", self._list)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Record, authenticate, and turn a refusal into its answer."""
        try:
            request[_REQUEST] = await self._record(request)
            _check_headers(request)
            return await handler(request)
        except Refused as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=_HEADERS)
        except web.HTTPNotFound:
            return web.json_response(error_body("Not found", kind="not_found_error"), status=404, headers=_HEADERS)

    async def _record(self, http: web.Request) -> Request:
        raw = await http.read()
        try:
            parsed: Any = json.loads(raw) if raw else {}
        except ValueError:
            parsed = None
        sound = isinstance(parsed, dict)
        headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
        request = Request(path=http.path, headers=headers, body=MappingProxyType(parsed if sound else {}))
        self.requests.append(request)
        self._changed.set()
        if len(raw) > MAX_BODY_BYTES:
            raise Refused("Request exceeds the maximum allowed number of bytes.", status=413, kind="request_too_large")
        if not sound:
            raise Refused("The request body is not valid JSON")
        return request

    async def _generate(self, http: web.Request) -> web.StreamResponse:
        request = http[_REQUEST]
        self._came(http)
        body = request.body
        model = find_model(self.models, body.get("model"))
        check_params(body, model)
        check_messages(body, model)
        check_thoughts(body)
        tokens = prompt_tokens(body)
        if tokens > model.window_tokens:
            raise Refused(f"prompt is too long: {tokens} tokens > {model.window_tokens} maximum")
        step = self._script.popleft() if self._script else self.default(read(body, request.headers))
        if isinstance(step, HttpFault):
            return answer_of(step, _HEADERS)
        if isinstance(step, Silence):
            return await self._stay_silent(self._left)
        broken, reply = (step, step.reply) if isinstance(step, Broken) else (None, step)
        cached = self._cache.take(body, model)
        answer = resolve(reply, body, model, number=len(self.requests), tokens=tokens, cached=cached)
        if not body.get("stream"):
            self._bill(answer, completed=True, streamed=0)
            return web.json_response(whole(answer), headers=_HEADERS)
        return await self._stream(http, answer, reply, broken)

    async def _stream(
        self, http: web.Request, answer: Answer, reply: Reply, broken: Broken | None
    ) -> web.StreamResponse:
        progress = Progress(self._changed.set)

        def error(_: int) -> Any:
            assert broken is not None
            return error_frame(broken)

        try:
            return await AnthropicSender(http, reply, broken, progress, _HEADERS, error).send(frames(answer))
        except (asyncio.CancelledError, ConnectionError):
            self._left(completed=progress.completed)
            raise
        finally:
            self._bill(answer, completed=progress.completed, streamed=progress.characters)

    def _bill(self, answer: Answer, *, completed: bool, streamed: int) -> None:
        usage = answer.usage if completed else replace(answer.usage, output_tokens=estimate_tokens(streamed))
        self.billed.append(Billed(model=answer.model, usage=usage, completed=completed))
        self._changed.set()

    async def _list(self, http: web.Request) -> web.Response:
        limit = min(int(http.query.get("limit", "20")), self.page_limit)
        page = model_page(self.models, after_id=http.query.get("after_id"), limit=limit)
        return web.json_response(page, headers=_HEADERS)


_HEADERS = {"request-id": REQUEST_ID, "anthropic-organization-id": "org-fake"}


def _check_headers(http: web.Request) -> None:
    version = http.headers.get("anthropic-version")
    if version is None:
        raise Refused("anthropic-version: header is required")
    if version != VERSION:
        raise Refused(f'anthropic-version: "{version}" is not a version that this fake plays')
    given = http.headers.get("x-api-key") or http.headers.get("authorization", "").removeprefix("Bearer ")
    if not given:
        raise Refused("x-api-key header is required", status=401, kind="authentication_error")
    if given != KEY:
        raise Refused("invalid x-api-key", status=401, kind="authentication_error")
