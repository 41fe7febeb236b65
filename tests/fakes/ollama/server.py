"""FakeOllama: an aiohttp server on loopback that plays Ollama's own API.

It routes, picks the scripted step and keeps the records; what is right and how it looks on the wire is in `check` and
`wire`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any

from aiohttp import web

from tests.fakes.model_server import Asked
from tests.fakes.ollama.check import Refused, check_chat
from tests.fakes.ollama.models import MODELS, FakeModel, shown, tags
from tests.fakes.ollama.reading import last_user_text, prompt_tokens, read
from tests.fakes.ollama.wire import LineSender, error_frame, frames
from tests.fakes.script import Broken, HttpFault, Reply, Silence, Step
from tests.fakes.sse import Frame, Progress, hang
from tests.fakes.wire_server import WireServer, answer_of

DEFAULT_CONTEXT = 4_096
TOO_LONG = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the "
    "context length in settings, or use a model with a longer context length"
)
_MAX_BODY_BYTES = 64 * 1024 * 1024


class FakeOllama(WireServer):
    """Start with `async with`; a `ModelServer`. `key` is never asked for.

    `knows_truncate` False: a server that is too old for it and always cuts. `calls_have_ids` likewise.
    `loads` are the contexts for which a model was loaded, `shows` the models whose details were asked for, `showing`
    the most of those at once.
    """

    def __init__(
        self, *, models: tuple[FakeModel, ...] = MODELS, knows_truncate: bool = True, calls_have_ids: bool = True
    ) -> None:
        super().__init__()
        self.models = models
        self.key = "nobody-asks"
        self.asked: list[Asked] = []
        self.loads: list[tuple[str, int]] = []
        self.shows: list[str] = []
        self.showing = 0
        self.unshowable: frozenset[str] = frozenset()
        self._knows_truncate = knows_truncate
        self._calls_have_ids = calls_have_ids
        self._showing_now = 0

    @property
    def base_url(self) -> str:
        """As the settings give it: with the `/v1` of the other API."""
        return f"{self.origin}/v1"

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[self._guard])
        app.router.add_post("/api/chat", self._chat)
        app.router.add_get("/api/tags", self._tags)
        app.router.add_post("/api/show", self._show)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return web.json_response({"error": refusal.message}, status=refusal.status)

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        body = await _body(http)
        self._came(http)
        headers = MappingProxyType({name.lower(): value for name, value in http.headers.items()})
        self.asked.append(read(body, headers))
        model = self._find(str(body.get("model", "")))
        check_chat(body, model)
        read_tokens = self._fit(body, model)
        step = self._script.popleft() if self._script else Reply(text=f"You said: {last_user_text(body)}")
        progress = Progress(self._changed.set)
        try:
            return await self._answer(http, body, step, read_tokens, progress)
        except (asyncio.CancelledError, ConnectionError):
            self._left(completed=progress.completed)
            raise

    def _fit(self, body: dict[str, Any], model: FakeModel) -> int:
        """How many tokens of the prompt are read: all, or (half a context) what is left of one that is too long."""
        num_ctx = int((body.get("options") or {}).get("num_ctx") or DEFAULT_CONTEXT)
        if (model.name, num_ctx) not in self.loads[-1:]:
            self.loads.append((model.name, num_ctx))
        context = min(num_ctx, model.context_length)
        tokens = prompt_tokens(body)
        if tokens < context:
            return tokens
        if self._knows_truncate and body.get("truncate") is False:
            raise Refused(TOO_LONG)
        return context // 2 + 2

    async def _answer(
        self, http: web.Request, body: dict[str, Any], step: Step, read_tokens: int, progress: Progress
    ) -> web.StreamResponse:
        if isinstance(step, HttpFault):
            return answer_of(step)
        if isinstance(step, Silence):
            await hang()
        broken, reply = (step, step.reply) if isinstance(step, Broken) else (None, step)
        assert isinstance(reply, Reply)

        def error(_: int) -> Frame:
            assert broken is not None
            return error_frame(broken.code)

        headers = {"content-type": "application/x-ndjson"}
        sender = LineSender(http, reply, broken, progress, headers, error)
        with_ids, number = self._calls_have_ids, len(self.asked)
        return await sender.send(frames(reply, body, number=number, read_tokens=read_tokens, calls_have_ids=with_ids))

    async def _tags(self, http: web.Request) -> web.Response:
        return web.json_response(tags(self.models))

    async def _show(self, http: web.Request) -> web.Response:
        model = self._find(str((await _body(http)).get("model", "")))
        self.shows.append(model.name)
        if model.name in self.unshowable:
            raise Refused("unable to load model", status=500)
        self._showing_now += 1
        self.showing = max(self.showing, self._showing_now)
        # Others that are on their way arrive meanwhile.
        await asyncio.sleep(0.005)
        self._showing_now -= 1
        return web.json_response(shown(model))

    def _find(self, name: str) -> FakeModel:
        wanted = name if ":" in name else f"{name}:latest"
        for model in self.models:
            if model.name == wanted:
                return model
        raise Refused(f"model '{name}' not found", status=404)


async def _body(http: web.Request) -> dict[str, Any]:
    try:
        parsed = json.loads(await http.read())
    except ValueError as error:
        raise Refused(f"invalid character: {error}") from None
    if not isinstance(parsed, dict):
        raise Refused("json: cannot unmarshal into Go value of type api.ChatRequest")
    return parsed
