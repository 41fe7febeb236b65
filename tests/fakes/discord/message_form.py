"""Checks the body of a created or edited message and parses it into a `Draft`.

https://discord.com/developers/docs/resources/message#create-message
"""

import base64
import binascii
from dataclasses import dataclass

from tests.fakes.discord import errors
from tests.fakes.discord.components import check_components, walk
from tests.fakes.discord.errors import Problems
from tests.fakes.discord.mentions import check_allowed_mentions
from tests.fakes.discord.records import (
    COMPONENTS_V2,
    EPHEMERAL,
    SUPPRESS_EMBEDS,
    VOICE_MESSAGE,
    Json,
    Upload,
)

CONTENT_LIMIT = 2000
FILE_LIMIT_BYTES = 10 * 1024 * 1024
SETTABLE_FLAGS = SUPPRESS_EMBEDS | EPHEMERAL | 1 << 12 | VOICE_MESSAGE | COMPONENTS_V2
#: What an edit may set.
EDITABLE_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2
WAVEFORM_POINTS = 256

EMBED_LIMITS = (("title", 256), ("description", 4096))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message body that passed; None means that the field was absent (an edit leaves it alone)."""

    content: str | None
    embeds: tuple[Json, ...] | None
    components: tuple[Json, ...] | None
    allowed_mentions: Json | None
    flags: int
    nonce: str | int | None
    enforce_nonce: bool
    reference: Json | None
    uploads: tuple[Upload, ...]
    kept_attachment_ids: tuple[int, ...] | None
    """The attachments of an edited message that stay; None keeps all."""

    @property
    def empty(self) -> bool:
        return not (self.content or self.embeds or self.components or self.uploads or self.kept_attachment_ids)


def parse_draft(body: Json, files: dict[int, Upload], *, old_flags: int = 0, settable: int = SETTABLE_FLAGS) -> Draft:
    """Check a body and its files.

    Raises:
        ApiError: 50035 with the nested errors, 40005 for a file over 10 MiB, or 50159 to 50162 for a voice message.
    """
    if old_flags & VOICE_MESSAGE:
        raise errors.voice_is_final()
    if any(len(file.content) > FILE_LIMIT_BYTES for file in files.values()):
        raise errors.too_large()
    problems = Problems()
    content = body.get("content")
    if content is not None:
        if isinstance(content, str):
            content = content.strip()
        problems.length(("content",), content, 0, CONTENT_LIMIT)
    flags = body.get("flags") or 0
    if flags & ~settable:
        problems.add(("flags",), "FLAG_TYPE_INVALID", "Invalid flags")
    _check_fields(body, problems, v2=bool((flags | old_flags) & COMPONENTS_V2))
    uploads, kept = _attachments(body, files, problems)
    problems.check()
    if flags & VOICE_MESSAGE:
        _check_voice(body, uploads)
    embeds, components = body.get("embeds"), body.get("components")
    return Draft(
        content=content,
        embeds=None if "embeds" not in body else tuple({"type": "rich"} | embed for embed in embeds or ()),
        components=None if "components" not in body else _numbered(components or []),
        allowed_mentions=body.get("allowed_mentions"),
        flags=flags,
        nonce=body.get("nonce"),
        enforce_nonce=bool(body.get("enforce_nonce")),
        reference=body.get("message_reference"),
        uploads=uploads,
        kept_attachment_ids=kept,
    )


def _check_fields(body: Json, problems: Problems, *, v2: bool) -> None:
    nonce = body.get("nonce")
    if nonce is not None:
        if not isinstance(nonce, str | int) or isinstance(nonce, bool):
            problems.add(("nonce",), "NONCE_TYPE_INVALID", "A nonce is a string or an integer.")
        elif len(str(nonce)) > 25:
            problems.add(("nonce",), "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")
    embeds = body.get("embeds")
    if embeds is not None:
        _check_embeds(embeds, problems)
    if body.get("components") is not None:
        check_components(body["components"], problems, v2=v2)
    check_allowed_mentions(body.get("allowed_mentions"), problems)
    if v2:
        for field in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(field):
                problems.add(
                    (field,),
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )


def _check_embeds(embeds: list[Json], problems: Problems) -> None:
    problems.size(("embeds",), len(embeds), 0, 10)
    total = 0
    for index, embed in enumerate(embeds):
        for field, limit in EMBED_LIMITS:
            if embed.get(field) is not None:
                problems.length(("embeds", index, field), embed[field], 0, limit)
                total += len(str(embed[field]))
        for part, field, limit in (("footer", "text", 2048), ("author", "name", 256)):
            if embed.get(part):
                problems.length(("embeds", index, part, field), embed[part].get(field), 0, limit)
                total += len(str(embed[part].get(field) or ""))
        fields = embed.get("fields") or []
        problems.size(("embeds", index, "fields"), len(fields), 0, 25)
        for number, field_json in enumerate(fields):
            problems.length(("embeds", index, "fields", number, "name"), field_json.get("name"), 1, 256)
            problems.length(("embeds", index, "fields", number, "value"), field_json.get("value"), 1, 1024)
            total += len(str(field_json.get("name"))) + len(str(field_json.get("value")))
    if total > 6000:
        problems.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _check_voice(body: Json, uploads: tuple[Upload, ...]) -> None:
    """https://discord.com/developers/docs/resources/message#voice-messages"""
    if any(body.get(field) for field in ("content", "embeds", "components", "sticker_ids", "poll")):
        raise errors.voice_with_more()
    if len(uploads) != 1 or not uploads[0].content_type.startswith("audio/"):
        raise errors.voice_without_recording()
    try:
        points = base64.b64decode(uploads[0].waveform or "", validate=True)
    except binascii.Error:
        points = b""
    if not isinstance(uploads[0].duration_s, int | float) or not 1 <= len(points) <= WAVEFORM_POINTS:
        raise errors.voice_without_metadata()


def _attachments(
    body: Json, files: dict[int, Upload], problems: Problems
) -> tuple[tuple[Upload, ...], tuple[int, ...] | None]:
    """Join `attachments[]` with `files[n]`: an id that is no file number is an old attachment that stays."""
    listed = body.get("attachments")
    if len(files) > 10 or len(listed or ()) > 10:
        problems.size(("attachments",), max(len(files), len(listed or ())), 0, 10)
    if listed is None:
        return tuple(files.values()), None
    kept, described = [], dict(files)
    for entry in listed:
        number = int(entry["id"])
        if number in files:
            file = files[number]
            described[number] = Upload(
                filename=entry.get("filename") or file.filename,
                content=file.content,
                content_type=file.content_type,
                description=entry.get("description"),
                duration_s=entry.get("duration_secs"),
                waveform=entry.get("waveform"),
            )
        else:
            kept.append(number)
    return tuple(described.values()), tuple(kept)


def _numbered(components: list[Json]) -> tuple[Json, ...]:
    """Give every component an `id`, as Discord's answers do."""
    for number, component in enumerate(walk(components), start=1):
        component.setdefault("id", number)
    return tuple(components)
