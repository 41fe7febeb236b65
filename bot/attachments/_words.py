"""Text from files made harmless to store and easy to read: no NUL, no lone surrogate, one kind of line end.

Knows no kind of file. What people cannot see and models read all the same is the core's to remove, for all text from
outside alike.
"""

import re
from collections.abc import Sequence

from bot.core.files import PAGE_BREAK

# Control characters without a meaning in a text, and halves of surrogate pairs, which UTF-8 cannot hold.
_UNFIT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_ENDS = re.compile(rf"\r\n|[\r\v\x85\u2028\u2029{PAGE_BREAK}]")
# These begin only where a run begins: a run of a million blanks would else be tried a million times.
_TRAILING = re.compile(r"(?<![ \t\xa0])[ \t\xa0]++(?=\n|$)")
_GAPS = re.compile(r"\n{4,}")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"(?<!\S)[^\w\s]*+\w")


def clean(text: str) -> str:
    """The same text with `\\n` as the only line end and without what cannot be stored or shown."""
    return _UNFIT.sub("", _LINE_ENDS.sub("\n", text))


def tidy(text: str) -> str:
    """Cleaned text of a laid-out document: no blanks at line ends, no large gaps, nothing around it."""
    tidied = _GAPS.sub("\n\n\n", _TRAILING.sub("", clean(text))).strip("\n")
    return "" if tidied.isspace() else tidied


def one_line(text: str) -> str:
    """The text in one line, with single blanks."""
    return _SPACE.sub(" ", clean(text)).strip()


def word_count(text: str) -> int:
    """How many words there are between blanks; marks alone are none."""
    return sum(1 for _ in _WORD.finditer(text))


def table_row(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    texts = (one_line(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


def rule(columns: int) -> str:
    """What stands under the first row of a Markdown table."""
    return "|" + "---|" * columns
