"""The Chat Completions wire, as many servers speak it; what differs between them is a `ChatDialect`.

Knows no server by name. OpenAI itself is reached by its newer API, in `openai`.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from openai import APIStatusError, AsyncOpenAI, AsyncStream
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

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
from bot.core.message import Audio, Document, Image, Message, Part, Role, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest, Clock, ToolSpec
from bot.providers._openai_client import (
    LIST_TIMEOUT_S,
    WIRE_ERRORS,
    cache_key,
    cut_off,
    error_from_code,
    is_named,
    open_client,
    translate_error,
)
from bot.providers._think import ThinkSplitter
from bot.providers._tool_calls import ToolCallAssembler
from bot.providers.connection import Connection

_USAGE_FIELD = "stream_options"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDialect:
    """What one server does differently.

    `limit_parameter` limits the answer. `reasoning_fields` are where a delta's reasoning may stand, beside
    the content. `thinks_in_text`: models write `<think>` into their answer. `cache_key`: takes
    `prompt_cache_key`. `codes`: its errors have codes; otherwise a prompt that is too long is known by the
    text of the refusal. `list_models` False: its list is no use (too long, not only chat models). `facts`
    reads what an entry of the list tells beyond the id.
    """

    limit_parameter: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_fields: tuple[str, ...] = ("reasoning", "reasoning_content")
    thinks_in_text: bool = False
    cache_key: bool = False
    codes: bool = False
    list_models: bool = False
    facts: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}


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
        begun = False
        try:
            stream = await self._open(body)
            async with stream, aclosing(_from_wire(stream, self._name, self._dialect)) as events:
                async for event in events:
                    begun = begun or isinstance(event, TextDelta | ReasoningDelta)
                    yield event
        except WIRE_ERRORS as error:
            raise self._translate_error(error, begun=begun) from None

    async def _open(self, body: dict[str, Any]) -> AsyncStream[ChatCompletionChunk]:
        """Start the stream, with usage at its end until the server says that it does not know of that."""
        if self._reports_usage:
            try:
                return await self._create(body | {_USAGE_FIELD: {"include_usage": True}})
            except APIStatusError as error:
                if error.status_code not in (400, 422) or _USAGE_FIELD not in error.message:
                    raise
                self._reports_usage = False
        return await self._create(body)

    async def _create(self, body: dict[str, Any]) -> AsyncStream[ChatCompletionChunk]:
        # Not `chat.completions.create`: see openai.py.
        return await self._client.post(
            "/chat/completions",
            cast_to=ChatCompletion,
            body=body,
            stream=True,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        if not self._dialect.list_models:
            return None
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                models = [model async for model in self._client.models.list()]
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
    messages: list[dict[str, Any]] = [{"role": "system", "content": request.system}] if request.system else []
    for message in request.messages:
        messages.extend(_messages_to_wire(message, model))
    body: dict[str, Any] = {
        "model": model.ref.id,
        "messages": messages,
        "stream": True,
    }
    if request.tools:
        body["tools"] = [_tool_to_wire(tool) for tool in request.tools]
    if request.max_output_tokens is not None:
        body[dialect.limit_parameter] = request.max_output_tokens
    if request.temperature is not None and model.temperature:
        body["temperature"] = request.temperature
    if request.cache_key is not None and dialect.cache_key:
        body["prompt_cache_key"] = cache_key(request.cache_key)
    if model.reasoning_effort is not None:
        body["reasoning_effort"] = model.reasoning_effort
    return body


def _messages_to_wire(message: Message, model: ModelInfo) -> Iterator[dict[str, Any]]:
    """A message as wire messages: one for each tool result, or one with content and calls."""
    if message.role is Role.TOOL:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": _result_text(part)}
        return
    calls = [_call_to_wire(part) for part in message.parts if isinstance(part, ToolCall)]
    content = _content_to_wire(message, model)
    if not content and not calls:
        return
    wired: dict[str, Any] = {"role": message.role.value, "content": content or None}
    yield {**wired, "tool_calls": calls} if calls else wired


def _content_to_wire(message: Message, model: ModelInfo) -> str | list[dict[str, Any]]:
    """Plain text where it will do: small servers know nothing else."""
    parts = [part for part in message.parts if not isinstance(part, ToolCall | ToolResult)]
    wired = [_part_to_wire(part, message.role, model) for part in parts if part != Text(text="")]
    if any(part["type"] != "text" for part in wired):
        return wired
    return "\n".join(part["text"] for part in wired)


def _part_to_wire(part: Part, role: Role, model: ModelInfo) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image() if model.vision is not False and role is Role.USER:
            url = f"data:{part.media_type};base64,{base64.b64encode(part.content).decode()}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Image() | Document() | Audio():
            return {"type": "text", "text": f"[a file that this model cannot read: {part.media_type}]"}
        case ToolCall() | ToolResult():
            raise TypeError("tool calls and results are no content")
        case _:
            assert_never(part)


def _result_text(result: ToolResult) -> str:
    # An empty content is refused by some servers.
    text = result.text or "(no output)"
    return f"Error: {text}" if result.is_error else text


def _call_to_wire(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": _sound_arguments(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _sound_arguments(text: str) -> str:
    """Ollama and llama.cpp parse what they are sent back, and refuse the whole request when it is no JSON."""
    try:
        return text if isinstance(json.loads(text), dict) else "{}"
    except ValueError:
        return "{}"


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


async def _from_wire(
    chunks: AsyncIterable[ChatCompletionChunk], provider: str, dialect: ChatDialect
) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with reasoning and text, as observed:

    delta role=assistant content="", delta reasoning="Hm", delta content="It", delta content=" is", delta {}
    with finish_reason=stop, no choices but usage, [DONE] (which the SDK keeps to itself)

    Usage may also come with the last choice (Ollama) or as `x_groq` (Groq), or not at all.
    """
    answer = _AnswerSoFar(dialect)
    async for chunk in chunks:
        answer.take_usage(chunk)
        for choice in (chunk.choices or ())[:1]:
            for event in answer.take_delta(choice.delta):
                yield event
            answer.finish = choice.finish_reason or answer.finish
    for last in answer.rest():
        yield last
    if answer.report is not None:
        yield answer.report
    yield Finish(reason=answer.finish_reason(provider))


