"""A model's Markdown -> pages of text with entities, each within Telegram's limits. Pure and total.

Pages are cut by the length of their source and of its tables as they are set, which only grow, so a full page
stays as it is. What is shown is hardly ever longer; where it is, the page is shown as it was written.
"""

import logging
import re
from collections.abc import Iterator

from adapters.telegram.markdown import Entity, convert, utf16_length
from bot.core.markdown_table import growth, set_tables
from bot.core.paging import Piece, paginate
from bot.core.ports import Page, PageStart

log = logging.getLogger(__name__)

PAGE_UNITS = 4_096
CAPTION_UNITS = 1_024
#: The server drops entities after these.
MAX_ENTITIES = 100
#: Columns of a fixed-width font that a table may take; a phone breaks longer lines, and then it is none.
TABLE_COLUMNS = 44

#: What the server would take as a mention. Addresses of web pages are matched first: a name in them is none.
_MENTION = re.compile(
    r"https?://(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?:/[\w./@%+~=-]*)?|(?<![A-Za-z0-9_])@(?P<name>[A-Za-z0-9_]{2,32})(?!\w)",
    re.ASCII,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Nothing in these is looked at by the server, and a link has its one meaning.
_OPAQUE = frozenset({"pre", "code", "text_link"})
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
#: Which entities stay when there are too many: those that carry a meaning before those that only look.
_WORTH = {"text_link": 0, "pre": 1, "code": 2}
#: In the source, what makes entities: code spans and fences, emphasis, links, headings, quotes, mentions. A
#: mark whose other side has not come does not count yet, so the count only grows with the text.
_PAIRED = re.compile(r"`+|(?<=\S)\*+|\*+(?=\S)|(?<=\w)_+(?=[^\w])|(?<=\W)_+(?=\w)|~~")
_SINGLE = re.compile(r"\]\(|<https?:|@\w|^[ \t>]*#{1,6} |^>", re.MULTILINE)


def render(markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
    """The pages of `markdown` from `start` on; none for blank text."""
    source = _SURROGATE.sub("\ufffd", markdown)
    return tuple(_page(piece) for piece in paginate(source, start, limit=PAGE_UNITS, measure=measure))


def measure(source: str) -> int:
    """The most that is shown of a source, in UTF-16 units; a page full of entities counts as long."""
    length = utf16_length(source) + growth(source, width=TABLE_COLUMNS, measure=utf16_length)
    if length <= MAX_ENTITIES:
        return length
    entities = len(_PAIRED.findall(source)) // 2 + len(_SINGLE.findall(source))
    return max(length, -(-entities * PAGE_UNITS // MAX_ENTITIES))


def guards(text: str) -> tuple[Entity, ...]:
    """Links over the names in a text that would ping people.

    The server finds `@name` in any text and notifies whoever bears it, but not inside of code or a link. A
    link to the name's page is what a mention looks like, and leaves the text as it is.
    """
    return tuple(
        Entity(type="text_link", offset=offset, length=len(name) + 1, url=f"https://t.me/{name}")
        for offset, name in _mentions(text)
    )


def _guarded(text: str, entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """The entities, with a guard over each name that is not wholly inside of one that the server does not look into.

    Such entities go where they share a part of a guarded name: a ping is worse than code that looks like text.
    """
    shields = [each for each in entities if each.type in _OPAQUE and not _is_dropped(each, entities)]
    exposed = [
        guard
        for guard in guards(text)
        if not any(each.offset <= guard.offset and guard.end <= each.end for each in shields)
    ]
    kept = (
        each
        for each in entities
        if each.type not in _OPAQUE or not any(each.offset < guard.end and guard.offset < each.end for guard in exposed)
    )
    return (*kept, *exposed)


def _is_dropped(code: Entity, entities: tuple[Entity, ...]) -> bool:
    """Whether the server may drop it: code keeps company with nothing but quotes."""
    return code.type != "text_link" and any(
        other is not code and other.type not in _QUOTES and other.offset < code.end and code.offset < other.end
        for other in entities
    )


def _mentions(text: str) -> Iterator[tuple[int, str]]:
    """UTF-16 offset and name of each mention."""
    offset = at = 0
    for found in _MENTION.finditer(text) if "@" in text else ():
        if found["name"]:
            offset += utf16_length(text[at : found.start()])
            at = found.start()
            yield offset, found["name"]


def _page(piece: Piece) -> Page:
    text, entities = _shown(piece.text)
    entities = _kept(_guarded(text, entities))
    return Page(content=text, plain=piece.text, end=piece.end, markup=entities)


def _shown(source: str) -> tuple[str, tuple[Entity, ...]]:
    """What a page shows; as it was written where it cannot be converted, or not within the limits."""
    try:
        text, entities = convert(set_tables(source, width=TABLE_COLUMNS))
    except Exception as error:  # formatting never costs an answer
        log.warning("a page could not be converted and is shown as it was written: %s", type(error).__name__)
        return source, ()
    if not text.strip() or utf16_length(text) > PAGE_UNITS:
        return source, ()
    return text, entities


def _kept(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """In the order of the text, the most meaningful ones where there are too many."""
    if len(entities) > MAX_ENTITIES:
        entities = tuple(sorted(entities, key=lambda each: _WORTH.get(each.type, 3))[:MAX_ENTITIES])
    return tuple(sorted(entities, key=lambda each: (each.offset, -each.length)))
