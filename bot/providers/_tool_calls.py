"""Tool calls as OpenAI's APIs have them, with arguments that are a text: from fragments, and on their way back.

Knows the ways in which servers get the format wrong, not the servers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.message import ToolCall


@dataclass(slots=True)
class _Draft:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)


def sound_arguments(call: ToolCall) -> str:
    """The arguments as the model wrote them, if that is an object: servers that parse them refuse the whole request."""
    return call.arguments if call.parsed else "{}"


class ToolCallAssembler:
    """Add fragments in the order in which they come.

    A fragment continues the call at its `index`, unless it brings another id: some servers number every
    call 0. A call without an id gets `name` and its number; `name` should differ from round to round.
    """

    def __init__(self, name: str = "call") -> None:
        self._name = name
        self._drafts: list[_Draft] = []
        self._by_index: dict[int, _Draft] = {}

    def add(self, fragment: Mapping[str, Any], position: int = 0) -> None:
        """Take one entry of a delta's `tool_calls`; `position` is its place there, for servers without `index`."""
        index, call_id = fragment.get("index", position), fragment.get("id") or ""
        draft = self._by_index.get(index)
        if draft is None or (call_id and draft.id and call_id != draft.id):
            draft = _Draft(id="", name="")
            self._drafts.append(draft)
            self._by_index[index] = draft
        draft.id = draft.id or call_id
        function = fragment.get("function") or {}
        draft.name = draft.name or function.get("name") or ""
        draft.arguments.append(function.get("arguments") or "")

    def finished(self) -> tuple[ToolCall, ...]:
        """All calls that have a name; one without an id gets one, for its result to refer to."""
        return tuple(
            ToolCall(
                id=draft.id or f"{self._name}_{number}", name=draft.name, arguments="".join(draft.arguments) or "{}"
            )
            for number, draft in enumerate(self._drafts, start=1)
            if draft.name
        )
