"""What a stream of Gemini's has brought so far: enough to judge its end."""

import json
from collections.abc import Iterator, Mapping

from google.genai.types import GenerateContentResponse, GenerateContentResponseUsageMetadata, Part

from bot.core.events import ReasoningDelta, TextDelta
from bot.core.message import ToolCall
from bot.core.ports import ChatRequest
from bot.providers._gemini_contents import replay_of


class AnswerSoFar:
    """Give it the chunks in order.

    `finish` and `blocked` are the API's words, None while there are none. `usage` is told with each chunk, for all so
    far: the newest is the whole.
    """

    def __init__(self, request: ChatRequest) -> None:
        self.begun = False
        self.spoken = False
        self.finish: str | None = None
        self.blocked: str | None = None
        self.usage: GenerateContentResponseUsageMetadata | None = None
        self.model: str | None = None
        self.headers: Mapping[str, str] = {}
        self.calls: list[ToolCall] = []
        self._asked = request.model
        self._earlier = sum(isinstance(part, ToolCall) for message in request.messages for part in message.parts)

    def take(self, chunk: GenerateContentResponse) -> Iterator[TextDelta | ReasoningDelta]:
        """The words that a chunk holds; its calls are kept in `calls`."""
        self.usage = chunk.usage_metadata or self.usage
        self.model = chunk.model_version or self.model
        if chunk.sdk_http_response is not None:
            self.headers = chunk.sdk_http_response.headers or self.headers
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
            self.blocked = chunk.prompt_feedback.block_reason.value
        for candidate in (chunk.candidates or ())[:1]:
            if candidate.finish_reason is not None:
                self.finish = candidate.finish_reason.value
            for part in (candidate.content.parts if candidate.content else None) or ():
                yield from self._take_part(part, chunk.response_id)

    def _take_part(self, part: Part, response_id: str | None) -> Iterator[TextDelta | ReasoningDelta]:
        if part.function_call is not None:
            self.calls.append(self._call(part, response_id))
        elif part.text and part.thought:
            self.begun = True
            yield ReasoningDelta(text=part.text)
        elif part.text:
            self.begun = True
            self.spoken = self.spoken or not part.text.isspace()
            yield TextDelta(text=part.text)

    def _call(self, part: Part, response_id: str | None) -> ToolCall:
        call = part.function_call
        if call is None or not call.name:
            raise ValueError("a call without a name")
        return ToolCall(
            # Older models give none. Counted on from the history, ids are unlike those of the rounds before.
            id=call.id or f"{response_id or 'call'}-{self._earlier + len(self.calls)}",
            name=call.name,
            arguments=json.dumps(call.args or {}, ensure_ascii=False),
            replay=replay_of(part.thought_signature, self._asked),
        )
