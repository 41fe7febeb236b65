"""Numbers, money and time as people read them: `1,234`, `about $0.0012`, `unknown`, `3 h 20 min`. Pure."""

import math
from decimal import Decimal
from typing import assert_never

from bot.core.ledger import Certainty

UNKNOWN = "unknown"
_NANO = Decimal(1_000_000_000)
_USUAL = Decimal("0.0001")
#: Below this, four decimals would show less than two digits of it.
_SMALL = Decimal("0.001")


def count(number: int) -> str:
    """A whole number with its thousands apart: `1,234`."""
    return f"{number:,}"


def amount(number: int, noun: str) -> str:
    """A number of things: `1 request`, `1,234 requests`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def money(nano_usd: int | None) -> str:
    """Dollars with four decimals, or more where it is less: `$0.0012`, `$0.000004`; None is `unknown`."""
    if nano_usd is None:
        return UNKNOWN
    if nano_usd == 0:
        return "$0"
    dollars = Decimal(nano_usd) / _NANO
    step = _USUAL if abs(dollars) >= _SMALL else Decimal(1).scaleb(dollars.adjusted() - 1)
    rounded = dollars.quantize(step)
    text = f"{abs(rounded):,f}"
    whole, _, decimals = text.partition(".")
    sign = "-" if nano_usd < 0 else ""
    return f"{sign}${whole}.{decimals[:4]}{decimals[4:].rstrip('0')}"


def price(nano_usd: int) -> str:
    """A price as in a list, exact: `$2.50`, `$0.075`."""
    whole, _, decimals = f"{Decimal(nano_usd) / _NANO:,f}".partition(".")
    return f"${whole}.{decimals.rstrip('0').ljust(2, '0')}"


def cost(nano_usd: int | None, certainty: Certainty) -> str:
    """Money with how far it can be trusted: `$0.0012`, `about $0.0012`, `unknown`."""
    match certainty:
        case Certainty.EXACT:
            return money(nano_usd)
        case Certainty.ESTIMATED:
            return UNKNOWN if nano_usd is None else f"about {money(nano_usd)}"
        case Certainty.UNKNOWN:
            return UNKNOWN
        case _:
            assert_never(certainty)


def span(seconds: float) -> str:
    """A time to wait in its two largest units, rounded up to a minute: `1 min`, `3 h 20 min`, `12 d 4 h`."""
    minutes = max(1, math.ceil(seconds / 60))
    days, hours, minutes = minutes // 1_440, minutes // 60 % 24, minutes % 60
    named = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next(position for position, (number, _) in enumerate(named) if number)
    return " ".join(f"{number} {unit}" for number, unit in named[first : first + 2] if number)


def excerpt(text: str, limit: int = 80) -> str:
    """A stranger's text on one line without anything that would format it, at most `limit` characters."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
