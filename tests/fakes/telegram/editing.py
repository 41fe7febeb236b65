"""Methods that change what is there: edits, deletions, reactions, answers to clicks."""

from tests.fakes.telegram.access import resolve_chat, resolve_message, spend
from tests.fakes.telegram.entities import FormattedText
from tests.fakes.telegram.errors import ApiError, bad_request
from tests.fakes.telegram.keyboards import read_keyboard, same_keyboard
from tests.fakes.telegram.model import CallbackAnswer, JsonObject, Message
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.sending import (
    MAX_CAPTION,
    check_length,
    read_formatted,
    read_link_preview,
    read_text,
)
from tests.fakes.telegram.wire import message_to_wire
from tests.fakes.telegram.world import World

CALLBACK_LIFETIME_S = 15.0
_MAX_ANSWER = 200


def edit_message_text(world: World, params: Params) -> object:
    """Answer editMessageText; without `reply_markup` the keyboard goes away."""
    content = read_text(params)
    keyboard = read_keyboard(params)
    preview = read_link_preview(params)
    message = _own_message(world, params)
    if message.media:
        raise bad_request("there is no text in the message to edit")
    check_length(content)
    return _revise(world, message, content, keyboard, preview)


def edit_message_caption(world: World, params: Params) -> object:
    """Answer editMessageCaption."""
    content = read_formatted(params, "caption", "caption_entities")
    keyboard = read_keyboard(params)
    message = _own_message(world, params)
    if not message.media:
        raise bad_request("there is no caption in the message to edit")
    if len(content.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return _revise(world, message, content, keyboard)


def edit_message_reply_markup(world: World, params: Params) -> object:
    """Answer editMessageReplyMarkup."""
    keyboard = read_keyboard(params)
    message = _own_message(world, params)
    content = FormattedText(text=message.text, entities=message.entities)
    return _revise(world, message, content, keyboard, message.link_preview_options)


def _own_message(world: World, params: Params) -> Message:
    if not params.text("chat_id") and params.text("inline_message_id"):
        raise bad_request("the fake knows no inline messages")
    _, message = resolve_message(world, params, "message to edit")
    if message.sender_id != world.bot.id or message.service is not None:
        raise bad_request("message can't be edited")
    return message


def _revise(
    world: World,
    message: Message,
    content: FormattedText,
    keyboard: JsonObject | None,
    preview: JsonObject | None = None,
) -> JsonObject:
    spend(world, world.chats[message.chat_id])
    same = content.text == message.text and content.entities == message.entities
    if same and same_keyboard(keyboard, message.reply_markup):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same"
            " as a current content and reply markup of the message"
        )
    return message_to_wire(world, world.revise(message, content, keyboard, preview))


def delete_message(world: World, params: Params) -> object:
    """Answer deleteMessage: own messages; others' in a private chat, or as an administrator."""
    if not params.text("chat_id"):
        raise bad_request("chat identifier is not specified")
    if not params.text("message_id"):
        raise bad_request("message identifier is not specified")
    chat, message = resolve_message(world, params, "message to delete")
    is_admin = chat.members.get(world.bot.id) in ("administrator", "creator")
    if message.sender_id != world.bot.id and not chat.is_private and not is_admin:
        raise bad_request("message can't be deleted")
    world.delete(message)
    return True


def set_message_reaction(world: World, params: Params) -> object:
    """Answer setMessageReaction: at most one reaction, of the emoji kind."""
    reactions = params.decoded("reaction", "reaction types") or []
    if not isinstance(reactions, list) or not all(isinstance(item, dict) for item in reactions):
        raise bad_request("expected an Array of ReactionType")
    _, message = resolve_message(world, params, "message to react", write=False)
    if any(item.get("type") != "emoji" or not item.get("emoji") for item in reactions):
        raise bad_request("REACTION_INVALID")
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    world.reactions[message.chat_id, message.id] = reactions
    world.changed.fire()
    return True


def answer_callback_query(world: World, params: Params) -> object:
    """Answer answerCallbackQuery: once, and within 15 seconds."""
    callback = world.callbacks.get(params.text("callback_query_id"))
    text = params.text("text")
    if len(text) > _MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if callback is None or callback.answer is not None or world.clock() - callback.clicked_at_s > CALLBACK_LIFETIME_S:
        raise ApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    callback.answer = CallbackAnswer(text=text, show_alert=params.flag("show_alert"), url=params.text("url"))
    world.changed.fire()
    return True


def leave_chat(world: World, params: Params) -> object:
    """Answer leaveChat."""
    chat = resolve_chat(world, params)
    if chat.is_private:
        raise bad_request("chat member status can't be changed in private chats")
    chat.members[world.bot.id] = "left"
    world.changed.fire()
    return True
