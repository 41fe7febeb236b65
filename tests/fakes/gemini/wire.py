"""A scripted Reply as the chunks of one `streamGenerateContent` call, cut to its limit and counted as Google counts.

Observed order: thoughts, text (a chunk each), function calls (a chunk each, the first one signed), a chunk with an
empty text and the finish reason. Each has the usage of all so far.
"""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.gemini.faults import STATUSES, error_body
from tests.fakes.gemini.models import FakeModel
from tests.fakes.gemini.prompt import CHARACTERS_PER_TOKEN, estimate_tokens
from tests.fakes.script import Broken, Finish, Reply, ToolCall, words
from tests.fakes.sse import Frame

_FINISHES = {
    Finish.STOP: "STOP",
    Finish.TOOL_CALLS: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.CONTENT_FILTER: "SAFETY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One call's answer; `prompt` are its tokens by modality, `shows_thoughts` whether the request asked for them."""

    number: int
    model: FakeModel
    reply: Reply
    prompt: Counter[str]
    cached_tokens: int
    shows_thoughts: bool
    limit: int | None

    @property
    def signature(self) -> str:
        """What the first function call is signed with."""
        return base64.b64encode(f"\xfb\xff sealed thoughts of call {self.number}".encode()).decode()

    @property
    def thought_tokens(self) -> int:
        """What thinking counts; it is a part of the limit."""
        return self.reply.usage.reasoning_tokens if self.reply.usage else estimate_tokens(len(self.reply.reasoning))

    @property
    def input_tokens(self) -> int:
        """The whole prompt."""
        return self.reply.usage.input_tokens if self.reply.usage else self.prompt.total()

    def output_tokens(self, characters: int) -> int:
        """What is generated when so many characters of it are out."""
        return estimate_tokens(characters) + self.thought_tokens

    def frames(self) -> list[Frame]:
        """The whole stream."""
        pieces, cut = self._limited()
        calls = [self._call(number, call) for number, call in enumerate(self.reply.tool_calls)]
        shown = words(self.reply.reasoning) if self.shows_thoughts else ()
        parts: list[dict[str, Any]] = [
            *({"text": text, "thought": True} for text in shown),
            *({"text": text} for text in (*pieces, *words(self.reply.refusal))),
            *(call for call in calls if call is not None),
        ]
        frames: list[Frame] = []
        told = 0
        for part in parts:
            characters = 0 if part.get("thought") else len(part.get("text") or json.dumps(part["functionCall"]))
            told += characters
            frames.append(Frame(data=self._chunk(part, told), chunk=True, characters=characters))
        finish = self._finish(cut=cut, malformed=None in calls)
        return [*frames, Frame(data=self._chunk({"text": ""}, told, finish, last=True), final=True)]

    def _limited(self) -> tuple[tuple[str, ...], bool]:
        if self.limit is None:
            return self.reply.pieces, False
        room = max(0, self.limit - self.thought_tokens) * CHARACTERS_PER_TOKEN
        kept: list[str] = []
        for piece in self.reply.pieces:
            if len(piece) > room:
                return (*kept, *filter(None, [piece[:room]])), True
            kept.append(piece)
            room -= len(piece)
        return tuple(kept), False

    def _call(self, number: int, call: ToolCall) -> dict[str, Any] | None:
        """The part of a function call; None when its arguments are no object, which this API cannot even say."""
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            return None
        if not isinstance(arguments, dict):
            return None
        function: dict[str, Any] = {"name": call.name, "args": arguments}
        if self.model.signs:
            function["id"] = call.call_id or f"call{self.number}x{number}"
        signed = self.model.signs and number == 0
        return {"functionCall": function} | ({"thoughtSignature": self.signature} if signed else {})

    def _finish(self, *, cut: bool, malformed: bool) -> str:
        if malformed:
            return "MALFORMED_FUNCTION_CALL"
        if self.reply.refusal:
            return "SAFETY"
        return "MAX_TOKENS" if cut else _FINISHES[self.reply.finish or Finish.STOP]

    def _chunk(self, part: Mapping[str, Any], told: int, finish: str = "", *, last: bool = False) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        chunk = {
            "candidates": [candidate],
            "modelVersion": self.reply.model_answered or self.model.id,
            "responseId": f"response{self.number}",
        }
        return chunk if self.reply.no_usage else chunk | {"usageMetadata": self._usage(told, last=last)}

    def _usage(self, told: int, *, last: bool) -> dict[str, Any]:
        scripted = self.reply.usage
        written, prompt, cached = estimate_tokens(told), self.prompt, self.cached_tokens
        if scripted:
            whole = scripted.output_tokens - scripted.reasoning_tokens
            written = whole if last else min(written, whole)
            files = Counter({"IMAGE": scripted.image_tokens, "AUDIO": scripted.audio_tokens})
            prompt = files + Counter({"TEXT": scripted.input_tokens - files.total()})
            cached = scripted.cached_tokens
        usage: dict[str, Any] = {
            "promptTokenCount": self.input_tokens,
            "totalTokenCount": self.input_tokens + written + self.thought_tokens,
            "promptTokensDetails": _details(prompt),
        }
        if written:
            usage["candidatesTokenCount"] = written
        if scripted and scripted.audio_output_tokens:
            usage["candidatesTokensDetails"] = _details(Counter({"AUDIO": scripted.audio_output_tokens}))
        if cached:
            usage |= {"cachedContentTokenCount": cached, "cacheTokensDetails": _details(Counter({"TEXT": cached}))}
        if self.thought_tokens:
            usage["thoughtsTokenCount"] = self.thought_tokens
        return usage


def error_frame(broken: Broken) -> Frame:
    """An error in mid-stream: the error object as an event. A word that Google does not have comes as INTERNAL does."""
    return Frame(data=error_body(STATUSES.get(broken.code, 500), broken.code, broken.message), final=True)


def _details(tokens: Counter[str]) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in tokens.items() if count]
