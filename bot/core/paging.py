"""Splits Markdown into pages that each stand alone: code fences closed and reopened, table heads repeated.

A page's end is decided by nothing but the text up to the first character that does not fit any more, so a
full page stays the same however much is appended. Knows no platform: the unit of length is a parameter.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from bot.core.markdown_lines import LEAD, Fence, is_separator, opened_by
from bot.core.ports import PageStart

Measure = Callable[[str], int]

#: Where a fence may begin or end. Longer runs than 32 are ornaments.
_RUN = re.compile(rf"^{LEAD}(`{{3,32}}|~{{3,32}})", re.MULTILINE)
_HEADING = re.compile(r"[ \t>]{0,24}#{1,6}[ \t]")
_INLINE = re.compile(r"`+|\*\*|__|~~|\]\(|[\[\])]|\s")
_SENTENCE_ENDS = frozenset(".!?…:;。！？")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
#: How far a cut moves back to spare a cluster of characters that is shown as one.
_CLUSTER_CHARS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A page's Markdown, with what had to be reopened and closed. `end` is where the next page starts."""

    text: str
    end: PageStart


class _Rank(IntEnum):
    """How good a place for a cut is."""

    POOR = 0  # leaves a heading, a table head or the first line of a fence alone
    LINE = 1
    PARAGRAPH = 2


#: A page is rather this much shorter than cut in a worse place.
_SHARES = {_Rank.POOR: 3 / 4, _Rank.LINE: 3 / 4, _Rank.PARAGRAPH: 1 / 2}


class _Reader:
    """Reads lines and knows what is open after each."""

    def __init__(self) -> None:
        self.fence: Fence | None = None
        self.head: str | None = None
        self._previous = ""
        self._after_heading = False

    def read(self, line: str, following: str) -> _Rank:
        """Take in a line before the character `following`; returns what a cut after it is worth."""
        if self.fence is not None and self.fence.is_left_by(line):
            self.fence = None
        if self.fence is not None:
            if self.fence.is_closed_by(line):
                self.fence = None
            return _Rank.LINE
        self._previous, previous = line, self._previous
        if line[:1].isalpha() and "|" not in line:  # most lines are nothing but text
            self.head, self._after_heading = None, False
            return _Rank.LINE
        return self._read_text(line, previous, following)

    def _read_text(self, line: str, previous: str, following: str) -> _Rank:
        if not line or line.isspace():
            self.head = None
            return _Rank.POOR if self._after_heading else _Rank.PARAGRAPH
        self._after_heading = _HEADING.match(line) is not None
        self.fence = opened_by(line)
        if self.fence is not None or self._after_heading:
            self.head = None
            return _Rank.POOR
        if "|" not in line:
            self.head = None
            return _Rank.LINE
        return self._read_row(line, previous, following)

    def _read_row(self, line: str, previous: str, following: str) -> _Rank:
        if self.head is not None:
            return _Rank.LINE
        if "|" in previous and is_separator(line):
            self.head = f"{previous}\n{line}\n"
            return _Rank.POOR
        return _Rank.POOR if following in "|:- " else _Rank.LINE


def paginate(markdown: str, start: PageStart, *, limit: int, measure: Measure) -> tuple[Piece, ...]:
    """Split `markdown` from `start` on into pieces of at most `limit`, none for blank text.

    `measure` gives the length of a piece in the platform's unit. It must not shrink when text is appended:
    the length of the source is right, the length of what is rendered is not (the last `**` makes it
    shorter). With one that does shrink, pages keep within the limit, but a full one may change. `limit` is
    at least 300.
    """
    pieces = []
    page: PageStart | None = start
    while page is not None and markdown[page.offset :].strip():
        piece = _Splitter(markdown, page, limit, measure).split()
        if piece.text.strip():
            pieces.append(piece)
        page = piece.end if piece.end.offset < len(markdown) else None
    return tuple(pieces)


def closing(markdown: str) -> str:
    """What closes a code fence that is still open at the end of `markdown`; empty when none is."""
    reader = _Reader()
    for line in markdown.removesuffix("\n").split("\n") if "```" in markdown or "~~~" in markdown else ():
        reader.read(line, "")
    return "" if reader.fence is None else f"\n{reader.fence.close}"


