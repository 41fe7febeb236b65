"""FakeGemini: an aiohttp server on loopback that plays Google's Gemini API.

It routes, authenticates, picks the scripted step and keeps the records; what is right is in the check modules, how it
looks on the wire in `wire`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.gemini.check import check
from tests.fakes.gemini.faults import Refused, key_error
from tests.fakes.gemini.models import MODELS, FakeModel, entry
from tests.fakes.gemini.prompt import PrefixCache, count, last_user_text, text_of
from tests.fakes.gemini.reading import read
from tests.fakes.gemini.speech import check_speech, speech
from tests.fakes.gemini.wire import Answer, error_frame
from tests.fakes.model_server import Asked
from tests.fakes.script import Broken, HttpFault, Reply, Silence, Step
from tests.fakes.sse import Progress, Sender, break_connection
from tests.fakes.wire_server import WireServer, answer_of

KEY = "AIzaSyFakeGeminiKey0123456789"
MAX_INLINE_BYTES = 20 * 1024 * 1024
_PAGE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it arrived, refused ones too; header names lower case, `model` empty for lists."""

    path: str
    query: Mapping[str, str]
    model: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What Google charges for one call; `completed` False means cut off, charged as far as streamed."""

    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    completed: bool


def echo(asked: Asked) -> Step:
    """Which text reached the model."""
    return Reply(text=f"You said: {last_user_text(asked.body)}")


class FakeGemini(WireServer):
    """`ModelServer` with Google's wire; start it with `async with`.

    `version` is the version of the API that it has. `max_inline_bytes` bounds a request's body. With `prefix_cache`
    beginnings that were sent before count as cached. `default` answers what no scripted step is for.
    """

    def __init__(
        self,
        *,
        models: tuple[FakeModel, ...] = MODELS,
        version: str = "v1",
        max_inline_bytes: int = MAX_INLINE_BYTES,
        prefix_cache: bool = False,
    ) -> None:
        super().__init__()
        self.models = models
        self.default: Callable[[Asked], Step] = echo
        self.requests: list[Request] = []
        self.billed: list[Billed] = []
        self._version = version
        self._max_inline_bytes = max_inline_bytes
        self._cache = PrefixCache() if prefix_cache else None
        self._signatures: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        return f"{self.origin}/{self._version}"

    @property
    def key(self) -> str:
        return KEY

    @property
    def asked(self) -> list[Asked]:
        return [read(each.model, each.body, each.headers) for each in self.requests if each.model]

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._guard])
        app.router.add_post(f"/{self._version}/models/{{model}}:streamGenerateContent", self._generate)
        app.router.add_post(f"/{self._version}/models/{{model}}:generateContent", self._speak)
        app.router.add_get(f"/{self._version}/models", self._list)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn a refusal into its answer."""
        try:
            return await handler(request)
        except Refused as refusal:
            return web.json_response(refusal.body, status=refusal.status)

    async def _take(self, http: web.Request) -> Request:
        """Record a request and check its key and its size."""
        raw = await http.read()
        try:
            parsed: Any = json.loads(raw) if raw else {}
        except ValueError:
            parsed = None
        request = Request(
            path=http.path,
            query=dict(http.query),
            model=http.match_info.get("model", ""),
            headers={name.lower(): value for name, value in http.headers.items()},
            body=parsed if isinstance(parsed, dict) else {},
        )
        self.requests.append(request)
        self._changed.set()
        if not isinstance(parsed, dict):
            raise Refused("Invalid JSON payload received.")
        if len(raw) > self._max_inline_bytes:
            raise Refused(f"Request payload size exceeds the limit: {self._max_inline_bytes} bytes.")
        if "key" in request.query:
            raise AssertionError("a key in an address ends up in every log on the way")
        match request.headers.get("x-goog-api-key"):
            case None:
                text = "Method doesn't allow unregistered callers (callers without established identity)."
                raise Refused(text, status=403, word="PERMISSION_DENIED")
            case given if given != KEY:
                raise Refused("API key not valid. Please pass a valid API key.", key_error())
        return request

    async def _generate(self, http: web.Request) -> web.StreamResponse:
        request = await self._take(http)
        self._came(http)
        if request.query != {"alt": "sse"}:
            raise Refused('Invalid query parameters: "alt" must be "sse" for a stream of events.')
        model = self._find(request.model)
        check(request.body, model, self._signatures)
        prompt = count(request.body)
        if prompt.total() > model.input_tokens:
            text = f"exceeds the maximum number of tokens allowed ({model.input_tokens})."
            raise Refused(f"The input token count ({prompt.total()}) {text}")
        asked = read(request.model, request.body, request.headers)
        step = self._script.popleft() if self._script else self.default(asked)
        if isinstance(step, HttpFault):
            return answer_of(step)
        if isinstance(step, Silence):
            return await self._stay_silent(self._left)
        broken, reply = (step, step.reply) if isinstance(step, Broken) else (None, step)
        config = request.body.get("generationConfig") or {}
        cached = self._cache.cached_tokens(model.id, text_of(request.body)) if self._cache else 0
        answer = Answer(
            number=len(self.requests),
            model=model,
            reply=reply,
            prompt=prompt,
            cached_tokens=cached if reply.cached_tokens is None else reply.cached_tokens,
            shows_thoughts=bool((config.get("thinkingConfig") or {}).get("includeThoughts")),
            limit=config.get("maxOutputTokens"),
        )
        self._signatures[answer.signature] = model.id
        return await self._send(http, answer, broken)

    async def _speak(self, http: web.Request) -> web.StreamResponse:
        request = await self._take(http)
        self._came(http)
        model = self._find(request.model)
        check_speech(request.body, model)
        step = self._script.popleft() if self._script else Reply()
        if isinstance(step, HttpFault):
            return answer_of(step)
        if isinstance(step, Silence):
            return await self._stay_silent(self._left)
        if isinstance(step, Broken):
            break_connection(http, reset=True)
            return web.Response(status=500)  # never sent
        return web.json_response(speech(request.body, model, step))

    def _find(self, model_id: str) -> FakeModel:
        for model in self.models:
            if model.id == model_id and "generateContent" in model.methods:
                return model
        text = f"is not found for API version {self._version}, or is not supported for generateContent."
        raise Refused(f"models/{model_id} {text}", status=404, word="NOT_FOUND")

    async def _send(self, http: web.Request, answer: Answer, broken: Broken | None) -> web.StreamResponse:
        progress = Progress(self._changed.set)
        headers = {"x-gemini-service-tier": answer.reply.service_tier or "standard"}

        def error(_: int) -> Any:
            assert broken is not None
            return error_frame(broken)

        try:
            return await Sender(http, answer.reply, broken, progress, headers, error).send(answer.frames())
        except (asyncio.CancelledError, ConnectionError):
            self._left(completed=progress.completed)
            raise
        finally:
            self._bill(answer, progress)

    def _bill(self, answer: Answer, progress: Progress) -> None:
        if not progress.completed and not progress.characters:
            return
        usage = answer.reply.usage
        streamed = answer.output_tokens(progress.characters)
        bill = Billed(
            model=answer.model.id,
            input_tokens=answer.input_tokens,
            cached_tokens=usage.cached_tokens if usage else answer.cached_tokens,
            output_tokens=usage.output_tokens if usage and progress.completed else streamed,
            completed=progress.completed,
        )
        self.billed.append(bill)
        self._changed.set()

    async def _list(self, http: web.Request) -> web.Response:
        request = await self._take(http)
        start = int(request.query.get("pageToken", 0))
        size = min(_PAGE, int(request.query.get("pageSize", _PAGE)))
        page: dict[str, Any] = {"models": [entry(model) for model in self.models[start : start + size]]}
        more = {"nextPageToken": str(start + size)} if start + size < len(self.models) else {}
        return web.json_response(page | more)


def stream_of(*chunks: str) -> HttpFault:
    """A whole stream as it stands, one event for each text."""
    body = "".join(f"data: {chunk}\r\n\r\n" for chunk in chunks)
    return HttpFault(status=200, body=body, headers={"content-type": "text/event-stream"})
