"""Values of the fake: people, files, messages with all their revisions, recorded calls.

Frozen: an edit replaces the message in the world by one with a further revision. Knows no HTTP.
"""

from dataclasses import dataclass
from datetime import datetime

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A Telegram account; `username` carries no @."""

    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False
    language_code: str | None = None

    @property
    def chat_id(self) -> int:
        """Id of the private chat with this person: the same number."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A MessageEntity; `offset` and `length` are in UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    user_id: int | None = None
    language: str | None = None
    custom_emoji_id: str | None = None

    @property
    def end(self) -> int:
        """First UTF-16 unit after the entity."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Somebody whom a text notifies; `user_id` is None when no known user has that name."""

    user_id: int | None
    username: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Bytes on the server under their `file_id`; width and height only for what is seen, `duration_s` for what runs.

    `kind` is the message's field; for a sticker `emoji` is what it stands for, and it moves unless its type is WebP.
    """

    kind: str
    file_id: str
    unique_id: str
    path: str
    data: bytes
    name: str | None = None
    mime_type: str | None = None
    width: int = 0
    height: int = 0
    duration_s: int = 0
    emoji: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a message showed from `at` on; for media `text` is the caption.

    `preview_of` are the links of which Telegram's servers fetch the first for a preview; captions have none.
    """

    text: str
    entities: tuple[Entity, ...]
    pings: tuple[Ping, ...]
    reply_markup: JsonObject | None
    at: datetime
    preview_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message with every state it had, oldest first; `deleted_at` is None while it is visible.

    `thread_id` is None in General and outside forums. `media` holds all sizes of a photo, or one file.
    `reply_to_id` is the reply that somebody made, never the opening message that the wire adds in a topic.
    """

    chat_id: int
    id: int
    sender_id: int
    date: datetime
    revisions: tuple[Revision, ...]
    thread_id: int | None = None
    reply_to_id: int | None = None
    media: tuple[StoredFile, ...] = ()
    media_group_id: str | None = None
    link_preview_options: JsonObject | None = None
    silent: bool = False
    service: JsonObject | None = None
    forward_origin: JsonObject | None = None
    edit_date: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def text(self) -> str:
        """The text (or caption) it shows now."""
        return self.revisions[-1].text

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The entities it shows now, those the server detected included."""
        return self.revisions[-1].entities

    @property
    def reply_markup(self) -> JsonObject | None:
        """The inline keyboard it shows now."""
        return self.revisions[-1].reply_markup

    @property
    def pings(self) -> tuple[Ping, ...]:
        """Everybody whom any revision notified."""
        return tuple(ping for revision in self.revisions for ping in revision.pings)

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """(text, callback data) of each button it shows now, row by row; data is empty for links."""
        rows = (self.reply_markup or {}).get("inline_keyboard", [])
        flat = [button for row in rows for button in row] if isinstance(rows, list) else []
        return tuple((str(b.get("text")), str(b.get("callback_data", ""))) for b in flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswer:
    """What the bot answered to a click."""

    text: str
    show_alert: bool
    url: str


@dataclass(slots=True, kw_only=True)
class Callback:
    """A click on a button; `answer` is None until the bot answers it."""

    id: str
    user_id: int
    chat_id: int
    message_id: int
    data: str
    clicked_at_s: float
    answer: CallbackAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One sendMessageDraft: a preview that nobody keeps."""

    chat_id: int
    thread_id: int | None
    draft_id: int
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAction:
    """One sendChatAction, e.g. `typing`."""

    chat_id: int
    thread_id: int | None
    action: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Call:
    """One request as it came in; `status` is None while it runs, 0 when the connection was dropped."""

    method: str
    params: dict[str, str]
    at: datetime
    status: int | None = None
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class Chat:
    """State of one chat. `members` maps user ids to statuses: creator, administrator, member, kicked.

    `forbids_voice`: the person takes no voice messages, or nobody may send any in this group.
    """

    id: int
    type: str
    title: str | None = None
    is_forum: bool = False
    members: dict[int, str]
    topics: dict[int, str]
    migrated_to: int | None = None
    forbids_voice: bool = False

    @property
    def is_private(self) -> bool:
        """Whether this is the chat of the bot with one person."""
        return self.type == "private"
