"""Which files a model gets as they are, and how every file stands in the text of its message. Pure.

Pictures, PDFs and recordings of older turns give way in batches, like turns do: all of a conversation's are shown until
they cost too much, then the oldest go at once, so that the prefix of the prompts stays as it is in between.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.core.catalogue import ModelInfo
from bot.core.files import FileKind, FileNote
from bot.core.formatting import count, excerpt
from bot.core.message import AttachmentRef, Audio, Document, Image, Part
from bot.core.turn_record import Item, TurnRecord
from bot.core.untrusted import clean, frame

#: What files may cost of a prompt's high-water mark before the oldest give way, and what is left of them then.
_HIGH_SHARE, _LOW_SHARE = 0.5, 0.25
#: Providers bound the pictures of one request (Anthropic: beyond 20 they must be smaller).
_MOST_PICTURES, _PICTURES_LEFT, _IN_ALL = 10, 5, 20
#: Providers bound a request, in which files take a third more than they have (Gemini: 20 MB).
_MOST_BYTES, _BYTES_LEFT = 14_000_000, 7_000_000
#: What models that hear take (Gemini's list of formats); other recordings are written down for them, too.
_HEARD = frozenset({"audio/ogg", "audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav", "audio/flac", "audio/aac"})
#: Longer ones are refused by some providers (Anthropic: 100 pages).
_PDF_PAGES = 100
#: What a picture costs at most: providers make larger ones smaller (Anthropic: about 1,600 tokens).
PICTURE_TOKENS = 1_600
_NAME_CHARS = 80
_NOT_IN_NAMES = str.maketrans("[]:<>", "     ")
_PICTURE_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"))


@dataclass(frozen=True, slots=True)
class FileKey:
    """One file of one message: the message's uid, and its number in it from 0."""

    item_uid: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A file that a model should get as it is, and what that is taken to cost."""

    note: FileNote
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """A file as the model gets it, and what that is taken to cost."""

    parts: tuple[Part, ...]
    tokens: int


Shown = Mapping[FileKey, ShownFile]
NOT_SHOWN: Shown = {}


def choose_shown(
    history: Iterable[TurnRecord], items: Iterable[Item], model: ModelInfo, *, high_tokens: int
) -> dict[FileKey, Choice]:
    """The files that the model should get as they are, oldest first; `high_tokens` is the prompt's high-water mark.

    Those of the new `items` always, if it can take them and one request can hold them.
    """
    shown: dict[FileKey, Choice] = {}
    for turn in history:
        if own := dict(_choices(turn.items, model, high_tokens)):
            shown |= own
            _make_room(shown, high_tokens, keep=len(own))
    new: dict[FileKey, Choice] = {}
    for key, choice in _choices(items, model, high_tokens):
        if _fit({**new, key: choice}, _IN_ALL, high_tokens, _MOST_BYTES):
            new[key] = choice
    while shown and not _fit({**shown, **new}, _IN_ALL, math.inf, _MOST_BYTES):
        del shown[next(iter(shown))]
    return {**shown, **new}


def choose(model: ModelInfo, note: FileNote, *, high_tokens: int) -> Choice | None:
    """Whether the model gets this file as it is, None: it does not take it, or there is no room for it."""
    match note.kind:
        case FileKind.IMAGE if model.vision is True and note.picture_sha256s:
            return Choice(note=note, tokens=note.tokens)
        case FileKind.PDF if shows_scan(model, note):
            tokens = PICTURE_TOKENS * len(note.picture_sha256s)
            return Choice(note=note, tokens=tokens) if tokens <= high_tokens else None
        case FileKind.PDF if model.pdf is True and note.content_sha256 is not None:
            fits = (note.pages or 0) <= _PDF_PAGES and note.tokens <= high_tokens * _HIGH_SHARE
            return Choice(note=note, tokens=note.tokens) if fits else None
        case FileKind.AUDIO if hears(model, note) and not note.heard:
            return Choice(note=note, tokens=note.tokens)
        case _:
            return None


def hears(model: ModelInfo, note: FileNote) -> bool:
    """Whether the model takes this recording as it is."""
    return model.audio is True and note.content_sha256 is not None and note.media_type in _HEARD


def shows_scan(model: ModelInfo, note: FileNote) -> bool:
    """Whether a PDF reaches the model as pictures of its pages."""
    return model.pdf is not True and model.vision is True and bool(note.picture_sha256s)


def sha256s_of(model: ModelInfo, notes: Iterable[FileNote]) -> tuple[str, ...]:
    """What has to be loaded to show these files to the model."""
    return tuple(sha256 for note in notes for sha256 in _shas(model, note))


def parts_of(model: ModelInfo, note: FileNote, contents: Mapping[str, bytes]) -> tuple[Part, ...]:
    """A file as the model gets it; empty when its bytes are not kept any more."""
    found = [contents[sha256] for sha256 in _shas(model, note) if sha256 in contents]
    if note.kind is FileKind.IMAGE or shows_scan(model, note):
        return tuple(Image(content=content, media_type=_picture_type(content)) for content in found)
    if note.kind is FileKind.PDF:
        name = file_name(note.name)
        name = name if name.lower().endswith(".pdf") else f"{name}.pdf"
        return tuple(
            Document(content=content, media_type="application/pdf", name=name, pages=note.pages) for content in found
        )
    return tuple(Audio(content=content, media_type=note.media_type or "audio/ogg") for content in found)


def file_text(note: FileNote, *, shown: bool) -> str:
    """How a file stands in its message: what it is, and its words unless the model gets the file itself."""
    name, what = file_name(note.name), _what(note)
    if note.spoken and note.excerpt:
        return f"[{what}, in their own words:]\n{note.excerpt}"
    remark = f" ({clean(note.remark)})" if note.remark else ""
    if note.kind is FileKind.NOTHING:
        return f"[Attached, but it could not be read: {name}{remark}]"
    if shown:
        return f"[{what} {name}{remark}: attached to this message]"
    if note.excerpt:
        return frame(note.excerpt, origin=f"{what} {name}{remark}", marker=note.marker)
    return f"[{what} {name}{remark}: not shown to you]"


def file_name(name: str) -> str:
    """A name that somebody chose, as one that cannot pass for more than a name."""
    return " ".join(clean(name).translate(_NOT_IN_NAMES).split())[:_NAME_CHARS] or "a file"


def file_names(refs: Iterable[AttachmentRef]) -> str:
    """Names of files in a line, for people."""
    return ", ".join(excerpt(file_name(ref.name), 40) for ref in refs)


def _what(note: FileNote) -> str:
    pages = f" of {count(note.pages)} {note.unit}{'' if note.pages == 1 else 's'}" if note.pages and note.unit else ""
    match note.kind:
        case FileKind.IMAGE:
            return "Picture"
        case FileKind.PDF:
            return f"PDF{pages}"
        case FileKind.AUDIO:
            length = "" if note.duration_s is None else f", {round(note.duration_s)} s"
            return f"{'Voice message' if note.spoken else 'Recording'}{length}"
        case FileKind.TEXT | FileKind.NOTHING:
            return f"File{pages}"


def _choices(items: Iterable[Item], model: ModelInfo, high_tokens: int) -> Iterator[tuple[FileKey, Choice]]:
    for item in items:
        for number, note in enumerate(item.files):
            choice = choose(model, note, high_tokens=high_tokens)
            if choice is not None:
                yield FileKey(item.uid, number), choice


def _make_room(shown: dict[FileKey, Choice], high_tokens: int, *, keep: int) -> None:
    """Let the oldest go where it is too much; the newest `keep` stay: people go on to talk about these."""
    if _fit(shown, _MOST_PICTURES, high_tokens * _HIGH_SHARE, _MOST_BYTES):
        return
    while len(shown) > keep and not _fit(shown, _PICTURES_LEFT, high_tokens * _LOW_SHARE, _BYTES_LEFT):
        del shown[next(iter(shown))]


def _fit(shown: Mapping[FileKey, Choice], pictures: int, tokens: float, size_bytes: int) -> bool:
    notes = [choice.note for choice in shown.values()]
    return (
        sum(len(note.picture_sha256s) for note in notes) <= pictures
        and sum(choice.tokens for choice in shown.values()) <= tokens
        and sum(note.kept_bytes for note in notes) <= size_bytes
    )


def _shas(model: ModelInfo, note: FileNote) -> tuple[str, ...]:
    if note.kind is FileKind.IMAGE or shows_scan(model, note):
        return note.picture_sha256s
    return () if note.content_sha256 is None else (note.content_sha256,)


def _picture_type(content: bytes) -> str:
    """Pictures are prepared as one of these two."""
    return next((media_type for start, media_type in _PICTURE_TYPES if content.startswith(start)), "image/jpeg")
