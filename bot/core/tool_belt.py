"""What one turn has to look things up with: its toolbox, its sources, and the addresses that may be read or shown.

Two sets of addresses: `fetchable` are those that people wrote or that a search found, `linkable` also those that stand
in what was read. Knows no provider and no delivery.
"""

from collections.abc import Awaitable, Iterable, Mapping

from bot.core.bills import Bills
from bot.core.citations import Citations
from bot.core.events import ToolFinished
from bot.core.files import FileNote
from bot.core.formatting import money
from bot.core.links import is_known, urls_in
from bot.core.parts import Parts
from bot.core.place import Author, Place
from bot.core.thread_settings import Search, ThreadSettings, tools_off
from bot.core.toolbox import Rights, Toolbox
from bot.core.tools import Tool, ToolContext
from bot.core.turn_record import Item, TurnRecord
from bot.core.untrusted import new_marker

WEB_SEARCH, READ_PAGE = "web_search", "read_page"
READ_ATTACHMENT, SEARCH_HISTORY = "read_attachment", "search_history"


class ToolBelt:
    """One turn's tools. `tools` are those that are on here."""

    def __init__(
        self,
        parts: Parts,
        tools: Mapping[str, Tool],
        *,
        place: Place,
        author: Author,
        turn_uid: str,
        bills: Bills,
        history: Iterable[TurnRecord],
        items: Iterable[Item],
    ) -> None:
        items, history = tuple(items), tuple(history)
        said = (*(item for turn in history for item in turn.items), *items)
        files = tuple(note for item in said for note in item.files)
        self.citations = Citations()
        self.fetchable: set[str] = set(_written(said))
        for turn in history:
            for step in turn.steps:
                self.fetchable.update(url for text in step.urls for url in urls_in(text))
        #: What an answer may link to.
        self.linkable: set[str] = {*self.fetchable, *(url for turn in history for url in urls_in(turn.answer))}
        self.linkable.update(url for note in files for url in urls_in(note.excerpt))
        self.can_search = WEB_SEARCH in tools
        ceiling_nano = parts.defaults.turn_cost_nano

        def closed() -> str | None:
            if ceiling_nano is None or bills.spent_nano < ceiling_nano:
                return None
            return f"Not run: this answer has reached its limit of {money(ceiling_nano)}. Answer with what you have."

        def is_owner() -> Awaitable[bool]:
            return parts.gate.is_owner(author)

        self.toolbox = Toolbox(
            tools,
            context=ToolContext(
                place=place,
                author=author,
                turn_uid=turn_uid,
                cite=self.citations.number_of,
                is_known=lambda url: is_known(url, self.fetchable),
                files=files,
            ),
            rights=Rights(is_owner=is_owner, closed=closed),
            charge=bills,
            clock=parts.clock,
            new_marker=new_marker,
            tainted=any(map(_from_outside, files)),
        )

    def note(self, finished: ToolFinished) -> None:
        """A tool has found something: its addresses may be read and shown, those in its text shown."""
        found = {url for text in finished.urls for url in urls_in(text)}
        self.fetchable |= found
        self.linkable |= found
        self.linkable.update(urls_in(finished.result.text))


def tools_here(
    tools: Mapping[str, Tool],
    settings: ThreadSettings,
    *,
    turns: Iterable[TurnRecord],
    items: Iterable[Item],
    cut: bool,
) -> Mapping[str, Tool]:
    """Those of all tools that are on where these settings count, and good for something now.

    What reads files is there with the first file, what searches the conversation once it was `cut`: each description
    costs tokens in every prompt, and at these moments the prompt begins anew anyway.
    """
    off = set(tools_off(settings.tools_off))
    if settings.search is Search.OFF:
        off |= {WEB_SEARCH, READ_PAGE}
    said = (*(item for turn in turns for item in turn.items), *items)
    if not any(note.text_sha256 for item in said for note in item.files):
        off.add(READ_ATTACHMENT)
    if not cut:
        off.add(SEARCH_HISTORY)
    return {name: tool for name, tool in tools.items() if name not in off}


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
    """Whether a file may hold words of others: not what people say themselves, nor what nobody could read."""
    return not note.spoken and bool(note.excerpt or note.picture_sha256s or note.content_sha256)
