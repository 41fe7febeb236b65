"""`FakeDiscord`: the server, what people do in it, and what a test can see of it.

async with FakeDiscord() as fake:
    channel = fake.add_text_channel(fake.add_guild().id)
    ...                                        # start a bot with fake.url and fake.token
    fake.say(channel.id, fake.add_user().id, "hello", mentions=[fake.bot_user_id])
    await fake.wait_for(lambda: fake.bot_messages(channel.id))
"""

import json
import re
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, TypeVar

from aiohttp import web

from tests.fakes.body import Body
from tests.fakes.discord.actions import Actions
from tests.fakes.discord.buckets import Buckets
from tests.fakes.discord.clock import Clock
from tests.fakes.discord.endpoint import Call
from tests.fakes.discord.faults import Faults, Respond
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interacting import Interacting
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.people import People
from tests.fakes.discord.records import SUPPRESS_EMBEDS, Json, Message, Pings, Portal
from tests.fakes.discord.server import MAX_BODY_BYTES, PREFIX, Seen, Server
from tests.fakes.discord.sessions import Sessions
from tests.fakes.discord.world import World

TOKEN = "MTE0NTE0MTkxOTgxMA.GfakeF.s3cret-of-the-fake-discord-server-0000"

T = TypeVar("T")

_LINK = re.compile(r"https?://[^\s<>)]+")


