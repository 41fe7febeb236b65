"""Calculations with dates and times: other zones, spans, sums and weekdays, each with how it was read.

<moment> in|to <zone>                 2026-03-01 14:00 Berlin in New York; now in Tokyo; time in Lagos
<unit> between <moment> and <moment>  days between 2026-11-21 and 2027-01-01; also until, since, and `A - B`
<moment> + <span>                     2026-01-31 + 1 month; 3 weeks from today; 10 days before 2027-01-01
<moment>                              its weekday, week and day of the year
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from bot.tools._moments import NO_ZONE, Moment, oddity, read_moment
from bot.tools._numbers import CalculationError, Number, shown
from bot.tools._zones import zone_named

_SECONDS: Final[Mapping[str, int]] = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_SHORT: Final[Mapping[str, str]] = {
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "hr": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "yr": "year",
    "y": "year",
}
_UNIT: Final = "seconds?|secs?|s|minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|months?|mos?|years?|yrs?|y"
_AMOUNT: Final = rf"\d{{1,9}}(?:\.\d{{1,9}})? ?(?:{_UNIT})\b"
_SPAN: Final = rf"{_AMOUNT}(?:(?: and |, ?| ){_AMOUNT})*"
_BETWEEN = re.compile(
    rf"(?:how many )?(?:the )?(?P<unit>{_UNIT}|time|difference)(?: are)?(?: there)? (?:between|from) "
    r"(?P<begin>.+?) (?:and|to|until|till) (?P<end>.+)"
)
_UNTIL = re.compile(
    rf"(?:how many )?(?P<unit>{_UNIT}|time)(?: is it| are there)? (?P<way>until|till|to|since) (?P<at>.+)"
)
_LESS = re.compile(r"(?P<end>.+?) [-−–] (?P<begin>.+)")
_AFTER = re.compile(rf"(?P<span>{_SPAN}) (?P<way>from|after|before) (?P<at>.+)")
_FROM_NOW = re.compile(rf"(?:in (?P<ahead>{_SPAN})|(?P<back>{_SPAN}) ago)")
_SUM = re.compile(rf"(?P<at>.+?) ?(?P<spans>(?:[-+−–] ?{_SPAN} ?)+)")
_ADDED = re.compile(rf"(?P<sign>[-+−–]) ?(?P<span>{_SPAN})")
_EACH = re.compile(rf"(\d+(?:\.\d+)?) ?({_UNIT})\b")
_ELSEWHERE = re.compile(r"(?P<at>.+) (?:in|to|as) (?P<zone>.+)")
_CLOCK = re.compile(r"(?:what(?:'s| is)? )?(?:the )?(?:current |local )?time(?: is it)?(?: now)? in (?P<zone>.+)")
_ASKED = re.compile(r"^(?:what |which )?(?:weekday|day of the week|day)(?: is| was| will be)?(?: of| on)?(?: it)? ")


def calculate_dates(text: str, now: datetime) -> str:
    """The result of an expression about dates, and how it was read.

    Raises:
        CalculationError: it cannot be read, or leads out of the calendar.
    """
    words = " ".join(text.lower().split())
    try:
        return _calculate(words, now)
    except OverflowError:
        raise CalculationError("that is outside of the calendar (years 1 to 9999)") from None
    except ValueError as error:
        if isinstance(error, CalculationError):
            raise
        raise CalculationError("that is outside of the calendar (years 1 to 9999)") from None


def _calculate(text: str, now: datetime) -> str:
    if found := _CLOCK.fullmatch(text):
        return _told(read_moment("now", now, zone_named(found["zone"])))
    if found := _BETWEEN.fullmatch(text):
        return _between(found["unit"], read_moment(found["begin"], now), read_moment(found["end"], now))
    if found := _UNTIL.fullmatch(text):
        return _until(found, now)
    if (found := _AFTER.fullmatch(text)) is not None:
        moment = read_moment(found["at"], now)
        return _told(_moved(moment, found["span"], back=found["way"] == "before"))
    if found := _FROM_NOW.fullmatch(text):
        span = found["ahead"] or found["back"]
        base = "now" if any(_SECONDS.get(unit, 86_400) < 86_400 for _, unit in _parts(span)) else "today"
        return _told(_moved(read_moment(base, now), span, back=found["back"] is not None))
    if found := _SUM.fullmatch(text):
        moment = read_moment(found["at"], now)
        for added in _ADDED.finditer(found["spans"]):
            moment = _moved(moment, added["span"], back=added["sign"] != "+")
        return _told(moment)
    if found := _LESS.fullmatch(text):
        return _between("time", read_moment(found["begin"], now), read_moment(found["end"], now))
    if found := _ELSEWHERE.fullmatch(text):
        return _elsewhere(found["at"], found["zone"], now)
    return _told(read_moment(_ASKED.sub("", text), now))


def _elsewhere(text: str, name: str, now: datetime) -> str:
    zone = zone_named(name)
    moment = read_moment(text, now)
    if moment.relative or moment.is_day:
        return _told(read_moment(text, now, zone))
    if moment.zone is not None:
        return f"{_shown(moment)} = {_told(moment.within(zone))}" + _remarked(oddity(moment))
    # `14:00 in Berlin` is meant in the one way and in the other.
    there, in_utc = replace(moment, zone=zone), replace(moment, zone=UTC)
    read = f"read as a time there: {_shown(there)} = {_shown(there.within(UTC))}"
    return f"{read}\nread as a time in UTC: {_shown(in_utc)} = {_shown(in_utc.within(zone))}" + _remarked(oddity(there))


def _until(found: re.Match[str], now: datetime) -> str:
    moment = read_moment(found["at"], now)
    here = read_moment("today" if moment.is_day else "now", now, moment.zone)
    begin, end = (moment, here) if found["way"] == "since" else (here, moment)
    return _between(found["unit"], begin, end)


def _between(word: str, begin: Moment, end: Moment) -> str:
    unit = _unit(word)
    is_wall = (begin.is_day and end.is_day) or (begin.zone is None and end.zone is None)
    first, last = (begin.at, end.at) if is_wall else (begin.aware.astimezone(UTC), end.aware.astimezone(UTC))
    seconds = Fraction((last - first) // timedelta(microseconds=1), 10**6)
    read = f"from {_shown(begin)} to {_shown(end)}: "
    mixed = None if is_wall or (begin.zone and end.zone) else NO_ZONE
    if unit in _SECONDS:
        return f"{read}{_amount(seconds / _SECONDS[unit], unit)}" + _remarked(mixed)
    calendar = _calendar_words(first, last)
    if unit in ("month", "year"):
        return f"{read}{calendar}" + _remarked(mixed)
    days, rest = divmod(abs(seconds), 86_400)
    parts = [_amount(Fraction(days), "day")] if days or not rest else []
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    named = ((hours, "hour"), (minutes, "minute"), (left, "second"))
    parts += [_amount(Fraction(count), unit) for count, unit in named if count]
    sign = "minus " if seconds < 0 else ""
    return f"{read}{sign}{' '.join(parts)} ({calendar})" + _remarked(mixed)


def _calendar_words(first: datetime, last: datetime) -> str:
    """Whole years, months and days, as on a calendar."""
    sign = "minus " if last < first else ""
    span = relativedelta(max(first, last), min(first, last))
    named = ((span.years, "year"), (span.months, "month"), (span.days, "day"))
    return sign + (" ".join(_amount(Fraction(count), unit) for count, unit in named if count) or "less than a day")


def _moved(moment: Moment, span: str, *, back: bool) -> Moment:
    """So much later, or earlier: years to days on the calendar there, hours and less as they pass."""
    at, zone, is_day = moment.at, moment.zone, moment.is_day
    for amount, unit in _parts(span):
        amount = -amount if back else amount
        if unit in ("month", "year"):
            whole = _whole(amount, unit)
            at += relativedelta(years=whole) if unit == "year" else relativedelta(months=whole)
        elif unit in ("day", "week") and amount.denominator == 1:
            at += timedelta(days=int(amount) * (7 if unit == "week" else 1))
        else:
            is_day = False
            passed = timedelta(microseconds=int(amount * _SECONDS[unit] * 10**6))
            there = at.replace(tzinfo=zone or UTC).astimezone(UTC) + passed
            at = there.astimezone(zone or UTC).replace(tzinfo=None)
    return Moment(at=at, is_day=is_day, zone=zone)


def _parts(span: str) -> list[tuple[Fraction, str]]:
    return [(Fraction(amount), _unit(unit)) for amount, unit in _EACH.findall(span)]


def _unit(word: str) -> str:
    if word in _SHORT:
        return _SHORT[word]
    return _SHORT.get(word.removesuffix("s"), word.removesuffix("s"))


def _whole(amount: Fraction, unit: str) -> int:
    if amount.denominator != 1:
        raise CalculationError(f"a part of a {unit} has no length; say it in days")
    return int(amount)


def _told(moment: Moment) -> str:
    """A moment with all that is asked of one."""
    _, week, _ = moment.day.isocalendar()
    weekday = f"{moment.day:%A}"
    if moment.is_day:
        year_day = moment.day.timetuple().tm_yday
        return f"{_shown(moment)}, {weekday}, week {week}, day {year_day} of the year"
    return f"{_shown(moment)}, {weekday}" + _remarked(oddity(moment))


def _shown(moment: Moment) -> str:
    if moment.is_day:
        return moment.day.isoformat()
    clock = moment.at.isoformat(" ", "seconds" if moment.at.second else "minutes")
    if moment.zone is None:
        return clock
    name = moment.zone.key if isinstance(moment.zone, ZoneInfo) else str(moment.zone)
    if name.startswith("UTC"):
        return f"{clock} {name}"
    offset = moment.aware.strftime("%z")
    return f"{clock} {name} (UTC{offset[:3]}:{offset[3:5]})"


def _amount(count: Fraction, unit: str) -> str:
    return f"{shown(Number(value=Fraction(count)))} {unit}{'' if abs(count) == 1 else 's'}"


def _remarked(*remarks: str | None) -> str:
    return "".join(f"\n({remark})" for remark in remarks if remark)
