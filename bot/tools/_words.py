"""The text of an expression as words: numbers (exact, as they are written), names and signs.

Knows no meaning of a name.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from bot.tools._numbers import CalculationError

_MAX_WORDS: Final = 200
_MAX_EXPONENT: Final = 3_000
_SIGNS: Final = {"×": "*", "·": "*", "⋅": "*", "÷": "/", "∶": "/", "−": "-", "–": "-", "√": " sqrt ", "π": " pi "}
_SAME: Final = str.maketrans(_SIGNS)
_RAISED: Final = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED: Final = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_WORD = re.compile(
    # The 2 of `m2`.
    r"(?P<power>(?<=[A-Za-zΩ])[23](?![\d.A-Za-z]))"
    r"|(?P<number>(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d[\d_]*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>log(?:2|10)(?=\s*\()|[°Δ]?[A-Za-zµμΩÅ][A-Za-zµμΩÅ_]{0,39}|°)"
    r"|(?P<sign>\*\*|//|->|→|[-+*/^%!(),;])"
    r"|(?P<space>\s+)"
)
_SAID: Final = {"->": "to", "→": "to", "modulo": "mod"}
_CALL = re.compile(r"[A-Za-z\d]\s*$")


class Kind(StrEnum):
    """What a word is."""

    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word. `number` is set for numbers alone."""

    kind: Kind
    text: str
    number: Fraction | None = None


def split(text: str) -> Sequence[Word]:
    """The words of an expression.

    Raises:
        CalculationError: there are characters that mean nothing, or too many words.
    """
    text = _RAISED.sub(lambda found: f"^{found[0].translate(_LOWERED)}", unicodedata.normalize("NFC", text))
    text = text.translate(_SAME)
    words: list[Word] = []
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise CalculationError(f"`{text[at]}` means nothing here")
        at = found.end()
        if found.lastgroup == "space":
            continue
        if len(words) == _MAX_WORDS:
            raise CalculationError(f"more than {_MAX_WORDS} numbers, names and signs")
        if found.lastgroup == "power":
            words.append(Word(kind=Kind.SIGN, text="^"))
        words.append(_word(found))
    return words


def _word(found: re.Match[str]) -> Word:
    text = _SAID.get(found[0], found[0])
    if found.lastgroup == "power":
        return _number(text)
    if found.lastgroup == "number":
        if "," in text and _in_call(found.string[: found.start()]):
            raise CalculationError(
                f"`{text[:30]}` in the brackets of a function can be one number or several: write numbers without "
                "separators there, and a space after each comma"
            )
        return _number(text)
    is_name = found.lastgroup == "name" or text == "to"
    return Word(kind=Kind.NAME if is_name else Kind.SIGN, text=text)


def _number(text: str) -> Word:
    mantissa, _, exponent = text.replace(",", "").replace("_", "").lower().partition("e")
    if abs(int(exponent or 0)) > _MAX_EXPONENT:
        raise CalculationError(f"exponents go up to {_MAX_EXPONENT:,}")
    return Word(kind=Kind.NUMBER, text=text, number=Fraction(mantissa) * Fraction(10) ** int(exponent or 0))


def _in_call(before: str) -> bool:
    """Whether what stands before a place leaves the brackets of a function open."""
    open_at = []
    for index, char in enumerate(before):
        if char == "(":
            open_at.append(index)
        elif char == ")" and open_at:
            open_at.pop()
    return any(_CALL.search(before[:index]) for index in open_at)
