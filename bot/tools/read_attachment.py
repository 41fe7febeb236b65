"""`read_attachment`: the rest of a file of this conversation whose words did not all fit into the prompt.

Reads the words as they are stored, by pages, by place or around a text. Other conversations' files do not exist for it.
"""

import asyncio
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Final

from pydantic import Field, model_validator

from bot.core.files import PAGE_BREAK, FileNote, FileStore
from bot.core.tools import Tool, ToolContext, ToolOutput, ToolSpec
from bot.tools._citing import one_line
from bot.tools.arguments import Arguments, BadArguments, parsed, schema_of
from bot.tools.supplies import Supplies

#: Of one result: about 3,000 tokens.
_MAX_CHARS: Final = 12_000
_MAX_HITS: Final = 10
_AROUND_CHARS: Final = 300
#: So much is searched at once: others of the process run in between.
_WINDOW_CHARS: Final = 100_000
_NAME_CHARS: Final = 60
_NAMES: Final = 20


class _Arguments(Arguments):
    name: str | None = Field(default=None, max_length=300, description="The file's name; not needed if there is one")
    page: int | None = Field(default=None, ge=1, description="The first page (sheet, slide) to read")
    to_page: int | None = Field(default=None, ge=1, description="The last page to read; without it only `page`")
    offset: int | None = Field(default=None, ge=0, description="Instead of pages: read from this character on")
    find: str | None = Field(
        default=None, min_length=1, max_length=200, description="Instead: show the places with this text, in any case"
    )

    @model_validator(mode="after")
    def _is_one_way(self) -> "_Arguments":
        if self.page is not None and (self.offset is not None or self.find is not None):
            raise ValueError("give `page`, or `offset`, or `find` (with `offset`: from there on)")
        if self.to_page is not None and (self.page is None or self.to_page < self.page):
            raise ValueError("`to_page` needs a `page` that is not behind it")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """All words of a file; `starts` are where its pages begin, one for a file without pages."""

    name: str
    text: str
    starts: Sequence[int]
    note: FileNote

    @property
    def unit(self) -> str:
        return self.note.unit or "page"

    def page_at(self, place: int) -> int:
        """The number of the page, from 1."""
        return bisect_right(self.starts, place)

    def end_of(self, page: int) -> int:
        """Where a page ends, without the break after it."""
        return len(self.text) if page >= len(self.starts) else self.starts[page] - 1

    @property
    def total(self) -> int:
        """How many pages the file has, also those that were not read."""
        return max(len(self.starts), self.note.pages or 1)

    @property
    def has_pages(self) -> bool:
        return len(self.starts) > 1 or bool(self.note.unit)


class _NotThere(Exception):
    """What is asked for is not there; the message says what is."""


class ReadAttachment:
    """See `bot.core.tools.Tool`."""

    spec = ToolSpec(
        name="read_attachment",
        description=(
            "Read more of a file that was sent in this conversation: pages, a part from a character on, or the places "
            "around a text. For what was cut in the message, or looked at too briefly."
        ),
        parameters=schema_of(_Arguments),
    )
    reads_only = True
    owners_only = False
    timeout_s = 30.0

    def __init__(self, files: FileStore) -> None:
        self._files = files

    def status(self, arguments: Mapping[str, object]) -> str:
        return f"reading: {one_line(str(arguments.get('name') or 'the attachment'), _NAME_CHARS)}"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            wanted = parsed(_Arguments, arguments)
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        try:
            note = await _meant(wanted.name, context)
            content = await self._words_of(note)
            text = await asyncio.to_thread(_read, note, content, wanted)
        except _NotThere as error:
            # Names of files are somebody else's words.
            return ToolOutput(text=str(error), is_error=True, untrusted=True)
        return ToolOutput(text=text, untrusted=True)

    async def _words_of(self, note: FileNote) -> bytes:
        name = _quoted(note)
        if note.text_sha256 is None:
            if note.excerpt:
                return note.excerpt.encode("utf-8", "replace")
            remark = f" ({note.remark})" if note.remark else ""
            raise _NotThere(f"{name} has no words that could be read{remark}.")
        content = (await self._files.load((note.text_sha256,))).get(note.text_sha256)
        if content is None:
            raise _NotThere(f"The words of {name} are not kept any more; ask for the file to be sent again.")
        return content


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncIterator[Tool]:
    """The tool over the files that are kept."""
    yield ReadAttachment(supplies.files)


async def _meant(name: str | None, context: ToolContext) -> FileNote:
    """The file that is meant, also one of turns that the model does not see any more. Raises _NotThere."""
    try:
        return _named(name, context.files)
    except _NotThere:
        return _named(name, (*await context.earlier_files(), *context.files))


def _named(name: str | None, files: Sequence[FileNote]) -> FileNote:
    """The file that is meant, the newest of several with one name. Raises _NotThere."""
    if not files:
        raise _NotThere("No files were sent in this conversation.")
    if not name:
        if len({file.name for file in files}) == 1:
            return files[-1]
        raise _NotThere(f"Say which file: {_listed(files)}.")
    wanted = name.casefold()
    for fits in (
        [file for file in files if file.name == name],
        [file for file in files if file.name.casefold() == wanted],
        [file for file in files if wanted in file.name.casefold()],
    ):
        if len({file.name for file in fits}) == 1:
            return fits[-1]
    raise _NotThere(f"There is no file `{one_line(name, _NAME_CHARS)}` in this conversation, but {_listed(files)}.")


