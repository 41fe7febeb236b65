"""A tool of an MCP server as one of ours, under a name that every provider takes.

What a server says of its tools is text from strangers: it is cleaned, cut, and never believed to read only.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.core.tools import ToolContext, ToolOutput, ToolSpec

#: OpenAI's, Anthropic's and Gemini's rule for names of functions.
NAME_CHARS = 64
#: Stands between a server's prefix and its own name of the tool; our own tools' names hold none.
SEPARATOR = "__"
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_MARK_CHARS = 8

#: Calls a tool by the server's own name for it.
Call = Callable[[str, Mapping[str, object]], Awaitable[ToolOutput]]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpTool:
    """`own_name` is the server's word for it, `server` the operator's for the server."""

    spec: ToolSpec
    server: str
    own_name: str
    reads_only: bool
    owners_only: bool
    timeout_s: float
    call: Call

    def status(self, arguments: Mapping[str, object]) -> str:
        """Without the arguments: what may be shown of them nobody here knows."""
        return f"using {self.spec.name.partition(SEPARATOR)[2]} ({self.server})"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        """Nothing: what a server costs is between it and the operator."""
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        """The server checks the arguments, and the connection keeps the deadline."""
        return await self.call(self.own_name, arguments)


def tool_name(prefix: str, own_name: str) -> str:
    """A name for models, always the same for the same tool and never that of another one.

    Where the server's own name has to be changed or cut, a mark made of it tells it from its likes.
    """
    name = prefix + SEPARATOR + _UNFIT.sub("_", own_name)
    if len(name) <= NAME_CHARS and name.endswith(own_name):
        return name
    mark = hashlib.sha256(own_name.encode(errors="surrogatepass")).hexdigest()[:_MARK_CHARS]
    return f"{name[: NAME_CHARS - _MARK_CHARS - 1]}_{mark}"
