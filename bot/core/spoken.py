"""A model's Markdown as plain words to read out, at most so many of them. Pure and total.

What is only for the eye goes: addresses, code, marks, emoji, numbers of sources. Knows no voice and no language: the
few words that it puts in stand for what was left out.
"""

import re
from collections.abc import Iterator

from bot.core.markdown_lines import Fence, opened_by
from bot.core.markdown_table import Table, with_tables
from bot.core.tokens import estimate_tokens

#: What speakers take at once: a limit of OpenAI's API in characters, and one of its models in tokens.
MAX_CHARACTERS = 4_000
MAX_TOKENS = 1_800

_CODE = "(code, left out)"
_LISTED_ROWS = 3
_MIN_SHARE = 3
_SOURCES = re.compile(r"[ \t]{0,4}\[\d{1,3}\](?:\(\S{0,2000}?\))?(?!\()")
_SOURCE_LINE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\[\d{1,3}\][: ].*")
_IMAGE = re.compile(r"!\[([^\]\n]{0,400})\]\([^)\s]{0,2000}(?:\s[^)\n]{0,400})?\)")
_LINK = re.compile(r"\[([^\]\n]{1,400})\]\([^)\s]{0,2000}(?:\s[^)\n]{0,400})?\)")
_ADDRESS = re.compile(r"<?(?:https?://|\bwww\.)[^\s<>]*[^\s<>.,;:!?)\]]>?", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_LEAD = re.compile(r"[ \t>]*(?:#{1,6}[ \t]+|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?)?")
_RULE = re.compile(r"[ \t>]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|={3,})")
_MARKS = re.compile(r"(?<!\s)\*{1,3}|\*{1,3}(?!\s)|~~|\|\||`+|(?<!\w)_{1,3}|_{1,3}(?!\w)|\\(?=[^\w\s])")
_PICTURES = (
    "\u200b\u200e\u200f\u2060\ufeff\u20e3\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\ufe00-\ufe0f"
    "\U0001f000-\U0001faff\U000e0000-\U000e007f"
)
#: Emoji, arrows, boxes, and characters that nobody sees. What joins emoji also joins letters of some scripts.
_EMOJI = re.compile(f"[{_PICTURES}][{_PICTURES}\u200d]*")
_LOOSE = re.compile(r" (?=[.,;:!?](?:\s|$))")
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|(?<=[。！？])|\n")
_SPACES = re.compile(r"[ \t\u00a0]+")


def spoken(markdown: str) -> str:
    """The words of an answer as they are read out; empty when there are none."""
    lines: list[str] = []
    for line in _without_code(with_tables(markdown, _table_words)):
        if _SOURCE_LINE.fullmatch(line):
            if lines and lines[-1].endswith(":"):
                lines.pop()  # the head of the list that is left out
        elif words := _words(line):
            lines.append(words)
    text = "\n".join(lines)
    # Code alone is nothing to listen to.
    return text if any(character.isalnum() for character in text.replace(_CODE, "")) else ""


def cut(text: str, *, characters: int = MAX_CHARACTERS, tokens: int = MAX_TOKENS) -> str:
    """The beginning of a text that fits, up to the end of a sentence, else of a word, where one is near."""
    limit = min(characters, len(text))
    while estimate_tokens(text[:limit]) > tokens:
        limit = limit * 9 // 10
    return text if limit == len(text) else _cut_at(text, limit)


def _cut_at(text: str, limit: int) -> str:
    piece = text[:limit]
    least = limit // _MIN_SHARE
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, limit + 1) if least <= match.end() <= limit]
    if ends:
        return piece[: ends[-1]].rstrip()
    space = max(piece.rfind(" "), piece.rfind("\n"))
    return piece[:space].rstrip() if space >= least else piece


def _without_code(markdown: str) -> Iterator[str]:
    fence: Fence | None = None
    for line in markdown.split("\n"):
        if fence is not None and fence.is_left_by(line):
            fence = None
        if fence is not None:
            fence = None if fence.is_closed_by(line) else fence
            continue
        fence = opened_by(line)
        yield line if fence is None else _CODE


def _table_words(table: Table) -> str:
    """The first rows as sentences, and how many there are besides."""
    said = []
    for row in table.rows[:_LISTED_ROWS]:
        cells = [f"{name} {cell}".strip() for name, cell in zip(table.head, row, strict=True) if cell]
        said.append(f"{', '.join(cells)}.")
    more = len(table.rows) - _LISTED_ROWS
    return " ".join(said + ([f"({more} more rows, left out.)"] if more > 0 else []))


def _words(line: str) -> str:
    """One line without what is only for the eye."""
    if _RULE.fullmatch(line):
        return ""
    line = _IMAGE.sub(r"\1", line)
    line = _SOURCES.sub("", line)
    line = _LINK.sub(r"\1", line)
    line = _ADDRESS.sub("", line)
    line = _TAG.sub("", line)
    line = _LEAD.sub("", line, count=1)
    line = _MARKS.sub("", _EMOJI.sub("", line))
    line = _ADDRESS.sub("", line)  # marks may have stood in the middle of one
    line = _LOOSE.sub("", _SPACES.sub(" ", line)).strip()
    return line if any(character.isalnum() for character in line) else ""
