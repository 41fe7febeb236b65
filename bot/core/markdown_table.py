"""Finds pipe tables in Markdown and sets them as aligned text, for platforms without tables of their own.

Widths are columns of a monospaced font: East Asian wide characters and emoji take two. Knows no platform.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from bot.core.markdown_lines import Fence, is_separator, opened_by

_CELL_END = re.compile(r"(?<!\\)\|")
_MARKUP = re.compile(r"\*\*|__|~~|`")
_GAP = "  "


class Align(StrEnum):
    """How a column is set."""

    LEFT = "left"
    RIGHT = "right"
    CENTRE = "centre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as written: cells without markup, rows padded or cut to the length of `head`."""

    head: tuple[str, ...]
    aligns: tuple[Align, ...]
    rows: tuple[tuple[str, ...], ...]


def set_tables(markdown: str, *, width: int) -> str:
    """The same Markdown with every table as a code block of aligned columns, at most `width` columns wide.

    A table that is too wide becomes a block of `head: value` lines for each row, as ordinary text. Tables in
    code fences are left alone.
    """
    return with_tables(markdown, lambda table: _as_markdown(table, width))


def with_tables(markdown: str, shown: Callable[[Table], str]) -> str:
    """The same Markdown with every table outside of code fences as `shown` says it."""
    if "|" not in markdown:
        return markdown
    return "\n".join(part if isinstance(part, str) else shown(part) for part in _parts(markdown.split("\n")))


def find_tables(markdown: str) -> tuple[Table, ...]:
    """All tables outside of code fences, in order."""
    return tuple(part for part in _parts(markdown.split("\n")) if isinstance(part, Table))


def aligned(table: Table, *, width: int) -> str | None:
    """The table in aligned columns, a rule under its head; None when it is wider than `width`."""
    widths = [max(map(display_width, column)) for column in zip(table.head, *table.rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return None
    rule = _GAP.join("─" * columns for columns in widths)
    head, *rows = (_set_row(row, widths, table.aligns) for row in (table.head, *table.rows))
    return "\n".join([head, rule, *rows])


def listed(table: Table) -> str:
    """The table as blocks of `head: value` lines, one block for each row; empty cells are left out."""
    blocks = []
    for row in table.rows or (table.head,):
        cells = zip(table.head, row, strict=True)
        blocks.append("\n".join(f"**{head}:** {cell}" if head else cell for head, cell in cells if cell))
    return "\n\n".join(blocks)


def growth(markdown: str, *, width: int, measure: Callable[[str], int] = len) -> int:
    """How much longer `set_tables` makes `markdown` at most, in the unit of `measure`.

    Never shrinks while rows are appended, so `measure(piece) + growth(piece)` is a measure to paginate with.
    """
    if "|" not in markdown:
        return 0
    lines = markdown.split("\n")
    total = 0
    for begin, end in _spans(lines):
        total += max(0, _most(lines[begin:end], width, measure) - measure("\n".join(lines[begin:end])))
    return total


def _most(lines: list[str], width: int, measure: Callable[[str], int]) -> int:
    """A bound of the table's length that only grows: cells with markup, lines as wide as they may be."""
    table = _parse(lines, plain=False)
    columns = aligned(table, width=width)
    if columns is not None:
        return measure(_fenced(columns))
    # The head counts as a row: it is the only one until another comes.
    as_list = listed(replace(table, rows=(table.head, *table.rows)))
    return max(measure(as_list), len(lines) * (width + 1) + len(_fenced("")))


def display_width(text: str) -> int:
    """How many columns `text` takes in a monospaced font."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _parts(lines: list[str]) -> Iterator[str | Table]:
    """Lines as they are, and tables."""
    at = 0
    for begin, end in _spans(lines):
        yield from lines[at:begin]
        yield _parse(lines[begin:end])
        at = end
    yield from lines[at:]


def _spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where tables begin and end (exclusive), outside of code fences."""
    fence: Fence | None = None
    at = 0
    while at < len(lines):
        if fence is not None:
            fence = None if fence.is_left_by(lines[at]) or fence.is_closed_by(lines[at]) else fence
        elif _begins_table(lines, at):
            end = at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield at, end
            at = end
            continue
        else:
            fence = opened_by(lines[at])
        at += 1


def _begins_table(lines: list[str], at: int) -> bool:
    if "|" not in lines[at] or at + 1 == len(lines):
        return False
    separator = lines[at + 1]
    if "-" not in separator or "|" not in separator or not is_separator(separator):
        return False
    return len(_cells(lines[at])) == len(_cells(separator))


def _parse(lines: list[str], *, plain: bool = True) -> Table:
    head = _cells(lines[0], plain=plain)
    aligns = tuple(_align(cell) for cell in _cells(lines[1]))
    rows = tuple(_fitted(_cells(line, plain=plain), len(head)) for line in lines[2:])
    return Table(head=head, aligns=aligns, rows=rows)


def _cells(line: str, *, plain: bool = True) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    cells = tuple(cell.strip() for cell in _CELL_END.split(inner))
    if not plain:
        return cells
    return tuple(_MARKUP.sub("", cell.replace("\\|", "|").replace("<br>", " ")) for cell in cells)


def _fitted(cells: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(cell for _, cell in zip_longest(range(count), cells[:count], fillvalue=""))


def _align(cell: str) -> Align:
    if cell.endswith(":"):
        return Align.CENTRE if cell.startswith(":") else Align.RIGHT
    return Align.LEFT


def _set_row(row: tuple[str, ...], widths: list[int], aligns: tuple[Align, ...]) -> str:
    cells = (_set_cell(cell, width, align) for cell, width, align in zip(row, widths, aligns, strict=True))
    return _GAP.join(cells).rstrip()


def _set_cell(cell: str, width: int, align: Align) -> str:
    spare = width - display_width(cell)
    left = {Align.LEFT: 0, Align.RIGHT: spare, Align.CENTRE: spare // 2}[align]
    return " " * left + cell + " " * (spare - left)


def _as_markdown(table: Table, width: int) -> str:
    columns = aligned(table, width=width)
    return listed(table) if columns is None else _fenced(columns)


def _fenced(columns: str) -> str:
    return f"```\n{columns}\n```"
