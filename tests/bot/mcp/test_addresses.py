"""Servers over streamable HTTP: the SDK's own, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.bot.mcp.running import CONTEXT, PACE, Entry, connected, run, running, state_of, until
from tests.fakes.mcp.shelf import shelf_app

TOKEN = "shelf-token-1"


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[int]:
    """The app on loopback, on a free port unless one is given; yields the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="on", timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True


def at(port: int, token: str = "${SHELF_TOKEN}", **more: object) -> Entry:
    headers = {"Authorization": f"Bearer {token}"}
    return {"url": f"http://127.0.0.1:{port}/mcp", "headers": headers, "tools": "*", **more}


@pytest.mark.parametrize("json_response", [False, True], ids=["stream", "json"])
async def test_a_server_elsewhere_is_listed_called_and_followed(tmp_path: Path, json_response: bool) -> None:
    async with (
        serving(shelf_app(token=TOKEN, json_response=json_response)) as port,
        running(tmp_path, shelf=at(port)) as mcp,
    ):
        await connected(mcp)

        assert (await run(mcp, "shelf__add", a=2, b=3)).text == "5"
        assert (await run(mcp, "shelf__fail")).is_error
        huge = await run(mcp, "shelf__read", chars=300_000)
        assert huge.text.endswith("(Cut here: the result has 300,000 characters.)")
        too_much = await run(mcp, "shelf__read", chars=9 * 2**20)
        assert too_much.is_error
        await until(lambda: "shelf__grow" in mcp.tools)
        await run(mcp, "shelf__grow")
        await until(lambda: "shelf__grown" in mcp.tools)


async def test_a_slow_tool_elsewhere_ends_at_its_deadline(tmp_path: Path) -> None:
    async with serving(shelf_app(token=TOKEN)) as port, running(tmp_path, shelf=at(port, timeout_s=1)) as mcp:
        await connected(mcp)

        assert (await run(mcp, "shelf__wait")).text.startswith("No answer within 1 seconds")


async def test_a_server_that_goes_away_is_lost_and_found_again(tmp_path: Path) -> None:
    patient = replace(PACE, first_pause_s=0.1)
    async with serving(shelf_app(token=TOKEN)) as port:
        pass
    async with running(tmp_path, patient, shelf=at(port)) as mcp:
        await until(lambda: state_of(mcp, "shelf").problem == "it cannot be reached")
        async with serving(shelf_app(token=TOKEN), port):
            await connected(mcp)
            held = mcp.tools["shelf__add"]
            assert (await run(mcp, "shelf__add", a=2, b=3)).text == "5"
        gone = await held.run({"a": 1, "b": 1}, CONTEXT)
        assert gone.is_error
        await until(lambda: not mcp.tools)
        async with serving(shelf_app(token=TOKEN), port):
            await connected(mcp)
            assert (await run(mcp, "shelf__add", a=2, b=3)).text == "5"


async def test_a_wrong_key_is_told_to_the_operator_and_nowhere_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(shelf_app(token=TOKEN)) as port, running(tmp_path, shelf=at(port, "wrong-key-1")) as mcp:
        await until(lambda: "HTTP 401" in (state_of(mcp, "shelf").problem or ""))

        assert state_of(mcp, "shelf").problem == "it answers with HTTP 401, so the headers are wrong"
    assert "wrong-key-1" not in caplog.text
