"""Gateway sessions: sequence numbers, intents, and the buffer from which a resume is replayed.

A session outlives its socket for a while; an event without any session is seen only by REST.
"""

import json
import zlib
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tests.fakes.discord.records import Json
from tests.fakes.discord.world import World

GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS, DIRECT_MESSAGES, DIRECT_REACTIONS = 1 << 9, 1 << 10, 1 << 12, 1 << 13
MESSAGE_CONTENT = 1 << 15
ALWAYS = 0

RESUMABLE_S = 90.0
BUFFERED_EVENTS = 5000


class Socket(Protocol):
    """The sending side of one connection."""

    def push(self, text: str) -> None: ...

    def hang_up(self, code: int | None) -> None:
        """Close with a code after what was pushed, or cut the line (None)."""


class Compressor:
    """One compression context for the whole life of a connection.

    Of Discord's two this one speaks zlib, as discord.py does unless `zstandard` happens to be installed.
    """

    def __init__(self, kind: str | None) -> None:
        assert kind in (None, "zlib-stream"), f"this fake does not speak {kind}"
        self._zlib = zlib.compressobj() if kind == "zlib-stream" else None

    def pack(self, text: str) -> str | bytes:
        if self._zlib is not None:
            return self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
        return text


class Session:
    """One identified shard."""

    def __init__(self, session_id: str, intents: int, shard: tuple[int, int], socket: Socket) -> None:
        self.id = session_id
        self.intents = intents
        self.shard = shard
        self.socket: Socket | None = socket
        self.sequence = 0
        self.detached_at_s = 0.0
        self.resumable = True
        self._buffer: deque[tuple[int, str]] = deque(maxlen=BUFFERED_EVENTS)

    def serves(self, guild_id: int | None) -> bool:
        """Say whether this shard gets the events of a guild; direct messages go to shard 0."""
        number, count = self.shard
        return ((guild_id or 0) >> 22) % count == number if guild_id else number == 0

    def dispatch(self, name: str, data: Json) -> None:
        self.sequence += 1
        text = json.dumps({"op": 0, "s": self.sequence, "t": name, "d": data})
        self._buffer.append((self.sequence, text))
        if self.socket is not None:
            self.socket.push(text)

    def missed_since(self, sequence: int) -> list[str] | None:
        """List the events after a sequence number; None if the buffer no longer holds them all."""
        oldest = self._buffer[0][0] if self._buffer else self.sequence + 1
        if sequence < oldest - 1:
            return None
        return [text for number, text in self._buffer if number > sequence]


class Sessions:
    """All sessions, and the one way by which events reach them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[str, Session] = {}
        self.identifies = 0
        self.resumes = 0

    def open(self, intents: int, shard: tuple[int, int], socket: Socket) -> Session:
        session = Session(f"{self._world.ids.next():032x}", intents, shard, socket)
        self._by_id[session.id] = session
        return session

    def find(self, session_id: object) -> Session | None:
        """Find a session that may be resumed; one without a socket expires."""
        session = self._by_id.get(str(session_id))
        if session is None or not session.resumable:
            return None
        if session.socket is not None:
            return session
        if self._world.clock.now_s() - session.detached_at_s > RESUMABLE_S:
            del self._by_id[session.id]
            return None
        return session

    def detach(self, session: Session, socket: Socket) -> None:
        """Note that a socket is gone; the session waits for a resume."""
        if session.socket is socket:
            session.socket = None
            session.detached_at_s = self._world.clock.now_s()
            if not session.resumable:
                self._by_id.pop(session.id, None)
            self._world.changes.fire()

    def end(self, session: Session) -> None:
        self._by_id.pop(session.id, None)
        session.socket = None
        self._world.changes.fire()

    def forget(self) -> None:
        """Make every later resume fail with op 9 false; live connections keep getting events."""
        for session in list(self._by_id.values()):
            session.resumable = False
            if session.socket is None:
                self.end(session)

    def connected(self) -> list[Session]:
        return [session for session in self._by_id.values() if session.socket is not None]

    def dispatch(self, name: str, guild_id: int | None, intent: int, render: Callable[[bool], Json]) -> None:
        """Send an event to each session that asked for it; `render` gets whether content may be read."""
        for session in list(self._by_id.values()):
            if session.serves(guild_id) and (intent == ALWAYS or session.intents & intent):
                may_read = bool(session.intents & MESSAGE_CONTENT) and self._world.portal.message_content != "none"
                session.dispatch(name, render(may_read))
        self._world.changes.fire()