class FakeDiscord(People, Interacting):
    """API v10 on an ephemeral port of 127.0.0.1, in the event loop that entered it."""

    def __init__(self, *, rate_limits: bool = True, heartbeat_s: float = 41.25) -> None:
        self.clock = Clock()
        self.world = World(self.clock, token=TOKEN)
        self.faults = Faults()
        self.rate_limits = Buckets(self.clock, enabled=rate_limits)
        self._sessions = Sessions(self.world)
        self._actions = Actions(self.world, self._sessions)
        self._interactions = Interactions(self.world)
        self.gateway = Gateway(self.world, self._sessions, heartbeat_s=heartbeat_s)
        #: Path and query of each request for a file.
        self.downloads: list[str] = []
        self._server: Server | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        template = Call(
            world=self.world,
            actions=self._actions,
            interactions=self._interactions,
            path={},
            query={},
            json={},
            files={},
            gateway_url="",
        )
        self._server = Server(template, self.rate_limits, self.faults, lambda: self.gateway.url)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/attachments/{channel}/{attachment}/{filename}", self._attachment)
        app.router.add_routes(self._server.routes())
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.clear()
        self.gateway.hang_up_all(1001)
        assert self._runner is not None
        await self._runner.cleanup()
        assert self._server is not None
        if self._server.crashes and error is None:
            raise ExceptionGroup("the fake could not handle these requests", self._server.crashes)

    @property
    def url(self) -> str:
        """What DISCORD_API_URL must be."""
        return self.world.base_url + PREFIX

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def bot_user_id(self) -> int:
        return self.world.bot_id

    @property
    def application_id(self) -> int:
        return self.world.application_id

    @property
    def requests(self) -> list[Seen]:
        """Every REST request that reached an endpoint, in the order of their completion."""
        assert self._server is not None
        return self._server.requests

    @property
    def unknown_routes(self) -> list[str]:
        """Requests to routes that the fake does not have ("METHOD /path")."""
        assert self._server is not None
        return self._server.unknown_routes

    def count_requests(self, method: str, path_part: str) -> int:
        return sum(1 for seen in self.requests if seen.method == method and path_part in seen.path)

    async def wait_for(self, predicate: Callable[[], T], deadline_s: float = 5.0) -> T:
        """Return the first truthy value of the predicate, which is asked after each change of state.

        Raises:
            TimeoutError: it stayed falsy until the deadline.
        """
        return await self.world.changes.wait_for(predicate, deadline_s)

    async def wait_until_connected(self, shards: int = 1, deadline_s: float = 10.0) -> None:
        """Wait until so many shards are identified or resumed."""
        await self.wait_for(lambda: len(self._sessions.connected()) >= shards, deadline_s)

    def advance(self, seconds: float) -> None:
        """Move the fake's clock: interaction tokens, rate limits, sessions and URLs age."""
        self.clock.advance(seconds)
        self.world.changes.fire()

    def set_portal(
        self,
        *,
        message_content: Literal["none", "limited", "full"] = "limited",
        members: bool = False,
        presences: bool = False,
    ) -> None:
        """Switch the privileged intents in the developer portal."""
        self.world.portal = Portal(message_content=message_content, members=members, presences=presences)

    def message(self, message_id: int) -> Message:
        """Give a message as it is now, deleted and ephemeral ones too."""
        return self.world.messages[message_id]

    def history(self, channel_id: int) -> tuple[Message, ...]:
        """Give all messages of a channel with every revision, oldest first, deleted ones included."""
        return tuple(self.world.messages[message_id] for message_id in self.world.order[channel_id])

    def bot_messages(self, channel_id: int) -> tuple[Message, ...]:
        """Give the bot's messages that are still there, ephemeral ones and loading ones excluded."""
        alive = self.world.in_channel(channel_id)
        return tuple(m for m in alive if m.author_id == self.bot_user_id and not m.flags & 1 << 7)

    @property
    def pings(self) -> dict[int, Pings]:
        """Whom the bot's messages notified, by message id; empty when nobody was."""
        mine = (m for m in self.world.messages.values() if m.author_id == self.bot_user_id)
        return {message.id: message.pings for message in mine if message.pings}

    @property
    def commands(self) -> tuple[Json, ...]:
        """The registered global commands."""
        return self.world.commands.get(0, ())

    @property
    def command_syncs(self) -> int:
        """Count of PUTs of a whole command list."""
        return self.world.command_syncs

    @property
    def identifies(self) -> int:
        return self._sessions.identifies

    @property
    def resumes(self) -> int:
        return self._sessions.resumes

    @property
    def connections(self) -> int:
        """How many sockets are identified or resumed now."""
        return len(self._sessions.connected())

    def drop_connections(self, code: int | None = 4000) -> None:
        """Close every gateway connection with a code, or cut the lines (None)."""
        self.gateway.hang_up_all(code)

    def ask_reconnect(self) -> None:
        """Send op 7 to every connection."""
        self.gateway.ask(7)

    def ask_heartbeat(self) -> None:
        """Send op 1 to every connection."""
        self.gateway.ask(1)

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        """Send op 9 to every connection; without `resumable` later resumes fail too."""
        if not resumable:
            self._sessions.forget()
        self.gateway.ask(9, resumable)

    def forget_sessions(self) -> None:
        """Make every later resume end in op 9 false."""
        self._sessions.forget()

    @property
    def previews(self) -> tuple[str, ...]:
        """The links in the bot's messages, old states included, that Discord's servers fetch for a preview."""
        mine = (message for message in self.world.messages.values() if message.author_id == self.bot_user_id)
        shown = (state for message in mine for state in message.revisions if not state.flags & SUPPRESS_EMBEDS)
        return tuple(link for state in shown for link in _LINK.findall(state.content))

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        """Serve a file from the CDN: only under the exact address that was signed, and within 24 hours."""
        self.downloads.append(request.raw_path)
        match self.faults.match("GET", request.path):
            case Respond() as planted:
                body = planted.body if isinstance(planted.body, str) else json.dumps(planted.body)
                return web.Response(status=planted.status, text=body, headers=planted.headers)
            case Body() as body:
                return await body.answer(request)
            case _:
                pass
        attachment = self.world.attachments.get(int(request.match_info["attachment"]))
        expires = request.query.get("ex", "0")
        asked = f"{self.world.base_url}{request.raw_path}"
        signed = attachment is not None and asked == self.world.signed_url(attachment, expires)
        if attachment is None or not signed or int(expires, 16) < self.clock.now_s():
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=attachment.content, content_type=attachment.content_type.split(";")[0])
