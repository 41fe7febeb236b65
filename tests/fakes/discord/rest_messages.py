"""Endpoints for messages: list, get, create, edit, delete, typing, reactions."""

from itertools import islice
from urllib.parse import unquote

from tests.fakes.discord import errors, wire
from tests.fakes.discord.buckets import CREATE, DELETE, EDIT, REACTION, TYPING
from tests.fakes.discord.components import walk
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.errors import Problems
from tests.fakes.discord.mentions import compute_pings
from tests.fakes.discord.message_form import EDITABLE_FLAGS, Draft, parse_draft
from tests.fakes.discord.records import (
    ADD_REACTIONS,
    ATTACH_FILES,
    COMPONENTS_V2,
    DEFAULT_MESSAGE,
    DM,
    EMBED_LINKS,
    EPHEMERAL,
    FORUM,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    REPLY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    SEND_VOICE_MESSAGES,
    SUPPRESS_EMBEDS,
    THREADS,
    VOICE_MESSAGE,
    Channel,
    Json,
    Message,
)
from tests.fakes.discord.world import World

NONCE_MEMORY_S = 300
LIST_LIMIT = 100


async def list_messages(call: Call) -> Reply:
    channel = call.channel()
    if channel.kind == FORUM:
        raise errors.wrong_channel_type()
    limit = call.query.get("limit", "50")
    problems = Problems()
    if not limit.isdigit() or not 1 <= int(limit) <= LIST_LIMIT:
        problems.add(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    problems.check()
    if not call.world.bot_permissions(channel) & READ_MESSAGE_HISTORY:
        return Reply([])
    found = _window(call, list(call.world.in_channel(channel.id)), int(limit))
    return Reply([wire.message_json(call.world, m, content=call.reads_content) for m in reversed(found)])


def _window(call: Call, messages: list[Message], limit: int) -> list[Message]:
    """Pick a page, oldest first; `after` gives the oldest ones behind it, as Discord does."""
    query = {name: int(call.query[name]) for name in ("around", "before", "after") if name in call.query}
    match query:
        case {"around": middle}:
            older = [m for m in messages if m.id < middle][-(limit // 2) :]
            return older + [m for m in messages if m.id >= middle][: limit - len(older)]
        case {"before": before}:
            return [m for m in messages if m.id < before][-limit:]
        case {"after": after}:
            return list(islice((m for m in messages if m.id > after), limit))
        case _:
            return messages[-limit:]


async def get_message(call: Call) -> Reply:
    channel = call.channel(READ_MESSAGE_HISTORY)
    message = call.world.message(channel.id, call.id("message"))
    return Reply(wire.message_json(call.world, message, content=call.reads_content))


def check_sending(call: Call, channel: Channel, draft: Draft) -> None:
    """Refuse what the bot may not send here, in the order in which Discord does."""
    world = call.world
    if channel.kind == FORUM:
        raise errors.wrong_channel_type()
    held = world.bot_permissions(channel)
    needed = SEND_MESSAGES_IN_THREADS if channel.kind in THREADS else SEND_MESSAGES
    if not held & needed or channel.locked:
        raise errors.missing_permissions()
    if draft.flags & VOICE_MESSAGE:
        if not held & SEND_VOICE_MESSAGES:
            raise errors.no_voice_here()
    elif (draft.uploads and not held & ATTACH_FILES) or (draft.embeds and not held & EMBED_LINKS):
        raise errors.missing_permissions()
    if channel.kind == DM and channel.recipient_id is not None and not world.user(channel.recipient_id).accepts_dms:
        raise errors.cannot_dm()
    if draft.flags & EPHEMERAL:
        problems = Problems()
        problems.add(("flags",), "FLAG_TYPE_INVALID", "EPHEMERAL is for interactions only")
        problems.check()
    if draft.empty:
        raise errors.empty_message()


def resolve_reference(call: Call, channel: Channel, draft: Draft) -> Message | None:
    """Find the replied-to message; None if there is none or it may be missing and is."""
    reference = draft.reference
    if reference is None:
        return None
    if not call.world.bot_permissions(channel) & READ_MESSAGE_HISTORY:
        raise errors.no_history_for_reply()
    problems = Problems()
    if int(reference.get("channel_id", channel.id)) != channel.id:
        problems.add(("message_reference",), "MESSAGE_REFERENCE_CHANNEL_MISMATCH", "Must be in the same channel")
        problems.check()
    try:
        return call.world.message(channel.id, int(reference["message_id"]))
    except errors.ApiError:
        if reference.get("fail_if_not_exists", True):
            problems.add(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            problems.check()
        return None


def find_duplicate(world: World, draft: Draft) -> Message | None:
    """Find the bot's message of the past minutes with the same nonce, if the request asks for that."""
    if not draft.enforce_nonce or draft.nonce is None:
        return None
    message = world.by_nonce.get(str(draft.nonce))
    if message is None or (world.clock.now() - message.at).total_seconds() > NONCE_MEMORY_S:
        return None
    return world.messages[message.id]


def build_message(call: Call, channel: Channel, draft: Draft, replied: Message | None) -> Message:
    """Build the bot's message from a checked draft, pings computed."""
    world = call.world
    text = draft.content or ""
    if draft.flags & COMPONENTS_V2:
        text = "\n".join(str(c.get("content", "")) for c in walk(draft.components or ()))
    pings = compute_pings(
        world,
        channel,
        text,
        draft.allowed_mentions,
        replied_to=None if replied is None else replied.author_id,
        author_permissions=world.bot_permissions(channel),
    )
    return Message(
        id=world.ids.next(),
        channel_id=channel.id,
        author_id=world.bot_id,
        content=draft.content or "",
        at=world.clock.now(),
        kind=DEFAULT_MESSAGE if replied is None else REPLY,
        flags=draft.flags,
        embeds=draft.embeds or (),
        components=draft.components or (),
        attachments=call.actions.store_files(channel.id, draft.uploads),
        pings=pings,
        mentions=pings.users,
        nonce=draft.nonce,
        reference=None if replied is None else (channel.id, replied.id),
    )


async def create_message(call: Call) -> Reply:
    channel = call.channel()
    draft = parse_draft(call.body, call.files)
    check_sending(call, channel, draft)
    message = find_duplicate(call.world, draft)
    if message is None:
        replied = resolve_reference(call, channel, draft)
        message = call.actions.create(build_message(call, channel, draft, replied))
    return Reply(wire.message_json(call.world, message, content=True) | wire.nonce_json(message))


def apply_edit(call: Call, message: Message, draft: Draft) -> Message:
    """Edit a message by a draft in which absent fields change nothing."""
    changes: Json = {}
    if "content" in call.body:
        changes["content"] = draft.content or ""
    if draft.embeds is not None:
        changes["embeds"] = draft.embeds
    if draft.components is not None:
        changes["components"] = draft.components
    kept = message.attachments
    if draft.kept_attachment_ids is not None:
        kept = tuple(a for a in kept if a.id in draft.kept_attachment_ids)
    changes["attachments"] = (*kept, *call.actions.store_files(message.channel_id, draft.uploads))
    if "flags" in call.body:
        changes["flags"] = message.flags & ~SUPPRESS_EMBEDS | draft.flags
    after = {
        name: changes.get(name, getattr(message, name)) for name in ("content", "embeds", "components", "attachments")
    }
    if not any(after.values()):
        raise errors.empty_message()
    return call.actions.edit(message, **changes)


async def edit_message(call: Call) -> Reply:
    channel = call.channel()
    message = call.world.message(channel.id, call.id("message"))
    draft = parse_draft(call.body, call.files, old_flags=message.flags, settable=EDITABLE_FLAGS)
    if message.author_id != call.world.bot_id:
        raise errors.not_the_author()
    if channel.archived:
        raise errors.archived_thread()
    return Reply(wire.message_json(call.world, apply_edit(call, message, draft), content=True))


async def delete_message(call: Call) -> Reply:
    channel = call.channel()
    message = call.world.message(channel.id, call.id("message"))
    if message.author_id != call.world.bot_id:
        if channel.kind == DM:
            raise errors.ApiError(403, 50003, "Cannot execute action on a DM channel")
        if not call.world.bot_permissions(channel) & MANAGE_MESSAGES:
            raise errors.missing_permissions()
    call.actions.delete(message)
    return Reply(status=204)


async def typing(call: Call) -> Reply:
    channel = call.channel()
    needed = SEND_MESSAGES_IN_THREADS if channel.kind in THREADS else SEND_MESSAGES
    if not call.world.bot_permissions(channel) & needed:
        raise errors.missing_permissions()
    call.world.typing.append(channel.id)
    call.world.changes.fire()
    return Reply(status=204)


async def add_reaction(call: Call) -> Reply:
    channel = call.channel(READ_MESSAGE_HISTORY, ADD_REACTIONS)
    message = call.world.message(channel.id, call.id("message"))
    mark = (unquote(call.path["emoji"]), call.world.bot_id)
    if mark[0].isascii() and ":" not in mark[0]:
        raise errors.unknown("Emoji")
    if mark not in message.reactions:
        call.world.replace_message(message, reactions=(*message.reactions, mark))
    return Reply(status=204)


async def remove_reaction(call: Call) -> Reply:
    channel = call.channel(READ_MESSAGE_HISTORY)
    message = call.world.message(channel.id, call.id("message"))
    mark = (unquote(call.path["emoji"]), call.world.bot_id)
    call.world.replace_message(message, reactions=tuple(r for r in message.reactions if r != mark))
    return Reply(status=204)


_MESSAGES = "/channels/{channel}/messages"
_REACTION = _MESSAGES + "/{message}/reactions/{emoji}/@me"

ENDPOINTS = (
    Endpoint(method="GET", path=_MESSAGES, handler=list_messages),
    Endpoint(method="POST", path=_MESSAGES, handler=create_message, limit=CREATE),
    Endpoint(method="GET", path=_MESSAGES + "/{message}", handler=get_message),
    Endpoint(method="PATCH", path=_MESSAGES + "/{message}", handler=edit_message, limit=EDIT),
    Endpoint(method="DELETE", path=_MESSAGES + "/{message}", handler=delete_message, limit=DELETE),
    Endpoint(method="POST", path="/channels/{channel}/typing", handler=typing, limit=TYPING),
    Endpoint(method="PUT", path=_REACTION, handler=add_reaction, limit=REACTION),
    Endpoint(method="DELETE", path=_REACTION, handler=remove_reaction, limit=REACTION),
)