def _listed(files: Sequence[FileNote]) -> str:
    names = list(dict.fromkeys(_quoted(file) for file in reversed(files)))
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _quoted(note: FileNote) -> str:
    return f"`{one_line(note.name, _NAME_CHARS)}`"


def _read(note: FileNote, content: bytes, wanted: _Arguments) -> str:
    text = content.decode("utf-8", "replace")
    pages = text.split(PAGE_BREAK)
    starts = [0, *accumulate(len(page) + 1 for page in pages[:-1])]
    words = _Words(name=_quoted(note), text=text, starts=starts, note=note)
    if wanted.find is not None:
        return _found(words, wanted.find, wanted.offset or 0)
    if wanted.page is not None:
        return _pages(words, wanted.page, wanted.to_page or wanted.page)
    begin = wanted.offset or 0
    if begin and begin >= len(text):
        raise _NotThere(f"{words.name} has {len(text):,} characters; there is nothing at {begin:,}.")
    return _part(words, begin, len(text))


def _pages(words: _Words, first: int, last: int) -> str:
    if not words.has_pages:
        raise _NotThere(f"{words.name} has no pages; read it by `offset`, it has {len(words.text):,} characters.")
    if first > len(words.starts):
        raise _NotThere(f"{words.name} has {_count(words)}; there is no {words.unit} {first:,}.")
    return _part(words, words.starts[first - 1], words.end_of(last))


def _part(words: _Words, begin: int, end: int) -> str:
    """What stands between two places, as much as fits, under a line that says where this is and how to go on."""
    shown = words.text[begin : min(end, begin + _MAX_CHARS)]
    stop = begin + len(shown)
    where = f"characters {begin:,}-{stop:,} of {len(words.text):,}"
    if words.has_pages:
        first, last = words.page_at(begin), words.page_at(max(begin, stop - 1))
        which = f"{words.unit} {first:,}" if first == last else f"{words.unit}s {first:,}-{last:,}"
        where = f"{which} of {words.total:,}, {where}"
    if stop < end:
        on = f"It goes on with offset={stop}."
    elif words.has_pages and (following := words.page_at(max(begin, stop - 1)) + 1) <= len(words.starts):
        on = f"It goes on with page={following}."
    elif stop < len(words.text):
        on = f"It goes on with offset={stop}."
    else:
        unread = words.total - len(words.starts)
        on = f"This is the end of what was read; {unread:,} more were not." if unread > 0 else "This is the end."
    marks = "".join(_marked(words, begin, stop)) if words.has_pages else shown
    return f"{words.name}, {where}. {on}\n\n{marks}"


def _marked(words: _Words, begin: int, stop: int) -> Iterator[str]:
    """A part with a line before each page that begins in it."""
    for page in range(words.page_at(begin), words.page_at(max(begin, stop - 1)) + 1):
        start = max(begin, words.starts[page - 1])
        yield f"[{words.unit} {page:,}]\n{words.text[start : min(stop, words.end_of(page))]}\n"


def _count(words: _Words) -> str:
    unread = words.total - len(words.starts)
    read = f", of which {len(words.starts):,} were read" if unread > 0 else ""
    return f"{words.total:,} {words.unit}{'' if words.total == 1 else 's'}{read}"


def _found(words: _Words, wanted: str, offset: int) -> str:
    hits = list(islice(_hits(words.text, wanted, offset), _MAX_HITS + 1))
    if not hits:
        behind = f" behind character {offset:,}" if offset else ""
        return f"`{one_line(wanted, 60)}` is not in {words.name}{behind}. Try a part of it, or another word."
    places = []
    for begin, end in hits[:_MAX_HITS]:
        first, last = max(0, begin - _AROUND_CHARS), min(len(words.text), end + _AROUND_CHARS)
        page = f"{words.unit} {words.page_at(begin):,}, " if words.has_pages else ""
        around = one_line(words.text[first:last].replace(PAGE_BREAK, " "), 2 * _AROUND_CHARS + len(wanted) + 10)
        places.append(f"[{page}character {begin:,}] …{around}…")
    on = f" There are more: go on with offset={hits[_MAX_HITS - 1][1]}." if len(hits) > _MAX_HITS else ""
    count = f"{len(places)} place{'' if len(places) == 1 else 's'}"
    return f"{words.name}: {count} with `{one_line(wanted, 60)}`.{on}\n\n" + "\n\n".join(places)


def _hits(text: str, wanted: str, offset: int) -> Iterator[tuple[int, int]]:
    """Where a text stands, in any case and with any space between its words."""
    pattern = re.compile(r"\s+".join(re.escape(word) for word in wanted.split()), re.IGNORECASE)
    overlap = 4 * len(wanted)
    while offset < len(text):
        found = pattern.search(text, offset, offset + _WINDOW_CHARS + overlap)
        if found is None:
            offset += _WINDOW_CHARS
        else:
            yield found.span()
            offset = found.end()
