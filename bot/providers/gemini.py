"""Google's Gemini by its own API (`generateContent`); what lies on Google Cloud's Vertex AI is not reached from here.

Version v1 of the API is used unless the address says otherwise (`.../v1beta` has previews and `-latest` names too).
Nothing is cached on purpose: the API finds repeated beginnings by itself.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import httpx2
from google.genai import Client
from google.genai.types import (
    AutomaticFunctionCallingConfig,
    GenerateContentConfig,
    GenerateContentResponse,
    HttpOptions,
    MediaModality,
    ModalityTokenCount,
    Model,
)

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    EmptyAnswer,
    ModelNotFound,
    ProviderError,
    RequestRejected,
)
from bot.core.events import Finish, FinishReason, ProviderEvent, ReasoningDelta, TextDelta, Usage, UsageReport
from bot.core.ports import ChatRequest, Clock
from bot.core.tools import ToolSpec
from bot.providers._failures import cut_off, plain_word, unusable
from bot.providers._gemini_answer import AnswerSoFar
from bot.providers._gemini_client import WIRE_ERRORS, hanging_up, open_client, open_http, translate_error
from bot.providers._gemini_contents import contents_to_wire, is_current
from bot.providers._statuses import LIST_TIMEOUT_S
from bot.providers._tiers import unusual_tier
from bot.providers._wishes import effort_of, sampling_of, system_of, wants_json
from bot.providers.connection import Connection

_TIER_HEADER = "x-gemini-service-tier"
#: The SDK insists on contents of its own types; those of the body take their place.
_STAND_IN = "-"
_SAMPLING = {"temperature": "temperature", "top_p": "topP"}
#: What may stand in the path of an address and mean nothing else there.
_MODEL_ID = re.compile(r"(models/|tunedModels/)?[\w-]+(\.[\w-]+)*")
_CHAT_MODEL = re.compile(r"(gemini|gemma)-")
_NOT_CHAT = re.compile(r"embedding|image|tts|audio|live|transcribe|robotics|computer-use|deep-research|omni")


class Gemini:
    """`Provider` over `POST /models/{model}:streamGenerateContent`."""

    def __init__(self, name: str, client: Client, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._name = name
        self._client = client
        self._http = http
        self._clock = clock

    @property
    def name(self) -> str:
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        begun = False
        try:
            chunks = await self._open(request)
            async with hanging_up(), aclosing(_from_wire(chunks, request, self._name)) as events:
                async for event in events:
                    begun = begun or isinstance(event, TextDelta | ReasoningDelta)
                    yield event
        except WIRE_ERRORS as error:
            raise self._translate_error(error, begun=begun) from None

    async def _open(self, request: ChatRequest) -> AsyncIterator[GenerateContentResponse]:
        """The chunks; the request goes out with the first of them."""
        if not _MODEL_ID.fullmatch(request.model.ref.id):
            raise ModelNotFound("no model can have such a name", provider=self._name)
        config = GenerateContentConfig(
            # The body goes out as it is. The SDK's own types would walk through the whole conversation five times:
            # 95 ms of CPU time for 200 messages, against 6.
            http_options=HttpOptions(extra_body=_to_wire(request)),
            automatic_function_calling=AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,  # it would be a second call, and a second bill, behind our back
        )
        models = self._client.aio.models
        return await models.generate_content_stream(model=request.model.ref.id, contents=_STAND_IN, config=config)

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                models = [model async for model in await self._client.aio.models.list()]
        except (*WIRE_ERRORS, TimeoutError) as error:
            raise self._translate_error(error, begun=False) from None
        return tuple(_model_from_wire(model, self._name) for model in models if _chats(model))

    async def aclose(self) -> None:
        await self._http.aclose()
        self._client.close()

    def _translate_error(self, error: Exception, *, begun: bool) -> ProviderError:
        return translate_error(error, provider=self._name, now=self._clock.now(), begun=begun)


def build(connection: Connection) -> Gemini:
    """Make the provider."""
    http = open_http(connection)
    return Gemini(connection.name, open_client(connection, http), http, connection.clock)


def _to_wire(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"contents": contents_to_wire(request.messages, request.model)}
    shape = _shape_to_wire(request)
    if system := system_of(request, told=not shape):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_tool_to_wire(tool) for tool in request.tools]}]
    if config := _config_to_wire(request) | shape:
        body["generationConfig"] = config
    return body


def _config_to_wire(request: ChatRequest) -> dict[str, Any]:
    config: dict[str, Any] = {_SAMPLING[name]: value for name, value in sampling_of(request).items()}
    if request.max_output_tokens is not None:
        config["maxOutputTokens"] = request.max_output_tokens
    if thinking := _thinking_to_wire(request):
        config["thinkingConfig"] = thinking
    return config


def _thinking_to_wire(request: ChatRequest) -> dict[str, Any]:
    # Thoughts are billed whether they are shown or not; asked for, they prove that the model is alive.
    thinking: dict[str, Any] = {"includeThoughts": True} if request.model.reasoning else {}
    effort = effort_of(request)
    return thinking if effort is None else thinking | {"thinkingLevel": effort.upper()}


def _shape_to_wire(request: ChatRequest) -> dict[str, Any]:
    """The form to hold the answer to; empty: none, or the model (with these tools) cannot be held to one."""
    if not wants_json(request) or not request.model.json or (request.tools and not is_current(request.model)):
        return {}
    shape: dict[str, Any] = {"responseMimeType": "application/json"}
    return shape if request.response_schema is None else shape | {"responseJsonSchema": dict(request.response_schema)}


def _tool_to_wire(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": dict(tool.parameters)}


async def _from_wire(
    chunks: AsyncIterable[GenerateContentResponse], request: ChatRequest, provider: str
) -> AsyncGenerator[ProviderEvent, None]:
    """Translate a stream. One with a tool call, as the API sends it:

    parts [text "**Planning**..." thought], parts [functionCall {name, args, id} thoughtSignature], parts [text ""]
    with finishReason STOP; each with the usageMetadata of all so far and the modelVersion

    A prompt that is blocked brings a single chunk, with promptFeedback and no candidates. Calls come out at the end:
    the last of them may have failed, and then the answer has none. What is used is told before the first word, for
    streams that break or are stopped, and as a whole at the end.
    """
    answer = AnswerSoFar(request)
    try:
        async for chunk in chunks:
            begun = answer.begun
            for event in answer.take(chunk):
                if not begun and (report := _usage_from_wire(answer, partial=True)) is not None:
                    yield report
                begun = True
                yield event
    except WIRE_ERRORS:
        if answer.finish is None:
            raise
        # The answer is whole, and its count is told: how the connection ended does not matter any more.
    if answer.finish is None and answer.blocked is None:
        raise cut_off(provider, begun=answer.begun)
    if (report := _usage_from_wire(answer)) is not None:
        yield report
    finish = _finish_from_wire(answer, provider)
    if finish is FinishReason.TOOL_CALLS:
        for call in answer.calls:
            yield call
    yield Finish(reason=finish)


def _finish_from_wire(answer: AnswerSoFar, provider: str) -> FinishReason:
    if answer.blocked is not None:
        raise ContentRefused(f"the prompt was blocked: {plain_word(answer.blocked)}", provider=provider)
    match answer.finish:
        case "STOP" if answer.calls:
            return FinishReason.TOOL_CALLS
        case "STOP" if answer.spoken:
            return FinishReason.STOP
        case "STOP":
            raise EmptyAnswer("the model finished without a word", provider=provider)
        case "MAX_TOKENS" | "CONTINUATION":
            return FinishReason.LENGTH
        case "BLOCKLIST" | "ESCALATION" | "LANGUAGE" | "MODEL_ARMOR" | "PROHIBITED_CONTENT":
            return FinishReason.CONTENT_FILTER
        case "RECITATION" | "SAFETY" | "SPII":
            return FinishReason.CONTENT_FILTER
        case str() as reason if reason.startswith("IMAGE_"):
            return FinishReason.CONTENT_FILTER
        case "MISSING_THOUGHT_SIGNATURE":
            raise RequestRejected("a thought signature is missing", provider=provider)
        case "PUP_LIMITED_DISABLED":
            raise AuthenticationFailed("the account is limited for what it was used for", provider=provider)
        case reason:
            # A call that nobody can read, or of a tool that is not there (MALFORMED_FUNCTION_CALL,
            # UNEXPECTED_TOOL_CALL), or OTHER: the model failed, the next time it may not.
            raise unusable(provider, f"the model failed: {plain_word(reason)}", begun=answer.begun)


def _usage_from_wire(answer: AnswerSoFar, *, partial: bool = False) -> UsageReport | None:
    told = answer.usage
    if told is None or told.prompt_token_count is None:
        return None
    # Thoughts, and what the API's own tools read, are counted beside the rest there.
    thoughts = told.thoughts_token_count or 0
    written = 0 if partial else told.candidates_token_count or 0
    read = (*(told.prompt_tokens_details or ()), *(told.tool_use_prompt_tokens_details or ()))
    tokens = Usage(
        input_tokens=told.prompt_token_count + (told.tool_use_prompt_token_count or 0),
        output_tokens=written + thoughts,
        cached_tokens=told.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
        image_tokens=_tokens_of(MediaModality.IMAGE, read),
        audio_tokens=_tokens_of(MediaModality.AUDIO, read),
        audio_output_tokens=_tokens_of(MediaModality.AUDIO, told.candidates_tokens_details or ()) if written else 0,
    )
    tier = unusual_tier(answer.headers.get(_TIER_HEADER))
    return UsageReport(usage=tokens, model=answer.model, service_tier=tier, partial=partial)


def _tokens_of(modality: MediaModality, counts: Iterable[ModalityTokenCount]) -> int:
    return sum(count.token_count or 0 for count in counts if count.modality is modality)


def _chats(model: Model) -> bool:
    answers = "generateContent" in (model.supported_actions or ())
    return answers and bool(_CHAT_MODEL.match(_id(model))) and not _NOT_CHAT.search(_id(model))


def _id(model: Model) -> str:
    return (model.name or "").removeprefix("models/")


def _model_from_wire(model: Model, provider: str) -> ModelInfo:
    read, written = model.input_token_limit, model.output_token_limit
    # The list does not say so, but all that bear the name can do this; Gemma and what else is there may not.
    able = True if _id(model).startswith("gemini-") else None
    return ModelInfo(
        ref=ModelRef(provider, _id(model)),
        name=model.display_name,
        # The API counts prompt and answer apart, each against a limit of its own.
        window_tokens=None if read is None or written is None else read + written,
        max_output_tokens=written,
        vision=able,
        pdf=able,
        audio=able,
        tools=able,
        json=able,
        reasoning=model.thinking,
    )
