"""Takes in what people attach: fetched once, read within limits, kept by content, and noted with its message.

Knows neither how a kind of file is read nor what a model can take; that is the reader's and `showing`'s business.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.errors import DeliveryError, DeliveryKind, UnreadableFile
from bot.core.excerpts import take
from bot.core.files import PAGE_BREAK, FileKind, FileNote, FileReader, FileStore, Picture, ReadFile
from bot.core.message import AttachmentRef
from bot.core.place import Place
from bot.core.ports import Messenger
from bot.core.showing import PICTURE_TOKENS
from bot.core.together import all_of
from bot.core.tokens import estimate_tokens
from bot.core.turn_record import Item

log = logging.getLogger(__name__)

#: How long a platform may take to hand out one file.
FETCH_TIMEOUT_S = 60.0
_AT_ONCE = 3
_MB = 1_000_000
#: Anthropic counts width x height / 750 for a picture; the others count less.
_PIXELS_PER_TOKEN = 750
#: A page as a picture beside its words, and a second of sound (Gemini: 32).
_PAGE_TOKENS, _SOUND_TOKENS = 1_000, 32
#: What tells how many tokens a long text has.
_SAMPLE_PAGES, _SAMPLE_CHARS = 20, 50_000
#: Speech in the leanest usual encoding.
_SOUND_BYTES_PER_S = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """What may be attached: bytes of one file and of all of a message, files of a message.

    `excerpt_tokens` is what all words of a message's files together may take in every prompt.
    """

    file_bytes: int = 10 * _MB
    message_bytes: int = 25 * _MB
    files: int = 10
    excerpt_tokens: int = 6_000


class Reading:
    """Reads the attachments of messages. All coroutines raise StorageUnavailable."""

    def __init__(
        self, *, reader: FileReader, files: FileStore, limits: FileLimits, new_marker: Callable[[], str]
    ) -> None:
        self._reader = reader
        self._files = files
        self._limits = limits
        self._new_marker = new_marker

    @property
    def excerpt_tokens(self) -> int:
        """What all words of a message's files together may take in every prompt."""
        return self._limits.excerpt_tokens

    async def read(self, place: Place, messenger: Messenger, items: Sequence[Item]) -> tuple[Item, ...]:
        """The messages of one question, with a note on each of their files; what was read before is not read again."""
        wanted = [self._wanted(item) for item in items]
        count = sum(map(len, wanted))
        if not count:
            return tuple(items)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(ref: AttachmentRef) -> FileNote:
            async with slots:
                return await self._note(place, messenger, ref, self._limits.excerpt_tokens // count)

        found = iter(await all_of(one(ref) for refs in wanted for ref in refs.values()))
        notes = [{number: next(found) for number in refs} for refs in wanted]
        return tuple(self._noted(item, new) for item, new in zip(items, notes, strict=True))

    def _noted(self, item: Item, notes: Mapping[int, FileNote]) -> Item:
        files = (notes.get(number) or self._known(item, number, ref) for number, ref in enumerate(item.attachments))
        return replace(item, files=tuple(files))

    def _wanted(self, item: Item) -> dict[int, AttachmentRef]:
        """The files to read now, by their numbers: within the limits, and not read yet."""
        left = self._limits.message_bytes
        wanted = {}
        for number, ref in enumerate(item.attachments[: self._limits.files]):
            # One that does not say its size may have as much as it may.
            size = self._limits.file_bytes if ref.size_bytes is None else ref.size_bytes
            left -= min(size, self._limits.file_bytes)
            if left < 0:
                break
            if not item.files or item.files[number].again:
                wanted[number] = ref
        return wanted

    def _known(self, item: Item, number: int, ref: AttachmentRef) -> FileNote:
        if item.files:
            return item.files[number]
        if number >= self._limits.files:
            return _nothing(ref, f"at most {self._limits.files} files of a message are read")
        return _nothing(ref, f"the files of a message may have {_megabytes(self._limits.message_bytes)} in all")

    async def _note(self, place: Place, messenger: Messenger, ref: AttachmentRef, excerpt_tokens: int) -> FileNote:
        key = note_key(place, ref)
        known = await self._files.note(key)
        if known is not None:
            # Under which name, and by whom, it is sent now is not what it was when it was read.
            return replace(known, name=ref.name, spoken=ref.spoken and known.kind is FileKind.AUDIO)
        try:
            content = await self._fetch(place, messenger, ref)
            file = await self._reader.read(ref.name, ref.media_type, content)
        except UnreadableFile as error:
            return _nothing(ref, str(error))
        except (DeliveryError, TimeoutError) as error:
            log.warning("an attachment was not fetched: %r", error)
            return replace(_nothing(ref, "it could not be fetched: ask once more with /retry"), again=True)
        note = await self._kept(ref, len(content), file, excerpt_tokens)
        await self._files.set_note(key, note)
        return note

    async def _fetch(self, place: Place, messenger: Messenger, ref: AttachmentRef) -> bytes:
        limit = self._limits.file_bytes
        too_large = UnreadableFile(f"it is larger than {_megabytes(limit)}: send a smaller one")
        if (ref.size_bytes or 0) > limit:
            raise too_large
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                return await messenger.fetch(place, ref, max_bytes=limit)
        except DeliveryError as error:
            if error.kind is DeliveryKind.INVALID:
                raise too_large from None
            if error.kind is DeliveryKind.NOT_FOUND:
                raise UnreadableFile("it is not there any more: send it again") from None
            raise

    async def _kept(self, ref: AttachmentRef, size_bytes: int, file: ReadFile, excerpt_tokens: int) -> FileNote:
        content_sha256 = None if file.content is None else await self._files.save(file.content, file.media_type)
        pictures = [await self._files.save(each.content, each.media_type) for each in file.pictures]
        text = PAGE_BREAK.join(page.replace(PAGE_BREAK, "\n") for page in file.pages)
        text_sha256 = None
        if text.strip():
            encoded = await asyncio.to_thread(text.encode, "utf-8", "replace")  # megabytes take 8 ms
            text_sha256 = await self._files.save(encoded, "text/plain")
        excerpt = take(file.pages, file.unit, limit_tokens=excerpt_tokens, estimate=estimate_tokens)
        remarks = (*file.remarks, *((excerpt.remark,) if excerpt.remark else ()))
        duration_s = file.duration_s if file.duration_s is not None else ref.duration_s
        return FileNote(
            name=ref.name,
            kind=file.kind,
            media_type=file.media_type,
            size_bytes=size_bytes,
            content_sha256=content_sha256,
            picture_sha256s=tuple(pictures),
            text_sha256=text_sha256,
            excerpt=excerpt.text if text_sha256 else "",
            marker=self._new_marker(),
            chars=len(text),
            pages=file.total,
            unit=file.unit,
            tokens=_tokens(file, size_bytes, duration_s),
            duration_s=duration_s,
            spoken=ref.spoken and file.kind is FileKind.AUDIO,
            kept_bytes=len(file.content or b"") + sum(len(picture.content) for picture in file.pictures),
            remark="; ".join(remarks),
        )


def _tokens(file: ReadFile, size_bytes: int, duration_s: float | None) -> int:
    """What the file costs in a prompt, roughly, where the model gets it as it is."""
    pictures = sum(map(_picture_tokens, file.pictures))
    if file.kind is FileKind.PDF:
        return max(pictures, _words_tokens(file.pages) + _PAGE_TOKENS * (file.total or 1))
    if file.kind is FileKind.AUDIO:
        return math.ceil((size_bytes / _SOUND_BYTES_PER_S if duration_s is None else duration_s) * _SOUND_TOKENS)
    return pictures


def _words_tokens(pages: Sequence[str]) -> int:
    """Told from the beginning of the words: estimating all of two million characters would hold up everybody."""
    chars = sum(map(len, pages))
    sample = "".join(pages[:_SAMPLE_PAGES])[:_SAMPLE_CHARS]
    return estimate_tokens(sample) * chars // len(sample) if sample else 0


def _picture_tokens(picture: Picture) -> int:
    return min(PICTURE_TOKENS, math.ceil(picture.width * picture.height / _PIXELS_PER_TOKEN))


def _nothing(ref: AttachmentRef, remark: str) -> FileNote:
    return FileNote(
        name=ref.name,
        kind=FileKind.NOTHING,
        media_type=ref.media_type,
        size_bytes=ref.size_bytes,
        remark=remark,
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MB:g} MB"


def note_key(place: Place, ref: AttachmentRef) -> str:
    """The name of an attachment in the store, unlike that of any other on any platform."""
    return f"{place.account_key}:{ref.id}"