class _Cut(NamedTuple):
    """A place for a cut and what is open there; a tuple because there is one for every line."""

    at: int
    fence: Fence | None
    head: str | None


class _Splitter:
    """Splits off one page. Positions are in `body`: what was reopened, then the rest of the source."""

    def __init__(self, markdown: str, start: PageStart, limit: int, measure: Measure) -> None:
        offset, reopen = start.offset, start.reopen
        self._reopened = opened_by(reopen.removesuffix("\n"))
        if self._reopened is None and (blank := _BLANK_LINES.match(markdown, offset)):
            offset, reopen = blank.end(), ""  # a blank line ends a table, too
        self._body = reopen + markdown[offset:]
        self._prefix_chars = len(reopen)
        self._shift = offset - self._prefix_chars
        self._limit = limit
        self._measure = measure
        self._runs: list[tuple[int, int, int]] = []

    def split(self) -> Piece:
        """The first page."""
        overflow = self._find_overflow()
        if overflow is None:
            piece = self._piece(self._read_to(len(self._body)))
            if self._measure(piece.text) <= self._limit:
                return piece
            overflow = len(self._body)  # only with a measure that shrinks
        while True:
            piece = self._piece(self._choose(overflow - 1))
            excess = self._measure(piece.text) - self._limit
            if excess <= 0 or overflow - 1 <= self._prefix_chars + 1:
                return piece
            overflow = max(self._prefix_chars + 2, overflow - excess)

    def _find_overflow(self) -> int | None:
        """The length of the shortest beginning of the body that does not fit, None when all of it fits."""
        high = min(len(self._body), self._prefix_chars + self._limit)
        low = self._prefix_chars
        while self._fits(high, find_runs=True):
            if high == len(self._body):
                return None
            low, high = high, min(len(self._body), 2 * high)
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(middle):
                low = middle
            else:
                high = middle
        return high

    def _fits(self, length: int, *, find_runs: bool = False) -> bool:
        if find_runs:
            runs = _RUN.finditer(self._body, 0, length)
            self._runs = [(run.start(), run.start(1), run.end(1)) for run in runs]
        return self._measure(self._body[:length]) + self._reserve(length) <= self._limit

    def _reserve(self, length: int) -> int:
        """Room for closing the longest fence so far. It never shrinks, not even when the fence was closed."""
        return max((1 + min(end, length) - lead for lead, run, end in self._runs if run + 3 <= length), default=0)

    def _read_to(self, end: int) -> _Cut:
        """What is open at `end`."""
        reader = _Reader()
        for line in self._body[:end].removesuffix("\n").split("\n"):
            reader.read(line, "")
        return _Cut(end, reader.fence, reader.head)

    def _choose(self, end: int) -> _Cut:
        """The best cut at `end` or before; looks at no character after `end`."""
        used = end - self._prefix_chars
        last = _Cut(0, None, None)
        best: dict[_Rank, _Cut] = {}
        for last, rank in self._line_cuts(end):
            if last.at >= end - used * _SHARES[rank] and last.at > self._prefix_chars:
                best[rank] = last
        if best:
            return best[max(best)]
        if last.head is not None and last.at > self._prefix_chars:
            return last  # a row longer than a page goes on the next one
        return _Cut(self._cut_inside(last, end), last.fence, None)

    def _line_cuts(self, end: int) -> Iterator[tuple[_Cut, _Rank]]:
        reader = _Reader()
        at = 0
        while (newline := self._body.find("\n", at, end)) >= 0:
            line, at = self._body[at:newline], newline + 1
            rank = reader.read(line, self._body[at : at + 1])
            yield _Cut(at, reader.fence, reader.head), rank

    def _cut_inside(self, line: _Cut, end: int) -> int:
        """A cut in the long line that begins at `line`: after a sentence, a word, or wherever it must be."""
        start = max(line.at, self._prefix_chars)
        at = 0
        if line.fence is not None:
            at = self._body.rfind(" ", end - (end - start) // 4, end) + 1
        else:
            sentence, word, any_space = self._spaces(start, end)
            half = end - (end - start) // 2
            at = next((space for space in (sentence, word, any_space) if space >= half), 0)
        return at or max(self._prefix_chars + 1, _spare_cluster(self._body, end))

    def _spaces(self, start: int, end: int) -> tuple[int, int, int]:
        """Where the last space of each kind ends: after a sentence, outside of markup, any; 0 for none."""
        sentence = word = any_space = 0
        opened: set[str] = set()
        for token in _INLINE.finditer(self._body, start, end):
            mark = token[0]
            if mark.isspace():
                if self._body.startswith(("```", "~~~"), token.end(), end + 1):
                    continue  # it would open a fence on the next page
                any_space = token.end()
                if not opened:
                    word = any_space
                    if self._body[max(0, token.start() - 1)] in _SENTENCE_ENDS:
                        sentence = word
            else:
                _toggle(opened, mark)
        return sentence, word, any_space

    def _piece(self, cut: _Cut) -> Piece:
        text = self._without_idle_prefix(cut.at)
        text = text.rstrip() if cut.fence is None else text.removesuffix("\n")
        text += closing(text)  # a quote that ended took its fence along, but not everyone reads it so
        reopen = "" if cut.at == len(self._body) else self._reopen(cut)
        return Piece(text=text, end=PageStart(offset=cut.at + self._shift, reopen=reopen))

    def _without_idle_prefix(self, end: int) -> str:
        """The page, without a fence or a table head that was reopened for nothing."""
        line, newline, _ = self._body[self._prefix_chars : end].partition("\n")
        fence = self._reopened
        begin = self._prefix_chars
        if fence is None:
            begin = 0 if "|" in line else begin
        elif fence.is_closed_by(line) or not (newline or line.strip(f" \t>{fence.ticks}")):
            begin += len(line) + 1  # the closing line, or what will become of it
        elif not fence.is_left_by(line):
            return _outdent(self._body[:end], fence)
        blank = _BLANK_LINES.match(self._body, begin, end)
        return self._body[blank.end() if blank else begin : end]

    def _reopen(self, cut: _Cut) -> str:
        """What the next page begins with; one that would take too much of it is cut down."""
        if cut.fence is None:
            return cut.head if cut.head is not None and len(cut.head) <= self._limit // 4 else ""
        full = f"{cut.fence.close}{cut.fence.info}\n"
        return full if len(full) <= self._limit // 4 else f"{cut.fence.close}\n"


def _outdent(text: str, fence: Fence) -> str:
    """Move a fence that is reopened deep in a list to the left: four spaces would make it something else."""
    width = len(fence.lead)
    if width < 4 or not fence.lead.isspace():
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        lines[number] = line[min(width, len(line) - len(line.lstrip(" \t"))) :]
        if number and fence.is_closed_by(line):
            break
    return "\n".join(lines)


def _toggle(opened: set[str], mark: str) -> None:
    """Note that inline markup begins or ends; inside of code there is no other markup."""
    code = next((other for other in opened if "`" in other), None)
    if code is not None:
        opened.difference_update({mark} if mark == code else ())
    elif mark in "[]()" or mark == "](":
        opened.difference_update("[](")
        opened.update({"[": "[", "](": "("}.get(mark, ()))
    else:
        opened.symmetric_difference_update({mark})


def _spare_cluster(text: str, at: int) -> int:
    """`at`, or the position before the characters around it that are shown as one."""
    for position in range(at, max(0, at - _CLUSTER_CHARS), -1):
        if not _joins(text, position):
            return position
    return at


def _joins(text: str, at: int) -> bool:
    """Whether the characters around `at` belong together (an emoji sequence, a letter and its mark)."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not before or not after:
        return False
    if "\u200d" in (before, after) or "\U0001f3fb" <= after <= "\U0001f3ff" or (before, after) == ("\r", "\n"):
        return True
    if _FLAG.match(after):
        begin = at
        while begin and _FLAG.match(text, begin - 1):
            begin -= 1
        return (at - begin) % 2 == 1  # flags are pairs
    return unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U000e0020" <= after <= "\U000e007f"
