"""OpenAI by its Responses API, with nothing stored on their side.

Sealed reasoning travels with tool calls inside one tool loop and is never kept beyond it. Servers that copy
OpenAI's older API are in `_chat_completions`.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import date
from typing import Any

from openai import AsyncOpenAI, AsyncStream
from openai.types import Model
from openai.types.responses import Response

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import EmptyAnswer, ProviderError
from bot.core.events import (
    Finish,
    FinishReason,
    ProviderEvent,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageReport,
)
from bot.core.message import ToolCall
from bot.core.ports import ChatRequest, Clock
from bot.core.tools import ToolSpec
from bot.providers._failures import cut_off
from bot.providers._json_words import json_words
from bot.providers._openai_client import (
    WIRE_ERRORS,
    cache_key,
    error_from_code,
    is_named,
    open_client,
    translate_error,
)
from bot.providers._openai_items import items_to_wire, replay_of
from bot.providers._read_out import read_out
from bot.providers._statuses import LIST_TIMEOUT_S
from bot.providers._tiers import unusual_tier
from bot.providers._wishes import effort_of, json_schema_format, sampling_of, system_of
from bot.providers.connection import Connection

_MIN_OUTPUT_TOKENS = 16
_CHAT_MODEL = re.compile(r"(gpt-\d|chatgpt-|o\d)")
_NOT_CHAT = re.compile(r"audio|realtime|transcribe|tts|image|search|instruct|embedding|codex|deep-research|live")


class OpenAI:
    """`Provider` over `POST /responses`."""

    def __init__(self, name: str, client: AsyncOpenAI, clock: Clock) -> None:
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
            # Events as the server wrote them. `responses.create` walks through the whole conversation to rename keys
            # that we spell as the API does, and validates every event: more than half of a turn's CPU time.
            stream = await self._client.post(
                "/responses", cast_to=Response, body=body, stream=True, stream_cls=AsyncStream[object]
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
                models = [model async for model in self._client.models.list()]
        except (*WIRE_ERRORS, TimeoutError) as error:
            raise self._translate_error(error, begun=False) from None
        return tuple(_model_from_wire(model, self._name) for model in models if is_named(model) and _chats(model.id))

    async def aclose(self) -> None:
        await self._client.close()

    def _translate_error(self, error: Exception, *, begun: bool) -> ProviderError:
        return translate_error(error, provider=self._name, now=self._clock.now(), begun=begun)


def build(connection: Connection) -> OpenAI:
    """Make the provider."""
    return OpenAI(connection.name, open_client(connection), connection.clock)


def _to_wire(request: ChatRequest) -> dict[str, Any]:
    model = request.model
    body: dict[str, Any] = {
        "model": model.ref.id,
        "input": items_to_wire(request.messages, model),
        "store": False,
        # A project may have a dearer tier by default: the price that was reserved is that of the usual one.
        "service_tier": "default",
        "stream": True,
    }
    if system := system_of(request):
        body["instructions"] = system
    if request.tools:
        body["tools"] = [_tool_to_wire(tool) for tool in request.tools]
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(_MIN_OUTPUT_TOKENS, request.max_output_tokens)
    if request.cache_key is not None:
        body["prompt_cache_key"] = cache_key(request.cache_key)
    if model.cache_options:
        body["prompt_cache_options"] = _cache_to_wire(request)
    if (effort := effort_of(request)) is not None:
        body["reasoning"] = {"effort": effort}
    # Models that do not reason refuse to be asked for their reasoning.
    if model.reasoning:
        body["include"] = ["reasoning.encrypted_content"]
    if model.json and request.response_schema is not None:
        body["text"] = {"format": {"type": "json_schema", **json_schema_format(request.response_schema)}}
    elif model.json and request.json:
        body["text"] = {"format": {"type": "json_object"}}
        # The API looks for the word JSON in the input, and not in the instructions.
        told = {"type": "input_text", "text": json_words()}
        body["input"] = [{"role": "developer", "content": [told]}, *body["input"]]
    return body | sampling_of(request)


def _cache_to_wire(request: ChatRequest) -> dict[str, str]:
    """What becomes of the prompt in the cache. Unless told otherwise these models write it, at 1.25 of its price.

    Without breakpoints of ours "explicit" writes nothing. The longer life (12h) is not asked for, also where an hour
    is wished: no price list has it, and half an hour is only the least that is kept.
    """
    return {"mode": "explicit"} if request.cache_key is None else {"mode": "implicit", "ttl": "30m"}


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    # Strict is the default of this API and would refuse schemas with optional properties.
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "strict": False,
    }


async def _from_wire(events: AsyncIterator[Any], provider: str) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with a tool call, as observed:

    response.created, response.in_progress, response.output_item.added (reasoning), response.output_item.done
    (reasoning), response.output_item.added (function_call), response.function_call_arguments.delta ...,
    response.function_call_arguments.done, response.output_item.done (function_call), response.completed

    Failures come as events: nothing is raised by the SDK for `error` and `response.failed`.
    """
    answer = _AnswerSoFar()
    async for event in events:
        match event["type"]:
            case "response.output_text.delta" | "response.refusal.delta" if event["delta"]:
                answer.spoken = answer.spoken or not event["delta"].isspace()
                answer.refused = answer.refused or event["type"] == "response.refusal.delta"
                answer.begun = True
                yield TextDelta(text=event["delta"])
            case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" if event["delta"]:
                answer.begun = True
                yield ReasoningDelta(text=event["delta"])
            case "response.output_item.done":
                if (call := answer.take_item(event["item"])) is not None:
                    yield call
            case "response.completed" | "response.incomplete" | "response.failed":
                if (report := _usage_from_wire(event["response"])) is not None:
                    yield report
                finish = _finish_from_wire(event["response"], answer, provider)
                await read_out(events, WIRE_ERRORS)
                yield Finish(reason=finish)
                return
            case "error":
                raise error_from_code(event.get("code"), provider=provider, begun=answer.begun)
            case _:
                pass
    raise cut_off(provider, begun=answer.begun)


