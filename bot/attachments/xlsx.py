"""Excel workbooks: each sheet a page, its rows as lines of cells; formulas as the values that were stored with them.

Charts, pictures and comments are left out. Sizes that a sheet claims are not believed: only cells that are there count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.attachments._cells import EPOCH_1900, EPOCH_1904, column, date_kind, number_text
from bot.attachments._limits import LIMITS, Limits, Meter, counted, extent, first_chars
from bot.attachments._words import one_line
from bot.attachments._zip import Outcome, Package, named, opened, relation_id
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_WORKBOOK = "xl/workbook.xml"
_SEPARATOR = " | "
#: Cells further right are left out, and the remarks say so.
MAX_COLUMNS = 1_000
MAX_CELL_CHARS = 4_000
#: Of all strings that cells refer to.
MAX_STRINGS = 2_000_000
MAX_STRINGS_CHARS = 40_000_000
_TRUE = ("1", "true")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What all sheets share. `kinds`: what each style makes of numbers."""

    strings: Sequence[str]
    kinds: Sequence[str]
    epoch: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    part: str
    is_hidden: bool

    @property
    def title(self) -> str:
        return f"Sheet: {one_line(self.name)}{' (hidden)' if self.is_hidden else ''}"


@dataclass(slots=True)
class _Read:
    """What was read so far."""

    pages: list[str] = field(default_factory=list)
    rows: int = 0
    is_cut: bool = False
    is_broken: bool = False
    is_wide: bool = False


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a workbook; see `bot.attachments.kind.Read`."""
    meter = Meter(limits)
    found = _Read()
    with opened(content, meter) as package:
        entries, epoch = _workbook(package)
        if not entries:
            raise UnreadableFile("is damaged: no sheet of it can be found; save it anew and send that")
        book = _Book(strings=_strings(package, meter), kinds=_kinds(package), epoch=epoch)
        for entry in entries[: limits.pages]:
            if meter.is_spent:
                break
            _read_sheet(package, entry, book, meter, found)
    if found.is_broken and not found.rows:
        raise UnreadableFile("is damaged or incomplete: send it again, or save it anew and send that")
    return ReadFile(
        kind=FileKind.TEXT,
        media_type=media_type,
        pages=tuple(found.pages) if found.rows else (),
        unit="sheet",
        total=len(entries),
        remarks=tuple(_remarks(found, len(entries), meter)),
    )


def _remarks(found: _Read, total: int, meter: Meter) -> list[str]:
    rows = counted(found.rows, "row")
    remarks = [f"{extent(len(found.pages), total, 'sheet')}, {rows}"]
    if found.is_cut:
        of_last = "" if total == 1 else f" of sheet {len(found.pages):,}"
        remarks.append(f"not all rows{of_last} were read: " + (first_chars(meter) if meter.was_cut else "no time left"))
    if found.is_wide:
        remarks.append(f"only the first {MAX_COLUMNS:,} columns were read")
    if found.is_broken:
        remarks.append("it is damaged: some rows are missing")
    return remarks if found.rows else [*remarks[1:], f"nothing in its {counted(total, 'sheet')}"]


def _read_sheet(package: Package, entry: _Entry, book: _Book, meter: Meter, found: _Read) -> None:
    sheet = _Sheet(book, meter)
    outcome = package.parse(entry.part, sheet)
    sheet.end("row")
    found.pages.append("\n".join([entry.title, *sheet.lines]))
    found.rows += sheet.rows
    found.is_wide |= sheet.is_wide
    found.is_cut |= outcome is Outcome.CUT
    found.is_broken |= outcome is Outcome.BROKEN


class _Sheet:
    """A `Handler` for a sheet. A blank line stands for blank rows, however many."""

    def __init__(self, book: _Book, meter: Meter) -> None:
        self.lines: list[str] = []
        self.rows = 0
        self.is_wide = False
        self._book = book
        self._meter = meter
        self._row: list[str] = []
        self._row_number = 0
        self._last_number = 0
        self._column = -1
        self._type = ""
        self._style = ""
        self._value: list[str] = []
        self._chars = 0
        self._is_value = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag:
            case "c":
                place = column(attributes.get("r", ""))
                self._column = self._column + 1 if place is None else place
                self._type = attributes.get("t", "n")
                self._style = attributes.get("s", "")
                self._value = []
                self._chars = 0
            case "v":
                self._is_value = True
            case "t":
                self._is_value = self._type == "inlineStr"
            case "row":
                number = attributes.get("r", "")
                self._row_number = int(number) if number.isdecimal() and len(number) < 9 else self._row_number + 1
                self._row, self._column = [], -1
            case _:
                pass

    def text(self, text: str) -> None:
        if self._is_value and self._chars < MAX_CELL_CHARS:
            self._value.append(text)
            self._chars += len(text)

    def end(self, tag: str) -> None:
        match tag:
            case "c":
                self._end_cell()
            case "v" | "t" | "rPh":
                self._is_value = False
            case "row":
                self._end_row()
            case _:
                pass

    def _end_cell(self) -> None:
        text = self._text("".join(self._value))
        if not text:
            return
        if self._column >= MAX_COLUMNS:
            self.is_wide = True
            return
        row = self._row
        if self._column < len(row):
            row[self._column] = text
        else:
            row += [""] * (self._column - len(row))
            row.append(text)

    def _text(self, value: str) -> str:
        if not value:
            return ""
        match self._type:
            case "s":
                strings = self._book.strings
                number = int(value) if value.isdecimal() and len(value) < 9 else len(strings)
                return strings[number] if number < len(strings) else "…"
            case "b":
                return "TRUE" if value in _TRUE else "FALSE"
            case "n":
                return number_text(value, self._kind(), self._book.epoch)
            case _:
                return one_line(value)[:MAX_CELL_CHARS]

    def _kind(self) -> str:
        kinds = self._book.kinds
        style = int(self._style) if self._style.isdecimal() and len(self._style) < 9 else 0
        return kinds[style] if style < len(kinds) else ""

    def _end_row(self) -> None:
        row, self._row = self._row, []
        if not row:
            return
        line = self._meter.take(_SEPARATOR.join(row))
        if not line:
            return
        if self.lines and self._row_number > self._last_number + 1:
            self.lines.append("")
        self.lines.append(line)
        self.rows += 1
        self._last_number = self._row_number


class _Strings:
    """A `Handler` for the strings that cells refer to by number."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._pieces: list[str] = []
        self._chars = 0
        self._chars_left = MAX_STRINGS_CHARS
        self._is_text = False
        self._is_reading = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag:
            case "si":
                self._pieces, self._chars = [], 0
            case "t":
                self._is_text = not self._is_reading
            case "rPh":
                self._is_reading = True
            case _:
                pass

    def text(self, text: str) -> None:
        if self._is_text and self._chars < MAX_CELL_CHARS:
            self._pieces.append(text)
            self._chars += len(text)

    def end(self, tag: str) -> None:
        match tag:
            case "t":
                self._is_text = False
            case "rPh":
                self._is_reading = False
            case "si" if len(self.strings) < MAX_STRINGS:
                text = one_line("".join(self._pieces))[: min(MAX_CELL_CHARS, self._chars_left)]
                self._chars_left -= len(text)
                self.strings.append(text)
            case _:
                pass


