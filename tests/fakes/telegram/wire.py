"""Values of the fake -> objects of the Bot API. Knows the shapes of JSON, decides nothing."""

from tests.fakes.telegram.model import Callback, Chat, Entity, JsonObject, Message, StoredFile, User
from tests.fakes.telegram.world import World

_OF_ANIMATIONS = ("width", "height", "duration")


def user_to_wire(user: User) -> JsonObject:
    """Return a User."""
    wire: JsonObject = {"id": user.id, "is_bot": user.is_bot, "first_name": user.first_name}
    if user.username:
        wire["username"] = user.username
    if user.language_code:
        wire["language_code"] = user.language_code
    return wire


def chat_to_wire(world: World, chat: Chat) -> JsonObject:
    """Return a Chat."""
    wire: JsonObject = {"id": chat.id, "type": chat.type}
    if chat.is_private:
        user = world.users[chat.id]
        wire["first_name"] = user.first_name
        if user.username:
            wire["username"] = user.username
    else:
        wire["title"] = chat.title
    if chat.is_forum:
        wire["is_forum"] = True
    return wire


def entity_to_wire(world: World, entity: Entity) -> JsonObject:
    """Return a MessageEntity."""
    wire: JsonObject = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    if entity.user_id is not None:
        user = world.users.get(entity.user_id) or User(id=entity.user_id, first_name="")
        wire["user"] = user_to_wire(user)
    for name in ("url", "language", "custom_emoji_id"):
        if (value := getattr(entity, name)) is not None:
            wire[name] = value
    return wire


def file_to_wire(file: StoredFile) -> JsonObject:
    """Return the object of the file's kind, with the fields that this kind has: a voice message has no name."""
    wire: JsonObject = {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.data),
    }
    if file.kind in ("photo", "video", "animation", "sticker"):
        wire |= {"width": file.width, "height": file.height}
    if file.kind in ("audio", "voice", "video", "animation", "video_note"):
        wire |= {"duration": file.duration_s}
    if file.kind == "video_note":
        wire |= {"length": file.width}
    elif file.kind == "sticker":
        wire |= _sticker_fields(file)
    elif file.kind != "photo":
        wire |= {"mime_type": file.mime_type} if file.mime_type else {}
        wire |= {"file_name": file.name} if file.name and file.kind != "voice" else {}
    return wire


def _sticker_fields(file: StoredFile) -> JsonObject:
    wire: JsonObject = {
        "type": "regular",
        "is_animated": file.mime_type == "application/x-tgsticker",
        "is_video": file.mime_type == "video/webm",
    }
    return wire | ({"emoji": file.emoji} if file.emoji else {})


def message_to_wire(world: World, message: Message, *, with_reply: bool = True) -> JsonObject:
    """Return a Message; in a topic it replies to the opening message even if nobody replied."""
    chat = world.chats[message.chat_id]
    wire: JsonObject = {
        "message_id": message.id,
        "from": user_to_wire(world.users[message.sender_id]),
        "chat": chat_to_wire(world, chat),
        "date": int(message.date.timestamp()),
    }
    if message.edit_date is not None:
        wire["edit_date"] = int(message.edit_date.timestamp())
    if message.thread_id is not None:
        wire["message_thread_id"] = message.thread_id
    reply_to = message.reply_to_id or message.thread_id
    if with_reply and reply_to not in (None, message.id) and (replied := world.find(message.chat_id, reply_to or 0)):
        wire["reply_to_message"] = message_to_wire(world, replied, with_reply=False)
    wire |= _content_to_wire(world, message)
    if message.reply_markup is not None:
        wire["reply_markup"] = message.reply_markup
    if message.thread_id is not None:
        wire["is_topic_message"] = True
    return wire


def _content_to_wire(world: World, message: Message) -> JsonObject:
    wire: JsonObject = dict(message.service or {})
    text_name, entities_name = ("caption", "caption_entities") if message.media else ("text", "entities")
    if message.text:
        wire[text_name] = message.text
    if message.entities:
        wire[entities_name] = [entity_to_wire(world, entity) for entity in message.entities]
    if message.media:
        kind = message.media[0].kind
        files = [file_to_wire(file) for file in message.media]
        wire[kind] = files if kind == "photo" else files[0]
        if kind == "animation":  # for clients that do not know animations
            wire["document"] = {name: value for name, value in files[0].items() if name not in _OF_ANIMATIONS}
    if message.media_group_id is not None:
        wire["media_group_id"] = message.media_group_id
    if message.forward_origin is not None:
        wire["forward_origin"] = message.forward_origin
    if message.link_preview_options is not None:
        wire["link_preview_options"] = message.link_preview_options
    return wire


def callback_to_wire(world: World, callback: Callback) -> JsonObject:
    """Return a CallbackQuery; a deleted message is an InaccessibleMessage (date 0)."""
    message = world.find(callback.chat_id, callback.message_id)
    chat = chat_to_wire(world, world.chats[callback.chat_id])
    gone: JsonObject = {"message_id": callback.message_id, "chat": chat, "date": 0}
    return {
        "id": callback.id,
        "from": user_to_wire(world.users[callback.user_id]),
        "chat_instance": str(9_000_000_000 + abs(callback.chat_id)),
        "message": gone if message is None else message_to_wire(world, message),
        "data": callback.data,
    }


def member_to_wire(world: World, chat: Chat, user: User) -> JsonObject:
    """Return a ChatMember; whoever was never there has `left`."""
    status = chat.members.get(user.id, "left")
    wire: JsonObject = {"user": user_to_wire(user), "status": status}
    match status:
        case "creator":
            wire |= {"is_anonymous": False}
        case "administrator":
            rights = (
                "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members"
                " can_promote_members can_change_info can_invite_users"
                " can_post_stories can_edit_stories can_delete_stories"
            )
            wire |= {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(rights.split(), True)
        case "kicked":
            wire |= {"until_date": 0}
        case _:
            pass
    return wire
