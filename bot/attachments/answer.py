"""What a worker answered, checked to the last field: it saw a stranger's bytes and may say anything by now.

Pure. Knows the shape of an answer, not how it came.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from bot.attachments.frames import Nonsense
from bot.core.errors import UnreadableFile
from bot.core.files import PAGE_BREAK, FileKind, Picture, ReadFile

_MAX_PICTURES = 64
_MAX_SIDE = 16_384
_MAX_TOTAL = 10_000_000
_MAX_REMARKS = 16
_MAX_LINE_CHARS = 300
_MAX_DURATION_S = 7 * 86_400.0
#: No other pictures are taken, and each must begin like what it says it is.
_PICTURE_STARTS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_MEDIA_TYPE_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-./")
_MAX_MEDIA_TYPE_CHARS = 127
_KINDS = frozenset(FileKind) - {FileKind.NOTHING}
#: What the file store takes.
_MAX_COPY_BYTES = 15_000_000

DAMAGED = "is damaged, or not what it seems to be: save it anew and send that"
NO_MEMORY = "needs more memory than one file may take: send a smaller or simpler one"


class GaveUp(UnreadableFile):
    """The library that read it failed; `where` tells the type and place of its error, for the log."""

    def __init__(self, where: str) -> None:
        super().__init__(DAMAGED)
        self.where = where


def decode(header: Mapping[str, object], parts: Sequence[bytes], content: bytes) -> ReadFile:
    """The file that `header` and `parts` tell of; `content` is the file as it was sent.

    Raises:
        UnreadableFile: the worker says that it cannot be read.
        Nonsense: this is no answer.
    """
    match header:
        case {"file": {"kind": str(kind), "pictures": list(pictures), **fields}}:
            if kind not in _KINDS:
                raise Nonsense("a kind that does not exist")
            return _file(FileKind(kind), pictures, cast(Mapping[str, object], fields), parts, content)
        case {"unreadable": str(words)}:
            raise UnreadableFile(_line(words))
        case {"no_memory": True}:
            raise UnreadableFile(NO_MEMORY)
        case {"broke": str(where)}:
            raise GaveUp(_line(where))
        case _:
            raise Nonsense("neither a file nor a reason")


def _file(
    kind: FileKind,
    pictures: Sequence[object],
    fields: Mapping[str, object],
    parts: Sequence[bytes],
    content: bytes,
) -> ReadFile:
    """Parts are the pictures, then the pages, then a copy of the file if there is one."""
    kept, rest = _content(kind, fields.get("content"), parts, content)
    images = tuple(_picture(picture, part) for picture, part in zip(pictures, rest, strict=False))
    if len(images) != len(pictures) or len(images) > _MAX_PICTURES:
        raise Nonsense("another number of pictures than announced")
    return ReadFile(
        kind=kind,
        media_type=_media_type(fields.get("media_type")),
        content=kept,
        pictures=images,
        pages=tuple(_page(part) for part in rest[len(images) :]),
        unit=_line(fields.get("unit")),
        total=_total(fields.get("total")),
        duration_s=_duration_s(fields.get("duration_s")),
        remarks=_remarks(fields.get("remarks")),
    )


def _content(
    kind: FileKind, said: object, parts: Sequence[bytes], content: bytes
) -> tuple[bytes | None, Sequence[bytes]]:
    """The bytes for a model that takes the kind, and the parts without them. A copy is a PDF that was unlocked."""
    match kind, said:
        case _, None:
            return None, parts
        case ((FileKind.PDF | FileKind.AUDIO), "sent"):
            return content, parts
        case FileKind.PDF, "copy" if parts and parts[-1].startswith(b"%PDF-"):
            return (parts[-1] if len(parts[-1]) <= _MAX_COPY_BYTES else None), parts[:-1]
        case _:
            raise Nonsense("content that its kind does not have")


def _picture(fields: object, content: bytes) -> Picture:
    match fields:
        case {"media_type": str(media_type), "width": int(width), "height": int(height)}:
            start = _PICTURE_STARTS.get(media_type)
            if start is None or not content.startswith(start):
                raise Nonsense("a picture that is none")
            if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
                raise Nonsense("a picture of an impossible size")
            return Picture(content=content, media_type=media_type, width=width, height=height)
        case _:
            raise Nonsense("a picture without its fields")


def _page(part: bytes) -> str:
    try:
        return part.decode().replace(PAGE_BREAK, "\n")
    except UnicodeDecodeError as error:
        raise Nonsense("a page that is no text") from error


def _media_type(value: object) -> str:
    if (
        not isinstance(value, str)
        or len(value) > _MAX_MEDIA_TYPE_CHARS
        or value.count("/") != 1
        or not _MEDIA_TYPE_CHARS.issuperset(value)
    ):
        raise Nonsense("a media type that is none")
    return value


def _total(value: object) -> int | None:
    if value is None or (type(value) is int and 0 <= value <= _MAX_TOTAL):
        return value
    raise Nonsense("an impossible number of pages")


def _duration_s(value: object) -> float | None:
    """A length that cannot be is unknown: it comes from the file, not from the worker alone."""
    if type(value) not in (int, float) or not 0 < cast(float, value) <= _MAX_DURATION_S:
        return None
    return float(cast(float, value))


def _remarks(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_REMARKS:
        raise Nonsense("remarks without end")
    return tuple(_line(remark) for remark in value)


def _line(value: object) -> str:
    """Words for people as one line of printable characters."""
    if not isinstance(value, str):
        raise Nonsense("words that are none")
    words = " ".join(value[: 4 * _MAX_LINE_CHARS].split())
    printable = "".join(character for character in words if character.isprintable())
    return printable if len(printable) <= _MAX_LINE_CHARS else printable[: _MAX_LINE_CHARS - 1] + "…"
