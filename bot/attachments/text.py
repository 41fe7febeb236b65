"""Plain text of every kind: prose, Markdown, code, CSV, JSON, logs; as it is, whatever its encoding.

What is in the text is not looked at: deep JSON or broken CSV is text like any other.
"""

import csv
from io import StringIO

from bot.attachments._decoding import declared_in, decoded
from bot.attachments._limits import LIMITS, Limits, Meter, counted, first_chars
from bot.attachments._words import clean
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_SEPARATORS = {"text/csv": ",", "text/tab-separated-values": "\t"}
_SNIFFED_CHARS = 4_000


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a text; see `bot.attachments.kind.Read`."""
    declared = declared_in(content[:200]) if content.lstrip().startswith(b"<?xml") else None
    found = decoded(content, declared)
    if found is None:
        raise UnreadableFile("is not a text, nor any kind that I can read")
    text, encoding = found
    # No more than fits is cleaned and kept; the count of lines is of all of them.
    meter = Meter(limits)
    words = meter.take(clean(text[: limits.chars + 1]))
    remarks = [_size(text, media_type)] if words.strip() else ["nothing in it"]
    if meter.was_cut:
        remarks.append(first_chars(meter))
    if encoding:
        remarks.append(f"its encoding is a guess: {encoding}")
    return ReadFile(
        kind=FileKind.TEXT, media_type=media_type, pages=(words,) if words.strip() else (), remarks=tuple(remarks)
    )


def _size(text: str, media_type: str) -> str:
    if media_type in _SEPARATORS:
        return counted(_rows(text, _SEPARATORS[media_type]), "row")
    return counted(len(text.splitlines()), "line")


def _rows(text: str, separator: str) -> int:
    """The rows of a table that have anything in them, with its head; a row may go over several lines."""
    if separator == "," and text[:_SNIFFED_CHARS].count(";") > text[:_SNIFFED_CHARS].count(","):
        separator = ";"
    try:
        return sum(1 for row in csv.reader(StringIO(text, newline=""), delimiter=separator) if row)
    except csv.Error:
        return sum(1 for line in text.splitlines() if line.strip())
