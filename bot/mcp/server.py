"""One MCP server for as long as Parley runs: connected, listed, called, lost and connected again.

`run` owns the connection: it alone opens and closes it, in its own task. Calls come from other tasks and only send a
request through it. Which tools are offered is the business of `offers`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from mcp import Client, MCPError
from mcp.client import IncomingMessage, Transport
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    Tool,
    ToolListChangedNotification,
)
from pydantic import ValidationError

from bot.core.ports import Clock
from bot.core.redaction import MASK, Redactor
from bot.core.tools import ServerState, ToolOutput
from bot.core.tools import Tool as OurTool
from bot.core.untrusted import clean
from bot.mcp.address import Refusals, open_address
from bot.mcp.failures import reason
from bot.mcp.offers import Offers
from bot.mcp.program import run_program
from bot.mcp.result import output_of, outside
from bot.mcp.server_settings import Address, Program, ServerSettings

log = logging.getLogger(__name__)

_CLIENT = Implementation(name="parley", version="1")
#: For one page of the list of tools, and a request of the handshake.
_REQUEST_S = 30.0
_MAX_PAGES = 20
_MAX_TOOLS = 500
_ERROR_CHARS = 2_000
_REMARKS_CHARS = 600
_NOTE_CHARS = 500
#: Shorter ones would take ordinary words out of results.
_TOKEN_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient we are with a server, in seconds.

    `connect_s` is for the whole handshake (npx and uvx may have to download first). The list of tools is asked for
    again every `refresh_s`, which also shows that the server lives, and `settle_s` after it changed. A lost server is
    called back after `first_pause_s`, then twice that and so on up to `longest_pause_s`; one that stayed for
    `steady_s` begins anew.
    """

    connect_s: float = 60.0
    refresh_s: float = 300.0
    settle_s: float = 1.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 300.0
    steady_s: float = 60.0