def _strings(package: Package, meter: Meter) -> list[str]:
    handler = _Strings()
    for kind, part in package.relations(_WORKBOOK).values():
        if kind == "sharedStrings":
            package.parse(part, handler)
    return handler.strings


def _workbook(package: Package) -> tuple[list[_Entry], datetime]:
    """The sheets in order (charts on sheets of their own are none), and the day from which dates are counted."""
    relations = package.relations(_WORKBOOK)
    entries, epoch = [], EPOCH_1900
    for tag, attributes in package.elements(_WORKBOOK, "workbookPr", "sheet"):
        match tag:
            case "workbookPr" if attributes.get("date1904", "").lower() in _TRUE:
                epoch = EPOCH_1904
            case "sheet":
                kind, part = relations.get(relation_id(attributes), ("", ""))
                if kind == "worksheet" and part in package.names:
                    is_hidden = attributes.get("state", "visible") != "visible"
                    entries.append(_Entry(name=named(attributes, "name"), part=part, is_hidden=is_hidden))
            case _:
                pass
    return entries, epoch


def _kinds(package: Package) -> list[str]:
    """What each style of a cell makes of a number; see `date_kind`."""
    codes: dict[str, str] = {}
    kinds: list[str] = []
    is_of_cells = False
    for tag, attributes in package.elements("xl/styles.xml", "numFmt", "cellXfs", "cellStyles", "dxfs", "xf"):
        match tag:
            case "numFmt":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            case "cellXfs":
                is_of_cells = True
            case "cellStyles" | "dxfs":
                is_of_cells = False
            case "xf" if is_of_cells:
                number = attributes.get("numFmtId", "0")
                kinds.append(date_kind(int(number) if number.isdecimal() and len(number) < 6 else 0, codes.get(number)))
            case _:
                pass
    return kinds
