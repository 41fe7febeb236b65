"""All MCP servers of MCP_SERVERS_FILE, connected beside everything else: nothing waits for them.

Without the file nothing is imported. Knows no protocol; what is called and when is the toolbox's business.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from bot.core.errors import SettingsError
from bot.core.ports import Clock
from bot.core.tools import ServerState, Tool
from bot.mcp.server_settings import ServerSettings
from bot.mcp.servers_file import read_servers

_LIBRARY = "mcp"


class RunningServer(Protocol):
    """What is needed of `bot.mcp.server.Server`, which cannot be named here without importing the library."""

    @property
    def tools(self) -> Mapping[str, Tool]: ...

    @property
    def state(self) -> ServerState: ...

    async def run(self) -> None: ...


Start = Callable[[ServerSettings], RunningServer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mcp:
    """`tools` is as of now whenever it is looked into: servers come and go. `states` are in the file's order."""

    tools: Mapping[str, Tool]
    states: Callable[[], Sequence[ServerState]]


class _Live(Mapping[str, Tool]):
    """The tools of all servers that are connected; their names are unique over servers."""

    def __init__(self, servers: Sequence[RunningServer]) -> None:
        self._servers = servers

    def __getitem__(self, name: str) -> Tool:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, Tool]:
        return {name: tool for server in self._servers for name, tool in server.tools.items()}


@asynccontextmanager
async def open_mcp(
    file: Path | None, *, environment: Mapping[str, str], clock: Clock, start: Start | None = None
) -> AsyncIterator[Mcp]:
    """Connect to the servers of the file (None: there are none), and end them when left.

    `environment` is where `${NAME}` and a program's PATH come from. `start` None: as servers are.

    Raises:
        SettingsError: the file is wrong, or the library is not installed.
    """
    settings = () if file is None else read_servers(file, environment)
    if not settings:
        yield Mcp(tools={}, states=tuple)
        return
    start = start or _starter(clock)
    servers = [start(each) for each in settings]
    failure: Exception | None = None
    with _silent_library():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(server.run()) for server in servers]
            try:
                yield Mcp(tools=_Live(servers), states=lambda: tuple(server.state for server in servers))
            except Exception as error:
                failure = error  # the group would hand it on inside a group
            finally:
                for task in tasks:
                    task.cancel()
    if failure is not None:
        raise failure


def _starter(clock: Clock) -> Start:
    """Import what speaks the protocol: half a second and some 30 MB."""
    try:
        module = import_module("bot.mcp.server")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != _LIBRARY:
            raise
        raise SettingsError("MCP_SERVERS_FILE needs the library mcp: pip install 'parley[mcp]'.") from None
    server: Callable[..., RunningServer] = module.Server
    pace = module.Pace()
    return lambda settings: server(settings, clock=clock, pace=pace)


@contextmanager
def _silent_library() -> Iterator[None]:
    """The library logs whole messages and URLs; what matters of it we say ourselves."""
    logger = logging.getLogger(_LIBRARY)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
