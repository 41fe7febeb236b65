"""What a bot looks things up with, played on loopback, and how tests see its tool calls and the links that it shows.

How the bot is set up besides is the tests' business.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.e2e.chats import Chat, DiscordDoor, Door, Person, Shown, TelegramDoor
from tests.e2e.waiting import until
from tests.e2e.world import World
from tests.fakes.brave.server import FakeBrave
from tests.fakes.found_page import FoundPage
from tests.fakes.market.binance import FakeBinance
from tests.fakes.market.coingecko import FakeCoinGecko
from tests.fakes.openai.record import Request
from tests.fakes.script import Reply, Step, ToolCall
from tests.fakes.tavily.server import FakeTavily
from tests.fakes.wire_server import WireServer

#: `[words](<address>)`, as Discord makes a link of it, and addresses that stand alone.
_DISCORD_LINK = re.compile(r"\]\(<?(https?://[^\s<>)]+)>?\)|(?<!\()(?<!<)(https?://[^\s<>)]+)")


class Pages(WireServer):
    """A web server. `pages` are its HTML by path, `moved` where other paths lead, `asked` the paths that came."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def host(self) -> str:
        """Host and port, as FETCH_PRIVATE_HOSTS takes them."""
        return self.origin.removeprefix("http://")

    def url(self, path: str) -> str:
        """The address of a page."""
        return self.origin + path

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._page)
        return app

    async def _page(self, http: web.Request) -> web.StreamResponse:
        self._came(http)
        self.asked.append(http.path_qs)
        self._changed.set()
        if http.path in self.moved:
            return web.Response(status=302, headers={"Location": self.moved[http.path]})
        if http.path not in self.pages:
            return web.Response(status=404)
        return web.Response(text=self.pages[http.path], content_type="text/html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All of them, running. `pages` may be read by the bot, `inside` is a server of the operator's that may not."""

    tavily: FakeTavily
    brave: FakeBrave
    binance: FakeBinance
    coingecko: FakeCoinGecko
    pages: Pages
    inside: Pages

    @property
    def settings(self) -> Mapping[str, str]:
        """What makes a bot use them."""
        return {
            "TAVILY_API_KEY": self.tavily.key,
            "TAVILY_BASE_URL": self.tavily.origin,
            "BRAVE_SEARCH_API_KEY": self.brave.key,
            "BRAVE_SEARCH_BASE_URL": self.brave.url,
            "BINANCE_BASE_URL": self.binance.origin,
            "COINGECKO_BASE_URL": self.coingecko.url,
            "FETCH_PRIVATE_HOSTS": self.pages.host,
        }


@asynccontextmanager
async def open_services(*found: FoundPage) -> AsyncIterator[Services]:
    """All of them until the block is left; both search services find these pages."""
    async with AsyncExitStack() as stack:
        yield Services(
            tavily=await stack.enter_async_context(FakeTavily(*found)),
            brave=await stack.enter_async_context(FakeBrave(*found)),
            binance=await stack.enter_async_context(FakeBinance()),
            coingecko=await stack.enter_async_context(FakeCoinGecko()),
            pages=await stack.enter_async_context(Pages()),
            inside=await stack.enter_async_context(Pages()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A bot with everything that looks things up, and its owners by platform."""

    world: World
    services: Services
    owners: dict[str, Person]

    def chat(self, door: Door) -> Chat:
        """A private chat of somebody new."""
        return door.private(door.person("Ann"))

    def begin(self, chat: Chat, question: str, *steps: Step) -> None:
        """Ask something, and let the model do these steps."""
        text = f"{question} {chat.key}."
        self.world.script(text, *steps)
        chat.mention(text)

    async def ask(self, chat: Chat, question: str, *steps: Step) -> Shown:
        """The same, until the text of the last step is shown."""
        (*_, last) = steps
        assert isinstance(last, Reply)
        self.begin(chat, question, *steps)
        return await chat.until(lambda shown: bool(shown) and shown[-1].text.startswith(last.text))

    def asked(self, chat: Chat, question: str) -> list[Request]:
        """The calls of the model about it."""
        return self.world.asked(f"{question} {chat.key}.")

    async def booked(self, chat: Chat, kind: str, count: int) -> list[dict[str, object]]:
        """The ledger's rows of a kind, once there are so many."""

        async def are_there() -> bool:
            return len(rows_of(await self.world.usage(chat.key), kind)) == count

        await until(are_there, f"{count} rows of kind {kind}")
        return [dict(row) for row in rows_of(await self.world.usage(chat.key), kind)]


def said(text: str, shown: tuple[Shown, ...]) -> bool:
    """Whether the newest message begins so."""
    return bool(shown) and shown[-1].text.startswith(text)


def calls(name: str, **arguments: object) -> Reply:
    """A model's answer that is one call of a tool."""
    return Reply(tool_calls=(call(name, **arguments),))


def call(name: str, **arguments: object) -> ToolCall:
    """One of several calls that a model makes at once."""
    return ToolCall(name=name, arguments=json.dumps(arguments))


def tools_of(request: Request) -> list[str]:
    """The tools that a model was offered."""
    return [tool["name"] for tool in request.body.get("tools", ())]


def results_of(request: Request) -> list[str]:
    """What tools gave back in this turn so far, oldest first."""
    return [item["output"] for item in request.body["input"] if item.get("type") == "function_call_output"]


def rows_of(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The rows of a ledger of that kind."""
    return [row for row in rows if row["kind"] == kind]


def links(door: Door, chat: Chat) -> tuple[str, ...]:
    """Where the bot's newest message leads people who click."""
    match door:
        case TelegramDoor():
            (*_, message) = door.fake.bot_messages(int(chat.key.rpartition(":")[2]))
            return tuple(each.url for each in message.entities if each.url is not None)
        case DiscordDoor():
            return tuple(named or bare for named, bare in _DISCORD_LINK.findall(chat.shown()[-1].text))
        case _:
            raise AssertionError(f"a door of {door.platform} has no links yet")


def previews(door: Door) -> tuple[str, ...]:
    """The links that a platform's servers have fetched for previews."""
    assert isinstance(door, TelegramDoor | DiscordDoor)
    return door.fake.previews