class Server:
    """Leave `run` running; `tools` and `state` are as of now."""

    def __init__(self, settings: ServerSettings, *, clock: Clock, pace: Pace) -> None:
        self._settings = settings
        self._clock = clock
        self._pace = pace
        self._redact = Redactor(settings.secrets)
        self._offers = Offers(settings, self.call)
        self._refusals = Refusals()
        self._client: Client | None = None
        self._stale = asyncio.Event()
        self._since: datetime | None = None
        self._problem: str | None = "it is being connected to"

    @property
    def tools(self) -> Mapping[str, OurTool]:
        """What can be called now, by the names that models see."""
        return self._offers.tools

    @property
    def state(self) -> ServerState:
        """How it is doing, for people."""
        remarks = self._redact("; ".join(self._offers.remarks))
        return ServerState(
            name=self._settings.name,
            connected=self._client is not None,
            tools=len(self._offers.tools),
            since=self._since,
            problem=self._problem if self._client is None else _short(remarks) or None,
        )

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost; until cancelled."""
        pause_s = self._pace.first_pause_s
        while True:
            began_s = self._clock.monotonic()
            try:
                await self._connection()
            except Exception as error:  # one server's failure is its own
                self._lose(error)
            steady = self._clock.monotonic() - began_s >= self._pace.steady_s
            pause_s = self._pace.first_pause_s if steady else pause_s
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, self._pace.longest_pause_s)

    async def call(self, tool: str, arguments: Mapping[str, object]) -> ToolOutput:
        """Call a tool by the server's name for it. Never raises but for cancellation and our own mistakes.

        The session's own `call_tool` would check structured results against the server's schema, whose patterns may
        be made to run for hours.
        """
        client, timeout_s = self._client, self._settings.timeout_s
        if client is None:
            return _failure("The server of this tool is not connected now. Go on without it.")
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
        try:
            async with asyncio.timeout(timeout_s):
                result = await client.session.send_request(
                    request, CallToolResult, request_read_timeout_seconds=timeout_s + _REQUEST_S
                )
        except TimeoutError:
            self._stale.set()  # whether the server is still there, its list will show
            return _failure(f"No answer within {timeout_s:g} seconds; it may have been carried out all the same.")
        except ValidationError:
            return _failure("The server answered with something that is no result.")
        except MCPError as error:
            self._stale.set()
            if error.code == CONNECTION_CLOSED:
                return _failure("The server went away during the call; it may have been carried out all the same.")
            return outside(f"The server refused: {self._redact(error.message)[:_ERROR_CHARS]}", is_error=True)
        output = output_of(result)
        return replace(output, text=_without(self._settings.tokens, output.text))

    async def _connection(self) -> None:
        """One connection from its beginning to its end, which is an error whatever the reason."""
        async with self._transport() as transport, AsyncExitStack() as stack:
            async with asyncio.timeout(self._pace.connect_s):
                client = await stack.enter_async_context(
                    Client(
                        transport,
                        cache=None,
                        message_handler=self._hear,
                        client_info=_CLIENT,
                        read_timeout_seconds=_REQUEST_S,
                    )
                )
                self._offers.take(await _list(client))
            self._win(client)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(client))
                await self._keep(client)

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Transport]:
        match self._settings.reached:
            case Program() as program:
                async with run_program(program, self._note) as streams:
                    yield nullcontext(streams)
            case Address() as address:
                async with open_address(address, self._refusals) as transport:
                    yield transport
            case other:
                assert_never(other)

    async def _keep(self, client: Client) -> None:
        """Look again at the tools now and then, and when they changed."""
        while True:
            try:
                async with asyncio.timeout(self._pace.refresh_s):
                    await self._stale.wait()
            except TimeoutError:
                pass
            else:
                await self._clock.sleep(self._pace.settle_s)
            self._stale.clear()
            self._offers.take(await _list(client))

    async def _watch(self, client: Client) -> None:
        """Hear of changed tools where servers tell that on a stream of its own (protocol of 2026-07-28)."""
        told = client.server_capabilities.tools
        if told is None or not told.list_changed:
            return
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._stale.set()
            except (MCPError, ListenNotSupportedError):
                return  # an older one tells on the connection itself, another not at all
            except (SubscriptionLost, TimeoutError):
                log.debug("MCP server %s ended its stream of changes", self._settings.name)
            self._stale.set()  # it may be gone altogether, as the list will show
            await self._clock.sleep(self._pace.refresh_s)

    async def _hear(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._stale.set()

    def _note(self, line: str) -> None:
        """A line of a program's standard error."""
        log.debug("MCP server %s: %s", self._settings.name, self._redact(clean(line))[:_NOTE_CHARS])

    def _win(self, client: Client) -> None:
        self._client, self._problem, self._since = client, None, self._clock.now()
        log.info("MCP server %s is connected, tools on offer: %d", self._settings.name, len(self._offers.tools))
        for remark in self._offers.remarks:
            log.warning("MCP server %s: %s", self._settings.name, self._redact(remark))

    def _lose(self, error: Exception) -> None:
        problem = self._redact(self._refusals.words() or reason(error))
        if self._client is not None:
            self._client, self._since = None, self._clock.now()
        self._offers.withdraw()
        if problem != self._problem:
            log.warning("MCP server %s is away, its tools with it: %s", self._settings.name, problem)
        self._problem = problem


async def _list(client: Client) -> Sequence[Tool]:
    """All tools of the server, up to a number that no model could use anyway."""
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None or len(tools) >= _MAX_TOOLS:
            break
    return tools[:_MAX_TOOLS]


def _without(tokens: Sequence[str], text: str) -> str:
    """A result in which the server repeats none of its own keys; other keys in it may be what was asked for."""
    for token in sorted(tokens, key=len, reverse=True):
        text = text.replace(token, MASK) if len(token) >= _TOKEN_CHARS else text
    return text


def _failure(text: str) -> ToolOutput:
    """Our own words, which no stranger had a part in."""
    return ToolOutput(text=text, is_error=True)


def _short(remarks: str) -> str:
    """Remarks at a length that fits a line of /tools."""
    return remarks if len(remarks) <= _REMARKS_CHARS else f"{remarks[: _REMARKS_CHARS - 1]}…"