class _AnswerSoFar:
    """What a stream has brought, and what of it still waits for more."""

    def __init__(self, dialect: ChatDialect) -> None:
        self._fields = dialect.reasoning_fields
        self._splitter = ThinkSplitter() if dialect.thinks_in_text else None
        self._calls = ToolCallAssembler()
        self._begun = False
        self._spoken = False
        self._refused = False
        self._called = False
        self.finish: str | None = None
        self.report: UsageReport | None = None

    def take_delta(self, delta: Any) -> list[TextDelta | ReasoningDelta]:
        """The events of one delta; its tool calls are kept until the stream ends."""
        if delta is None:
            return []
        extra = delta.model_extra or {}
        events: list[TextDelta | ReasoningDelta] = [
            ReasoningDelta(text=text) for name in self._fields if isinstance(text := extra.get(name), str) and text
        ]
        if isinstance(delta.content, str) and delta.content:
            split = self._splitter
            events += split.feed(delta.content) if split else [TextDelta(text=delta.content)]
        if delta.refusal:
            self._refused = True
            events.append(TextDelta(text=delta.refusal))
        for fragment in delta.tool_calls or ():
            self._calls.add(fragment)
        return self._noted(events)

    def take_usage(self, chunk: ChatCompletionChunk) -> None:
        """The newest report counts: some servers count up in every chunk."""
        usage = chunk.usage or _field((chunk.model_extra or {}).get("x_groq"), "usage")
        if usage is not None:
            self.report = UsageReport(usage=_usage_from_wire(usage), model=chunk.model or None)

    def rest(self) -> list[ProviderEvent]:
        """What was held back, then the tool calls."""
        events: list[ProviderEvent] = [*self._noted(self._splitter.flush() if self._splitter else [])]
        calls = self._calls.finished() if self.finish is not None else ()
        self._called = bool(calls)
        return [*events, *calls]

    def finish_reason(self, provider: str) -> FinishReason:
        """Ours for the server's word. Raises for a stream that has no sound end."""
        match self.finish:
            case None:
                raise cut_off(provider, begun=self._begun)
            case "error":  # OpenRouter
                raise error_from_code(None, provider=provider, begun=self._begun)
            case "length":
                return FinishReason.LENGTH
            case "content_filter":
                return FinishReason.CONTENT_FILTER
            case _ if self._refused:
                return FinishReason.CONTENT_FILTER
            case _ if self._called:  # Ollama says `stop` here
                return FinishReason.TOOL_CALLS
            case _ if not self._spoken:
                raise EmptyAnswer("the model finished without a word", provider=provider)
            case _:
                return FinishReason.STOP

    def _noted(self, events: list[TextDelta | ReasoningDelta]) -> list[TextDelta | ReasoningDelta]:
        for event in events:
            self._begun = True
            self._spoken = self._spoken or (isinstance(event, TextDelta) and not event.text.isspace())
        return events


def _usage_from_wire(usage: Any) -> Usage:
    """From the SDK's object, or a mapping where the server put it elsewhere; any count may be missing."""
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(_field(usage, "prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_count(_field(usage, "completion_tokens_details"), "reasoning_tokens"),
    )


def _count(holder: Any, name: str) -> int:
    value = _field(holder, name)
    return max(0, value) if isinstance(value, int) else 0


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _model_from_wire(model: Model, provider: str, dialect: ChatDialect) -> ModelInfo:
    return ModelInfo(ref=ModelRef(provider, model.id), **dialect.facts(model.model_extra or {}))
