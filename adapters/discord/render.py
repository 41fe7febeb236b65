"""A model's Markdown -> pages of message content within Discord's limit. Pure and total.

Discord reads Markdown itself, all but tables: those are set as aligned code blocks. Nothing is escaped;
mentions do not ping because every message says so.
"""

import re

from adapters.discord.composing import CONTENT_CHARS
from bot.core.markdown_table import growth, set_tables
from bot.core.paging import paginate
from bot.core.ports import Page, PageStart

#: What a code block holds without breaking lines in a window of ordinary width.
TABLE_COLUMNS = 76
#: Halves of characters, which a model's broken stream may hold and JSON may not.
_SURROGATE = re.compile("[\ud800-\udfff]")


def render(markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008  # frozen
    """The pages of `markdown` from `start` on; none for blank text."""
    source = _SURROGATE.sub("\ufffd", markdown)
    pieces = paginate(source, start, limit=CONTENT_CHARS, measure=measure)
    return tuple(Page(content=_shown(piece.text), plain=piece.text, end=piece.end) for piece in pieces)


def measure(source: str) -> int:
    """The length of a page by its source and by how much its tables grow, in characters."""
    return len(source) + growth(source, width=TABLE_COLUMNS)


def _shown(source: str) -> str:
    text = set_tables(source, width=TABLE_COLUMNS)
    return text if len(text) <= CONTENT_CHARS else source
