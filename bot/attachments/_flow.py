"""Paragraphs and tables of Office documents as Markdown, from the elements that Word and PowerPoint share.

What a kind of document adds (styles, lists, slides) is in its own module, as further elements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.attachments._limits import Meter
from bot.attachments._words import clean, one_line, rule, table_row
from bot.attachments._zip import named

# Left out with all that is in them: what was deleted, moved away or replaced by a newer way to say the same;
# fields' commands, tab stops, and formatting as it was before a change.
_SKIPPED = frozenset(
    ("del", "moveFrom", "delText", "instrText", "delInstrText", "Fallback", "tabs", "pPrChange", "rPrChange", "rPh")
)
#: A table's row has at most this many cells; what is wider is a sheet that somebody pasted.
MAX_COLUMNS = 200

Start = Callable[[Mapping[str, str]], None]
End = Callable[[], None]


class Line(StrEnum):
    """What a line of the text is; blank lines stand between paragraphs, not between items and rows."""

    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"


@dataclass(slots=True)
class Paragraph:
    """A paragraph while it is read. `marks` are its properties by the element that sets them."""

    pieces: list[str] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    run_began: int | None = None
    run_is_hidden: bool = False
    link: str = ""


@dataclass(slots=True)
class _Table:
    cell: list[str] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    span: int = 1
    has_rows: bool = False


class Flow:
    """A `Handler` that turns paragraphs and tables into lines; `links` are the part's relations by id."""

    def __init__(self, meter: Meter, *, links: Mapping[str, str] | None = None) -> None:
        self.meter = meter
        self.lines: list[str] = []
        self.links = links or {}
        self._last: Line | None = None
        self._paragraphs: list[Paragraph] = []
        self._tables: list[_Table] = []
        self._skipping = 0
        self._is_text = False
        self.starts: dict[str, Start] = {
            "p": self._start_paragraph,
            "r": self._start_run,
            "t": self._start_text,
            "tab": lambda _: self.add("\t"),
            "br": lambda _: self.add("\n"),
            "cr": lambda _: self.add("\n"),
            "noBreakHyphen": lambda _: self.add("-"),
            "tbl": lambda _: self._tables.append(_Table()),
            "tc": self._start_cell,
            "gridSpan": lambda attributes: self._span(named(attributes, "val")),
        }
        self.ends: dict[str, End] = {
            "p": self._end_paragraph,
            "r": self._end_run,
            "t": self._end_text,
            "tc": self._end_cell,
            "tr": self._end_row,
            "tbl": self._end_table,
        }

    @property
    def paragraph(self) -> Paragraph | None:
        """The innermost paragraph that is being read."""
        return self._paragraphs[-1] if self._paragraphs else None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._skipping or tag in _SKIPPED:
            self._skipping += 1
        elif handle := self.starts.get(tag):
            handle(attributes)

    def end(self, tag: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif handle := self.ends.get(tag):
            handle()

    def text(self, text: str) -> None:
        if self._is_text and not self._skipping:
            self.add(self.meter.take(text))

    def add(self, text: str) -> None:
        """Text of the paragraph that is being read."""
        if self._paragraphs:
            self._paragraphs[-1].pieces.append(text)

    def mark(self, name: str) -> Start:
        """Takes note of an element's value in its paragraph."""

        def note(attributes: Mapping[str, str]) -> None:
            if self._paragraphs:
                self._paragraphs[-1].marks[name] = named(attributes, "val")

        return note

    def put(self, text: str, line: Line = Line.PARAGRAPH) -> None:
        """A line of the document, or of the cell that is being read."""
        if self._tables:
            self._tables[-1].cell.append(text)
        else:
            self._write(text, line)

    def finish(self) -> None:
        """Put what was open when the reading was stopped."""
        while self._paragraphs:
            self._end_paragraph()
        while self._tables:
            self._end_cell()
            self._end_row()
            self._end_table()

    def write_paragraph(self, text: str, paragraph: Paragraph) -> None:
        """Put a paragraph that has some text; kinds of documents add their lists and headings here."""
        self.put(text)

    def close_link(self) -> None:
        """Name the address after a link's text."""
        paragraph = self.paragraph
        if paragraph is None or not paragraph.link:
            return
        url, paragraph.link = paragraph.link, ""
        if url.startswith(("http://", "https://")) and url not in "".join(paragraph.pieces[-8:]):
            self.add(f" ({self.meter.take(one_line(url))})")

    def _write(self, text: str, line: Line) -> None:
        if self.lines and (line is Line.PARAGRAPH or line is not self._last):
            self.lines.append("")
        self.lines.append(text)
        self._last = line

    def _start_paragraph(self, _: Mapping[str, str]) -> None:
        self._paragraphs.append(Paragraph())

    def _end_paragraph(self) -> None:
        if not self._paragraphs:
            return
        paragraph = self._paragraphs.pop()
        text = clean("".join(paragraph.pieces)).strip()
        if text:
            self.write_paragraph(text, paragraph)

    def _start_run(self, _: Mapping[str, str]) -> None:
        if paragraph := self.paragraph:
            paragraph.run_began = len(paragraph.pieces)
            paragraph.run_is_hidden = False

    def _end_run(self) -> None:
        paragraph = self.paragraph
        if paragraph is None or paragraph.run_began is None:
            return
        if paragraph.run_is_hidden:
            del paragraph.pieces[paragraph.run_began :]
        paragraph.run_began = None

    def _start_text(self, _: Mapping[str, str]) -> None:
        self._is_text = True

    def _end_text(self) -> None:
        self._is_text = False

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        if self._tables:
            self._tables[-1].cell = []
            self._tables[-1].span = 1
            self._span(named(attributes, "gridSpan"))

    def _span(self, value: str) -> None:
        if self._tables and value.isdecimal() and len(value) < 4:
            self._tables[-1].span = max(1, int(value))

    def _end_cell(self) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        room = MAX_COLUMNS - len(table.row)
        table.row += ["\n".join(table.cell), *[""] * (table.span - 1)][: max(0, room)]
        table.cell = []

    def _end_row(self) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        row, table.row = table.row, []
        if not any(row):
            return
        if len(self._tables) > 1:
            self._tables[-2].cell.append("; ".join(one_line(cell) for cell in row if cell))
            return
        self._write_row(row, table)

    def _write_row(self, row: list[str], table: _Table) -> None:
        if len(row) == 1:
            self._write(row[0], Line.PARAGRAPH)
            return
        if table.has_rows:
            self._write(table_row(row), Line.ROW)
        else:
            self._write(table_row(row), Line.PARAGRAPH)
            self.lines.append(rule(len(row)))
            self._last = Line.ROW
            table.has_rows = True

    def _end_table(self) -> None:
        if self._tables:
            self._tables.pop()
