"""An answer of the Messages API as it comes in, block by block, and what of it goes back inside a tool loop."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.events import ReasoningDelta, TextDelta
from bot.core.message import Message, ToolCall

#: Tells our own `ToolCall.replay` from that of another provider.
_REPLAY = "anthropic"
_THINKING = ("thinking", "redacted_thinking")


@dataclass(slots=True)
class _Block:
    """One content block: `head` as it was opened, and the pieces that came for it."""

    head: dict[str, Any]
    pieces: list[str] = field(default_factory=list)
    signature: str = ""

    @property
    def kind(self) -> str:
        return str(self.head.get("type"))

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def whole(self) -> dict[str, Any]:
        """The block as the API wants it back."""
        match self.kind:
            case "text":
                return {"type": "text", "text": self.text}
            case "thinking":
                return {"type": "thinking", "thinking": self.text, "signature": self.signature}
            case "tool_use":
                return self.head | {"input": json.loads(self.text or "{}")}
            case _:
                return self.head


class AnswerSoFar:
    """What a stream has brought.

    `usage` is the newest count of each kind in the API's own names, `counted`: the final count has come. `ended`: the
    stream said so itself. `begun`: words or reasoning came; `spoken`: words that can be read.
    """

    def __init__(self) -> None:
        self.begun = False
        self.spoken = False
        self.counted = False
        self.ended = False
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.refusal_category: str | None = None
        self.usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}

    def take(self, event: Mapping[str, Any]) -> TextDelta | ReasoningDelta | None:
        """Take the next event; what can be passed on at once comes back."""
        match event["type"]:
            case "content_block_delta":
                return self._take_delta(event["delta"], self._blocks[event["index"]])
            case "content_block_start":
                self._blocks[event["index"]] = _Block(dict(event["content_block"]))
            case "message_start":
                self.model = event["message"].get("model") or None
                self._count(event["message"].get("usage"))
            case "message_delta":
                self._take_end(event["delta"])
                self._count(event.get("usage"))
                self.counted = self.counted or bool(event.get("usage"))
            case "message_stop":
                self.ended = True
            case _:
                pass
        return None

    @property
    def called(self) -> bool:
        """Whether it asks for a tool."""
        return any(block.kind == "tool_use" for block in self._blocks.values())

    def calls(self) -> tuple[ToolCall, ...]:
        """All calls of an answer that has ended, in order; what goes back with them is with the first."""
        calls = [block for block in self._blocks.values() if block.kind == "tool_use"]
        replay = self._replay()
        return tuple(
            ToolCall(
                id=block.head["id"],
                name=block.head["name"],
                arguments=block.text or "{}",
                replay=None if number else replay,
            )
            for number, block in enumerate(calls)
        )

    def _take_delta(self, delta: Mapping[str, Any], block: _Block) -> TextDelta | ReasoningDelta | None:
        match delta["type"]:
            case "text_delta" if text := delta["text"]:
                block.pieces.append(text)
                self.begun = True
                self.spoken = self.spoken or not text.isspace()
                return TextDelta(text=text)
            case "thinking_delta" if text := delta["thinking"]:
                block.pieces.append(text)
                self.begun = True
                return ReasoningDelta(text=text)
            case "input_json_delta":
                block.pieces.append(delta["partial_json"])
            case "signature_delta":
                block.signature = delta["signature"]
            case _:
                pass
        return None

    def _take_end(self, delta: Mapping[str, Any]) -> None:
        self.stop_reason = delta.get("stop_reason") or self.stop_reason
        self.refusal_category = (delta.get("stop_details") or {}).get("category") or self.refusal_category

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """Counts are running totals; one that an event leaves out stands as it was."""
        self.usage.update({name: value for name, value in (usage or {}).items() if value is not None})

    def _replay(self) -> str | None:
        """The whole content where the model thought: the API checks that nothing around its thoughts has changed."""
        if not any(block.kind in _THINKING for block in self._blocks.values()):
            return None
        try:
            # A text without a word would be refused, though it came from there.
            content = [block.whole() for block in self._blocks.values() if block.kind != "text" or block.text.strip()]
        except ValueError:
            return None  # arguments that are no JSON cannot go back as they came, and the thoughts not without them
        return json.dumps({_REPLAY: content})


def replayed(message: Message) -> list[dict[str, Any]] | None:
    """The content of an assistant message exactly as it came; None where there is none, or it no longer fits.

    Thoughts of another provider, whose loop this one goes on with, are left out.
    """
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if not calls or calls[0].replay is None:
        return None
    try:
        parsed = json.loads(calls[0].replay)
    except ValueError:
        return None
    content = parsed.get(_REPLAY) if isinstance(parsed, dict) else None
    if content is None or [block["id"] for block in content if block["type"] == "tool_use"] != [c.id for c in calls]:
        return None
    return list(content)
