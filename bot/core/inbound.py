"""What came in: one platform event, translated, frozen and serialisable.

Adapters make these with pure functions; the engine takes them. A handle that only lives in the adapter's process (an
interaction token, a connection) is never part of it: the adapter keeps it under the event's `uid`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.message import AttachmentRef
from bot.core.place import Addressed, Author, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """Another message that belongs to the context: one that is replied to, or that started the thread.

    `by_bot` is True for the bot's own words; `author_name` is a display name. `attachments` are the files of a
    person's message; those of bots are never among them.
    """

    message_id: str
    author_name: str
    text: str
    by_bot: bool = False
    attachments: tuple[AttachmentRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message for the model. `text` is free of the bot's own mention; it may be empty when there are attachments.

    `attachments` are its own files, then those of the message that it replies to (which are in `quoted`, too); the
    files of a thread's `starter` are only there.
    """

    text: str
    message_id: str
    addressed: Addressed
    quoted: Quoted | None = None
    starter: Quoted | None = None
    attachments: tuple[AttachmentRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """A command: from a slash command with parsed `options`, or from text, where `text` is all after the name.

    `message_id` is the message that holds the command, None for a slash command. `quoted` and `attachments` are that
    message's, as in Said.
    """

    name: str
    text: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None
    quoted: Quoted | None = None
    attachments: tuple[AttachmentRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button. Its payload `line` is a command line without the slash (`retry discord:123`); `message_id` bears it."""

    line: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The author rewrote an earlier message; adapters drop edits that did not change the text."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """An earlier message was deleted (Discord tells; Telegram does not)."""

    message_id: str


Event = Said | Invoked | Pressed | Edited | Deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One event with its identity.

    `uid` is the idempotency key: the same for a redelivery of the same event, unlike for any other event of any
    platform, at most 50 bytes (`discord:<message id>`, `telegram:<bot>:<chat>:<message id>`). `order` sorts the
    events of one thread as the platform numbered them. `at` is the platform's time, UTC.
    """

    uid: str
    place: Place
    author: Author
    at: datetime
    order: int
    event: Event
