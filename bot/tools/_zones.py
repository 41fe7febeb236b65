"""Time zones by the names that people use: IANA's, cities, usual abbreviations and offsets from UTC.

An abbreviation that means several zones is not guessed. Knows no dates.
"""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bot.tools._numbers import CalculationError

_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-−])\s*(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
#: What stands for an offset all year, as written.
_FIXED_HOURS: Final[Mapping[str, int]] = {
    "est": -5,
    "edt": -4,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "cet": 1,
    "cest": 2,
    "eet": 2,
    "eest": 3,
    "jst": 9,
    "kst": 9,
    "msk": 3,
    "aest": 10,
    "aedt": 11,
    "hst": -10,
}
#: Cities and regions that are no key of their own.
_MEANT: Final[Mapping[str, str]] = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "nyc": "America/New_York",
    "boston": "America/New_York",
    "miami": "America/New_York",
    "washington": "America/New_York",
    "atlanta": "America/New_York",
    "dallas": "America/Chicago",
    "houston": "America/Chicago",
    "austin": "America/Chicago",
    "la": "America/Los_Angeles",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "las vegas": "America/Los_Angeles",
    "ottawa": "America/Toronto",
    "montreal": "America/Toronto",
    "rio": "America/Sao_Paulo",
    "rio de janeiro": "America/Sao_Paulo",
    "brasilia": "America/Sao_Paulo",
    "edinburgh": "Europe/London",
    "uk": "Europe/London",
    "barcelona": "Europe/Madrid",
    "munich": "Europe/Berlin",
    "frankfurt": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "cologne": "Europe/Berlin",
    "germany": "Europe/Berlin",
    "france": "Europe/Paris",
    "geneva": "Europe/Zurich",
    "milan": "Europe/Rome",
    "krakow": "Europe/Warsaw",
    "st petersburg": "Europe/Moscow",
    "kyiv": "Europe/Kyiv",
    "ankara": "Europe/Istanbul",
    "tel aviv": "Asia/Jerusalem",
    "abu dhabi": "Asia/Dubai",
    "delhi": "Asia/Kolkata",
    "new delhi": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata",
    "bangalore": "Asia/Kolkata",
    "bengaluru": "Asia/Kolkata",
    "chennai": "Asia/Kolkata",
    "india": "Asia/Kolkata",
    "beijing": "Asia/Shanghai",
    "shenzhen": "Asia/Shanghai",
    "china": "Asia/Shanghai",
    "hanoi": "Asia/Ho_Chi_Minh",
    "osaka": "Asia/Tokyo",
    "kyoto": "Asia/Tokyo",
    "japan": "Asia/Tokyo",
    "korea": "Asia/Seoul",
    "canberra": "Australia/Sydney",
    "wellington": "Pacific/Auckland",
    "hawaii": "Pacific/Honolulu",
    "cape town": "Africa/Johannesburg",
}
_NO_PLACES: Final = ("Etc/", "SystemV/", "posix/", "right/")
_MOST_CHARS: Final = 50


def zone_named(name: str) -> tzinfo:
    """The zone of that name.

    Raises:
        CalculationError: nobody knows it, with the names that are most alike.
    """
    words = _words(name)
    if words in ("utc", "gmt", "z", "zulu"):
        return UTC
    if (offset := _OFFSET.fullmatch(words)) and (found := _fixed(offset)):
        return found
    if words in _FIXED_HOURS:
        return timezone(timedelta(hours=_FIXED_HOURS[words]), words.upper())
    key = _MEANT.get(words) or _keys().get(words)
    if key is None:
        alike = get_close_matches(words[:_MOST_CHARS], _keys(), n=3)
        hint = f"; is it {', '.join(_keys()[each] for each in alike)}?" if alike else ", for example Europe/Berlin"
        raise CalculationError(f"there is no time zone or city `{name.strip()[:_MOST_CHARS]}` here{hint}")
    return ZoneInfo(key)


def _fixed(offset: re.Match[str]) -> tzinfo | None:
    sign, hours, minutes = offset.groups()
    span = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(span if sign == "+" else -span) if span < timedelta(hours=24) else None


@cache
def _keys() -> Mapping[str, str]:
    """IANA's keys by all that they may be called; a city that several regions have (links) is the same in all."""
    keys = sorted(key for key in available_timezones() if not key.startswith(_NO_PLACES))
    cities = {_words(key.rpartition("/")[2]): key for key in reversed(keys) if "/" in key}
    return cities | {_words(key): key for key in keys if "/" in key}


def _words(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())
