"""What people attach: what a file turned out to be, and what is kept of it with its message.

Values and ports; how a kind of file is read is `bot.attachments`' business, where bytes are kept the storage's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

#: Between the pages of a text; no page has one inside.
PAGE_BREAK = "\f"


class FileKind(StrEnum):
    """What a model can do with a file. `NOTHING`: it could not be read, or was not wanted."""

    IMAGE = "image"
    PDF = "pdf"
    AUDIO = "audio"
    TEXT = "text"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An encoded picture within every provider's limits, and its size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A file that was read. `media_type` is by content, never by name.

    `content` is what a model that takes the kind gets: a PDF or a recording as it came, None for the rest. `pictures`
    are the prepared picture itself, or the scanned pages of a PDF. `pages` are the words, page by page (sheet by sheet,
    slide by slide: `unit` is the word for one, empty for a text without such parts); empty: none were found. `total`
    counts all pages of the file, also those that were not read; None: it has no such parts. `duration_s` is None for
    what makes no sound, or where nobody can tell. `remarks` are for people and model alike, without the file's name and
    without a full stop: `12 pages`, `only the first 200 of 10,000 pages were read`.
    """

    kind: FileKind
    media_type: str
    content: bytes | None = None
    pictures: tuple[Picture, ...] = ()
    pages: tuple[str, ...] = ()
    unit: str = ""
    total: int | None = None
    duration_s: float | None = None
    remarks: tuple[str, ...] = ()


class FileReader(Protocol):
    """Turns bytes from strangers into something that models take, within limits of time and memory."""

    async def read(self, name: str, media_type: str | None, content: bytes) -> ReadFile:
        """Read a file. `name` and `media_type` are the sender's words, good for a hint at most.

        Raises:
            UnreadableFile: it is broken, locked, too costly, or of a kind that nobody reads; in words for people.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNote:
    """What is kept of an attachment with its message; the bytes are in the file store, until they expire there.

    `content_sha256` names the PDF or recording, `picture_sha256s` the pictures, `text_sha256` all words as UTF-8 with
    PAGE_BREAK between pages; None or empty: there is nothing such. `excerpt` is what of the words stands in every
    prompt, between delimiters with `marker`, which was drawn at random. `chars` counts all words' characters, `pages`
    all pages (None: no such parts), of `unit`. `tokens` is what the file itself is taken to cost in a prompt where a
    model gets it as it is. `spoken`: a voice message of whoever sent it, so that its transcript, the `excerpt`, is what
    they say. `heard`: a recording was transcribed, whether or not anybody speaks in it. `kept_bytes` is the size of
    what a model gets as it is. `remark` says what was read, cut or left out and why, for people and model
    alike, without the file's name. `again`: what went wrong may pass, so whoever asks once more has it read once more.
    """

    name: str
    kind: FileKind
    media_type: str | None = None
    size_bytes: int | None = None
    content_sha256: str | None = None
    picture_sha256s: tuple[str, ...] = ()
    text_sha256: str | None = None
    excerpt: str = ""
    marker: str = ""
    chars: int = 0
    pages: int | None = None
    unit: str = ""
    tokens: int = 0
    duration_s: float | None = None
    spoken: bool = False
    heard: bool = False
    kept_bytes: int = 0
    remark: str = ""
    again: bool = False


class FileStore(Protocol):
    """Bytes by their SHA-256, each kept once and for a limited time, and what was read from which attachment.

    All coroutines raise StorageUnavailable; writes are idempotent and durable when they return.
    """

    async def save(self, content: bytes, media_type: str) -> str:
        """Keep bytes (at most 15 MB) and return their SHA-256 in hexadecimal; what is there lives on anew."""
        ...

    async def load(self, sha256s: Collection[str]) -> Mapping[str, bytes]:
        """The bytes that are still there, by SHA-256; those that expired are left out."""
        ...

    async def note(self, attachment_key: str) -> FileNote | None:
        """What was read from an attachment before (`platform:account:id`), None: nothing, or too long ago."""
        ...

    async def set_note(self, attachment_key: str, note: FileNote) -> None:
        """Note what was read, so that the attachment is never fetched again."""
        ...
