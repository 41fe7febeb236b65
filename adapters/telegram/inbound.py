"""Updates of the Bot API -> `Inbound`. Pure: knows no connection, and gets the time as a parameter.

None means that an update is not for the bot: chatter, a service message, a command for another bot.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from telegram import (
    CallbackQuery,
    Chat,
    Message,
    MessageEntity,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    Update,
)

from adapters.telegram.attachments import attachment_elsewhere, attachment_of, sticker_words
from bot.core.inbound import Edited, Event, Inbound, Invoked, Pressed, Quoted, Said
from bot.core.message import AttachmentRef
from bot.core.place import Addressed, Author, ChatKind, Place

PLATFORM = "telegram"
_DASHED = re.compile(r"(?:-[A-Za-z0-9]+)+(?!\S)")
#: Instead of the id of a message of another chat, where ids mean other messages.
_ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The bot itself: its id, its username without @, and the other names it listens to."""

    id: int
    username: str
    names: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """`telegram:<bot id>`: the beginning of every uid, and what is served."""
        return f"{PLATFORM}:{self.id}"


def translate(update: Update, account: Account, now: datetime) -> Inbound | None:
    """One update as an event. `now` dates presses of buttons, which carry no time."""
    if update.callback_query is not None:
        return _pressed(update.callback_query, account, now)
    if update.edited_message is not None:
        return _edited(update.edited_message, update.update_id, account)
    return None if update.message is None else translate_messages((update.message,), account)


def translate_messages(messages: Sequence[Message], account: Account) -> Inbound | None:
    """One message, or all messages of an album in their order, as one event under the first one's id."""
    first = messages[0]
    lead = _lead_of(messages, account)
    own = tuple(ref for message in messages if (ref := attachment_of(message)) is not None)
    if lead.is_automatic_forward or not (_text_of(lead) or own or sticker_words(lead)):
        return None
    author = _author_of(lead)
    event = _event_of(lead, author, account)
    if author is None or event is None:
        return None
    quoted = next((quoted for message in messages if (quoted := _quoted_by(message, account)) is not None), None)
    attachments = own + (() if quoted is None else quoted.attachments)
    if isinstance(event, Said):
        texts = (_text_for_model(message, account) for message in messages)
        text, message_id = "\n".join(text for text in texts if text), str(first.message_id)
        event = replace(event, text=text, message_id=message_id, quoted=quoted, attachments=attachments)
    elif isinstance(event, Invoked):
        event = replace(event, quoted=quoted, attachments=attachments)
    return Inbound(
        uid=f"{account.key}:{first.chat.id}:{first.message_id}",
        place=_place_of(first, account),
        author=author,
        at=first.date,
        order=first.message_id,
        event=event,
    )


def _lead_of(messages: Sequence[Message], account: Account) -> Message:
    """The message of an album that says whom it is meant for: any may bear the caption, or all one each."""
    ordered = sorted(messages, key=lambda message: not _text_of(message))
    return next((message for message in ordered if _addressed_as(message, account) is not None), ordered[0])


# --- the three kinds of updates ---


def _event_of(message: Message, author: Author | None, account: Account) -> Event | None:
    if author is None:
        return None
    addressed = _addressed_as(message, account)
    if author.is_bot and addressed is not Addressed.MENTION:
        return None
    command = None if author.is_bot or message.forward_origin is not None else _command_of(message)
    if command is not None:
        return _invoked(message, command, account)
    if addressed is None:
        return None
    return Said(text=_text_for_model(message, account), message_id=str(message.message_id), addressed=addressed)


def _invoked(message: Message, command: MessageEntity, account: Account) -> Invoked | None:
    text = _text_of(message)
    name, _, addressee = text[1 : command.length].partition("@")  # all of a command is ASCII
    if addressee and addressee.lower() != account.username.lower():
        return None
    # Telegram ends a command at a dash, which people may type all the same.
    tail = _DASHED.match(text, command.length)
    end = command.length if tail is None else tail.end()
    name += "" if tail is None else tail[0]
    return Invoked(name=name.lower(), text=text[end:].strip(), message_id=str(message.message_id))


def _edited(message: Message, update_id: int, account: Account) -> Inbound | None:
    author = _author_of(message)
    if author is None or not _text_of(message) or _command_of(message) is not None:
        return None
    return Inbound(
        uid=f"{account.key}:u{update_id}",
        place=_place_of(message, account),
        author=author,
        at=message.edit_date or message.date,
        order=message.message_id,
        event=Edited(message_id=str(message.message_id), text=_text_for_model(message, account)),
    )


def _pressed(query: CallbackQuery, account: Account, now: datetime) -> Inbound | None:
    message = query.message
    if message is None or not query.data:
        return None
    user = query.from_user
    return Inbound(
        uid=f"{account.key}:q{query.id}",
        place=_place_of(message, account) if isinstance(message, Message) else _place(message.chat, account),
        author=Author(platform=PLATFORM, id=str(user.id), name=user.full_name, is_bot=user.is_bot),
        at=now,
        order=message.message_id,
        event=Pressed(line=query.data, message_id=str(message.message_id)),
    )


# --- where and who ---


def _place_of(message: Message, account: Account) -> Place:
    """The chat and its topic; General has none, and a thread id without a topic only counts replies."""
    thread = message.message_thread_id if message.is_topic_message else None
    return _place(message.chat, account, thread=None if thread is None else str(thread))


