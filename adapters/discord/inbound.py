"""Translates what Discord's gateway tells into `Inbound`. Pure: payloads of API v10 in, values out.

Decides why a message is meant for the bot; whether its author may talk to it is the gate's business, and what
has to be looked up first (a starter, a reply's target) is `hearing.py`'s.
https://discord.com/developers/docs/resources/message#message-object
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapters.discord.attachments import attachments
from adapters.discord.markup import NameOf, Payload, display_name, mentioned_names, readable
from bot.core.command_line import split_line
from bot.core.inbound import Deleted, Edited, Inbound, Invoked, Pressed, Quoted, Said
from bot.core.place import Addressed, Author, ChatKind, Place

PLATFORM = "discord"
DEFAULT, REPLY, THREAD_STARTER = 0, 19, 21
_EPOCH_MS = 1_420_070_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a message is seen against.

    `role_id` is the bot's own role in this server, None where it has none. `names` finds the bot's names,
    None when it has none. `commands` are the names of commands that may be typed as text.
    """

    bot_id: str
    place: Place
    name_of: NameOf
    role_id: str | None = None
    names: re.Pattern[str] | None = None
    commands: frozenset[str] = frozenset()


def names_pattern(names: Sequence[str]) -> re.Pattern[str] | None:
    """Find any of the names as a word of its own, in any case; not in an address or an emoji's name."""
    words = "|".join(re.escape(name.strip()) for name in names if name.strip())
    return re.compile(rf"(?<![\w/:.])(?<!\w@)(?:{words})(?!\w)", re.IGNORECASE) if words else None


def time_of(snowflake: str) -> datetime:
    """When an id was made."""
    return datetime.fromtimestamp(((int(snowflake) >> 22) + _EPOCH_MS) / 1000, UTC)


def snowflake_at(moment: datetime) -> int:
    """The least id that can be made at a time."""
    return max(0, int(moment.timestamp() * 1000) - _EPOCH_MS) << 22


def place_of(account: str, channel_id: str, *, space: str | None, parent_id: str | None = None) -> Place:
    """A DM (no `space`), a channel, or with `parent_id` a thread or forum post."""
    return Place(
        platform=PLATFORM,
        account=account,
        chat=parent_id or channel_id,
        kind=ChatKind.PRIVATE if space is None else ChatKind.SHARED,
        space=space,
        thread=channel_id if parent_id else None,
    )


def author_of(user: Payload, member: Payload | None, *, webhook: bool = False) -> Author:
    """Who wrote or pressed something; webhooks count as bots."""
    return Author(
        platform=PLATFORM,
        id=user["id"],
        name=display_name(user, member),
        is_bot=webhook or bool(user.get("bot")),
    )


def author_of_message(message: Payload) -> Author:
    """Who wrote a message."""
    return author_of(message["author"], message.get("member"), webhook="webhook_id" in message)


def is_speech(message: Payload) -> bool:
    """Whether somebody said this: no system message (joins, pins, boosts), no answer to a slash command."""
    return message.get("type", DEFAULT) in (DEFAULT, REPLY)


def addressed(message: Payload, around: Around, replied: Payload | None) -> Addressed | None:
    """Why the bot takes a message as meant for it; None when it is not. `replied` is what it replies to.

    Other bots and webhooks only get through with an explicit mention.
    """
    author = author_of_message(message)
    if author.id == around.bot_id or not is_speech(message):
        return None
    if around.place.kind is ChatKind.PRIVATE and not author.is_bot:
        return Addressed.PRIVATE
    if _own_mention(around).search(message["content"]):
        return Addressed.MENTION
    if author.is_bot:
        return None
    if _replies_to_bot(message, around, replied):
        return Addressed.REPLY
    if around.names is not None and around.names.search(_text(message, around)):
        return Addressed.NAME
    return None if around.place.thread is None else Addressed.AMBIENT


def translate_message(
    message: Payload, around: Around, *, replied: Payload | None = None, starter: Quoted | None = None
) -> Inbound | None:
    """A message that is meant for the bot; None for all others and for those with nothing in them."""
    reason = addressed(message, around, replied)
    text, own = said_text(message, around), attachments(message)
    if reason is None or not (text or own or reason in (Addressed.MENTION, Addressed.REPLY)):
        return None
    quoted = None if replied is None else quote(replied, around)
    files = own + (() if quoted is None else quoted.attachments)
    command = _command(text, message["id"], reason, around)
    return Inbound(
        uid=f"{PLATFORM}:{message['id']}",
        place=around.place,
        author=author_of_message(message),
        at=time_of(message["id"]),
        order=int(message["id"]),
        event=Said(
            text=text,
            message_id=message["id"],
            addressed=reason,
            quoted=quoted,
            starter=starter,
            attachments=files,
        )
        if command is None
        else replace(command, quoted=quoted, attachments=files),
    )


