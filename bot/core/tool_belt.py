"""What one turn has to look things up with: its toolbox, its sources, and the addresses that may be read or shown.

Two sets of addresses: `fetchable` are those that people wrote or that a search found, `linkable` also those that stand
in what was read. Knows no provider and no delivery.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import urlsplit

from bot.core.bills import Bills
from bot.core.citations import Citations
from bot.core.events import ToolFinished
from bot.core.files import FileKind, FileNote
from bot.core.formatting import money
from bot.core.links import LinkGate, is_known, urls_in
from bot.core.message import ToolCall
from bot.core.parts import Parts
from bot.core.place import Author, Place
from bot.core.thread_settings import Search, ThreadSettings, tools_off
from bot.core.toolbox import Rights, Toolbox
from bot.core.tools import Tool, ToolContext
from bot.core.turn_record import Item, TurnRecord
from bot.core.untrusted import clean, new_marker

WEB_SEARCH, READ_PAGE = "web_search", "read_page"
READ_ATTACHMENT, SEARCH_HISTORY = "read_attachment", "search_history"
EARLIER_FILES = 100


class ToolBelt:
    """One turn's tools. `tools` are those that are on here; `is_owner` tells whether everybody who asks is one."""

    def __init__(
        self,
        parts: Parts,
        tools: Mapping[str, Tool],
        *,
        place: Place,
        author: Author,
        turn_uid: str,
        bills: Bills,
        is_owner: Callable[[], Awaitable[bool]],
        history: Iterable[TurnRecord],
        items: Iterable[Item],
        fresh_seq: int,
    ) -> None:
        self._history = tuple(history)
        self._items = tuple(items)
        self.citations = Citations()
        #: What tools of this turn vouched for, and what stood in their results.
        self._found: set[str] = set()
        self._read: set[str] = set()
        self.can_search = WEB_SEARCH in tools
        ceiling_nano = parts.defaults.turn_cost_nano

        def closed() -> str | None:
            if ceiling_nano is None or bills.spent_nano < ceiling_nano:
                return None
            return f"Not run: this answer has reached its limit of {money(ceiling_nano)}. Answer with what you have."

        self.toolbox = Toolbox(
            tools,
            context=ToolContext(
                place=place,
                author=author,
                turn_uid=turn_uid,
                cite=self.citations.number_of,
                is_known=lambda url: is_known(url, self.fetchable),
                earlier_files=lambda: parts.turns.files(place.thread_key, from_seq=fresh_seq, limit=EARLIER_FILES),
            ),
            rights=Rights(is_owner=is_owner, closed=closed),
            charge=bills,
            clock=parts.clock,
            new_marker=new_marker,
        )
        self.take(self._items)

    def take(self, items: Iterable[Item]) -> None:
        """What is asked, with what was read and heard of its files by now."""
        self._items = tuple(items)
        files = tuple(note for item in self._said for note in item.files)
        self.toolbox.knows(files)
        self.toolbox.tainted = self.toolbox.tainted or any(map(_from_outside, files))
        for name in ("fetchable", "linkable"):
            self.__dict__.pop(name, None)

    @property
    def _said(self) -> tuple[Item, ...]:
        return (*(item for turn in self._history for item in turn.items), *self._items)

    @cached_property
    def fetchable(self) -> set[str]:
        """The addresses that may be read. Looked for when they are needed: a long conversation has many words."""
        steps = (step for turn in self._history for step in turn.steps)
        found = (url for step in steps for text in step.urls for url in urls_in(text))
        return {*_written(self._said), *found, *self._found}

    @cached_property
    def linkable(self) -> set[str]:
        """The addresses that an answer may link to."""
        excerpts = (note.excerpt for item in self._said for note in item.files)
        texts = (*(turn.answer for turn in self._history), *excerpts)
        return {*self.fetchable, *(url for text in texts for url in urls_in(text)), *self._read}

    def note(self, finished: ToolFinished) -> None:
        """A tool has found something: its addresses may be read and shown, those in its text shown.

        What the model itself wrote into the call, and a result repeats, nobody vouches for.
        """
        if finished.result.is_error:
            return
        found = {url for text in finished.urls for url in urls_in(text)}
        written = (url for text in _strings(finished.call.parsed) for url in urls_in(clean(text)))
        own = {urlsplit(url).hostname for url in written if not is_known(url, self.linkable)}
        shown = {url for url in urls_in(finished.result.text) if urlsplit(url).hostname not in own}
        self._found |= found
        self._read |= shown
        if found:
            self.fetchable.update(found)
        if found or shown:
            self.linkable.update(found, shown)

    def status(self, calls: Sequence[ToolCall]) -> str:
        """What people see while these run, without addresses that nobody vouches for."""
        gate = LinkGate(self.linkable)
        return f"{gate.feed(self.toolbox.status(calls))}{gate.flush()} …"


def tools_here(
    tools: Mapping[str, Tool],
    settings: ThreadSettings,
    *,
    turns: Iterable[TurnRecord],
    items: Iterable[Item],
    cut: bool,
) -> Mapping[str, Tool]:
    """Those of all tools that are on where these settings count, and good for something now.

    What reads files is there with the first file, what searches the conversation once it was `cut`, and then both, for
    there may be files in what was cut. Each description costs tokens in every prompt, and at these moments the prompt
    begins anew anyway.
    """
    off = set(tools_off(settings.tools_off))
    if settings.search is Search.OFF:
        off |= {WEB_SEARCH, READ_PAGE}
    said = (*(item for turn in turns for item in turn.items), *items)
    notes = (note for item in said for note in item.files)
    if not cut and not any(note.text_sha256 or note.kind is FileKind.AUDIO for note in notes):
        off.add(READ_ATTACHMENT)
    if not cut:
        off.add(SEARCH_HISTORY)
    return {name: tool for name, tool in tools.items() if name not in off}


def _strings(value: object) -> Iterator[str]:
    """All texts in a JSON value: how its source spells them is up to whoever wrote it."""
    match value:
        case str():
            yield value
        case Mapping():
            for key, each in value.items():
                yield from (str(key), *_strings(each))
        case list():
            for each in value:
                yield from _strings(each)
        case _:
            return


def _written(items: Iterable[Item]) -> Iterable[str]:
    """The addresses that people wrote, also in what they reply to."""
    for item in items:
        yield from urls_in(item.text)
        for quoted in (item.quoted, item.starter):
            if quoted is not None and not quoted.by_bot:
                yield from urls_in(quoted.text)
        for note in item.files:
            if note.spoken:
                yield from urls_in(note.excerpt)


def _from_outside(note: FileNote) -> bool:
    """Whether a file may bring words of others, of which its name is enough: all but what people say themselves."""
    return not note.spoken
