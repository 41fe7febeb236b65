"""Ollama by its own API: models on a machine of one's own. What it offers is what it lists.

Its OpenAI-shaped API takes no size of the context, and so cuts prompts in silence; this one does not.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import aiohttp

from bot.core.catalogue import ModelInfo
from bot.core.errors import ContextTooLong, EmptyAnswer, ProviderError
from bot.core.events import Finish, FinishReason, ProviderEvent, Usage, UsageReport
from bot.core.ports import ChatRequest
from bot.core.tools import ToolSpec
from bot.providers._failures import cut_off, retry_after_s, unusable
from bot.providers._lines import LineBuffer
from bot.providers._ollama_alike import NoSuchApi, OllamaOrAlike
from bot.providers._ollama_answer import AnswerSoFar
from bot.providers._ollama_context import Contexts, Room, looks_cut, prompt_tokens
from bot.providers._ollama_messages import messages_to_wire
from bot.providers._ollama_models import model_from_wire
from bot.providers._read_out import read_out
from bot.providers._statuses import LIST_TIMEOUT_S, PASSING, TOO_LONG, in_stream, kind_of_status
from bot.providers._wishes import effort_of, sampling_of, system_of, wants_json
from bot.providers.connection import Connection

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 10.0
_SHOWN_AT_ONCE = 4
#: How often a prompt that does not fit its context is given a larger one, the first included.
_TRIES = 3
#: All that a call and reading its answer can raise; JSON of another shape shows as the last three.
_WIRE_ERRORS = (aiohttp.ClientError, TimeoutError, ValueError, AttributeError, TypeError, KeyError)


class Ollama:
    """`Provider` over `POST /api/chat`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None
        self._contexts = Contexts()
        #: By digest, what `/api/show` said: it does not change for the same bytes.
        self._shown: dict[str, Mapping[str, Any]] = {}

    @property
    def name(self) -> str:
        return self._connection.name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        system = system_of(request, told=True)
        estimated = prompt_tokens(system, request)
        answer = AnswerSoFar(len(request.messages))
        try:
            opened, room = await self._open_chat(request, system, estimated)
            async with opened as response, aclosing(_from_wire(_lines(response), answer, self.name)) as events:
                async for event in events:
                    if isinstance(event, UsageReport):
                        _warn_of_cut(request, room, estimated, event.usage.input_tokens)
                    yield event
        except _WIRE_ERRORS as error:
            raise self._translate_error(error, begun=answer.begun) from None

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                listed = (await self._json("GET", "/api/tags")).get("models") or ()
                entries = [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("name"), str)]
                await self._show(entries)
        except _WIRE_ERRORS as error:
            raise self._translate_error(error, begun=False) from None
        shown = self._shown
        infos = (model_from_wire(self.name, entry, shown.get(_version(entry), {})) for entry in entries)
        return tuple(info for info in infos if info is not None)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _show(self, entries: list[dict[str, Any]]) -> None:
        """Ask for the details of models that are new or changed, few at a time; forget those that are gone."""
        names = {_version(entry): str(entry["name"]) for entry in entries}
        self._shown = {digest: shown for digest, shown in self._shown.items() if digest in names}
        slots = asyncio.Semaphore(_SHOWN_AT_ONCE)

        async def show(digest: str, name: str) -> None:
            async with slots:
                try:
                    self._shown[digest] = await self._json("POST", "/api/show", {"model": name})
                except (ProviderError, *_WIRE_ERRORS) as error:
                    # One broken model must not hide the others: it is listed without details, and asked again.
                    log.debug("%s does not show %s: %s", self.name, name, error)

        async with asyncio.TaskGroup() as group:
            for digest, name in names.items():
                if digest not in self._shown:
                    group.create_task(show(digest, name))

    async def _open_chat(
        self, request: ChatRequest, system: str, tokens: int, tries: int = _TRIES
    ) -> tuple[aiohttp.ClientResponse, Room]:
        """Begin an answer to a prompt of about `tokens`; where that was too low, with a larger context."""
        room = self._contexts.room_for(request, tokens, self._connection.clock.monotonic())
        try:
            return await self._request("POST", "/api/chat", _to_wire(request, system, room)), room
        except ContextTooLong:
            if tries == 1 or room.num_ctx == request.model.window_tokens:
                raise
        return await self._open_chat(request, system, room.num_ctx, tries - 1)

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        async with await self._request(method, path, body) as response:
            parsed = json.loads(await response.read())
        if not isinstance(parsed, dict):
            raise TypeError("no JSON object")
        return parsed

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> aiohttp.ClientResponse:
        """An answer with status 200, to be entered. Raises ProviderError for any other."""
        if self._session is None:
            self._session = _open_session(self._connection)
        url = f"{_origin(self._connection.base_url)}{path}"
        response = await self._session.request(method, url, json=body)
        if response.status == 200:
            return response
        async with response:
            raise await self._refusal(response)

    async def _refusal(self, response: aiohttp.ClientResponse) -> ProviderError:
        kind = kind_of_status(response.status)
        if response.status in (404, 405) and _is_unknown_path(await response.text(errors="replace")):
            kind = NoSuchApi
        if response.status in (400, 413, 500) and TOO_LONG.search(await response.text(errors="replace")):
            kind = ContextTooLong
        wait_s = retry_after_s(response.headers, self._connection.clock.now()) if issubclass(kind, PASSING) else None
        return kind(f"HTTP {response.status}", provider=self.name, status=response.status, retry_after_s=wait_s)

    def _translate_error(self, error: Exception, *, begun: bool) -> ProviderError:
        match error:
            case TimeoutError():
                return unusable(self.name, "no answer in time", begun=begun)
            case aiohttp.ClientError():
                return unusable(self.name, "the connection failed", begun=begun)
            case _:
                return unusable(self.name, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)