def translate_edit(message: Payload, around: Around) -> Inbound:
    """An edit of a message; `edited_timestamp` must be set."""
    edited_ms = int(datetime.fromisoformat(message["edited_timestamp"]).timestamp() * 1000)
    return Inbound(
        uid=f"{PLATFORM}:{message['id']}:{edited_ms}",
        place=around.place,
        author=author_of_message(message),
        at=datetime.fromtimestamp(edited_ms / 1000, UTC),
        order=int(message["id"]),
        event=Edited(message_id=message["id"], text=said_text(message, around)),
    )


def translate_deletion(message_id: str, place: Place, author: Author, at: datetime) -> Inbound:
    """A deletion. Discord does not say who wrote the message: the caller must remember it."""
    return Inbound(
        uid=f"{PLATFORM}:{message_id}:deleted",
        place=place,
        author=author,
        at=at,
        order=int(message_id),
        event=Deleted(message_id=message_id),
    )


def translate_interaction(interaction: Payload, account: str, event: Invoked | Pressed) -> Inbound:
    """A slash command or a button as an event; unlike a message, an interaction brings its channel along."""
    return Inbound(
        uid=f"{PLATFORM}:{interaction['id']}",
        place=place_of_interaction(interaction, account),
        author=author_of_interaction(interaction),
        at=time_of(interaction["id"]),
        order=int(interaction["id"]),
        event=event,
    )


def place_of_interaction(interaction: Payload, account: str) -> Place:
    """Where a command or a button was used; types 10 to 12 are threads."""
    channel = interaction.get("channel") or {}
    parent_id = channel.get("parent_id") if channel.get("type") in (10, 11, 12) else None
    space = interaction.get("guild_id")
    return place_of(account, interaction["channel_id"], space=space, parent_id=parent_id)


def author_of_interaction(interaction: Payload) -> Author:
    """Who used it: a member in a server, a user in a DM."""
    member = interaction.get("member")
    return author_of(member["user"] if member else interaction["user"], member)


def quote(message: Payload, around: Around) -> Quoted:
    """Another message as context: its text and what it holds; files are taken from people only."""
    text, held, author = said_text(message, around), attachments(message), author_of_message(message)
    files = " ".join(f"[file: {attachment.name}]" for attachment in held)
    return Quoted(
        message_id=message["id"],
        author_name=author.name,
        text="\n".join(part for part in (text, files) if part),
        by_bot=author.id == around.bot_id,
        attachments=() if author.is_bot else tuple(replace(attachment, spoken=False) for attachment in held),
    )


def said_text(message: Payload, around: Around) -> str:
    """The text without the bot's own mention, with stickers and what it forwards."""
    stickers = " ".join(f"[sticker: {sticker['name']}]" for sticker in message.get("sticker_items") or ())
    parts = (_text(message, around), stickers, _forwarded(message, around))
    return "\n".join(part for part in parts if part)


def _command(text: str, message_id: str, reason: Addressed, around: Around) -> Invoked | None:
    """A command typed as a message, as people do before their client knows the slash commands."""
    name, rest = split_line(text)
    asked = text.startswith("/") and reason in (Addressed.PRIVATE, Addressed.MENTION, Addressed.REPLY)
    return Invoked(name=name, text=rest, message_id=message_id) if asked and name in around.commands else None


def _text(message: Payload, around: Around) -> str:
    text = _own_mention(around).sub("", message["content"])
    return readable(text, mentioned_names(message), around.name_of).strip()


def _forwarded(message: Payload, around: Around) -> str:
    snapshots = (snapshot["message"] for snapshot in message.get("message_snapshots") or ())
    texts = (readable(snapshot.get("content", ""), {}, around.name_of) for snapshot in snapshots)
    return "\n".join("Forwarded message:\n> " + text.replace("\n", "\n> ") for text in texts if text)


def _own_mention(around: Around) -> re.Pattern[str]:
    role = "" if around.role_id is None else f"|<@&{around.role_id}>"
    return re.compile(rf"[ \t]*(?:<@!?{around.bot_id}>{role})")


def _replies_to_bot(message: Payload, around: Around, replied: Payload | None) -> bool:
    if message.get("type") != REPLY:
        return False
    if replied is not None:
        return bool(replied["author"]["id"] == around.bot_id)
    # The target is gone or unreadable: Discord still lists its author among the mentions when the reply
    # pings.
    return any(user["id"] == around.bot_id for user in message.get("mentions") or ())
