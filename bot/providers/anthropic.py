"""Anthropic by its Messages API.

An assistant message that thought before it called tools goes back exactly as it came, inside one tool loop, and is
never kept beyond it. What a model takes (thinking, effort, files, a schema) is the catalogue's word, never a try.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, TypeVar

from anthropic import AsyncAnthropic, AsyncStream, transform_schema
from anthropic.types import Message as WireMessage
from anthropic.types import ModelInfo as WireModel

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ContextTooLong, EmptyAnswer, ProviderError
from bot.core.events import (
    Finish,
    FinishReason,
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageReport,
)
from bot.core.ports import ChatRequest, Clock
from bot.core.tools import ToolSpec
from bot.providers._anthropic_answer import AnswerSoFar
from bot.providers._anthropic_client import WIRE_ERRORS, open_client, translate_error
from bot.providers._anthropic_messages import messages_to_wire
from bot.providers._failures import cut_off, plain_word
from bot.providers._json_words import json_words
from bot.providers._read_out import read_out
from bot.providers._statuses import LIST_TIMEOUT_S
from bot.providers._tiers import unusual_tier
from bot.providers._wishes import effort_of, sampling_of
from bot.providers.connection import Connection

log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: The API wants a limit. Where nobody set one: much, yet not so much that one answer costs a fortune.
_MAX_TOKENS = 32_000
_MAX_TOKENS_UNKNOWN = 8_192
_LONG_CACHE_S = 3_600
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


class Anthropic:
    """`Provider` over `POST /v1/messages`."""

    def __init__(self, name: str, client: AsyncAnthropic, clock: Clock) -> None:
        self._name = name
        self._client = client
        self._clock = clock

    @property
    def name(self) -> str:
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        body = _to_wire(request)
        begun = False
        try:
            # Events as the server wrote them: `messages.create` builds and validates an object for each.
            stream = await self._client.post(
                "/v1/messages", cast_to=WireMessage, body=body, stream=True, stream_cls=AsyncStream[object]
            )
            async with stream, aclosing(_from_wire(stream, self._name)) as events:
                async for event in events:
                    begun = begun or isinstance(event, TextDelta | ReasoningDelta)
                    yield event
        except WIRE_ERRORS as error:
            raise self._translate_error(error, begun=begun) from None

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                models = [model async for model in self._client.models.list(limit=1000)]
        except (*WIRE_ERRORS, TimeoutError) as error:
            raise self._translate_error(error, begun=False) from None
        # The SDK does not check what a server lists.
        return tuple(_model_from_wire(model, self._name) for model in models if _is_named(model))

    async def aclose(self) -> None:
        await self._client.close()

    def _translate_error(self, error: Exception, *, begun: bool) -> ProviderError:
        return translate_error(error, provider=self._name, now=self._clock.now(), begun=begun)


def build(connection: Connection) -> Anthropic:
    """Make the provider."""
    return Anthropic(connection.name, open_client(connection), connection.clock)


def _to_wire(request: ChatRequest) -> dict[str, Any]:
    model = request.model
    shape = _shape_to_wire(request)
    body: dict[str, Any] = {
        "model": model.ref.id,
        "max_tokens": _max_tokens(request),
        "messages": messages_to_wire(request.messages, model),
        "stream": True,
    }
    # No `metadata.user_id`: the cache key is a thread's, and who writes there is nobody else's business.
    if system := _system(request, shaped=shape is not None):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool_to_wire(tool) for tool in request.tools]
    if model.reasoning:
        # New models do not show their thinking unless asked; without a sign of life they would be taken for dead.
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
    config = {"effort": effort_of(request), "format": shape}
    if config := {name: value for name, value in config.items() if value is not None}:
        body["output_config"] = config
    if request.cache_key is not None:
        ttl = "1h" if request.cache_ttl_s >= _LONG_CACHE_S else "5m"
        body["cache_control"] = {"type": "ephemeral", "ttl": ttl}
    # Claude's rows refuse sampling: since 2026-10-21 the API has none. Other servers that speak it may have.
    return body | sampling_of(request)


def _max_tokens(request: ChatRequest) -> int:
    most = request.model.max_output_tokens
    if request.max_output_tokens is not None:
        return min(request.max_output_tokens, most) if most else request.max_output_tokens
    return min(most, _MAX_TOKENS) if most else _MAX_TOKENS_UNKNOWN


def _shape_to_wire(request: ChatRequest) -> dict[str, Any] | None:
    """The format to hold the answer to; None: there is none, or the API has no such format.

    It knows only closed schemas: neither "any JSON object" nor an object of unnamed properties can be said.
    """
    if not request.model.json or request.response_schema is None or _is_open(request.response_schema):
        return None
    try:
        schema = transform_schema(dict(request.response_schema))
    except (AssertionError, AttributeError, ValueError):
        return None  # it has something that the API cannot hold to
    return {"type": "json_schema", "schema": schema}


def _is_open(schema: object) -> bool:
    """Whether an object anywhere in the schema may have properties without a name in it."""
    match schema:
        case Mapping():
            named = bool(schema.get("properties")) and not schema.get("additionalProperties")
            unnamed = schema.get("type") == "object" and not named
            return unnamed or any(_is_open(each) for each in schema.values())
        case list() | tuple():
            return any(_is_open(each) for each in schema)
        case _:
            return False


def _system(request: ChatRequest, *, shaped: bool) -> str:
    wished = (request.json or request.response_schema is not None) and not shaped
    asked = json_words(request.response_schema) if wished else ""
    return "\n\n".join(text for text in (request.system, asked) if text)


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}


async def _from_wire(events: AsyncIterable[Any], provider: str) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with thinking and a tool call, as observed:

    message_start, content_block_start (thinking), content_block_delta (thinking_delta) ..., content_block_delta
    (signature_delta), content_block_stop, content_block_start (text), content_block_delta (text_delta) ...,
    content_block_stop, content_block_start (tool_use), content_block_delta (input_json_delta) ...,
    content_block_stop, message_delta (stop_reason, usage), message_stop

    Pings stand anywhere, the SDK drops them; an `error` event is raised by it. Calls come out at the end: only
    `stop_reason` tells whether the last one is whole. The count at the start is told before the first word, as it holds
    the prompt alone: for a stream that breaks or is stopped it is all that there is.
    """
    answer = AnswerSoFar()
    failure: Exception | None = None
    left = aiter(events)
    try:
        async for event in left:
            begun = answer.begun
            if (delta := answer.take(event)) is not None:
                if not begun and (report := _usage_from_wire(answer)) is not None:
                    yield report
                yield delta
            if answer.ended:
                break
    except WIRE_ERRORS as error:
        failure = error
    await read_out(left, WIRE_ERRORS)
    if answer.counted and (report := _usage_from_wire(answer)) is not None:
        yield report
    if failure is not None:
        raise failure
    finish = _finish_from_wire(answer, provider)
    if finish is FinishReason.TOOL_CALLS:
        for call in answer.calls():
            yield call
    yield Finish(reason=finish)


