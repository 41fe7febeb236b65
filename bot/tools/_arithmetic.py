"""Arithmetic with and without units: one pass over the words, each operation done as soon as it is read.

    sum        = product {("+" | "-") product}
    product    = unary {("*" | "/" | "//" | "mod" | "%" | "of" | nothing) unary}
    unary      = {"+" | "-"} power
    power      = primary {"!" | "%"} [("^" | "**") unary]
    primary    = NUMBER [units {NUMBER units}] | NAME | NAME "(" sum {"," sum} ")" | "(" sum ")"
    expression = sum [("in" | "to" | "as") product]

Depth and length are bounded, so that hostile text ends in an error at once. Knows no dates.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from bot.tools._numbers import CONSTANTS, CalculationError, Number
from bot.tools._quantities import CALLED, Quantities, Value
from bot.tools._words import Kind, Word, split

if TYPE_CHECKING:
    from bot.tools._units import Unit, Units

_MAX_DEPTH: Final = 40
_CONVERTING: Final = frozenset({"in", "to", "as", "into"})
_KEYWORDS: Final = _CONVERTING | {"of", "mod"}
_END: Final = Word(kind=Kind.END, text="")
_ABOUT_PERCENT: Final = "a percentage after + or - is one of what stands before it: 50 + 10% = 55"
_ABOUT_REMAINDER: Final = "a % before + or - is a percentage; for a remainder write mod(a, b)"
#: `min` is a minute where no bracket follows.
_NEVER_UNITS: Final = CALLED - {"min"}
_TEMPERATURES = re.compile(r"°?[CFK]|deg[CF]|celsius|fahrenheit|kelvin", re.IGNORECASE)


def calculate(text: str, units: Callable[[], "Units"]) -> str:
    """The result of an expression with its unit, and a word on how it was read where that is not plain.

    `units` is asked when the first unit comes up; building them takes half a second.

    Raises:
        CalculationError: it cannot be read or calculated.
    """
    return _Reading(split(text), units).result()


class _Reading:
    """One expression while it is read."""

    def __init__(self, words: Sequence[Word], units: Callable[[], "Units"]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0
        self._remarks: dict[str, None] = {}
        names = [word.text for word in words if word.kind is Kind.NAME and word.text not in _KEYWORDS]
        self._quantities = Quantities(units, temperatures=all(_TEMPERATURES.fullmatch(name) for name in names))

    def result(self) -> str:
        value = self._sum()
        if self._next.text in _CONVERTING:
            self._take()
            value = self._quantities.converted(value, self._target())
        if self._next.kind is not Kind.END:
            raise CalculationError(f"`{self._next.text[:30]}` is not expected there")
        remarks = "".join(f"\n({remark})" for remark in self._remarks)
        return f"{self._quantities.shown(value)}{remarks}"

    # --- the grammar ----------------------------------------------------------------------------------------------

    def _sum(self) -> Value:
        left = self._product()
        while self._next.text in ("+", "-"):
            sign = self._take().text
            right = self._product()
            if right.percent and not left.percent:
                self._remarks[_ABOUT_PERCENT] = None
                right = self._quantities.multiplied(left, right)
            left = self._quantities.added(left, right if sign == "+" else self._quantities.negated(right))
        return left

    def _product(self) -> Value:
        left = self._unary()
        while True:
            match self._next.text:
                case "*" | "of":
                    self._take()
                    left = self._quantities.multiplied(left, self._unary())
                case "/":
                    self._take()
                    left = self._quantities.divided(left, self._unary())
                case "//" | "mod" | "%" as operator:
                    self._take()
                    left = self._quantities.whole_division(operator, left, self._unary())
                case _ if self._next.text == "(" or self._is_factor:
                    left = self._quantities.multiplied(left, self._unary())
                case _:
                    return left

    def _unary(self) -> Value:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise CalculationError(f"more than {_MAX_DEPTH} brackets or signs within each other")
        try:
            if self._next.text not in ("+", "-"):
                return self._power()
            sign = self._take().text
            value = self._unary()
            return value if sign == "+" else self._quantities.negated(value)
        finally:
            self._depth -= 1

    def _power(self) -> Value:
        base = self._primary()
        while self._next.text in ("!", "%") and not self._is_modulo:
            mark = self._take().text
            if mark == "%" and self._next.text in ("+", "-"):
                self._remarks[_ABOUT_REMAINDER] = None
            base = self._quantities.factorial(base) if mark == "!" else self._quantities.percent(base)
        if self._next.text not in ("^", "**"):
            return base
        self._take()
        return self._quantities.raised(base, self._unary())

    def _primary(self) -> Value:
        word = self._take()
        match word.kind:
            case Kind.NUMBER if word.number is not None:
                return self._quantity(word.number)
            case Kind.NAME if word.text not in _KEYWORDS:
                return self._name(word.text)
            case _ if word.text == "(":
                value = self._sum()
                self._expect(")")
                return value.plainly()
            case _:
                raise CalculationError(
                    f"a number is missing before {f'`{word.text[:30]}`' if word.text else 'the end'}"
                )

    def _quantity(self, number: Fraction) -> Value:
        """A number and the units right after it; `2 h 30 min` is one quantity."""
        value = Value(number=Number(value=number), literal=True)
        if self._next.text == "in" and self._after.text not in ("percent", "%"):
            self._take()
            if self._next.kind is Kind.NAME and self._next.text not in _CONVERTING:
                raise CalculationError("`in` after a number is read as inches; name the unit of that number")
            value = self._quantities.of(number, "inch", 1)
        elif not self._is_unit:
            return value
        else:
            value = self._quantities.of(number, *self._unit())
            while self._is_unit:
                value = self._quantities.multiplied(value, self._quantities.of(Fraction(1), *self._unit()))
        if (more := self._next.number) is not None:
            self._take()
            value = self._quantities.added(value, self._quantity(more))
        return replace(value, literal=True)

    def _unit(self) -> tuple[str, int]:
        """A unit's name and power (`s^2`, `square foot`)."""
        name, power = self._take().text, 1
        if name in ("square", "sq", "cubic") and self._is_unit:
            name, power = self._take().text, 3 if name == "cubic" else 2
        if self._is_unit and self._quantities.knows(f"{name}_{self._next.text}"):
            name = f"{name}_{self._take().text}"
        if self._next.text in ("^", "**") and power == 1:
            self._take()
            negative = self._next.text == "-" and bool(self._take())
            word = self._take()
            if word.number is None or word.number.denominator != 1 or abs(word.number) > 12:
                raise CalculationError("units take whole powers up to 12")
            power = -int(word.number) if negative else int(word.number)
        return name, power

    def _name(self, name: str) -> Value:
        if name.lower() in CALLED and self._next.text == "(":
            return self._call(name.lower())
        if _is_constant(name):
            return Value(number=CONSTANTS[name.lower()])
        if name == "sqrt":  # √2
            return self._quantities.called(name, [self._primary()])
        if name.lower() in _NEVER_UNITS:
            raise CalculationError(f"`{name}` takes its argument in brackets")
        self._at -= 1
        return self._quantities.of(Fraction(1), *self._unit())

    def _call(self, name: str) -> Value:
        self._expect("(")
        arguments = [self._sum()]
        while self._next.text in (",", ";"):
            self._take()
            arguments.append(self._sum())
        self._expect(")")
        return self._quantities.called(name, arguments)

    def _target(self) -> "Unit":
        if self._next.text == "%":
            self._take()
            return self._quantities.unit("percent")
        if self._next.text == "in" and self._after.kind is Kind.END:
            self._take()
            return self._quantities.unit("inch")
        target = self._product()
        if target.unit is None or target.number.value != 1:
            raise CalculationError("after `in` or `to` a unit is expected, for example `km/h`")
        return target.unit

    # --- the words ------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> Word:
        return self._words[self._at] if self._at < len(self._words) else _END

    @property
    def _after(self) -> Word:
        return self._words[self._at + 1] if self._at + 1 < len(self._words) else _END

    @property
    def _is_factor(self) -> bool:
        """Whether a name comes that multiplies without a sign: `2 pi`, `3 sqrt(2)`."""
        return self._next.kind is Kind.NAME and self._next.text not in _KEYWORDS

    @property
    def _is_unit(self) -> bool:
        """Whether a name comes that can be a unit only."""
        name = self._next.text
        is_call = name.lower() in CALLED and (name.lower() in _NEVER_UNITS or self._after.text == "(")
        return self._is_factor and not is_call and not _is_constant(name)

    @property
    def _is_modulo(self) -> bool:
        """Whether the `%` that comes stands between two numbers."""
        if self._next.text != "%":
            return False
        after = self._after
        return (
            after.kind is Kind.NUMBER or after.text == "(" or (after.kind is Kind.NAME and after.text not in _KEYWORDS)
        )

    def _take(self) -> Word:
        word = self._next
        self._at += 1
        return word

    def _expect(self, sign: str) -> None:
        if self._take().text != sign:
            raise CalculationError(f"a `{sign}` is missing")


def _is_constant(name: str) -> bool:
    """Whether it is one of our constants; `E` is none."""
    return name in CONSTANTS or name.lower() == "pi"
