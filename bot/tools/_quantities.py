"""Numbers with units, and what can be done with them; for plain numbers no unit is ever loaded.

Knows neither words nor the grammar of expressions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from bot.tools._numbers import (
    FUNCTIONS,
    CalculationError,
    Number,
    bounded,
    divide,
    factorial,
    floor_divide,
    power,
    remainder,
    rounded,
    shown,
)

if TYPE_CHECKING:  # importing it takes a quarter of a second
    from bot.tools._units import Unit, Units

_ANY_UNIT: Final = frozenset({"abs", "min", "max", "round"})
#: All that can be called by name.
CALLED: Final = frozenset(FUNCTIONS) | _ANY_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number of some unit, None: of none. `percent`: it was written as one; `literal`: as a number in digits."""

    number: Number
    unit: "Unit | None" = None
    percent: bool = False
    literal: bool = False

    def plainly(self) -> "Value":
        """The same, however it was written."""
        return replace(self, percent=False, literal=False)


class Quantities:
    """Operations on values. `temperatures`: C, F and K are meant as such, since there are no other units."""

    def __init__(self, units: Callable[[], "Units"], *, temperatures: bool) -> None:
        self._load = units
        self._temperatures = temperatures

    def knows(self, name: str) -> bool:
        """Whether there is a unit of that name."""
        return self._load().knows(name)

    def of(self, number: Fraction, name: str, exponent: int) -> Value:
        """So many of a unit, given by its name and power."""
        unit = self.unit(name)
        unit = unit if exponent == 1 else self._load().raised(unit, Fraction(exponent))
        return Value(number=Number(value=number), unit=unit)

    def unit(self, name: str) -> "Unit":
        """The unit of that name."""
        return self._load().named(name, temperatures=self._temperatures)

    def percent(self, value: Value) -> Value:
        """A hundredth of it."""
        hundred = Number(value=Fraction(100))
        return Value(number=divide(self._plain(value, "a percentage"), hundred), percent=True)

    def negated(self, value: Value) -> Value:
        return replace(value, number=replace(value.number, value=-value.number.value))

    def added(self, left: Value, right: Value) -> Value:
        """The sum, in the unit of the left one."""
        self._refuse_offsets(left, right)
        left, right = self._aligned(left, right)
        total = bounded(left.number.value + right.number.value)
        return Value(number=_like(total, left.number, right.number), unit=left.unit)

    def multiplied(self, left: Value, right: Value) -> Value:
        number = _like(bounded(left.number.value * right.number.value), left.number, right.number)
        if left.unit is None and right.unit is None:
            return Value(number=number)
        self._refuse_offsets(left, right)
        if left.unit is None or right.unit is None:
            return Value(number=number, unit=right.unit if left.unit is None else left.unit)
        return self._leaving(number, self._load().product(left.unit, right.unit))

    def divided(self, left: Value, right: Value) -> Value:
        """The quotient; `1/2 cup` is half a cup, while `1 km/2 h` is half a kilometre an hour."""
        number = divide(left.number, right.number)
        if right.unit is None:
            return Value(number=number, unit=left.unit)
        if left.unit is None and left.literal and right.literal:
            return Value(number=number, unit=right.unit, literal=True)
        self._refuse_offsets(left, right)
        units = self._load()
        inverse = units.raised(right.unit, Fraction(-1))
        if left.unit is None:
            return Value(number=number, unit=inverse)
        return self._leaving(number, units.product(left.unit, inverse))

    def whole_division(self, operator: str, left: Value, right: Value) -> Value:
        """`//`: how often it goes; else: what is left."""
        left, right = self._aligned(left, right)
        if operator == "//":
            return Value(number=floor_divide(left.number, right.number))
        return Value(number=remainder(left.number, right.number), unit=left.unit)

    def raised(self, base: Value, exponent: Value) -> Value:
        plain = self._plain(exponent, "an exponent")
        number = power(base.number, plain)
        if base.unit is None:
            return Value(number=number)
        self._refuse_offsets(base)
        return self._leaving(number, self._load().raised(base.unit, plain.value))

    def factorial(self, value: Value) -> Value:
        return Value(number=factorial(self._plain(value, "a factorial")))

    def called(self, name: str, arguments: Sequence[Value]) -> Value:
        """What a function makes of its arguments. Raises CalculationError also when their number is wrong."""
        if name in _ANY_UNIT:
            return self._called_with_units(name, arguments)
        function = FUNCTIONS[name]
        if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
            hint = "; write ln(x), log10(x), log2(x) or log(x, base)" if name == "log" else ""
            raise CalculationError(f"`{name}` takes {function.least} argument(s){hint}")
        return Value(number=function.call(*(self._plain(argument, f"`{name}`") for argument in arguments)))

    def converted(self, value: Value, target: "Unit") -> Value:
        """The same in another unit."""
        units = self._load()
        unit = units.none if value.unit is None else value.unit
        return Value(number=units.converted(value.number, unit, target), unit=target, literal=True)

    def shown(self, value: Value) -> str:
        """For people: `8.04672 km`."""
        if value.unit is None:
            return shown(value.number)
        units, number, unit = self._load(), value.number, value.unit
        if not value.literal:
            number, unit = units.simplified(number, unit)
        return f"{shown(number)} {units.shown(unit)}".strip()

    def _called_with_units(self, name: str, arguments: Sequence[Value]) -> Value:
        first = arguments[0]
        if name in ("min", "max"):
            aligned = [self._aligned(first, argument)[1] for argument in arguments]
            return (min if name == "min" else max)(aligned, key=lambda value: value.number.value).plainly()
        if len(arguments) > (2 if name == "round" else 1):
            raise CalculationError(f"`{name}` takes fewer arguments")
        if name == "abs":
            return self.negated(first) if first.number.value < 0 else first
        places = self._plain(arguments[1], "`round`") if len(arguments) == 2 else None
        return replace(first, number=rounded(first.number, places))

    def _leaving(self, number: Number, unit: "Unit") -> Value:
        """A product; what measures nothing any more (km/m) becomes a plain number."""
        units = self._load()
        if units.is_plain(unit):
            return Value(number=units.converted(number, unit, units.none))
        return Value(number=number, unit=unit)

    def _aligned(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Both in the unit of the left one."""
        if left.unit is None and right.unit is None:
            return left, right
        units = self._load()
        into, out_of = left.unit or units.none, right.unit or units.none
        return left, replace(right, number=units.converted(right.number, out_of, into), unit=left.unit)

    def _plain(self, value: Value, where: str) -> Number:
        if value.unit is None:
            return value.number
        units = self._load()
        if not units.is_plain(value.unit):
            raise CalculationError(f"{where} takes plain numbers, not `{units.shown(value.unit)}`")
        return units.converted(value.number, value.unit, units.none)

    def _refuse_offsets(self, *values: Value) -> None:
        for value in values:
            if value.unit is not None and self._load().is_offset(value.unit):
                raise CalculationError(
                    "temperatures and decibels can be converted, compared and nothing else; "
                    "for differences of temperature write delta_degC or delta_degF"
                )


def _like(value: Fraction, *numbers: Number) -> Number:
    return Number(value=value, exact=all(number.exact for number in numbers))