def build(connection: Connection) -> OllamaOrAlike:
    """Make the provider."""
    return OllamaOrAlike(Ollama(connection), connection, _origin(connection.base_url))


def _is_unknown_path(text: str) -> bool:
    """Whether a 404 is not Ollama's own, which names the model in a text under `error`."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return True
    return not (isinstance(parsed, dict) and isinstance(parsed.get("error"), str))


def _open_session(connection: Connection) -> aiohttp.ClientSession:
    # A model that has to be loaded first is silent for as long as that takes: silence is limited, the whole is not.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=connection.read_timeout_s)
    headers = {"authorization": f"Bearer {connection.key.get_secret_value()}"} if connection.key else {}
    return aiohttp.ClientSession(timeout=timeout, headers=headers, connector=aiohttp.TCPConnector(limit=0))


def _origin(base_url: str | None) -> str:
    """The address without the `/v1` of its OpenAI-shaped API, which people and settings add."""
    return (base_url or "http://127.0.0.1:11434").rstrip("/").removesuffix("/v1")


def _warn_of_cut(request: ChatRequest, room: Room, estimated_tokens: int, read_tokens: int) -> None:
    if looks_cut(room, estimated_tokens, read_tokens):
        log.warning("%s may have cut the prompt: %d tokens read", request.model.ref, read_tokens)


def _version(entry: Mapping[str, Any]) -> str:
    """What changes when a model is pulled anew."""
    return str(entry.get("digest") or entry["name"])


def _to_wire(request: ChatRequest, system: str, room: Room) -> dict[str, Any]:
    """The body; `system` is the system prompt as it goes out."""
    model = request.model
    told = [{"role": "system", "content": system}] if system else []
    messages = [*told, *messages_to_wire(request.messages, model)]
    # `truncate` false: a prompt that is too long after all is an error, and not an answer to the rest of it.
    body: dict[str, Any] = {"model": model.ref.id, "messages": messages, "stream": True, "truncate": False}
    if request.tools:
        body["tools"] = [_tool_to_wire(tool) for tool in request.tools]
    if (thought := _thinking_to_wire(request)) is not None:
        body["think"] = thought
    if model.json and wants_json(request):
        body["format"] = "json" if request.response_schema is None else dict(request.response_schema)
    return body | {"options": {"num_ctx": room.num_ctx, "num_predict": room.answer_tokens, **sampling_of(request)}}


def _thinking_to_wire(request: ChatRequest) -> bool | str | None:
    """Whether to think, or how much; None: not said. Models that do not think refuse to be told."""
    match effort_of(request):
        case None:
            return True if request.model.reasoning else None
        case "none":
            return False
        case "default":
            return True
        case effort:
            return effort


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
    """The lines of the answer. Not by aiohttp's `readline`, which refuses a long tool call."""
    buffer = LineBuffer()
    async for piece in response.content.iter_any():
        for line in buffer.feed(piece):
            yield json.loads(line)
    for line in buffer.feed(b"\n"):
        yield json.loads(line)


async def _from_wire(
    lines: AsyncGenerator[dict[str, Any], None], answer: AnswerSoFar, provider: str
) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with reasoning and a call, as observed:

    {"message": {"role": "assistant", "content": "", "thinking": "Hm"}, "done": false},
    {"message": {"role": "assistant", "content": "", "tool_calls": [{"id": "call_x", "function": {"index": 0,
    "name": "add", "arguments": {"a": 2}}}]}, "done": false},
    {"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 26,
    "eval_count": 9}

    An error is a line `{"error": "..."}`, after which the stream is over.
    """
    async with aclosing(lines):
        async for line in lines:
            if (said := line.get("error")) is not None:
                raise _failed(str(said), provider, begun=answer.begun)
            for event in answer.take(line):
                yield event
            if answer.end is not None:
                break
        await read_out(lines, _WIRE_ERRORS)
    for held in answer.rest():
        yield held
    if (report := _usage_from_wire(answer)) is not None:
        yield report
    yield Finish(reason=_finish_from_wire(answer, provider))


def _failed(said: str, provider: str, *, begun: bool) -> ProviderError:
    kind = ContextTooLong if TOO_LONG.search(said) else kind_of_status(500)
    return in_stream(kind, begun=begun)("an error in the stream", provider=provider)


def _finish_from_wire(answer: AnswerSoFar, provider: str) -> FinishReason:
    if answer.end is None:
        raise cut_off(provider, begun=answer.begun)
    if answer.end.get("done_reason") == "length":
        return FinishReason.LENGTH
    if answer.called:
        return FinishReason.TOOL_CALLS
    if not answer.spoken:
        raise EmptyAnswer("the model finished without a word", provider=provider)
    return FinishReason.STOP


def _usage_from_wire(answer: AnswerSoFar) -> UsageReport | None:
    """None where a count is missing: older servers leave out that of a prompt which they still know."""
    told = answer.end or {}
    read, written = told.get("prompt_eval_count"), told.get("eval_count")
    if not isinstance(read, int) or not isinstance(written, int):
        return None
    return UsageReport(usage=Usage(input_tokens=read, output_tokens=written), model=told.get("model") or None)
