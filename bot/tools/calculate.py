"""`calculate`: arithmetic, units, dates and time zones, so that a model need not do them in its head.

Works without any service. Every expression is bounded, and runs in a thread all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Final

from pydantic import Field

from bot.core.ports import Clock
from bot.core.tools import Tool, ToolContext, ToolOutput, ToolSpec
from bot.tools._arithmetic import calculate
from bot.tools._dates import calculate_dates
from bot.tools._moments import is_about_time
from bot.tools._numbers import CalculationError
from bot.tools.arguments import Arguments, BadArguments, parsed, schema_of
from bot.tools.supplies import Supplies

if TYPE_CHECKING:
    from bot.tools._units import Units

_MAX_CHARS: Final = 500
_SHOWN_CHARS: Final = 60
_DESCRIPTION: Final = """\
Calculates exactly: arithmetic, units of measure, dates and time zones. One expression a call, for example:
0.1 + 0.2 | (1 + 5%) ^ 10 | sqrt(2) | 20% of 85 | comb(49, 6) | round(10/3, 2) | log(8, 2) | sin(30 deg)
5 miles in km | 70 F to C | 5 ft 11 in in cm | 100 m / 9.58 s in km/h | 10 GB / (50 Mbps) in min
now in Asia/Tokyo | 2026-03-01 14:00 Berlin in New York | days between 2026-11-21 and 2027-01-01 | \
2026-01-31 + 1 month | weekday of 2026-07-04 | 90 days from today
Knows no exchange rates and no prices."""
_HINT: Final = (
    "Write one expression such as `2 * (3 + 4)`, `5 miles in km` or `days between 2026-11-21 and 2027-01-01`."
)


class _Arguments(Arguments):
    expression: str = Field(
        min_length=1,
        max_length=_MAX_CHARS,
        description="What to calculate; dates as YYYY-MM-DD, units after `in` or `to`",
    )


class Calculate:
    """See `bot.core.tools.Tool`."""

    spec = ToolSpec(name="calculate", description=_DESCRIPTION, parameters=schema_of(_Arguments))
    reads_only = True
    owners_only = False
    timeout_s = 10.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def status(self, arguments: Mapping[str, object]) -> str:
        expression = " ".join(str(arguments.get("expression") or "").split())
        return f"calculating: {expression[:_SHOWN_CHARS]}" if expression else "calculating …"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            expression = parsed(_Arguments, arguments).expression.rstrip(" =?")
            result = await asyncio.to_thread(self._result, expression)
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        except CalculationError as error:
            return ToolOutput(text=f"Cannot calculate that: {error}. {_HINT}", is_error=True)
        return ToolOutput(text=f"{expression} → {result}")

    def _result(self, expression: str) -> str:
        if is_about_time(expression):
            return calculate_dates(expression, self._clock.now())
        return calculate(expression, _units)


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncIterator[Tool]:
    """The tool; it needs no more than the clock."""
    yield Calculate(supplies.clock)


_loading = Lock()


def _units() -> "Units":
    # One at a time: two threads that need units at once would both spend half a second on them.
    with _loading:
        return _loaded_units()


@cache
def _loaded_units() -> "Units":
    units: Units = import_module("bot.tools._units").Units()
    return units
