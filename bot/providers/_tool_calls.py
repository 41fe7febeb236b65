"""Puts tool calls together from the fragments in which Chat Completions streams them.

Knows the ways in which servers get the format wrong, not the servers.
"""

from dataclasses import dataclass, field
from typing import Any

from bot.core.message import ToolCall


@dataclass(slots=True)
class _Draft:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)


class ToolCallAssembler:
    """Add fragments in the order in which they come.

    A fragment continues the call at its `index`, unless it brings another id: some servers number every
    call 0.
    """

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._by_index: dict[int, _Draft] = {}

    def add(self, fragment: Any) -> None:
        """Take one entry of a delta's `tool_calls`."""
        draft = self._by_index.get(fragment.index)
        if draft is None or (fragment.id and draft.id and fragment.id != draft.id):
            draft = _Draft(id="", name="")
            self._drafts.append(draft)
            self._by_index[fragment.index] = draft
        draft.id = draft.id or fragment.id or ""
        if fragment.function is not None:
            draft.name = draft.name or fragment.function.name or ""
            draft.arguments.append(fragment.function.arguments or "")

    def finished(self) -> tuple[ToolCall, ...]:
        """All calls that have a name; one without an id gets one, for its result to refer to."""
        return tuple(
            ToolCall(id=draft.id or f"call_{number}", name=draft.name, arguments="".join(draft.arguments) or "{}")
            for number, draft in enumerate(self._drafts, start=1)
            if draft.name
        )
