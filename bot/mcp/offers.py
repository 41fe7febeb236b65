"""Which tools of one server may run, and how models see them: as first listed, for as long as the process runs.

A server that rewords a tool after the operator allowed it gains nothing by that. Knows no connection.
"""

import json
import logging
from collections.abc import Mapping, Sequence

from mcp.types import Tool as ListedTool

from bot.core.formatting import excerpt
from bot.core.tools import Tool, ToolSpec
from bot.core.untrusted import clean
from bot.mcp.server_settings import ServerSettings
from bot.mcp.tool import Call, McpTool, tool_name

log = logging.getLogger(__name__)

DESCRIPTION_CHARS = 500
#: As JSON; every request to a model carries the schemas of all tools.
SCHEMA_CHARS = 16_000
#: The connection keeps the deadline itself, and tells more of a call that passes it.
_MARGIN_S = 1.0
_NAMED = 12
#: Where words for the model stand in a schema; all else is passed through as it is.
_WORDS = frozenset({"description", "title"})


class Offers:
    """The tools of one server. `tools` are those on offer by their name for models, `remarks` what is left out."""

    def __init__(self, settings: ServerSettings, call: Call) -> None:
        self._settings = settings
        self._call = call
        self._first: dict[str, ToolSpec] = {}
        self._changed: set[str] = set()
        self.tools: Mapping[str, Tool] = {}
        self.remarks: tuple[str, ...] = ()

    def take(self, listed: Sequence[ListedTool]) -> None:
        """Offer what is allowed of a new list."""
        there = {each.name: each for each in reversed(listed)}
        self.remarks = tuple(self._absent(there))
        tools: dict[str, Tool] = {}
        for name in sorted(self._allowed(there)):
            spec, problem = self._spec(there[name])
            if spec is not None and spec.name in tools:
                spec, problem = None, "another one has the same name"
            if spec is not None:
                tools[spec.name] = self._tool(name, spec)
            if problem is not None:
                self.remarks += (f"`{excerpt(clean(name), 64)}`: {problem}",)
        self.tools = tools

    def withdraw(self) -> None:
        """Offer nothing, until the server is there again."""
        self.tools = {}

    def _allowed(self, there: Mapping[str, ListedTool]) -> set[str]:
        return {name for name in there if self._settings.tools is None or name in self._settings.tools}

    def _absent(self, there: Mapping[str, ListedTool]) -> list[str]:
        """What the operator should know of the list of allowed tools."""
        allowed = self._settings.tools
        if allowed is None:
            return []
        if not allowed:
            return [f"nothing is allowed: name what may run in `tools`, of {_names(there) or 'what it will have'}"]
        missing = allowed - there.keys()
        return [f"it has no tool called {_names(missing)}; it has {_names(there) or 'none'}"] if missing else []

    def _spec(self, listed: ListedTool) -> tuple[ToolSpec | None, str | None]:
        """How models see a tool, if they can, and what the operator should know."""
        try:
            size = len(json.dumps(listed.input_schema))
        except (ValueError, RecursionError):
            return None, "left out, its schema is not JSON"
        if listed.input_schema.get("type") != "object":
            return None, "left out, its schema is not that of an object"
        if size > SCHEMA_CHARS:
            return None, f"left out, its schema is longer than {SCHEMA_CHARS:,} characters"
        spec = ToolSpec(
            name=tool_name(self._settings.prefix, listed.name),
            description=_cut(listed.description or listed.title or ""),
            parameters=_cleaned(listed.input_schema),
        )
        first = self._first.setdefault(listed.name, spec)
        if first == spec:
            return first, None
        if listed.name not in self._changed:
            self._changed.add(listed.name)
            log.warning(
                "MCP server %s describes its tool %s in another way than at first; the first one stays until a restart",
                self._settings.name,
                first.name,
            )
        return first, "described in another way than at first, which stays until a restart"

    def _tool(self, name: str, spec: ToolSpec) -> Tool:
        read_only = self._settings.read_only
        return McpTool(
            spec=spec,
            server=self._settings.name,
            own_name=name,
            reads_only=read_only is None or name in read_only,
            owners_only=self._settings.owners_only,
            timeout_s=self._settings.timeout_s + _MARGIN_S,
            call=self._call,
        )


def _names(names: Mapping[str, object] | frozenset[str]) -> str:
    """Strangers' names in one short line."""
    shown = [f"`{excerpt(clean(name), 64)}`" for name in sorted(names)[:_NAMED]]
    return ", ".join(shown) + (" and more" if len(names) > _NAMED else "")


def _cut(text: str) -> str:
    """Cleaned words for a model, with the place marked where they were cut."""
    text = clean(text).strip()
    return text if len(text) <= DESCRIPTION_CHARS else f"{text[: DESCRIPTION_CHARS - 1].rstrip()}…"


def _cleaned(schema: Mapping[str, object]) -> dict[str, object]:
    """The schema with its words cleaned and cut; a property may itself be called `description`."""
    return {
        key: _cut(value) if key in _WORDS and isinstance(value, str) else _cleaned_value(value)
        for key, value in schema.items()
    }


def _cleaned_value(value: object) -> object:
    if isinstance(value, Mapping):
        return _cleaned(value)
    return [_cleaned_value(each) for each in value] if isinstance(value, list) else value
