"""Dates and times as people write them, in words that cannot be misunderstood; the rest is refused with a hint.

A date alone has no zone, a time without one is taken as UTC, and that is said. Calculates nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bot.tools._numbers import CalculationError
from bot.tools._zones import zone_named

_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_MONTH: Final = "|".join(_MONTHS)
_DATES: Final = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?=\b|t\d)"),
    re.compile(r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b\.?(?:,? (?P<year>\d{{4}})\b)?"),
    re.compile(rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<year>\d{{4}})\b)?"),
)
_TIME = re.compile(r"\bt?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)? ?(am|pm)?(?![\d:])|\b(\d{1,2}) ?(am|pm)\b")
_SLASHES = re.compile(r"\b\d{1,4}/\d{1,2}/\d{1,4}\b")
_RELATIVE: Final[Mapping[str, int]] = {"now": 0, "today": 0, "tomorrow": 1, "yesterday": -1}
_RELATIVES = re.compile(rf"\b(?:{'|'.join(_RELATIVE)})\b")
_FILLING = re.compile(r"^(?:at|on|in|the|time|,|\s)+\b|\b(?:at|on|time|,|\s)+$|^[,\s]+|[,\s]+$")
_NAMED_TIMES: Final[Mapping[str, str]] = {"noon": "12:00", "midnight": "00:00"}
_ABOUT = re.compile(r"\b(?:weekday|day of the week|time|noon|midnight|ago)\b|^in \d")
NO_ZONE: Final = "a time without a zone is taken as UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, or a whole day. `zone` None: it was not told. `relative`: it depends on where it is asked."""

    at: datetime
    is_day: bool
    zone: tzinfo | None = None
    relative: bool = False

    @property
    def day(self) -> date:
        """Its day, where it is."""
        return self.at.date()

    @property
    def aware(self) -> datetime:
        """With its zone, UTC where none was told."""
        return self.at.replace(tzinfo=self.zone or UTC)

    def within(self, zone: tzinfo) -> "Moment":
        """The same moment elsewhere."""
        return Moment(at=self.aware.astimezone(zone).replace(tzinfo=None), is_day=False, zone=zone)


def is_about_time(text: str) -> bool:
    """Whether an expression has a date, a time of day or a word for one in it."""
    text = text.lower()
    patterns = (*_DATES, _TIME, _SLASHES, _RELATIVES, _ABOUT)
    return any(pattern.search(text) for pattern in patterns)


def read_moment(text: str, now: datetime, zone: tzinfo | None = None) -> Moment:
    """The moment that a text names. `zone` is where it is meant, unless it says so itself.

    Raises:
        CalculationError: it names none, or one that does not exist.
    """
    rest = " ".join(text.lower().split())
    for name, written in _NAMED_TIMES.items():
        rest = re.sub(rf"\b{name}\b", written, rest)
    if _SLASHES.search(rest):
        raise CalculationError("a date with slashes can be read in two ways; write it as YYYY-MM-DD")
    dated = next((found for pattern in _DATES if (found := pattern.search(rest))), None)
    rest = _without(rest, dated)
    timed = _TIME.search(rest)
    rest = _without(rest, timed)
    relative = None if dated else _RELATIVES.search(rest)
    rest = _without(rest, relative)
    if not (dated or timed or relative):
        raise CalculationError(f"`{text.strip()[:50]}` is no date; write it as 2026-03-01 or 2026-03-01 14:00")
    while (shorter := _FILLING.sub("", rest)) != rest:
        rest = shorter
    told = zone_named(rest) if rest else zone
    local_now = now.astimezone(told or UTC).replace(tzinfo=None)
    is_now = relative is not None and relative[0] == "now"
    day = (
        _day(dated, local_now)
        if dated
        else local_now.date() + timedelta(days=_RELATIVE[relative[0]] if relative else 0)
    )
    at = local_now.replace(microsecond=0) if is_now and not timed else datetime.combine(day, _time(timed))
    return Moment(
        at=at,
        is_day=not timed and not is_now,
        zone=told or (UTC if is_now else None),
        relative=relative is not None and not rest,
    )


def oddity(moment: Moment) -> str | None:
    """What a change of clocks does to a local time, None: nothing."""
    if not isinstance(moment.zone, ZoneInfo) or moment.is_day:
        return None
    aware = moment.aware
    if aware.utcoffset() == aware.replace(fold=1).utcoffset():
        return None
    there = aware.astimezone(UTC).astimezone(moment.zone)
    if there.replace(tzinfo=None) != moment.at:
        return f"clocks go forward in {moment.zone.key} then: that local time does not exist"
    return f"clocks go back in {moment.zone.key} then: that local time comes twice, and the first is meant"


def _without(text: str, found: re.Match[str] | None) -> str:
    return text if found is None else f"{text[: found.start()]} {text[found.end() :]}".strip()


def _day(found: re.Match[str], now: datetime) -> date:
    month = found["month"]
    try:
        return date(int(found["year"] or now.year), _MONTHS.get(month) or int(month), int(found["day"]))
    except ValueError:
        raise CalculationError(f"`{found[0]}` does not exist") from None


def _time(found: re.Match[str] | None) -> time:
    if found is None:
        return time()
    hour, minute, second, half, bare_hour, bare_half = found.groups()
    hours, half = int(hour or bare_hour), half or bare_half
    try:
        if half and not 1 <= hours <= 12:
            raise ValueError
        return time(hours % 12 + (12 if half == "pm" else 0) if half else hours, int(minute or 0), int(second or 0))
    except ValueError:
        raise CalculationError(f"`{found[0].strip()}` is no time of day") from None
