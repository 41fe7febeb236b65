"""State of the fake server: people, chats, messages, files, clicks; one signal for every change.

Knows neither HTTP nor JSON of the Bot API, and checks nothing: `access` and the methods do.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tests.fakes.telegram.entities import FormattedText, entity_text
from tests.fakes.telegram.flood import FloodControl
from tests.fakes.telegram.model import (
    Callback,
    Chat,
    ChatAction,
    Draft,
    JsonObject,
    Message,
    Ping,
    Revision,
    StoredFile,
    User,
)
from tests.fakes.telegram.signals import Signal
from tests.fakes.telegram.updates import UpdateQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class BotProfile:
    """What getMe tells besides the user."""

    can_read_all_group_messages: bool = False
    can_join_groups: bool = True
    has_topics_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to add; fields as in `Message`."""

    chat_id: int
    sender_id: int
    content: FormattedText
    reply_markup: JsonObject | None = None
    thread_id: int | None = None
    reply_to_id: int | None = None
    media: tuple[StoredFile, ...] = ()
    media_group_id: str | None = None
    link_preview_options: JsonObject | None = None
    silent: bool = False
    service: JsonObject | None = None
    forward_origin: JsonObject | None = None


class World:
    """Everything that the server remembers."""

    def __init__(
        self,
        *,
        bot: User,
        profile: BotProfile,
        flood: FloodControl,
        updates: UpdateQueue,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.bot = bot
        self.profile = profile
        self.flood = flood
        self.updates = updates
        self.clock = clock
        self.now = now
        self.changed = Signal()
        updates.on_wait = self.changed.fire
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self.messages: dict[int, dict[int, Message]] = {}
        self.files: dict[str, StoredFile] = {}
        self.callbacks: dict[str, Callback] = {}
        self.commands: dict[tuple[str, str], list[JsonObject]] = {}
        self.reactions: dict[tuple[int, int], list[JsonObject]] = {}
        self.drafts: list[Draft] = []
        self.actions: list[ChatAction] = []
        self.webhook: JsonObject = {}
        self._shared_ids = itertools.count(1)
        self._own_ids: dict[int, itertools.count[int]] = {}
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """Return a number that was not used before."""
        return next(self._numbers)

    def next_message_id(self, chat: Chat) -> int:
        """Return the next id: supergroups count for themselves, all other chats share one sequence."""
        if chat.type == "supergroup":
            return next(self._own_ids.setdefault(chat.id, itertools.count(1)))
        return next(self._shared_ids)

    def find(self, chat_id: int, message_id: int) -> Message | None:
        """Return the message unless it is deleted or never was."""
        message = self.messages.get(chat_id, {}).get(message_id)
        return None if message is None or message.deleted_at is not None else message

    def announce(self, kind: str, value: JsonObject) -> None:
        """Queue an update and wake who waits for a change."""
        self.updates.put(kind, value)
        self.changed.fire()

    def add(self, new: NewMessage) -> Message:
        """Add a message and return it."""
        at = self.now()
        message = Message(
            chat_id=new.chat_id,
            id=self.next_message_id(self.chats[new.chat_id]),
            sender_id=new.sender_id,
            date=at,
            revisions=(self._revision(new.content, new.reply_markup, at, self._preview(new)),),
            thread_id=new.thread_id,
            reply_to_id=new.reply_to_id,
            media=new.media,
            media_group_id=new.media_group_id,
            link_preview_options=new.link_preview_options,
            silent=new.silent,
            service=new.service,
            forward_origin=new.forward_origin,
        )
        return self._keep(message)

    def revise(
        self,
        message: Message,
        content: FormattedText,
        reply_markup: JsonObject | None,
        link_preview_options: JsonObject | None = None,
    ) -> Message:
        """Add a revision and return the new state of the message."""
        at = self.now()
        preview_of = () if message.media else _links(content, link_preview_options)
        revisions = (*message.revisions, self._revision(content, reply_markup, at, preview_of))
        return self._keep(replace(message, revisions=revisions, edit_date=at))

    def delete(self, message: Message) -> None:
        """Hide the message; its history stays."""
        self._keep(replace(message, deleted_at=self.now()))

    def store_file(
        self,
        kind: str,
        data: bytes,
        name: str | None,
        mime_type: str | None,
        size: tuple[int, int] = (0, 0),
        *,
        duration_s: int = 0,
        emoji: str | None = None,
    ) -> StoredFile:
        """Keep bytes under a new file id."""
        number = self.number()
        suffix = "jpg" if kind == "photo" else (name or "file").rpartition(".")[2] or "bin"
        file = StoredFile(
            kind=kind,
            file_id=f"AgAC{kind}{number:08d}AAA",
            unique_id=f"AQAD{number:06d}",
            path=f"{kind}s/file_{number}.{suffix}",
            data=data,
            name=name,
            mime_type=mime_type,
            width=size[0],
            height=size[1],
            duration_s=duration_s,
            emoji=emoji,
        )
        self.files[file.file_id] = file
        return file

    def store_photo(self, data: bytes, size: tuple[int, int]) -> tuple[StoredFile, ...]:
        """Keep a photo as the server does: smaller sizes first, the bytes given as the last one."""
        width, height = size
        small = [
            self.store_file("photo", b"\xff\xd8thumbnail", None, None, (edge, max(1, edge * height // width)))
            for edge in (90, 320)
            if edge < width
        ]
        return (*small, self.store_file("photo", data, None, None, size))

    def _keep(self, message: Message) -> Message:
        self.messages.setdefault(message.chat_id, {})[message.id] = message
        self.changed.fire()
        return message

    def _preview(self, new: NewMessage) -> tuple[str, ...]:
        return () if new.media else _links(new.content, new.link_preview_options)

    def _revision(
        self, content: FormattedText, reply_markup: JsonObject | None, at: datetime, preview_of: tuple[str, ...]
    ) -> Revision:
        return Revision(
            text=content.text,
            entities=content.entities,
            pings=tuple(self._pings(content)),
            reply_markup=reply_markup,
            at=at,
            preview_of=preview_of,
        )

    def _pings(self, content: FormattedText) -> list[Ping]:
        ids = {user.username.lower(): user.id for user in self.users.values() if user.username}
        pings = []
        for entity in content.entities:
            if entity.type == "text_mention":
                pings.append(Ping(user_id=entity.user_id, username=None))
            elif entity.type == "mention":
                name = entity_text(content.text, entity).removeprefix("@")
                pings.append(Ping(user_id=ids.get(name.lower()), username=name))
        return pings


def _links(content: FormattedText, options: JsonObject | None) -> tuple[str, ...]:
    """The links that may get a preview: written ones, and those behind words."""
    if options is not None and options.get("is_disabled") is True:
        return ()
    linking = (entity for entity in content.entities if entity.type in ("url", "text_link"))
    return tuple(entity.url or entity_text(content.text, entity) for entity in linking)
