"""Tools for tests, a toolbox around them, and somebody who pays."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core.errors import BudgetExhausted
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Clock
from bot.core.toolbox import Rights, Toolbox
from bot.core.tools import Source, Tool, ToolBill, ToolContext, ToolOutput, ToolSpec
from tests.fakes.clock import ManualClock

MARKER = "0123456789abcdef"
CONTEXT = ToolContext(
    place=Place(platform="chat", account="1", chat="2", kind=ChatKind.PRIVATE),
    author=Author(platform="chat", id="3", name="Ada"),
    turn_uid="chat:4",
    cite=lambda source: 1,
    is_known=lambda url: False,
)


@dataclass(kw_only=True)
class ScriptedTool:
    """Answers each call with `output`, or what it makes of the arguments; keeps the calls."""

    name: str = "look"
    output: ToolOutput | Callable[[Mapping[str, object], ToolContext], Awaitable[ToolOutput]] = field(
        default_factory=lambda: ToolOutput(text="found")
    )
    reads_only: bool = True
    owners_only: bool = False
    timeout_s: float = 5.0
    worst: int | None = 0
    calls: list[Mapping[str, object]] = field(default_factory=list)
    contexts: list[ToolContext] = field(default_factory=list)

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description=f"Does {self.name}.", parameters={"type": "object"})

    def status(self, arguments: Mapping[str, object]) -> str:
        return f"{self.name}: {arguments.get('query', 'something')}"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return self.worst

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        self.calls.append(arguments)
        self.contexts.append(context)
        return self.output if isinstance(self.output, ToolOutput) else await self.output(arguments, context)


class Adder(ScriptedTool):
    """A tool that wants an `a` to add, and fails without one."""

    def __init__(self, text: str = "3") -> None:
        async def add(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
            if "a" not in arguments:
                raise KeyError("a")
            return ToolOutput(text=text)

        super().__init__(name="add", output=add)


def searching(text: str = "It rains.", *urls: str, bill: ToolBill | None = None, worst: int | None = 0) -> ScriptedTool:
    """A `web_search` that finds these pages, each cited, and brings their text from outside."""

    async def search(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        sources = tuple(Source(title=f"Page {number}", url=url) for number, url in enumerate(urls, 1))
        lines = [f"[{context.cite(source)}] {source.title} {source.url}" for source in sources]
        return ToolOutput(text="\n".join((*lines, text)), untrusted=True, sources=sources, bill=bill)

    return ScriptedTool(name="web_search", output=search, worst=worst)


async def never(arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
    """A tool that hangs."""
    await asyncio.Event().wait()
    raise AssertionError("it waits for ever")


@dataclass
class Payer:
    """Pays up to `limit` nano-dollars and notes everything."""

    limit: int | None = None
    held: dict[str, int | None] = field(default_factory=dict)
    booked: list[tuple[str, ToolBill]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    broken_off: list[tuple[str, str, int | None]] = field(default_factory=list)

    async def hold(self, nano_usd: int | None) -> str:
        if self.limit is not None and (nano_usd is None or nano_usd > self.limit):
            raise BudgetExhausted("Your budget for today is spent.")
        row_id = f"row{len(self.held)}"
        self.held[row_id] = nano_usd
        return row_id

    async def release(self, row_id: str) -> None:
        self.released.append(row_id)

    async def book_tool(self, row_id: str, bill: ToolBill, *, duration_s: float) -> None:
        self.booked.append((row_id, bill))

    def tool_broken_off(self, row_id: str, name: str, nano_usd: int | None, *, duration_s: float) -> None:
        self.broken_off.append((row_id, name, nano_usd))


def toolbox_of(
    *tools: Tool,
    clock: Clock | None = None,
    payer: Payer | None = None,
    owner: bool = False,
    closed: Callable[[], str | None] = lambda: None,
    tainted: bool = False,
) -> Toolbox:
    """A toolbox of these, for one turn."""

    async def is_owner() -> bool:
        return owner

    return Toolbox(
        {tool.spec.name: tool for tool in tools},
        context=CONTEXT,
        rights=Rights(is_owner=is_owner, closed=closed),
        charge=payer or Payer(),
        clock=clock or ManualClock(),
        new_marker=lambda: MARKER,
        tainted=tainted,
    )
