"""All servers together: nothing waits for them, nothing is loaded without them."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.errors import SettingsError
from bot.core.tools import ServerState, Tool
from bot.mcp.server_settings import ServerSettings
from bot.mcp.servers import RunningServer, open_mcp
from tests.bot.mcp.running import by_hand, written

WITHOUT = """
import asyncio, sys
import bot.app
from bot.core.clock import SystemClock
from bot.mcp.servers import open_mcp

async def main():
    async with open_mcp(None, environment={}, clock=SystemClock()) as mcp:
        print(len(mcp.tools), mcp.states(), [name for name in ("mcp", "mcp_types") if name in sys.modules])

asyncio.run(main())
"""


class Idle:
    """A server that is never reached, and knows when it was ended."""

    def __init__(self, settings: ServerSettings) -> None:
        self.name = settings.name
        self.ended = False
        self.tools: Mapping[str, Tool] = {}

    @property
    def state(self) -> ServerState:
        return ServerState(name=self.name, connected=False, tools=0)

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


def test_without_the_setting_the_library_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=50)

    assert done.stdout == "0 () []\n"


async def test_servers_are_ended_when_left_and_an_error_inside_comes_out_as_it_is(tmp_path: Path) -> None:
    started: list[Idle] = []

    def start(settings: ServerSettings) -> RunningServer:
        started.append(Idle(settings))
        return started[-1]

    async def fail_inside() -> None:
        file = written(tmp_path, {"b": by_hand(), "a": by_hand()})
        async with open_mcp(file, environment={}, clock=SystemClock(), start=start) as mcp:
            await asyncio.sleep(0)
            assert [state.name for state in mcp.states()] == ["b", "a"]
            raise LookupError("of the caller")

    with pytest.raises(LookupError, match="of the caller"):
        await fail_inside()

    assert [server.ended for server in started] == [True, True]


async def test_a_missing_library_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bot.mcp.server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(SettingsError, match=r"needs the library mcp: pip install 'parley\[mcp\]'"):
        async with open_mcp(written(tmp_path, {"a": by_hand()}), environment={}, clock=SystemClock()):
            pass
