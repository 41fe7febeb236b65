"""The cells of a spreadsheet as text: what numbers mean by their formats, and where a cell stands.

Knows neither archives nor sheets.
"""

import re
from datetime import datetime, timedelta

# In a number format: text in quotes, escaped and padding characters, colours and conditions in brackets. Elapsed
# times ([h], [mm], [s]) are in brackets as well, and times all the same.
_NOT_A_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_CODES = re.compile(r"[ymdhs]", re.IGNORECASE)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DAY_CODES = re.compile(r"[yd]", re.IGNORECASE)
_LETTERS = re.compile(r"[A-Z]{1,3}")

# Formats that a workbook may use by number alone (ECMA-376 part 1, 18.8.30), with those of East Asian editions.
_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59)))
_BUILT_IN_TIMES = frozenset((18, 19, 20, 21, 32, 33, 45, 47))
_BUILT_IN_ELAPSED = 46

_LONGEST_CODE = 255

EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001  # dates in sheets have no zone
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001  # the same
# Excel takes 1900 for a leap year: serials before that 29 February are a day off.
_LEAP_SERIAL = 60


def date_kind(number: int, code: str | None) -> str:
    """What a number format shows: `date`, `time`, `elapsed` or nothing of these. `code` None: it is a built-in one."""
    if code is None:
        if number in _BUILT_IN_DATES:
            return "date"
        if number in _BUILT_IN_TIMES:
            return "time"
        return "elapsed" if number == _BUILT_IN_ELAPSED else ""
    bare = _NOT_A_CODE.sub("", code[:_LONGEST_CODE].partition(";")[0])
    if _ELAPSED.search(bare):
        return "elapsed"
    bare = bare.lower().replace("general", "")
    if not _DATE_CODES.search(bare):
        return ""
    has_day = _DAY_CODES.search(bare) or not ("h" in bare or "s" in bare)
    return "date" if has_day else "time"


def number_text(value: str, kind: str, epoch: datetime) -> str:
    """A stored number as people read it: dates in ISO 8601, others with at most 15 digits, as Excel has them."""
    try:
        number = float(value)
    except ValueError:
        return value
    if kind:
        return _moment(number, kind, epoch) or value
    return value if value.lstrip("-").isdecimal() else f"{number:.15g}"


def column(reference: str) -> int | None:
    """The column of `B7`, counted from 0; None: there is none in it."""
    found = _LETTERS.match(reference)
    if not found:
        return None
    index = 0
    for letter in found[0]:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _moment(serial: float, kind: str, epoch: datetime) -> str:
    """Empty: there is no such date."""
    try:
        if kind == "elapsed":
            return str(timedelta(seconds=round(serial * 86_400)))
        if epoch is EPOCH_1900 and 0 < serial < _LEAP_SERIAL and kind == "date":
            serial += 1
        moment = epoch + timedelta(seconds=round(serial * 86_400))
    except (OverflowError, ValueError):
        return ""
    if kind == "time" and 0 <= serial < 1:
        return moment.time().isoformat()
    if moment.time() == datetime.min.time() and kind == "date":
        return moment.date().isoformat()
    return moment.isoformat(sep=" ")
