"""Methods that put something into a chat: messages, files, drafts, chat actions."""

from tests.fakes.telegram.access import resolve_chat, resolve_destination, resolve_topic, spend
from tests.fakes.telegram.entities import MAX_TEXT_BYTES, FormattedText, fix, parse_entities
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.keyboards import read_keyboard
from tests.fakes.telegram.markdown_v2 import parse_markdown_v2
from tests.fakes.telegram.model import ChatAction, Draft, JsonObject, StoredFile
from tests.fakes.telegram.params import Params, Upload
from tests.fakes.telegram.wire import message_to_wire
from tests.fakes.telegram.world import NewMessage, World

MAX_TEXT = 4096  # code points, as utf8_length in create_input_message_content
MAX_CAPTION = 1024
MAX_DURATION_S = 2**31 - 1
_ACTIONS = (
    *(
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
    ),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note", "cancel"),
)


def read_formatted(params: Params, name: str, entities_name: str) -> FormattedText:
    """Return the formatted text of a request; it may be empty."""
    text = params.text(name)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise bad_request("text is too long")
    mode = params.text("parse_mode").lower()
    if text and mode not in ("", "none"):
        if mode in ("html", "markdown"):
            raise bad_request(f"the fake refuses parse_mode {mode}; send entities or MarkdownV2")
        if mode != "markdownv2":
            raise bad_request("unsupported parse_mode")
        plain, entities = parse_markdown_v2(text)
        return fix(plain, entities)
    return fix(text, parse_entities(params.decoded(entities_name, "entities")))


def read_text(params: Params) -> FormattedText:
    """Return the text of a message; only its length is left to check."""
    if not params.text("text"):
        raise bad_request("message text is empty")
    content = read_formatted(params, "text", "entities")
    if not content.text:
        raise bad_request("text must be non-empty")
    return content


def check_length(content: FormattedText) -> None:
    """Refuse a text over 4,096 code points; comes after the checks of the chat, as on the server."""
    if len(content.text) > MAX_TEXT:
        raise bad_request("message is too long")


def read_link_preview(params: Params) -> JsonObject | None:
    """Return link_preview_options."""
    options = params.decoded("link_preview_options", "link preview options")
    if options is None:
        return None
    if not isinstance(options, dict):
        raise bad_request("object expected as link preview options")
    return options


def send_message(world: World, params: Params) -> object:
    """Answer sendMessage."""
    content = read_text(params)
    keyboard = read_keyboard(params)
    preview = read_link_preview(params)
    destination = resolve_destination(world, params)
    check_length(content)
    spend(world, destination.chat)
    new = NewMessage(
        chat_id=destination.chat.id,
        sender_id=world.bot.id,
        content=content,
        reply_markup=keyboard,
        thread_id=destination.thread_id,
        reply_to_id=destination.reply_to_id,
        link_preview_options=preview,
        silent=params.flag("disable_notification"),
    )
    return message_to_wire(world, world.add(new))


def send_document(world: World, params: Params) -> object:
    """Answer sendDocument."""
    return _send_media(world, params, "document")


def send_photo(world: World, params: Params) -> object:
    """Answer sendPhoto."""
    return _send_media(world, params, "photo")


def send_voice(world: World, params: Params) -> object:
    """Answer sendVoice. The server takes MP3 and M4A as well; the fake takes what becomes a voice message for sure."""
    upload = _find_upload(params, "voice")
    if upload is not None and not (upload.data.startswith(b"OggS") and b"OpusHead" in upload.data[:512]):
        raise bad_request("the fake takes Ogg with Opus as a voice message only")
    chat = resolve_chat(world, params)
    if chat.forbids_voice:
        reason = "VOICE_MESSAGES_FORBIDDEN" if chat.is_private else "not enough rights to send voice notes to the chat"
        raise bad_request(reason)
    return _send_media(world, params, "voice")


def send_audio(world: World, params: Params) -> object:
    """Answer sendAudio: music, as MP3 or M4A."""
    upload = _find_upload(params, "audio")
    if upload is not None and upload.mime_type not in ("audio/mpeg", "audio/mp4", "audio/x-m4a"):
        raise bad_request(f"the fake takes no {upload.mime_type} as music; send a document")
    return _send_media(world, params, "audio")


def _send_media(world: World, params: Params, kind: str) -> object:
    upload = _find_upload(params, kind)
    known = None if upload else _find_stored(world, params.text(kind), kind)
    content = read_formatted(params, "caption", "caption_entities")
    keyboard = read_keyboard(params)
    destination = resolve_destination(world, params)
    if len(content.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    spend(world, destination.chat)
    media: tuple[StoredFile, ...]
    if upload is None:
        media = (known,) if known else ()
    elif kind == "photo":
        media = world.store_photo(upload.data, (1280, 720))
    else:
        duration_s = params.integer("duration", 0, 0, MAX_DURATION_S)
        media = (world.store_file(kind, upload.data, upload.name, upload.mime_type, duration_s=duration_s),)
    new = NewMessage(
        chat_id=destination.chat.id,
        sender_id=world.bot.id,
        content=content,
        reply_markup=keyboard,
        thread_id=destination.thread_id,
        reply_to_id=destination.reply_to_id,
        media=media,
        silent=params.flag("disable_notification"),
    )
    return message_to_wire(world, world.add(new))


def _find_upload(params: Params, kind: str) -> Upload | None:
    field = params.text(kind).removeprefix("attach://") if params.text(kind).startswith("attach://") else kind
    upload = params.files.get(field)
    if upload is None and not params.text(kind):
        raise bad_request(f"there is no {kind} in the request")
    if upload is not None and not upload.data:
        raise bad_request("file must be non-empty")
    return upload


def _find_stored(world: World, file_id: str, kind: str) -> StoredFile:
    if file_id.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    stored = world.files.get(file_id)
    if stored is None or stored.kind != kind:
        raise bad_request("wrong remote file identifier specified: Wrong string length")
    return stored


def send_message_draft(world: World, params: Params) -> object:
    """Answer sendMessageDraft: private chats only, and a draft id other than 0."""
    content = read_formatted(params, "text", "entities")
    chat = resolve_chat(world, params)
    thread_id = resolve_topic(chat, params)
    if not chat.is_private:
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    if params.integer("draft_id") == 0:
        raise bad_request("RANDOM_ID_INVALID")
    check_length(content)
    draft = Draft(
        chat_id=chat.id,
        thread_id=thread_id,
        draft_id=params.integer("draft_id"),
        text=content.text,
        at=world.now(),
    )
    world.drafts.append(draft)
    world.changed.fire()
    return True


def send_chat_action(world: World, params: Params) -> object:
    """Answer sendChatAction."""
    action = params.text("action").lower()
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = resolve_chat(world, params)
    thread_id = resolve_topic(chat, params)
    world.actions.append(ChatAction(chat_id=chat.id, thread_id=thread_id, action=action, at=world.now()))
    world.changed.fire()
    return True
