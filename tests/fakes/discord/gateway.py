"""The gateway's socket protocol: hello, identify, resume, heartbeats, close codes.

https://discord.com/developers/docs/events/gateway and .../topics/opcodes-and-status-codes#gateway
"""

import asyncio
import json
import time
from collections import deque

from aiohttp import WSMsgType, web

from tests.fakes.discord import wire
from tests.fakes.discord.records import Json
from tests.fakes.discord.sessions import (
    GUILD_MEMBERS,
    GUILD_PRESENCES,
    GUILDS,
    MESSAGE_CONTENT,
    Compressor,
    Session,
    Sessions,
)
from tests.fakes.discord.world import World

KNOWN_INTENTS = (1 << 26) - 1
COMMANDS_PER_MINUTE = 120


class Closed(Exception):
    """The server ends the connection with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """One WebSocket of a bot."""

    def __init__(self, gateway: "Gateway", ws: web.WebSocketResponse, request: web.Request) -> None:
        self._gateway = gateway
        self._ws = ws
        self._request = request
        self._outbox: asyncio.Queue[str | Closed | None] = asyncio.Queue()
        self._compressor = Compressor(request.query.get("compress"))
        self._commands: deque[float] = deque()
        self._heard_at_s = time.monotonic()
        self.session: Session | None = None
        self.hung_up_with: int | None = None
        """The code with which the fake ended this connection, 1006 for a cut line."""

    def push(self, text: str) -> None:
        self._outbox.put_nowait(text)

    def send(self, op: int, data: object = None) -> None:
        self.push(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def hang_up(self, code: int | None) -> None:
        self._outbox.put_nowait(None if code is None else Closed(code))

    async def run(self) -> None:
        """Serve until either side ends it; a bot that closes with 1000 or 1001 ends its session."""
        if self._request.query.get("v") != "10" or self._request.query.get("encoding", "json") != "json":
            await self._ws.close(code=4012)
            return
        self.send(10, {"heartbeat_interval": int(self._gateway.heartbeat_s * 1000), "_trace": ["fake"]})
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write())
                await self._read()
                writer.cancel()
        finally:
            self._leave()

    async def _write(self) -> None:
        while True:
            item = await self._outbox.get()
            if isinstance(item, str):
                if self._ws.closed:
                    return
                packed = self._compressor.pack(item)
                try:
                    await (self._ws.send_str(packed) if isinstance(packed, str) else self._ws.send_bytes(packed))
                except ConnectionError:
                    return
            elif item is None:
                self.hung_up_with = 1006
                if self._request.transport is not None:
                    self._request.transport.abort()
                return
            else:
                self.hung_up_with = item.code
                await self._ws.close(code=item.code)
                return

    async def _read(self) -> None:
        patience_s = self._gateway.heartbeat_s * 1.5
        while True:
            left_s = self._heard_at_s + patience_s - time.monotonic()
            try:
                message = await self._ws.receive(timeout=max(left_s, 0.01))
            except TimeoutError:
                self.hang_up(4009)
                patience_s = 1e9
                continue
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                self._handle(message.data)
            except Closed as closed:
                self.hang_up(closed.code)

    def _leave(self) -> None:
        if self.session is None:
            return
        ended_by_bot = self.hung_up_with is None and self._ws.close_code in (1000, 1001)
        if ended_by_bot and self.session.socket is self:
            self._gateway.sessions.end(self.session)
        else:
            self._gateway.sessions.detach(self.session, self)

    def _handle(self, raw: str | bytes) -> None:
        self._count_command()
        if len(raw) > 4096:
            raise Closed(4002)
        try:
            command = json.loads(raw)
            op, data = command["op"], command.get("d")
        except (ValueError, KeyError, TypeError) as error:
            raise Closed(4002) from error
        match op:
            case 1:
                self._heard_at_s = time.monotonic()
                self._gateway.heartbeats += 1
                self.send(11)
                self._gateway.world.changes.fire()
            case 2:
                self._identify(data)
            case 6:
                self._resume(data)
            case 3 | 4 | 8 | 31 if self.session is None:
                raise Closed(4003)
            case 8:
                self._request_members(data)
            case 3 | 4 | 31:
                pass
            case _:
                raise Closed(4001)

    def _count_command(self) -> None:
        now = time.monotonic()
        self._commands.append(now)
        while self._commands[0] < now - 60:
            self._commands.popleft()
        if len(self._commands) > COMMANDS_PER_MINUTE:
            raise Closed(4008)

    def _identify(self, data: Json) -> None:
        if self.session is not None:
            raise Closed(4005)
        self._gateway.check_identify(data)
        number, count = data.get("shard", (0, 1))
        self.session = self._gateway.sessions.open(data["intents"], (number, count), self)
        self._gateway.sessions.identifies += 1
        self._gateway.greet(self.session)

    def _resume(self, data: Json) -> None:
        if self.session is not None:
            raise Closed(4005)
        if data.get("token") != self._gateway.world.token:
            raise Closed(4004)
        session = self._gateway.sessions.find(data.get("session_id"))
        missed = None if session is None else session.missed_since(int(data.get("seq") or 0))
        if session is None or missed is None:
            self.send(9, False)
            return
        if int(data.get("seq") or 0) > session.sequence:
            raise Closed(4007)
        if session.socket is not None:
            session.socket.hang_up(4000)
        self.session, session.socket = session, self
        for text in missed:
            self.push(text)
        self._gateway.sessions.resumes += 1
        session.dispatch("RESUMED", {"_trace": ["fake"]})
        self._gateway.world.changes.fire()

    def _request_members(self, data: Json) -> None:
        assert self.session is not None
        world, guild_id = self._gateway.world, int(data["guild_id"])
        wanted = [int(user_id) for user_id in data.get("user_ids") or ()]
        if not wanted and data.get("query") == "" and not self.session.intents & GUILD_MEMBERS:
            raise Closed(4014)
        members = [user_id for user_id, _ in world.guilds[guild_id].members if not wanted or user_id in wanted]
        chunk: Json = {
            "guild_id": str(guild_id),
            "members": [wire.member_json(world, guild_id, user_id, with_user=True) for user_id in members],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(user_id) for user_id in wanted if user_id not in members],
        }
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        self.session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


class Gateway:
    """Accepts connections and greets sessions."""

    def __init__(self, world: World, sessions: Sessions, *, heartbeat_s: float) -> None:
        self.world = world
        self.sessions = sessions
        self.heartbeat_s = heartbeat_s
        self.heartbeats = 0
        self.open: set[Connection] = set()
        self.close_codes: list[int] = []
        """The code of each connection that ended, whoever closed it (1006 when the line was cut)."""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False, timeout=0.5, autoping=True)
        await ws.prepare(request)
        connection = Connection(self, ws, request)
        self.open.add(connection)
        try:
            await connection.run()
        finally:
            self.open.discard(connection)
            self.close_codes.append(connection.hung_up_with or int(ws.close_code or 1006))
            self.world.changes.fire()
        return ws

    def hang_up_all(self, code: int | None) -> None:
        for connection in self.open:
            connection.hang_up(code)

    def ask(self, op: int, data: object = None) -> None:
        """Send a control opcode (1 heartbeat, 7 reconnect, 9 invalid session) on every connection."""
        for connection in self.open:
            connection.send(op, data)

    def check_identify(self, data: Json) -> None:
        if data.get("token") != self.world.token:
            raise Closed(4004)
        if not isinstance(data.get("properties"), dict):
            raise Closed(4002)
        shard = data.get("shard", [0, 1])
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise Closed(4010)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            raise Closed(4013)
        portal = self.world.portal
        for intent, allowed in (
            (MESSAGE_CONTENT, portal.message_content != "none"),
            (GUILD_MEMBERS, portal.members),
            (GUILD_PRESENCES, portal.presences),
        ):
            if intents & intent and not allowed:
                raise Closed(4014)

    def greet(self, session: Session) -> None:
        """Send READY, then GUILD_CREATE for each guild of the shard."""
        world = self.world
        guilds = [guild for guild in world.guilds.values() if session.serves(guild.id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": wire.user_json(world.user(world.bot_id)) | {"verified": True, "mfa_enabled": False},
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": list(session.shard),
                "application": {
                    "id": str(world.application_id),
                    "flags": wire.application_flags(world.portal),
                },
                "user_settings": {},
                "relationships": [],
                "private_channels": [],
                "presences": [],
            },
        )
        if session.intents & GUILDS:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", wire.guild_create_json(world, guild))
        world.changes.fire()

    @property
    def url(self) -> str:
        return self.world.base_url.replace("http", "ws", 1) + "/gateway"
