"""/tools: what models may use here, for whom, and how the servers are doing that some of it comes from.

Switching is the setting `tools_off`; whether a call may run is decided when it is made, not here.
"""

from collections.abc import Mapping, Sequence

from bot.commands._target import SCOPE_OPTION, change, choose_target, quoted, settings_here
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.formatting import amount, excerpt
from bot.core.ports import Answer
from bot.core.thread_settings import Origin, origins, setting, tools_off
from bot.core.tools import ServerState, Tool

_ON, _OFF = "on", "off"
_PAGE_SIZE = 15
_LINE_CHARS = 100
#: Stands in the names of tools that come from servers, after the server's; see bot.mcp.tool.
_SEPARATOR = "__"
#: Where a wider scope switched something off, an own value is needed to say that nothing is; no tool is called this.
_NOTHING = "none"


async def _tools(invocation: Invocation, desk: Desk) -> Answer:
    name, switch = invocation.options.get("name"), invocation.options.get("switch")
    off = _names(await settings_here(invocation, desk))
    if name is None or (name.isascii() and name.isdigit()):
        return Answer(text=await _list(invocation, desk, off, page=int(name or 1)))
    known = _called(name, desk, off)
    if switch is None:
        rows = [_row(each, desk.tools.get(each), off) for each in known]
        return Answer(text="\n".join([*rows[:_PAGE_SIZE], "", f"`/tools {name} off` switches it off here."]))
    return Answer(text=await _switch(known, switch == _ON, invocation, desk))


async def _switch(names: Sequence[str], on: bool, invocation: Invocation, desk: Desk) -> str:
    """Add to what is off in that scope, or take from it."""
    spec = setting("tools_off")
    target = await choose_target(invocation, desk, invocation.options.get("scope"))
    keys = invocation.place.setting_keys(invocation.author.key)
    values = await desk.settings.load([key for _, key in keys])
    at = keys.index((target.scope, target.key))
    before = _names(origins(keys[at:], values))
    wider = _names(origins(keys[at + 1 :], values))
    after = [name for name in before if name not in names] if on else list(dict.fromkeys([*before, *names]))
    value = None if set(after) == set(wider) else ",".join(after) or _NOTHING
    return await change(spec, value, target, invocation, desk)


def _called(name: str, desk: Desk, off: Sequence[str]) -> tuple[str, ...]:
    """The tools of that name, or all of the server of that name. Raises UsageError."""
    if name in desk.tools or name in off:
        return (name,)
    prefix = f"{name}{_SEPARATOR}"
    of_server = tuple(sorted(each for each in {*desk.tools, *off} if each.startswith(prefix)))
    if not of_server:
        raise UsageError(f"There is no tool {quoted(name)} now. /tools lists what there is.")
    return of_server


async def _list(invocation: Invocation, desk: Desk, off: Sequence[str], *, page: int) -> str:
    names = sorted({*desk.tools, *off})
    pages = max(1, -(-len(names) // _PAGE_SIZE))
    page = min(max(page, 1), pages)
    shown = names[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
    title = "**Tools here**" + (f", page {page} of {pages}" if pages > 1 else "")
    lines = [title, "", *(_row(name, desk.tools.get(name), off) for name in shown)]
    if not names:
        lines.append("There are none: the operator has to configure some.")
    servers = desk.tool_servers()
    if servers:
        is_owner = await desk.gate.is_owner(invocation.author)
        lines += ["", "**Servers**", "", *(_server(state, with_problem=is_owner) for state in servers)]
    if names:
        lines += ["", "`/tools <name> off` switches one off here, or all of a server."]
    if page < pages:
        lines.append(f"`/tools {page + 1}` shows more.")
    return "\n".join(lines)


def _row(name: str, tool: Tool | None, off: Sequence[str]) -> str:
    state = "off here" if name in off else "on"
    if tool is None:
        return f"- `{name}`: **{state}**, not there now."
    facts = [f"**{state}**"]
    if tool.owners_only:
        facts.append("owners only")
    if not tool.reads_only:
        facts.append("changes things")
    line = excerpt(tool.spec.description, _LINE_CHARS)
    # A server's own words must not be able to show a link.
    words = f"`{line}`" if _SEPARATOR in name and line else line
    return f"- `{name}`: {', '.join(facts)}. {words}".rstrip()


def _server(state: ServerState, *, with_problem: bool) -> str:
    since = "" if state.since is None else f" since {state.since:%Y-%m-%d %H:%M} UTC"
    there = f"connected{since}, {amount(state.tools, 'tool')}" if state.connected else f"not connected{since}"
    problem = f": {excerpt(state.problem, 300)}" if with_problem and state.problem else ""
    return f"- {quoted(state.name)}: {there}{problem}"


def _names(here: Mapping[str, Origin]) -> list[str]:
    """What is switched off by the value that counts."""
    origin = here.get("tools_off")
    return [] if origin is None else [name for name in tools_off(str(origin.value)) if name != _NOTHING]


COMMAND = Command(
    name="tools",
    description="What I can use to answer, and what is switched off here",
    handler=_tools,
    options=(
        Option(name="name", description="A tool, a server, or a page of the list"),
        Option(name="switch", description="Whether it is used here", choices=(_ON, _OFF)),
        SCOPE_OPTION,
    ),
    details="A switch counts as /settings do: for this thread, this channel, or you in a private chat. Tools that "
    "change things do not run once an answer has read text from outside.",
)