def _place(chat: Chat, account: Account, *, thread: str | None = None) -> Place:
    return Place(
        platform=PLATFORM,
        account=str(account.id),
        chat=str(chat.id),
        kind=ChatKind.PRIVATE if chat.type == Chat.PRIVATE else ChatKind.SHARED,
        thread=thread,
    )


def _author_of(message: Message) -> Author | None:
    """Whoever wrote it: for anonymous admins and channels the chat in whose name they speak."""
    chat, user = message.sender_chat, message.from_user
    if chat is not None:
        return Author(platform=PLATFORM, id=str(chat.id), name=chat.title or chat.full_name or "someone")
    if user is None:
        return None
    return Author(platform=PLATFORM, id=str(user.id), name=user.full_name, is_bot=user.is_bot)


def _addressed_as(message: Message, account: Account) -> Addressed | None:
    if message.chat.type == Chat.PRIVATE:
        return Addressed.PRIVATE
    if any(_is_own_mention(message, entity, account) for entity in _entities_of(message)):
        return Addressed.MENTION
    replied = _replied_to(message)
    if replied is not None and replied.from_user is not None and replied.from_user.id == account.id:
        return Addressed.REPLY
    names = "|".join(re.escape(name) for name in account.names if name)
    if names and re.search(rf"(?<!\w)(?:{names})(?!\w)", _text_of(message), re.IGNORECASE):
        return Addressed.NAME
    return None


# --- what was written ---


def _text_of(message: Message) -> str:
    return message.text or message.caption or ""


def _entities_of(message: Message) -> Sequence[MessageEntity]:
    return message.entities or message.caption_entities


def _command_of(message: Message) -> MessageEntity | None:
    return next((e for e in _entities_of(message) if e.type == MessageEntity.BOT_COMMAND and e.offset == 0), None)


def _is_own_mention(message: Message, entity: MessageEntity, account: Account) -> bool:
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == account.id
    if entity.type != MessageEntity.MENTION:
        return False
    return _cut(_text_of(message), entity)[1].lower() == f"@{account.username}".lower()


def _text_for_model(message: Message, account: Account) -> str:
    """The text without the bot's own mentions; a message that is nothing else keeps them. A sticker is a word."""
    text = _text_of(message)
    stripped = text
    for entity in sorted(_entities_of(message), key=lambda entity: -entity.offset):
        if _is_own_mention(message, entity, account):
            before, _, after = _cut(stripped, entity)
            before = before.rstrip(" \t")
            at_start = not before or before.endswith("\n")
            stripped = before + (after.lstrip(" \t,:;") if at_start else after)
        elif entity.type == MessageEntity.TEXT_LINK and entity.url:
            before, covered, after = _cut(stripped, entity)
            if entity.url.rstrip("/") not in covered:
                stripped = f"{before}{covered} ({entity.url}){after}"
    return stripped.strip() or text.strip() or sticker_words(message)


def _cut(text: str, entity: MessageEntity) -> tuple[str, str, str]:
    """The text before, in and after an entity, whose offsets count UTF-16 units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
    before, covered, after = (part.decode("utf-16-le", "replace") for part in (raw[:start], raw[start:end], raw[end:]))
    return before, covered, after


def _replied_to(message: Message) -> Message | None:
    """The message that somebody replied to; in a topic the opening message stands there when nobody did."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    if message.is_topic_message and replied.message_id == message.message_thread_id:
        return None
    return replied


def _quoted_by(message: Message, account: Account) -> Quoted | None:
    """What is replied to: the part that the author marked, else all of its text, and what it holds."""
    replied, marked = _replied_to(message), "" if message.quote is None else message.quote.text
    if replied is not None:
        author = _author_of(replied)
        text = marked or _text_of(replied) or sticker_words(replied)
        return _quoted(str(replied.message_id), author, text, attachment_of(replied), account)
    elsewhere = message.external_reply
    if elsewhere is None:
        return None
    file = attachment_elsewhere(elsewhere, message.message_id)
    return _quoted(_ELSEWHERE, _author_of_origin(elsewhere.origin), marked, file, account)


def _quoted(
    message_id: str, author: Author | None, text: str, file: AttachmentRef | None, account: Account
) -> Quoted | None:
    parts = [part for part in (text, "" if file is None else f"[file: {file.name}]") if part]
    if author is None or not parts:
        return None
    return Quoted(
        message_id=message_id,
        author_name=author.name,
        text="\n".join(parts),
        by_bot=author.id == str(account.id),
        attachments=() if file is None or author.is_bot else (replace(file, spoken=False),),
    )


def _author_of_origin(origin: MessageOrigin) -> Author | None:
    """Who wrote a message of another chat; people can hide who they are, but not their names."""
    match origin:
        case MessageOriginUser(sender_user=user):
            return Author(platform=PLATFORM, id=str(user.id), name=user.full_name, is_bot=user.is_bot)
        case MessageOriginHiddenUser(sender_user_name=name):
            return Author(platform=PLATFORM, id="", name=name)
        case MessageOriginChat(sender_chat=chat) | MessageOriginChannel(chat=chat):
            return Author(platform=PLATFORM, id=str(chat.id), name=chat.title or chat.full_name or "someone")
        case _:
            return None
