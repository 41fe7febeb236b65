"""Exact numbers for the calculator: fractions as long as that is possible, 40 digits where it is not; all bounded.

Every operation costs well below a millisecond, whatever it is given. Knows no text but that of results.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, Underflow, localcontext
from fractions import Fraction
from typing import Final

#: Of a numerator or denominator: 3,600 decimal digits, less than Python is willing to print.
_MAX_BITS: Final = 12_000
_PRECISION: Final = 40
_MAX_EXPONENT: Final = 4_000
#: What is shown of a number that is not exact, or has no end.
_SHOWN_DIGITS: Final = 15
#: An exact number with more places after the point is told in short.
_MAX_PLACES: Final = 30
_SCIENTIFIC_FROM: Final = 21
_SMALL_DENOMINATOR: Final = 10_000
_FACTORIAL_MAX: Final = 1_000


class CalculationError(ValueError):
    """It cannot be calculated; the message is for the model, and says what to write instead where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number, and whether it is exact or rounded somewhere."""

    value: Fraction
    exact: bool = True


def bounded(value: Fraction) -> Fraction:
    """The same value. Raises CalculationError when it is too long to go on with."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise CalculationError("the number gets too long (more than 3,600 digits)")
    return value


def divide(left: Number, right: Number) -> Number:
    """Left by right."""
    if not right.value:
        raise CalculationError("a division by zero")
    return _both(left, right, left.value / right.value)


def remainder(left: Number, right: Number) -> Number:
    """What is left of a division, with the sign of the divisor."""
    if not right.value:
        raise CalculationError("a division by zero")
    return _both(left, right, left.value % right.value)


def floor_divide(left: Number, right: Number) -> Number:
    """Left by right, rounded down."""
    return _both(left, right, Fraction(math.floor(divide(left, right).value)))


def power(base: Number, exponent: Number) -> Number:
    """Base to the exponent; exact for a whole exponent."""
    if exponent.value.denominator == 1:
        return _whole_power(base, exponent)
    if base.value < 0:
        raise CalculationError("a negative number to a power that is not whole")
    if not base.value:
        if exponent.value < 0:
            raise CalculationError("a division by zero")
        return base
    return _rounded(lambda: _decimal(base) ** _decimal(exponent))


def _whole_power(base: Number, exponent: Number) -> Number:
    whole = exponent.value.numerator
    bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
    if abs(base.value) not in (0, 1) and abs(whole) * (bits - 1) > _MAX_BITS:
        raise CalculationError("the power gets too long (more than 3,600 digits)")
    if not base.value and whole < 0:
        raise CalculationError("a division by zero")
    if abs(base.value) in (0, 1):  # the size of the exponent is no matter, its evenness is
        whole = whole % 2 or (2 if whole else 0)
    return _both(base, exponent, base.value**whole)


def factorial(number: Number) -> Number:
    """n! for a whole number up to 1,000."""
    whole = _whole(number, "a factorial")
    if not 0 <= whole <= _FACTORIAL_MAX:
        raise CalculationError(f"factorials go from 0 to {_FACTORIAL_MAX:,}")
    return Number(value=Fraction(math.factorial(whole)), exact=number.exact)


def square_root(number: Number) -> Number:
    """The root; exact where it has an end."""
    if number.value < 0:
        raise CalculationError("the root of a negative number")
    up, down = math.isqrt(number.value.numerator), math.isqrt(number.value.denominator)
    if up * up == number.value.numerator and down * down == number.value.denominator:
        return Number(value=Fraction(up, down), exact=number.exact)
    return _rounded(lambda: _decimal(number).sqrt())


def rounded(number: Number, places: Number | None = None) -> Number:
    """To so many places after the point, halves away from zero as people learn it."""
    digits = 0 if places is None else _whole(places, "the number of places")
    if abs(digits) > _MAX_PLACES:
        raise CalculationError(f"round takes up to {_MAX_PLACES} places")
    scale = Fraction(10) ** digits
    whole = math.floor(abs(number.value) * scale + Fraction(1, 2))
    return Number(value=(-whole if number.value < 0 else whole) / scale, exact=number.exact)


def _logarithm(number: Number, base: Number) -> Number:
    if number.value <= 0 or base.value <= 0 or base.value == 1:
        raise CalculationError("a logarithm of what is not above zero, or to the base 1")
    found = _rounded(lambda: _decimal(number).ln() / _decimal(base).ln())
    whole = Number(value=Fraction(round(found.value)))
    # Where it comes out even it is exact: the powers of both sides are of the same length, so this is no long one.
    is_even = abs(found.value - whole.value) < Fraction(1, 10**9) and _whole_power(base, whole).value == number.value
    return replace(whole, exact=number.exact and base.exact) if is_even else found


def _natural_logarithm(number: Number) -> Number:
    if number.value <= 0:
        raise CalculationError("a logarithm of what is not above zero")
    return _rounded(lambda: _decimal(number).ln())


def _exponential(number: Number) -> Number:
    return _rounded(lambda: _decimal(number).exp())


def _combinations(whole: Number, chosen: Number) -> Number:
    n, k = _whole(whole, "comb"), _whole(chosen, "comb")
    if not 0 <= k <= n <= _FACTORIAL_MAX:
        raise CalculationError(f"comb(n, k) takes 0 <= k <= n <= {_FACTORIAL_MAX:,}")
    return Number(value=Fraction(math.comb(n, k)), exact=whole.exact and chosen.exact)


