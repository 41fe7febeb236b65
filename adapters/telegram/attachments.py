"""The files of messages: what the core is told of photos, documents, recordings, videos and stickers. Pure.

A message holds one file at most; several are an album of messages.
https://core.telegram.org/bots/api#message
"""

import mimetypes
from collections.abc import Sequence
from dataclasses import replace

from telegram import Animation, Audio, Document, ExternalReplyInfo, Message, Sticker, Video, VideoNote, Voice

from bot.core.message import AttachmentRef

_File = Animation | Audio | Document | Sticker | Video | VideoNote | Voice
_MPEG_4, _OGG = "video/mp4", "audio/ogg"
_STICKER = "image/webp"
#: Where `mimetypes` knows none, or not the usual one.
_ENDINGS = {_OGG: ".ogg", _STICKER: ".webp", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/x-m4a": ".m4a"}


def attachment_of(message: Message) -> AttachmentRef | None:
    """The file of a message; None: it has none, or a sticker that moves (`sticker_words` has it)."""
    return _found_in(message, message.message_id, own=message.forward_origin is None and message.via_bot is None)


def attachment_elsewhere(replied: ExternalReplyInfo, number: int) -> AttachmentRef | None:
    """The file of a message of another chat; `number` stands in the name of what has none."""
    return _found_in(replied, number, own=False)


def _found_in(holder: Message | ExternalReplyInfo, number: int, *, own: bool) -> AttachmentRef | None:
    """`own`: what is recorded there was recorded by its sender."""
    if holder.photo:
        photo = holder.photo[-1]  # the sizes of one picture, of which the last is the original
        name = f"photo_{number}.jpg"
        return AttachmentRef(id=photo.file_id, name=name, media_type="image/jpeg", size_bytes=photo.file_size)
    if holder.voice is not None:
        return replace(_ref("voice", number, holder.voice, _OGG), spoken=own)
    others: Sequence[tuple[str, _File | None, str | None]] = (
        ("video_note", holder.video_note, _MPEG_4),
        ("animation", holder.animation, _MPEG_4),  # before `document`, which repeats it
        ("audio", holder.audio, None),
        ("video", holder.video, _MPEG_4),
        ("file", holder.document, None),
        ("sticker", None if _moves(holder.sticker) else holder.sticker, _STICKER),
    )
    return next((_ref(kind, number, file, usual) for kind, file, usual in others if file is not None), None)


def sticker_words(message: Message) -> str:
    """A sticker that moves, which no model could look at, by its emoji; empty for all other messages."""
    sticker = message.sticker
    if sticker is None or not _moves(sticker):
        return ""
    return f"[sticker: {sticker.emoji}]" if sticker.emoji else "[sticker]"


def _moves(sticker: Sticker | None) -> bool:
    return sticker is not None and (sticker.is_animated or sticker.is_video)


def _ref(kind: str, number: int, file: _File, usual_type: str | None) -> AttachmentRef:
    """`kind` and `number` name what has no name; `usual_type` is the type of what has none."""
    media_type = getattr(file, "mime_type", None) or usual_type
    ending = _ENDINGS.get(media_type or "") or mimetypes.guess_extension(media_type or "") or ""
    return AttachmentRef(
        id=file.file_id,
        name=getattr(file, "file_name", None) or f"{kind}_{number}{ending}",
        media_type=media_type,
        size_bytes=file.file_size,
        duration_s=_duration_s(file),
    )


def _duration_s(file: _File) -> float | None:
    """As the server wrote it: the library's attribute changes its type by an environment variable, and warns."""
    duration = file.to_dict().get("duration")
    return float(duration) if isinstance(duration, int | float) else None