def _finish_from_wire(answer: AnswerSoFar, provider: str) -> FinishReason:
    if not answer.ended:
        raise cut_off(provider, begun=answer.begun)
    match answer.stop_reason:
        case "end_turn" | "stop_sequence" | "tool_use" if answer.called:
            return FinishReason.TOOL_CALLS
        case "end_turn" | "stop_sequence" | "tool_use" if answer.spoken:
            return FinishReason.STOP
        case "end_turn" | "stop_sequence" | "tool_use":
            raise EmptyAnswer("the model finished without a word", provider=provider)
        case "max_tokens":
            return FinishReason.LENGTH
        case "model_context_window_exceeded" if answer.spoken:
            return FinishReason.LENGTH
        case "model_context_window_exceeded":
            raise ContextTooLong("no room for an answer in the model's window", provider=provider)
        case "refusal":
            log.info("%s declined to answer: category %s", provider, plain_word(answer.refusal_category))
            return FinishReason.CONTENT_FILTER
        case _:
            # pause_turn asks to go on with the provider's own tools, of which we have none: the rest is missing.
            raise cut_off(provider, begun=answer.begun)


def _usage_from_wire(answer: AnswerSoFar) -> UsageReport | None:
    usage = answer.usage
    if usage.get("input_tokens") is None or usage.get("output_tokens") is None:
        return None
    read, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    tokens = Usage(
        input_tokens=usage["input_tokens"] + read + written,  # theirs leaves out what the cache read or wrote
        output_tokens=usage["output_tokens"],
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=(usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
        searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
    )
    tier = unusual_tier(usage.get("service_tier"))
    return UsageReport(usage=tokens, model=answer.model, service_tier=tier, partial=not answer.counted)


def _is_named(model: object) -> bool:
    return isinstance(getattr(model, "id", None), str)


def _model_from_wire(model: WireModel, provider: str) -> ModelInfo:
    able = getattr(model, "capabilities", None)
    thinking = getattr(getattr(able, "thinking", None), "types", None)
    effort = getattr(able, "effort", None)
    retires = _of_type(datetime, getattr(model, "retires_at", None))
    return ModelInfo(
        ref=ModelRef(provider, model.id),
        name=_of_type(str, getattr(model, "display_name", None)),
        window_tokens=_of_type(int, getattr(model, "max_input_tokens", None)),
        max_output_tokens=_of_type(int, getattr(model, "max_tokens", None)),
        vision=_supports(able, "image_input"),
        pdf=_supports(able, "pdf_input"),
        tools=True,
        json=_supports(able, "structured_outputs"),
        temperature=False,
        reasoning=_supports(thinking, "adaptive"),
        efforts=tuple(word for word in _EFFORTS if _supports(effort, word)),
        retires=retires.date() if retires else None,
    )


def _supports(capabilities: object, name: str) -> bool | None:
    return _of_type(bool, getattr(getattr(capabilities, name, None), "supported", None))


def _of_type(kind: type[_T], value: object) -> _T | None:
    return value if isinstance(value, kind) else None
