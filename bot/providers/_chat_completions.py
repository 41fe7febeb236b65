"""The Chat Completions wire, as many servers speak it; what differs between them is a `ChatDialect`.

Knows no server by name. OpenAI itself is reached by its newer API, in `openai`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from openai import APIStatusError, AsyncOpenAI, AsyncStream
from openai.types import Model
from openai.types.chat import ChatCompletion

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ProviderError
from bot.core.events import Finish, ProviderEvent
from bot.core.ports import ChatRequest, Clock
from bot.core.tools import ToolSpec
from bot.providers._chat_answer import AnswerSoFar
from bot.providers._chat_dialect import ChatDialect
from bot.providers._chat_messages import messages_to_wire
from bot.providers._event_stream import DONE, read_events
from bot.providers._openai_client import WIRE_ERRORS, cache_key, is_named, open_client, translate_error
from bot.providers._statuses import LIST_TIMEOUT_S
from bot.providers._wishes import effort_of, json_schema_format, sampling_of, system_of, wants_json
from bot.providers.connection import Connection

_USAGE_FIELD = "stream_options"
#: Statuses of servers that have no list of models.
_NO_LIST = (404, 405, 501)


class ChatCompletions:
    """`Provider` over `POST /chat/completions`."""

    def __init__(self, name: str, client: AsyncOpenAI, clock: Clock, dialect: ChatDialect) -> None:
        self._name = name
        self._client = client
        self._clock = clock
        self._dialect = dialect
        self._reports_usage = True

    @property
    def name(self) -> str:
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        body = _to_wire(request, self._dialect)
        answer = AnswerSoFar(self._name, self._dialect, len(request.messages))
        try:
            opened = await self._open(body)
            async with opened, aclosing(_from_wire(read_events(opened.response), answer)) as events:
                async for event in events:
                    yield event
        except WIRE_ERRORS as error:
            raise self._translate_error(error, begun=answer.begun) from None

    async def _open(self, body: dict[str, Any]) -> AsyncStream[object]:
        """Start the stream, with usage at its end until the server says that it does not know of that."""
        if self._reports_usage:
            try:
                return await self._create(body | {_USAGE_FIELD: {"include_usage": True}})
            except APIStatusError as error:
                if error.status_code not in (400, 422) or _USAGE_FIELD not in error.message:
                    raise
                self._reports_usage = False
        return await self._create(body)

    async def _create(self, body: dict[str, Any]) -> AsyncStream[object]:
        # Not `chat.completions.create`: see openai.py.
        return await self._client.post(
            "/chat/completions", cast_to=ChatCompletion, body=body, stream=True, stream_cls=AsyncStream[object]
        )

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        if not self._dialect.list_models:
            return None
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                models = [model async for model in self._client.models.list()]
        except APIStatusError as error:
            if error.status_code in _NO_LIST:
                return None
            raise self._translate_error(error, begun=False) from None
        except (*WIRE_ERRORS, TimeoutError) as error:
            raise self._translate_error(error, begun=False) from None
        return tuple(_model_from_wire(model, self._name, self._dialect) for model in models if is_named(model))

    async def aclose(self) -> None:
        await self._client.close()

    def _translate_error(self, error: Exception, *, begun: bool) -> ProviderError:
        by_text = not self._dialect.codes
        return translate_error(error, provider=self._name, now=self._clock.now(), begun=begun, by_text=by_text)


def build_chat(connection: Connection, dialect: ChatDialect) -> ChatCompletions:
    """Make a provider that speaks `dialect`."""
    return ChatCompletions(connection.name, open_client(connection), connection.clock, dialect)


def _to_wire(request: ChatRequest, dialect: ChatDialect) -> dict[str, Any]:
    model = request.model
    held = _response_format(request, dialect)
    # The word JSON has to be somewhere in the messages, and a schema that cannot be sent along as well.
    system = system_of(request, told="json_schema" not in held)
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages += messages_to_wire(request.messages, model)
    body: dict[str, Any] = {"model": model.ref.id, "messages": messages, "stream": True}
    if request.tools:
        body["tools"] = [_tool_to_wire(tool) for tool in request.tools]
    if request.max_output_tokens is not None:
        body[dialect.limit_parameter] = request.max_output_tokens
    if request.cache_key is not None and dialect.cache_key:
        body["prompt_cache_key"] = cache_key(request.cache_key)
    if (effort := effort_of(request)) is not None:
        body["reasoning_effort"] = effort
    if held:
        body["response_format"] = held
    return body | sampling_of(request)


def _response_format(request: ChatRequest, dialect: ChatDialect) -> dict[str, Any]:
    """What holds the model to JSON, empty: nothing does."""
    able = request.model.json and (dialect.json_with_tools or not request.tools)
    if not able or not wants_json(request):
        return {}
    if request.response_schema is None or not dialect.json_schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": json_schema_format(request.response_schema)}


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


async def _from_wire(chunks: AsyncGenerator[Any, None], answer: AnswerSoFar) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with reasoning and text, as observed:

    delta role=assistant content="", delta reasoning="Hm", delta content="It", delta content=" is", delta {}
    with finish_reason=stop, no choices but usage, [DONE]

    Usage may also come with the last choice (Ollama) or as `x_groq` (Groq), or not at all. Some servers give no
    reason to finish: then `[DONE]` is the end. One that does not stream has a `message` where others have a `delta`.
    """
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk == DONE:
                answer.done = True
                break
            for event in answer.take(chunk):
                yield event
    for last in answer.rest():
        yield last
    if answer.report is not None:
        yield answer.report
    yield Finish(reason=answer.finish_reason())


def _model_from_wire(model: Model, provider: str, dialect: ChatDialect) -> ModelInfo:
    return ModelInfo(ref=ModelRef(provider, model.id), **dialect.facts(model.model_extra or {}))