class _AnswerSoFar:
    """What a stream has brought: enough to judge its end."""

    def __init__(self) -> None:
        self.begun = False
        self.spoken = False
        self.refused = False
        self.called = False
        self._reasoning: list[Mapping[str, Any]] = []

    def take_item(self, item: Mapping[str, Any]) -> ToolCall | None:
        """A finished output item: reasoning is kept for the call that follows it."""
        if item["type"] == "reasoning" and item.get("encrypted_content"):
            self._reasoning.append(item)
        if item["type"] != "function_call":
            return None
        self.called = True
        replay = replay_of(self._reasoning)
        self._reasoning = []
        return ToolCall(id=item["call_id"], name=item["name"], arguments=item["arguments"], replay=replay)


def _finish_from_wire(response: Mapping[str, Any], answer: _AnswerSoFar, provider: str) -> FinishReason:
    if response["status"] == "failed":
        raise error_from_code((response.get("error") or {}).get("code"), provider=provider, begun=answer.begun)
    if response["status"] == "incomplete":
        match (response.get("incomplete_details") or {}).get("reason"):
            case "max_output_tokens":
                return FinishReason.LENGTH
            case "content_filter":
                return FinishReason.CONTENT_FILTER
            case _:
                raise cut_off(provider, begun=answer.begun)
    if answer.refused:
        return FinishReason.CONTENT_FILTER
    if answer.called:
        return FinishReason.TOOL_CALLS
    if not answer.spoken:
        raise EmptyAnswer("the model finished without a word", provider=provider)
    return FinishReason.STOP


def _usage_from_wire(response: Mapping[str, Any]) -> UsageReport | None:
    usage = response.get("usage")
    if usage is None:
        return None
    # Older models and gateways leave the details out.
    read, written = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    tokens = Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cached_tokens=read.get("cached_tokens") or 0,
        cache_write_tokens=read.get("cache_write_tokens") or 0,
        reasoning_tokens=written.get("reasoning_tokens") or 0,
        searches=sum(map(_is_search, response.get("output") or ())),
    )
    tier = unusual_tier(response.get("service_tier"))
    return UsageReport(usage=tokens, model=response.get("model") or None, service_tier=tier)


def _is_search(item: Mapping[str, Any]) -> bool:
    """A look-up on the web, which is billed; opening one of its pages is not."""
    return (item["type"], (item.get("action") or {}).get("type", "search")) == ("web_search_call", "search")


def _chats(model_id: str) -> bool:
    return bool(_CHAT_MODEL.match(model_id)) and not _NOT_CHAT.search(model_id)


def _model_from_wire(model: Model, provider: str) -> ModelInfo:
    return ModelInfo(ref=ModelRef(provider, model.id), retires=_day(model.shutdown_date))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except (TypeError, ValueError):
        return None
