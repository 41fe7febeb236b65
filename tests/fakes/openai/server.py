"""FakeOpenAI: an aiohttp server on loopback that plays one OpenAI-shaped server.

It routes, authenticates, picks the scripted step and keeps the records; what is right and how it looks on
the wire is in the check_* and wire_* modules.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.fakes.model_server import Asked
from tests.fakes.openai import audio
from tests.fakes.openai.answer import Answer, resolve
from tests.fakes.openai.dialect import OPENAI, Dialect, FakeModel, Overflow
from tests.fakes.openai.faults import error_body
from tests.fakes.openai.generation import Chat, Endpoint, Responses
from tests.fakes.openai.listing import model_entry, model_list
from tests.fakes.openai.prompt import (
    PrefixCache,
    cacheable_tokens,
    estimate_tokens,
    last_user_text,
    prompt_text,
    uses_cache,
)
from tests.fakes.openai.reading import read
from tests.fakes.openai.record import Billed, Disconnect, Request
from tests.fakes.openai.refused import Refused, check_window
from tests.fakes.openai.script import Breakage, Broken, HttpFault, Reply, Silence, Step
from tests.fakes.sse import Progress, Sender, break_connection, hang
from tests.fakes.wire_server import WireServer, answer_of

KEY = "sk-test-fake-openai"
MAX_BODY_BYTES = 64 * 1024 * 1024
_REQUEST = web.RequestKey("request", Request)


def echo(request: Request) -> Step:
    """The default answer: which text reached the model."""
    return Reply(text=f"You said: {request.last_user_text}")


class FakeOpenAI(WireServer):
    """Start with `async with`; `url` is the SDK's base_url, `key` its api_key.

    A step is chosen by the first `when` rule that matches, then the script queue, then `default`.
    A request that is refused (401, 400, 404) consumes none.
    """

    def __init__(
        self,
        *,
        key: str = KEY,
        dialect: Dialect = OPENAI,
        models: tuple[FakeModel, ...] | None = None,
        prefix_cache: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.key = key
        self.dialect = dialect
        self.models = dialect.models if models is None else models
        self.default: Callable[[Request], Step] = echo
        self.requests: list[Request] = []
        self.billed: list[Billed] = []
        self.disconnects: list[Disconnect] = []
        self._clock = clock
        self._cache = PrefixCache() if prefix_cache else None
        self._rules: list[tuple[str, Step]] = []

    @property
    def url(self) -> str:
        """What an SDK takes as base_url."""
        return f"{self.origin}/v1"

    @property
    def generations(self) -> list[Request]:
        """The requests that asked a model, in order of arrival, refused ones included."""
        return [request for request in self.requests if request.is_generation]

    @property
    def base_url(self) -> str:
        """As in `ModelServer`."""
        return self.url

    @property
    def asked(self) -> list[Asked]:
        """As in `ModelServer`."""
        return [read(request) for request in self.generations]

    def when(self, contains: str, step: Step) -> None:
        """Answer every call whose last user text contains this; the first matching rule wins."""
        self._rules.append((contains, step))

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.router.add_post("/v1/chat/completions", self._chat)
        if self.dialect.name in audio.AUDIO_MODELS:
            app.router.add_post("/v1/audio/transcriptions", self._transcribe)
            app.router.add_post("/v1/audio/speech", self._speak)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{id:.+}", self._model_by_id)
        if self.dialect.responses:
            app.router.add_post("/v1/responses", self._responses)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Record, authenticate, and turn a refusal into its answer."""
        try:
            request[_REQUEST] = await self._record(request)
            self._authenticate(request)
            response = await handler(request)
        except Refused as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=self._headers())
        except web.HTTPNotFound:
            body = error_body(f"Invalid URL ({request.method} {request.path})", kind="invalid_request_error")
            return web.json_response(body, status=404)
        return response

    async def _record(self, http: web.Request) -> Request:
        if http.content_type == "multipart/form-data":
            return await self._record_form(http)
        raw = await http.read()
        try:
            parsed: Any = json.loads(raw) if raw else {}
        except ValueError:
            parsed = None
        sound = isinstance(parsed, dict)
        headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
        known: dict[str, Any] = parsed if sound else {}
        text = last_user_text(known)
        request = Request(
            path=http.path,
            headers=headers,
            body=MappingProxyType(known),
            at=self._clock(),
            last_user_text=text,
        )
        self.requests.append(request)
        self._changed.set()
        if not sound:
            raise Refused("We could not parse the JSON body of your request.")
        return request

    async def _record_form(self, http: web.Request) -> Request:
        form = await http.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        files = {}
        for name, value in form.items():
            if isinstance(value, web.FileField):
                with value.file as file:
                    files[name] = audio.Upload(name=value.filename, media_type=value.content_type, content=file.read())
        headers = {name.lower(): value for name, value in http.headers.items()}
        request = Request(path=http.path, headers=headers, body=fields, at=self._clock(), files=files)
        self.requests.append(request)
        self._changed.set()
        return request

    def _authenticate(self, http: web.Request) -> None:
        given = http.headers.get("authorization", "")
        if not self.dialect.needs_key or given == f"Bearer {self.key}":
            return
        if not given.startswith("Bearer "):
            raise Refused("You didn't provide an API key.", status=401)
        shown = f"{given[7:11]}***{given[-4:]}"
        raise Refused(f"Incorrect API key provided: {shown}.", status=401, code="invalid_api_key")

    def _headers(self) -> dict[str, str]:
        return {"x-request-id": f"req_{len(self.requests)}", "openai-processing-ms": "12"}

    async def _responses(self, http: web.Request) -> web.StreamResponse:
        return await self._generate(http, Responses())

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        return await self._generate(http, Chat())

    async def _generate(self, http: web.Request, endpoint: Endpoint) -> web.StreamResponse:
        request = http[_REQUEST]
        self._came(http)
        model = self._find(request.model)
        endpoint.check(request.body, model, self.dialect)
        tokens = estimate_tokens(len(prompt_text(request.body)))
        limit = endpoint.limit(request.body, self.dialect)
        check_window(tokens, limit or 0, model, self.dialect, endpoint.prompt_param)
        step = self._next(request)
        if isinstance(step, HttpFault):
            return answer_of(step, self._headers())
        if isinstance(step, Silence):
            return await self._stay_silent(lambda: self._note_leaving(request, Progress(self._changed.set)))
        broken, reply = (step, step.reply) if isinstance(step, Broken) else (None, step)
        if self.dialect.overflow is Overflow.TRUNCATE:
            tokens = min(tokens, model.window_tokens)
        cached, written = self._look_up(request.body, model, tokens)
        answer = resolve(
            reply,
            request,
            self.dialect,
            number=len(self.requests),
            input_tokens=tokens,
            cached_tokens=cached,
            cache_write_tokens=written,
            limit=limit,
            created=int(time.time()),
        )
        return await self._answer(http, endpoint, answer, reply, broken)

    async def _transcribe(self, http: web.Request) -> web.StreamResponse:
        request = http[_REQUEST]
        self._came(http)
        model = audio.check_transcription(request.body, request.files, self.dialect)
        step = self._script.popleft() if self._script else Reply(text="Hello from the recording.")
        if not isinstance(step, Reply):
            return await self._fail(http, step)
        answer = audio.transcription(step, model, request.files["file"], request.body, self.dialect)
        return web.json_response(answer, headers=self._headers())

    async def _speak(self, http: web.Request) -> web.StreamResponse:
        body = http[_REQUEST].body
        self._came(http)
        audio.check_speech(body, self.dialect)
        step = self._script.popleft() if self._script else Reply()
        reply = step.reply if isinstance(step, Broken) else step
        if not isinstance(reply, Reply):
            return await self._fail(http, reply)
        content, media_type = audio.sound(body)
        events = body.get("stream_format") == "sse"
        frames = audio.sound_events(content, body, reply) if events else [content]
        response = web.StreamResponse(headers=self._headers())
        response.content_type = "text/event-stream" if events else media_type
        if reply.hold is not None:
            await reply.hold.pause()
        await response.prepare(http)
        for number, frame in enumerate(frames):
            if isinstance(step, Broken) and number == (step.after_chunks or 0):
                break_connection(http, reset=step.how is Breakage.RESET)
                return response
            await response.write(frame)
        return response

    async def _fail(self, http: web.Request, step: Step) -> web.StreamResponse:
        if isinstance(step, HttpFault):
            return answer_of(step, self._headers())
        if isinstance(step, Silence):
            return await self._stay_silent(self._left)
        break_connection(http, reset=True)
        return web.Response(status=500)  # never sent

    def _look_up(self, body: Mapping[str, Any], model: FakeModel, tokens: int) -> tuple[int, int]:
        """How many of a prompt's tokens come from the cache, and how many go there and are billed for it."""
        if self._cache is None or not uses_cache(body):
            return 0, 0
        cached = min(self._cache.cached_tokens(model.id, prompt_text(body)), tokens)
        return cached, max(0, cacheable_tokens(tokens) - cached) if model.cache_options else 0

    async def _answer(
        self, http: web.Request, endpoint: Endpoint, answer: Answer, reply: Reply, broken: Broken | None
    ) -> web.StreamResponse:
        progress = Progress(self._changed.set)
        try:
            if not answer.request.body.get("stream") or not self.dialect.streams:
                return await self._whole(http, endpoint, answer, reply, broken, progress)

            def error(number: int) -> Any:
                assert broken is not None
                return endpoint.error(answer, broken, number)

            sender = Sender(http, reply, broken, progress, self._headers(), error)
            return await sender.send(endpoint.frames(answer))
        except (asyncio.CancelledError, ConnectionError):
            self._note_leaving(answer.request, progress)
            raise
        finally:
            self._bill(answer, progress)

    async def _whole(
        self,
        http: web.Request,
        endpoint: Endpoint,
        answer: Answer,
        reply: Reply,
        broken: Broken | None,
        progress: Progress,
    ) -> web.StreamResponse:
        if reply.hold is not None:
            await reply.hold.pause()
        await asyncio.sleep(reply.first_token_delay_s + reply.chunk_interval_s * len(answer.chunks))
        match broken.how if broken else None:
            case None:
                progress.completed = True
                return web.json_response(endpoint.whole(answer), headers=self._headers())
            case Breakage.HANG:
                await hang()
            case Breakage.RESET | Breakage.CUT as how:
                break_connection(http, reset=how is Breakage.RESET)
            case Breakage.FAILED if broken and isinstance(endpoint, Responses):
                frame: Any = endpoint.error(answer, broken, 0).data
                return web.json_response(frame["response"], headers=self._headers())
            case Breakage.MALFORMED | Breakage.NO_FINAL:
                return web.Response(text='{"id": "', content_type="application/json")
            case _:
                pass
        assert broken is not None
        return web.json_response(error_body(broken.message, kind="server_error", code=broken.code), status=500)

    def _find(self, name: str) -> FakeModel:
        if not name:
            raise Refused("you must provide a model parameter")
        wanted = name.split(":")[0] if self.dialect.name == "huggingface" else name
        for model in self.models:
            if model.id == wanted:
                return model
        if self.dialect.name == "ollama":
            raise Refused(f"model '{name}' not found", status=404, kind="not_found_error")
        text = f"The model `{name}` does not exist or you do not have access to it."
        raise Refused(text, status=404, param="model", code="model_not_found")

    def _next(self, request: Request) -> Step:
        for contains, step in self._rules:
            if contains in request.last_user_text:
                return step
        return self._script.popleft() if self._script else self.default(request)

    def _note_leaving(self, request: Request, progress: Progress) -> None:
        if self._left(completed=progress.completed):
            self.disconnects.append(Disconnect(request=request, chunks_sent=progress.chunks, at=self._clock()))

    def _bill(self, answer: Answer, progress: Progress) -> None:
        if not progress.completed and not progress.characters:
            return
        streamed = estimate_tokens(progress.characters)
        bill = Billed(
            model=answer.request.model,
            input_tokens=answer.usage.input_tokens,
            cached_tokens=answer.usage.cached_tokens,
            cache_write_tokens=answer.usage.cache_write_tokens,
            output_tokens=answer.usage.output_tokens if progress.completed else streamed,
            completed=progress.completed,
        )
        self.billed.append(bill)
        self._changed.set()

    async def _models(self, http: web.Request) -> web.Response:
        return web.json_response(model_list(self.dialect, self.models), headers=self._headers())

    async def _model_by_id(self, http: web.Request) -> web.Response:
        return web.json_response(model_entry(self._find(http.match_info["id"]), self.dialect))
