"""What people do, for tests: `People` is the part of `FakeTelegram` that acts as users and their clients.

Each verb changes the world and queues the update that the real server would send. Nothing here calls the bot.
"""

import json
import mimetypes
from collections.abc import Mapping, Sequence

from tests.fakes.telegram.entities import FormattedText, entity_text, fix
from tests.fakes.telegram.model import Callback, Chat, JsonObject, Message, StoredFile, User
from tests.fakes.telegram.wire import (
    callback_to_wire,
    chat_to_wire,
    member_to_wire,
    message_to_wire,
    user_to_wire,
)
from tests.fakes.telegram.world import NewMessage, World

_EMPTY = FormattedText(text="", entities=())


class People:
    """Verbs of people; see `places.Places` for making chats."""

    def __init__(self, world: World) -> None:
        self.world = world

    def say(
        self,
        chat_id: int,
        user_id: int,
        text: str,
        *,
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Send a text; commands, @mentions and links become entities. The bot may not see the message."""
        content = fix(text, [])
        if not content.text or len(content.text) > 4096:
            raise ValueError("a client sends 1 to 4096 characters")
        return self._post(chat_id, user_id, content, topic_id=topic_id, reply_to=reply_to)

    def photo(
        self,
        chat_id: int,
        user_id: int,
        data: bytes,
        *,
        caption: str = "",
        size: tuple[int, int] = (1280, 720),
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Send a photo: the update lists smaller sizes first, `data` is the last one."""
        media = self.world.store_photo(data, size)
        return self._post(chat_id, user_id, fix(caption, []), media=media, topic_id=topic_id, reply_to=reply_to)

    def album(
        self,
        chat_id: int,
        user_id: int,
        photos: Sequence[bytes],
        *,
        caption: str = "",
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> tuple[Message, ...]:
        """Send photos as one album: one update each, the caption on the first."""
        captions = [caption] + [""] * (len(photos) - 1)
        media = [self.world.store_photo(data, (1280, 720)) for data in photos]
        return self._album(chat_id, user_id, media, captions, topic_id=topic_id, reply_to=reply_to)

    def file_album(
        self,
        chat_id: int,
        user_id: int,
        files: Mapping[str, bytes],
        *,
        captions: Sequence[str] = (),
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> tuple[Message, ...]:
        """Send files (name to bytes) as one album: one update each, and the last of fewer captions on the last."""
        missing = [""] * (len(files) - len(captions))
        media = [
            (self.world.store_file("document", data, name, mimetypes.guess_type(name)[0]),)
            for name, data in files.items()
        ]
        return self._album(chat_id, user_id, media, [*missing, *captions], topic_id=topic_id, reply_to=reply_to)

    def _album(
        self,
        chat_id: int,
        user_id: int,
        media: Sequence[tuple[StoredFile, ...]],
        captions: Sequence[str],
        *,
        topic_id: int | None,
        reply_to: int | None,
    ) -> tuple[Message, ...]:
        group_id = str(13_000_000_000_000_000 + self.world.number())
        return tuple(
            self._post(
                chat_id,
                user_id,
                fix(caption, []),
                media=files,
                media_group_id=group_id,
                topic_id=topic_id,
                reply_to=reply_to,
            )
            for files, caption in zip(media, captions, strict=True)
        )

    def document(
        self,
        chat_id: int,
        user_id: int,
        data: bytes,
        *,
        name: str | None = None,
        mime_type: str | None = None,
        kind: str = "document",
        caption: str = "",
        duration_s: int = 1,
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Send a file; `kind` may also be `audio`, `video`, `animation` or `video_note`."""
        file = self.world.store_file(kind, data, name, mime_type, (320, 240), duration_s=duration_s)
        return self._post(chat_id, user_id, fix(caption, []), media=(file,), topic_id=topic_id, reply_to=reply_to)

    def voice(
        self,
        chat_id: int,
        user_id: int,
        data: bytes,
        *,
        duration_s: int = 3,
        topic_id: int | None = None,
        reply_to: int | None = None,
    ) -> Message:
        """Record a voice message."""
        file = self.world.store_file("voice", data, None, "audio/ogg", duration_s=duration_s)
        return self._post(chat_id, user_id, _EMPTY, media=(file,), topic_id=topic_id, reply_to=reply_to)

    def sticker(
        self, chat_id: int, user_id: int, data: bytes, *, emoji: str = "👍", mime_type: str = "image/webp"
    ) -> Message:
        """Send a sticker; it moves as `application/x-tgsticker` or `video/webm`."""
        file = self.world.store_file("sticker", data, None, mime_type, (512, 512), emoji=emoji)
        return self._post(chat_id, user_id, _EMPTY, media=(file,), topic_id=None)

    def forward(self, message: Message, chat_id: int, user_id: int) -> Message:
        """Forward a message, with its file and its text."""
        sender = user_to_wire(self.world.users[message.sender_id])
        origin: JsonObject = {"type": "user", "date": int(message.date.timestamp()), "sender_user": sender}
        content = FormattedText(text=message.text, entities=message.entities)
        return self._post(chat_id, user_id, content, media=message.media, topic_id=None, forward_origin=origin)

    def forbid_voice(self, chat_id: int) -> None:
        """Take no voice messages any more: a person's privacy setting, or a right that a group's members lost."""
        self.world.chats[chat_id].forbids_voice = True

    def edit(self, message: Message, text: str) -> Message:
        """Change the text of somebody's message."""
        current = self.world.messages[message.chat_id][message.id]
        revised = self.world.revise(current, fix(text, []), current.reply_markup)
        if self.bot_sees(revised):
            self.world.announce("edited_message", message_to_wire(self.world, revised))
        return revised

    def touch(self, message: Message) -> Message:
        """Cause an edited_message without a change of the text, as a late link preview does."""
        current = self.world.messages[message.chat_id][message.id]
        return self.edit(message, current.text)

    def click(self, chat_id: int, message_id: int, button: str, user_id: int) -> Callback:
        """Click the button with this text or data; the returned callback gets the bot's answer.

        Raises:
            LookupError: the message shows no such button now.
        """
        message = self.world.find(chat_id, message_id)
        buttons = message.buttons if message else ()
        data = next((data for text, data in buttons if button in (text, data)), None)
        if data is None:
            raise LookupError(f"no button {button!r} on message {message_id}; there are {buttons}")
        return self.click_stale(chat_id, message_id, data, user_id)

    def click_stale(self, chat_id: int, message_id: int, data: str, user_id: int) -> Callback:
        """Click a button that need not be there any more, as a client with an old view does."""
        callback = Callback(
            id=str(4_000_000_000_000_000_000 + self.world.number()),
            user_id=user_id,
            chat_id=chat_id,
            message_id=message_id,
            data=data,
            clicked_at_s=self.world.clock(),
        )
        self.world.callbacks[callback.id] = callback
        self.world.announce("callback_query", callback_to_wire(self.world, callback))
        return callback

    def react(self, message: Message, user_id: int, emoji: str) -> None:
        """React to a message; the update carries no thread id and comes only if the bot allowed its kind."""
        kind: JsonObject = {"type": "emoji", "emoji": emoji}
        chat = self.world.chats[message.chat_id]
        value: JsonObject = {
            "chat": chat_to_wire(self.world, chat),
            "message_id": message.id,
            "user": user_to_wire(self.world.users[user_id]),
            "date": int(self.world.now().timestamp()),
            "old_reaction": [],
            "new_reaction": [kind],
        }
        self.world.announce("message_reaction", value)

    def block(self, user: User) -> None:
        """Block the bot: sends fail with 403."""
        self._set_bot_status(self.world.chats[user.id], "kicked", user)

    def unblock(self, user: User) -> None:
        """Take the block back."""
        self._set_bot_status(self.world.chats[user.id], "member", user)

    def kick_bot(self, chat: Chat, by: User) -> None:
        """Remove the bot from a group."""
        self._set_bot_status(chat, "kicked", by)

    def bot_sees(self, message: Message) -> bool:
        """Return whether the message reaches the bot: privacy mode, unless it is an administrator."""
        world = self.world
        chat = world.chats[message.chat_id]
        standing = chat.members.get(world.bot.id, "left")
        if standing in ("kicked", "left"):
            return False
        if chat.is_private or standing == "administrator" or world.profile.can_read_all_group_messages:
            return True
        replied = world.find(chat.id, message.reply_to_id) if message.reply_to_id else None
        if replied is not None and replied.sender_id == world.bot.id:
            return True
        return message.service is not None or self._addresses_bot(message)

    def _addresses_bot(self, message: Message) -> bool:
        own = f"@{self.world.bot.username}".lower()
        for entity in message.entities:
            covered = entity_text(message.text, entity).lower()
            if entity.type == "mention" and covered == own:
                return True
            if entity.type == "bot_command" and ("@" not in covered or covered.endswith(own)):
                return True
        return False

    def _post(
        self,
        chat_id: int,
        user_id: int,
        content: FormattedText,
        *,
        topic_id: int | None,
        reply_to: int | None = None,
        media: tuple[StoredFile, ...] = (),
        media_group_id: str | None = None,
        forward_origin: JsonObject | None = None,
    ) -> Message:
        chat = self.world.chats[chat_id]
        if chat.members.get(user_id, "left") in ("left", "kicked"):
            raise LookupError(f"user {user_id} is not in chat {chat_id}")
        if topic_id is not None and topic_id not in chat.topics:
            raise LookupError(f"no topic {topic_id} in chat {chat_id}")
        if reply_to is not None and self.world.find(chat_id, reply_to) is None:
            raise LookupError(f"no message {reply_to} in chat {chat_id}")
        new = NewMessage(
            chat_id=chat_id,
            sender_id=user_id,
            content=content,
            thread_id=topic_id,
            reply_to_id=reply_to,
            media=media,
            media_group_id=media_group_id,
            forward_origin=forward_origin,
        )
        message = self.world.add(new)
        if self.bot_sees(message):
            self.world.announce("message", message_to_wire(self.world, message))
        return message

    def _set_bot_status(self, chat: Chat, status: str, by: User) -> None:
        before = member_to_wire(self.world, chat, self.world.bot)
        chat.members[self.world.bot.id] = status
        value: JsonObject = {
            "chat": chat_to_wire(self.world, chat),
            "from": user_to_wire(by),
            "date": int(self.world.now().timestamp()),
            "old_chat_member": before,
            "new_chat_member": member_to_wire(self.world, chat, self.world.bot),
        }
        self.world.announce("my_chat_member", json.loads(json.dumps(value)))
        self.world.changed.fire()
