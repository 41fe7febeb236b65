"""What the fake remembers, as frozen values; a change is a new value in `World`.

Ids are integers here and strings on the wire (`wire.py` translates).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]

TEXT, DM, NEWS, NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 5, 10, 11, 12, 15
THREADS = frozenset({NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})

DEFAULT_MESSAGE, THREAD_CREATED, REPLY, COMMAND, THREAD_STARTER = 0, 18, 19, 20, 21

SUPPRESS_EMBEDS, HAS_THREAD, EPHEMERAL, LOADING = 1 << 2, 1 << 5, 1 << 6, 1 << 7
VOICE_MESSAGE, HAS_SNAPSHOT, COMPONENTS_V2 = 1 << 13, 1 << 14, 1 << 15

ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
SEND_VOICE_MESSAGES = 1 << 46

BOT_PERMISSIONS = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS
    | SEND_VOICE_MESSAGES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The switches of the developer portal; "limited" is allowed but below 100 guilds (unverified)."""

    message_content: Literal["none", "limited", "full"] = "limited"
    members: bool = False
    presences: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: int
    name: str
    bot: bool = False
    accepts_dms: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    id: int
    name: str
    permissions: int = 0
    mentionable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guild:
    """`bot_permissions` are those of the bot's own managed role, before a channel's `bot_denied`."""

    id: int
    name: str
    owner_id: int
    bot_permissions: int
    bot_role_id: int
    roles: tuple[Role, ...] = ()
    members: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """(user id, role ids) of each member, the bot included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, forum, thread or DM; `owner_id` of a thread is its creator."""

    id: int
    kind: int
    name: str
    guild_id: int | None = None
    parent_id: int | None = None
    owner_id: int | None = None
    recipient_id: int | None = None
    topic: str | None = None
    archived: bool = False
    locked: bool = False
    bot_denied: int = 0
    created_at: datetime
    auto_archive_minutes: int = 4320
    applied_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on the CDN. `duration_s` and `waveform` (base64) are those of a voice message."""

    id: int
    channel_id: int
    filename: str
    content_type: str
    content: bytes
    description: str | None = None
    duration_s: float | None = None
    waveform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a user or the bot sends along."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    description: str | None = None
    duration_s: float | None = None
    waveform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Who was notified by a message, after `allowed_mentions` and permissions."""

    users: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The state of a message from `at` until the next revision; the first is its creation."""

    at: datetime
    content: str
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachment_ids: tuple[int, ...] = ()
    flags: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message with all that happened to it; deleted ones stay in the fake's memory."""

    id: int
    channel_id: int
    author_id: int
    content: str
    at: datetime
    kind: int = DEFAULT_MESSAGE
    flags: int = 0
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    pings: Pings = Pings()
    mentions: tuple[int, ...] = ()
    nonce: str | int | None = None
    reference: tuple[int, int] | None = None
    """(channel id, message id) that this one replies to or, for a thread starter, points to."""
    forwards: int | None = None
    """The message of which this holds a snapshot."""
    webhook_name: str | None = None
    command: Json | None = None
    """`interaction_metadata` when the message answers an interaction."""
    ephemeral_for: int | None = None
    reactions: tuple[tuple[str, int], ...] = ()
    revisions: tuple[Revision, ...] = ()

    @property
    def alive(self) -> bool:
        return self.deleted_at is None

    @property
    def texts(self) -> tuple[str, ...]:
        """The content of each revision, oldest first."""
        return tuple(revision.content for revision in self.revisions)
