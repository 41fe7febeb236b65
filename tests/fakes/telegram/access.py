"""Checks that many methods share: the chat and the bot's standing in it, topic, reply, message, flood limits.

After check_chat_access, check_message_topic, check_reply_parameters and check_message of Client.cpp.
"""

from dataclasses import dataclass

from tests.fakes.telegram.errors import ApiError, bad_request, too_many_requests
from tests.fakes.telegram.model import Chat, Message
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.world import World

GENERAL_TOPIC_ID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a message goes; `thread_id` and `reply_to_id` exist."""

    chat: Chat
    thread_id: int | None
    reply_to_id: int | None


def resolve_chat(world: World, params: Params, *, write: bool = True) -> Chat:
    """Return the chat of `chat_id`.

    Raises:
        ApiError: unknown, blocked, kicked, or upgraded (with `migrate_to_chat_id`).
    """
    raw = params.text("chat_id")
    if not raw:
        raise bad_request("chat_id is empty")
    chat = world.chats.get(int(raw)) if raw.lstrip("-").isdigit() else None
    if chat is None:
        raise bad_request("chat not found")
    standing = chat.members.get(world.bot.id, "left")
    if chat.is_private:
        if write and standing == "kicked":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat
    if write and chat.migrated_to is not None:
        raise ApiError(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": chat.migrated_to},
        )
    kind = "supergroup" if chat.type == "supergroup" else "group"
    if standing == "kicked":
        raise ApiError(403, f"Forbidden: bot was kicked from the {kind} chat")
    if standing == "left":
        raise ApiError(403, f"Forbidden: bot is not a member of the {kind} chat")
    return chat


def resolve_topic(chat: Chat, params: Params) -> int | None:
    """Return the thread of `message_thread_id`.

    Plain groups ignore it; General (id 1) is refused like a topic that does not exist.
    """
    thread_id = params.integer("message_thread_id")
    if thread_id <= 0 or not (chat.is_forum or chat.is_private):
        return None
    if thread_id not in chat.topics:
        raise bad_request("message thread not found")
    return thread_id


def resolve_destination(world: World, params: Params) -> Destination:
    """Return chat, thread and replied message of a send.

    Without a thread a reply goes to the thread of the message that it replies to.
    """
    chat = resolve_chat(world, params)
    thread_id = resolve_topic(chat, params)
    replied = _resolve_reply(world, chat, params)
    if replied is not None and params.integer("message_thread_id") <= 0:
        thread_id = replied.thread_id
    return Destination(chat=chat, thread_id=thread_id, reply_to_id=replied.id if replied else None)


def _resolve_reply(world: World, chat: Chat, params: Params) -> Message | None:
    given = params.decoded("reply_parameters", "reply parameters")
    if given is None:
        message_id = params.integer("reply_to_message_id")
        optional = params.flag("allow_sending_without_reply")
    elif not isinstance(given, dict):
        raise bad_request("object expected as reply parameters")
    elif not given:
        return None
    elif not isinstance(given.get("message_id"), int):
        raise bad_request('can\'t find field "message_id"')
    else:
        message_id = given["message_id"]
        optional = given.get("allow_sending_without_reply") is True
        if str(given.get("chat_id", chat.id)) != str(chat.id):
            raise bad_request("the fake knows no replies across chats")
    if message_id <= 0:
        return None
    replied = world.find(chat.id, message_id)
    if replied is None and not optional:
        raise bad_request("message to be replied not found")
    return replied


def resolve_message(world: World, params: Params, what: str, *, write: bool = True) -> tuple[Chat, Message]:
    """Return the message of `chat_id` and `message_id`; `what` begins the "... not found"."""
    chat = resolve_chat(world, params, write=write)
    message = world.find(chat.id, params.integer("message_id"))
    if message is None:
        raise bad_request(f"{what} not found")
    return chat, message


def spend(world: World, chat: Chat) -> None:
    """Count one send or edit.

    Raises:
        ApiError: 429 with `retry_after`.
    """
    wait_s = world.flood.spend(chat.id, is_private=chat.is_private)
    if wait_s is not None:
        raise too_many_requests(wait_s)
