"""What a stream of Ollama's has brought so far: enough to judge its end."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from bot.core.events import ReasoningDelta, TextDelta
from bot.core.message import ToolCall
from bot.providers._think import ThinkSplitter


class AnswerSoFar:
    """Give it the lines in order. `end` is the last one, with the counts; None while it has not come."""

    def __init__(self, messages: int) -> None:
        # Older servers give calls no id: it differs from round to round, as each adds messages.
        self._ids = (f"call_{messages}_{number}" for number in count(1))
        # Models whose template the server does not know write their thoughts into the answer.
        self._splitter = ThinkSplitter()
        self.begun = False
        self.spoken = False
        self.called = False
        self.end: Mapping[str, Any] | None = None

    def take(self, line: Mapping[str, Any]) -> Iterator[TextDelta | ReasoningDelta | ToolCall]:
        """The events of one line."""
        message = line.get("message") or {}
        if thought := message.get("thinking"):
            yield self._noted(ReasoningDelta(text=thought))
        for event in self._splitter.feed(message.get("content") or ""):
            yield self._noted(event)
        for call in message.get("tool_calls") or ():
            self.called = True
            yield _call_from_wire(call, next(self._ids))
        if line.get("done"):
            self.end = line

    def rest(self) -> Iterator[TextDelta | ReasoningDelta]:
        """What was held back, once no more lines come."""
        for event in self._splitter.flush():
            yield self._noted(event)

    def _noted(self, event: TextDelta | ReasoningDelta) -> TextDelta | ReasoningDelta:
        self.begun = True
        self.spoken = self.spoken or (isinstance(event, TextDelta) and not event.text.isspace())
        return event


def _call_from_wire(call: Mapping[str, Any], number: str) -> ToolCall:
    function = call["function"]
    arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
    return ToolCall(id=call.get("id") or number, name=function["name"], arguments=arguments)
