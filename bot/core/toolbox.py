"""The tools of one turn: whether a call may run, what it costs, and how its result reaches the model.

Whatever goes wrong is a result that the model can act on. Knows no tool by name, no provider and no platform.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core.errors import LimitReached
from bot.core.events import ToolFinished
from bot.core.files import FileNote
from bot.core.formatting import excerpt
from bot.core.message import ToolCall, ToolResult
from bot.core.ports import Clock
from bot.core.together import all_of
from bot.core.tools import Tool, ToolBill, ToolContext, ToolOutput, ToolSpec
from bot.core.untrusted import frame

log = logging.getLogger(__name__)

RESULT_CHARS = 32_000
_STATUS_CHARS = 120
_TAINTED = (
    "Not run: what you were given for this answer has text from outside in it (a page, a file, a tool's result), and "
    "after that only tools that read may run. Tell the person what you would have done; they can ask for it in a "
    "message of its own, in a new conversation where files were sent."
)
_OWNERS_ONLY = "Not run: only an owner of the bot may use this tool, and the person who asks is none."


class Charge(Protocol):
    """Who pays for tools: see `bills.Bills`."""

    async def hold(self, nano_usd: int | None) -> str:
        """Hold what a call may cost at most; returns the id of its row. Raises LimitReached."""
        ...

    async def release(self, row_id: str) -> None:
        """The call cost nothing."""
        ...

    async def book_tool(self, row_id: str, bill: ToolBill, *, duration_s: float) -> None:
        """The call cost that."""
        ...

    def tool_broken_off(self, row_id: str, name: str, nano_usd: int | None, *, duration_s: float) -> None:
        """Nobody waits for the call any more; it may cost what was held."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What is asked at each call. `is_owner` may read storage; `closed` tells why no tool runs now, None: it may."""

    is_owner: Callable[[], Awaitable[bool]]
    closed: Callable[[], str | None]


class Toolbox:
    """Runs tools for one turn. `tainted`: text from outside is in it."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        *,
        context: ToolContext,
        rights: Rights,
        charge: Charge,
        clock: Clock,
        new_marker: Callable[[], str],
        tainted: bool = False,
    ) -> None:
        self._tools = tools
        self._context = context
        self._rights = rights
        self._charge = charge
        self._clock = clock
        self._new_marker = new_marker
        self.tainted = tainted
        #: What came of calls of a round that is not over, or was broken off.
        self.unfinished: list[ToolFinished] = []

    def knows(self, files: tuple[FileNote, ...]) -> None:
        """The conversation's files as they are by now: recordings may have been written down."""
        self._context = replace(self._context, files=files)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """How the model sees them, always in the same order."""
        return tuple(tool.spec for _, tool in sorted(self._tools.items()))

    def status(self, calls: Sequence[ToolCall]) -> str:
        """What people see while these run."""
        return " · ".join(dict.fromkeys(self._status(call) for call in calls))

    async def run(self, calls: Sequence[ToolCall]) -> tuple[ToolFinished, ...]:
        """Run calls that the model made at once; what came of them, in their order."""
        tainted = self.tainted  # what one of them reads, none of the others was asked for because of
        self.unfinished = []
        finished = await all_of(self._run(call, tainted=tainted) for call in calls)
        self.unfinished = []
        return finished

    def _status(self, call: ToolCall) -> str:
        tool, arguments = self._tools.get(call.name), call.parsed
        if tool is None or arguments is None:
            return excerpt(call.name, _STATUS_CHARS)
        try:
            return excerpt(tool.status(arguments), _STATUS_CHARS)
        except Exception:
            log.exception("tool %s has no status", call.name)
            return excerpt(call.name, _STATUS_CHARS)

    async def _run(self, call: ToolCall, *, tainted: bool) -> ToolFinished:
        started = self._clock.monotonic()
        output = await self._output(call, tainted=tainted)
        text = _cut(output.text)
        if output.untrusted:
            self.tainted = True
            text = frame(text, origin=f"the tool {call.name}", marker=self._new_marker())
        finished = ToolFinished(
            call=call,
            result=ToolResult(call_id=call.id, text=text, is_error=output.is_error),
            duration_s=self._clock.monotonic() - started,
            nano_usd=None if output.bill is None else output.bill.cost.nano_usd,
            urls=(*(source.url for source in output.sources), *output.urls),
        )
        self.unfinished.append(finished)
        return finished

    async def _output(self, call: ToolCall, *, tainted: bool) -> ToolOutput:
        tool = self._tools.get(call.name)
        if tool is None:
            names = ", ".join(sorted(self._tools)) or "none"
            return _failure(f"There is no tool {call.name!r}. Available: {names}.")
        arguments = call.parsed
        if arguments is None:
            return _failure("The arguments are not a JSON object. Call again with valid JSON.")
        refusal = await self._refusal(tool, tainted=tainted)
        if refusal is not None:
            return _failure(refusal)
        try:
            worst_nano_usd = tool.worst_nano_usd(arguments)
            row_id = None if worst_nano_usd == 0 else await self._charge.hold(worst_nano_usd)
        except LimitReached as limit:
            return _failure(f"Not run, it would cost too much: {limit}")
        if row_id is None:
            return await self._tried(tool, call.name, arguments) or _too_late(tool)
        return await self._paid(row_id, worst_nano_usd, tool, call.name, arguments)

    async def _paid(
        self, row_id: str, worst_nano_usd: int | None, tool: Tool, name: str, arguments: Mapping[str, object]
    ) -> ToolOutput:
        """Run a tool that may cost something. Whom we leave waiting may bill us all the same."""
        started, output = self._clock.monotonic(), None
        try:
            output = await self._tried(tool, name, arguments)
        finally:
            duration_s = self._clock.monotonic() - started
            if output is None:
                self._charge.tool_broken_off(row_id, name, worst_nano_usd, duration_s=duration_s)
        if output is None:
            return _too_late(tool)
        if output.bill is None:
            await self._charge.release(row_id)
        else:
            await self._charge.book_tool(row_id, output.bill, duration_s=duration_s)
        return output

    async def _refusal(self, tool: Tool, *, tainted: bool) -> str | None:
        """Why a call may not run, asked now and not when the tool was offered."""
        closed = self._rights.closed()
        if closed is not None:
            return closed
        if tool.owners_only and not await self._rights.is_owner():
            return _OWNERS_ONLY
        return None if tool.reads_only or not tainted else _TAINTED

    async def _tried(self, tool: Tool, name: str, arguments: Mapping[str, object]) -> ToolOutput | None:
        """What came of it; None: nothing in time."""
        try:
            async with asyncio.timeout(tool.timeout_s) as deadline:
                return await tool.run(arguments, self._context)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                return None
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling()):
                raise  # we are meant; else a library of the tool cancelled itself
            log.exception("tool %s failed", name)
            return _failure("The tool failed.")


def _too_late(tool: Tool) -> ToolOutput:
    return _failure(f"No result within {tool.timeout_s:.0f} s.")


def _cut(text: str) -> str:
    if len(text) <= RESULT_CHARS:
        return text
    return f"{text[:RESULT_CHARS]}\n[cut: {len(text):,} characters in all]"


def _failure(text: str) -> ToolOutput:
    return ToolOutput(text=text, is_error=True)
