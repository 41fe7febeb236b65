"""The port to tools: what a model may call, for whom it runs, and what comes of it.

A tool is one file in `bot/tools` plus one row in its registry. Which of them are offered, and whether a call may run,
is the toolbox's business.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.events import Usage
from bot.core.files import FileNote
from bot.core.ledger import Cost
from bot.core.place import Author, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page that a result stands on. `url` is http(s) and complete, `title` is the page's word: text from outside."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBill:
    """What a service asks for one call. `service` is its row in the ledger (`tavily/search`)."""

    service: str
    usage: Usage
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a tool found or did. `text` is for the model; `is_error`: a failure that it should read and act on.

    `untrusted`: the text is from outside (pages, files, other programs) and reaches the model as data, after which only
    tools that read run in the same turn. `sources` are those whose numbers (`ToolContext.cite`) stand in the text.
    `urls` are further addresses that the person may be shown and that may be read. `bill` None: it cost nothing.
    """

    text: str
    is_error: bool = False
    untrusted: bool = False
    sources: tuple[Source, ...] = ()
    urls: tuple[str, ...] = ()
    bill: ToolBill | None = None


async def _no_files() -> tuple[FileNote, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """For whom and where a tool runs; permission is checked with these at execution.

    `cite` gives a source its number in this answer, the same each time. `is_known` tells whether an address came from
    the person, from a source or from a result of this conversation: nothing else may be fetched. `files` are the
    attachments of the conversation, oldest first.
    """

    place: Place
    author: Author
    turn_uid: str
    cite: Callable[[Source], int]
    is_known: Callable[[str], bool]
    files: tuple[FileNote, ...] = ()
    earlier_files: Callable[[], Awaitable[tuple[FileNote, ...]]] = _no_files


class Tool(Protocol):
    """Something that the model may call."""

    @property
    def spec(self) -> ToolSpec:
        """How the model sees it; must not change while the process runs."""
        ...

    @property
    def reads_only(self) -> bool:
        """Whether it changes nothing anywhere; others do not run once text from outside is in the turn."""
        ...

    @property
    def owners_only(self) -> bool:
        """Whether only the bot's owners may have it run."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long one call may take."""
        ...

    def status(self, arguments: Mapping[str, object]) -> str:
        """What people see while it runs (`searching: rain in Oslo`); one short line, arguments may be wrong."""
        ...

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        """What the call may cost at most, in nano-dollars; 0: nothing, None: nobody knows."""
        ...

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        """Run with parsed arguments, which may still not fit the schema. Raising is turned into a failure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """How a program that offers further tools is doing.

    `tools` counts those that can run now. `since` is when it came or went, None: it was never there. `problem` says
    what is wrong or left out, in words for the operator and without secrets; None: nothing.
    """

    name: str
    connected: bool
    tools: int
    since: datetime | None = None
    problem: str | None = None
