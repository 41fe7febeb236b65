"""Units for the calculator: pint's definitions over exact fractions, asked for one plain name at a time.

No text of an expression ever reaches pint's own parser, which would evaluate powers. Importing and building it takes
half a second: only the calculator's thread does that, when the first unit comes up.
"""

import logging
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import pint
from pint.facets.plain import PlainUnit

from bot.tools._numbers import CalculationError, Number, bounded

_NAME: Final = re.compile(r"[°Δ]?[A-Za-zµμΩÅ_]{1,30}|[°%]")
_MAX_EXPONENT: Final = 12
_MAX_FACTORS: Final = 12
#: Spellings that pint does not know, or knows as something that nobody means (`Mb`: megabarn, `mbps`: millibaud).
_MEANT: Final[Mapping[str, str]] = {
    "°": "degree",
    "%": "percent",
    "°C": "degC",
    "°F": "degF",
    "Calorie": "kilocalorie",
    "Calories": "kilocalorie",
    "Cal": "kilocalorie",
    "KB": "kB",
    "Kb": "kbit",
    "kb": "kbit",
    "Mb": "Mbit",
    "mb": "MB",
    "Gb": "Gbit",
    "gb": "GB",
    "Tb": "Tbit",
    "tb": "TB",
    "mbps": "Mbps",
    "gbps": "Gbps",
    "kmh": "kph",
    "kmph": "kph",
    "wk": "week",
    "wks": "week",
    "y": "year",
    "sqft": "square_foot",
    "fl_oz": "fluid_ounce",
    "cl": "centiliter",
}
#: Where nothing but temperatures is meant: alone, `F` is a farad and `C` a coulomb.
_TEMPERATURES: Final[Mapping[str, str]] = {
    "C": "degC",
    "degC": "degC",
    "celsius": "degC",
    "Celsius": "degC",
    "F": "degF",
    "degF": "degF",
    "fahrenheit": "degF",
    "Fahrenheit": "degF",
    "K": "kelvin",
    "kelvin": "kelvin",
    "Kelvin": "kelvin",
    "°C": "degC",
    "°F": "degF",
}
_TURNING: Final = frozenset({"revolutions_per_minute", "revolutions_per_second", "turn"})

Unit = PlainUnit


class Units:
    """The registry; building it takes a third of a second."""

    def __init__(self) -> None:
        # It logs redefinitions, and words that it can read in two ways: those are people's.
        logging.getLogger("pint").setLevel(logging.ERROR)
        self._registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
        self._registry.define("bit_per_second = bit / second = bps")  # in place of the baud, which nobody writes
        self.none = self._registry.parse_units("")

    def knows(self, name: str) -> bool:
        """Whether there is such a unit."""
        try:
            self.named(name)
        except CalculationError:
            return False
        return True

    def named(self, name: str, *, temperatures: bool = False) -> Unit:
        """The unit of that name. `temperatures`: `C`, `F` and `K` are meant as such.

        Raises:
            CalculationError: there is none.
        """
        meant = _TEMPERATURES.get(name) if temperatures else None
        for spelling in (meant or _MEANT.get(name, name), name.lower()):
            if _NAME.fullmatch(spelling):
                try:
                    return self._registry.parse_units(spelling)
                except (pint.PintError, AttributeError, ValueError):  # `nan` is a ValueError there
                    continue
        raise CalculationError(f"there is no unit, constant or function `{name[:30]}` here")

    def product(self, left: Unit, right: Unit) -> Unit:
        """Left times right."""
        return self._bounded(left * right)

    def raised(self, unit: Unit, exponent: Fraction) -> Unit:
        """The unit to a whole power."""
        if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT:
            raise CalculationError("units take whole powers up to 12")
        return self._bounded(unit**exponent.numerator)

    def converted(self, number: Number, unit: Unit, target: Unit) -> Number:
        """The number of `target` that is so many of `unit`.

        Raises:
            CalculationError: they measure different things.
        """
        self._refuse_turning(unit, target)
        try:
            found: Any = self._registry.Quantity(number.value, unit).to(target).magnitude
            value = Fraction(found)  # decibels come as floats
        except (pint.PintError, ArithmeticError, ValueError, TypeError):
            # Without pint's own words: it fails to write them where exponents are fractions.
            raise CalculationError(f"{self._quoted(unit)} cannot be converted to {self._quoted(target)}") from None
        return Number(value=bounded(value), exact=number.exact and isinstance(found, Fraction))

    def simplified(self, number: Number, unit: Unit) -> tuple[Number, Unit]:
        """The same with one unit for each thing that is measured (km/h·min -> km)."""
        if len(_factors(unit)) < 2:
            return number, unit
        reduced = self._registry.Quantity(number.value, unit).to_reduced_units()
        return self.converted(number, unit, reduced.units), reduced.units

    def is_plain(self, unit: Unit) -> bool:
        """Whether it measures nothing (m/m, percent, radian)."""
        return bool(unit.dimensionless)

    def is_offset(self, unit: Unit) -> bool:
        """Whether its zero is not the zero of what it measures, as with °C: such are converted and no more."""
        try:
            return bool(self._registry.Quantity(Fraction(0), unit).to_base_units().magnitude)
        except (pint.PintError, ValueError):  # °C², which has no meaning to pint
            return True

    def shown(self, unit: Unit) -> str:
        """As people write it (`km/h`); empty where it is none."""
        up = [self._power(name, exponent) for name, exponent in _factors(unit).items() if exponent > 0]
        down = [self._power(name, -exponent) for name, exponent in _factors(unit).items() if exponent < 0]
        if not down:
            return "·".join(up)
        below = down[0] if len(down) == 1 else f"({'·'.join(down)})"
        return f"{'·'.join(up) or '1'}/{below}"

    def _quoted(self, unit: Unit) -> str:
        return f"`{shown}`" if (shown := self.shown(unit)) else "a plain number"

    def _power(self, name: str, exponent: Fraction) -> str:
        symbol = str(self._registry.get_symbol(name))
        return symbol if exponent == 1 else f"{symbol}^{exponent}"

    def _bounded(self, unit: Unit) -> Unit:
        factors = _factors(unit)
        if len(factors) > _MAX_FACTORS or any(abs(exponent) > _MAX_EXPONENT for exponent in factors.values()):
            raise CalculationError("these are too many units in one")
        if self.is_offset(unit):
            raise CalculationError("°C, °F and decibels can be no part of another unit; there are delta_degC and K")
        return unit

    def _refuse_turning(self, unit: Unit, target: Unit) -> None:
        """To pint a turn is 2π and a hertz 1/s, so that 60 rpm were 6.28 Hz: nobody means that."""
        names = {*_factors(unit), *_factors(target)}
        if names & _TURNING and any(name.endswith("hertz") for name in names):
            raise CalculationError("turns and hertz: 1 Hz is 60 rpm; divide or multiply by that")


def _factors(unit: Unit) -> Mapping[str, Fraction]:
    items: Any = unit._units.items()  # exponents are fractions in this registry
    return dict(items)
