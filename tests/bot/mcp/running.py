"""Servers for tests, opened as Parley opens them but with less patience."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.clock import SystemClock
from bot.core.place import Author, ChatKind, Place
from bot.core.tools import ServerState, ToolContext, ToolOutput
from bot.mcp.server import Pace, Server
from bot.mcp.servers import Mcp, open_mcp
from tests.fakes.mcp import clumsy, shelf

DEADLINE_S = 20.0
PACE = Pace(connect_s=10.0, refresh_s=60.0, settle_s=0.0, first_pause_s=0.02, longest_pause_s=0.1)
CONTEXT = ToolContext(
    place=Place(platform="x", account="bot", chat="1", kind=ChatKind.PRIVATE),
    author=Author(platform="x", id="1", name="Ann"),
    turn_uid="x:1",
    cite=lambda source: 1,
    is_known=lambda url: False,
)
#: What a test's own process has and no server should get.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "OPENAI_API_KEY": "sk-ours", "SHELF_TOKEN": "shelf-token-1"}
Entry = dict[str, object]


def by_hand(*tools: object, **behaviour: object) -> Entry:
    """The entry of a clumsy server; a tool is a name, or what it lists."""
    listed = [listing(each) if isinstance(each, str) else each for each in tools]
    script = json.dumps({"tools": listed, **behaviour})
    return {"command": sys.executable, "args": [clumsy.__file__, script], "tools": "*"}


def by_sdk(**more: object) -> Entry:
    """The entry of the real server as a program."""
    return {"command": sys.executable, "args": [shelf.__file__], "tools": "*", **more}


def listing(name: str, description: str = "Does something.", **more: object) -> Entry:
    """A tool as servers list it."""
    return {"name": name, "description": description, "inputSchema": {"type": "object", "properties": {}}, **more}


def written(folder: Path, servers: Mapping[str, Entry]) -> Path:
    """The file that names these servers."""
    file = folder / "servers.json"
    file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return file


@asynccontextmanager
async def running(folder: Path, pace: Pace = PACE, **servers: Entry) -> AsyncIterator[Mcp]:
    """These servers, being connected to."""
    clock = SystemClock()
    async with open_mcp(
        written(folder, servers),
        environment=ENVIRONMENT,
        clock=clock,
        start=lambda settings: Server(settings, clock=clock, pace=pace),
    ) as mcp:
        yield mcp


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; what is waited for happens in another process."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # the other process sets no event
            await asyncio.sleep(0.005)


async def connected(mcp: Mcp) -> None:
    """Wait until all servers are."""
    await until(lambda: all(state.connected for state in mcp.states()))


def state_of(mcp: Mcp, name: str) -> ServerState:
    return next(state for state in mcp.states() if state.name == name)


async def run(mcp: Mcp, tool: str, **arguments: object) -> ToolOutput:
    """Call a tool as the toolbox does."""
    return await mcp.tools[tool].run(arguments, CONTEXT)