def _divisor(*numbers: Number) -> Number:
    wholes = [_whole(number, "gcd") for number in numbers]
    return Number(value=Fraction(math.gcd(*wholes)), exact=all(number.exact for number in numbers))


def _multiple(*numbers: Number) -> Number:
    found = 1
    for number in numbers:
        found = bounded(Fraction(math.lcm(found, _whole(number, "lcm")))).numerator
    return Number(value=Fraction(found), exact=all(number.exact for number in numbers))


def _sum(*numbers: Number) -> Number:
    total = bounded(sum((number.value for number in numbers), Fraction()))
    return Number(value=total, exact=all(number.exact for number in numbers))


def _mean(*numbers: Number) -> Number:
    return divide(_sum(*numbers), Number(value=Fraction(len(numbers))))


def _by_float(function: Callable[[float], float]) -> Callable[[Number], Number]:
    """A function that exists for floats alone: 15 digits are right, as many as are shown."""

    def call(number: Number) -> Number:
        if abs(number.value) > 10**15:
            raise CalculationError("that number is too large for this function")
        try:
            return Number(value=Fraction(function(float(number.value))), exact=False)
        except ValueError:
            raise CalculationError("this function has no value there") from None

    return call


def _to_whole(function: Callable[[Fraction], int]) -> Callable[[Number], Number]:
    return lambda number: Number(value=Fraction(function(number.value)), exact=number.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function by name. `most` None: as many arguments as one likes."""

    call: Callable[..., Number]
    least: int = 1
    most: int | None = 1


#: Functions of plain numbers; those that take quantities as well (`abs`, `min`, `max`, `round`) treat their units.
FUNCTIONS: Final[Mapping[str, Function]] = {
    "sqrt": Function(call=square_root),
    "ln": Function(call=_natural_logarithm),
    "log": Function(call=_logarithm, least=2, most=2),
    "log10": Function(call=lambda number: _logarithm(number, Number(value=Fraction(10)))),
    "log2": Function(call=lambda number: _logarithm(number, Number(value=Fraction(2)))),
    "exp": Function(call=_exponential),
    "factorial": Function(call=factorial),
    "comb": Function(call=_combinations, least=2, most=2),
    "gcd": Function(call=_divisor, most=None),
    "lcm": Function(call=_multiple, most=None),
    "mean": Function(call=_mean, most=None),
    "sum": Function(call=_sum, most=None),
    "floor": Function(call=_to_whole(math.floor)),
    "ceil": Function(call=_to_whole(math.ceil)),
    "mod": Function(call=remainder, least=2, most=2),
    "sin": Function(call=_by_float(math.sin)),
    "cos": Function(call=_by_float(math.cos)),
    "tan": Function(call=_by_float(math.tan)),
    "asin": Function(call=_by_float(math.asin)),
    "acos": Function(call=_by_float(math.acos)),
    "atan": Function(call=_by_float(math.atan)),
}

CONSTANTS: Final[Mapping[str, Number]] = {
    name: Number(value=Fraction(digits), exact=False)
    for name, digits in (
        ("pi", "3.141592653589793238462643383279502884197"),
        ("e", "2.718281828459045235360287471352662497757"),
    )
}


def shown(number: Number) -> str:
    """A number for people: exact ones in full where that is readable, others with 15 digits after `≈`."""
    value = number.value
    if number.exact and value.denominator == 1:
        return str(value.numerator)
    if number.exact and (places := _places(value.denominator)) is not None:
        whole, rest = divmod(abs(value) * 10**places, 10**places)
        return f"{'-' if value < 0 else ''}{whole}.{rest.numerator:0{places}d}"
    short = f"≈ {_short(value)}"
    if number.exact and value.denominator <= _SMALL_DENOMINATOR and abs(value.numerator) < 10**9:
        return f"{value.numerator}/{value.denominator} {short}"
    return short


def _places(denominator: int) -> int | None:
    """How many places after the point are needed; None: more than are readable, or there is no end."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while fives <= _MAX_PLACES and rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    return places if rest == 1 and places <= _MAX_PLACES else None


def _short(value: Fraction) -> str:
    with localcontext() as context:
        context.prec = _SHOWN_DIGITS
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
        if not decimal:
            return "0"
        if -_SHOWN_DIGITS < decimal.adjusted() < _SCIENTIFIC_FROM:
            return _plain(decimal)
        return f"{decimal.normalize():e}".replace("e+", "e")


def _plain(decimal: Decimal) -> str:
    text = f"{decimal:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(number: Number) -> Decimal:
    return Decimal(number.value.numerator) / Decimal(number.value.denominator)


def _rounded(calculate: Callable[[], Decimal]) -> Number:
    """What `calculate` finds with 40 digits."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = _PRECISION, _MAX_EXPONENT, -_MAX_EXPONENT
        context.traps[Underflow] = True
        try:
            return Number(value=bounded(Fraction(calculate())), exact=False)
        except ArithmeticError:
            raise CalculationError("the result is too large, or too close to zero") from None


def _both(left: Number, right: Number, value: Fraction) -> Number:
    return Number(value=bounded(value), exact=left.exact and right.exact)


def _whole(number: Number, where: str) -> int:
    if number.value.denominator != 1:
        raise CalculationError(f"{where} takes whole numbers")
    return number.value.numerator
