"""How hard a message looks, by signs that can be read and tested: code, traces, formulas, and words in seven languages.

A guess from the surface, made without asking any model. Pure and total: takes any text.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from bot.core.difficulty_words import CODE, PROGRAMMING, REASONING, TASK, pattern
from bot.core.tokens import estimate_tokens

#: So much of the beginning and of the end is read: what is asked stands there.
_READ_CHARS = 4_000
#: A text of more tokens is no small talk.
_LONG_TOKENS = 150
_CODE_LINES = 2


class Difficulty(IntEnum):
    """What kind of model a message asks for; greater is harder."""

    CHAT = 0
    MIDDLING = 1
    HARD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that tells of difficulty. `says` is the beginning of a sentence for people: `It has code in it`."""

    says: str
    difficulty: Difficulty
    found_in: Callable[[str], object]


_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)", re.MULTILINE)
# Repetitions are bounded, so that no text takes long.
_CODE_LINE = re.compile(
    r"""^[ \t]{0,40}(?:
        (?:async[ ]+)?def[ ]\w+\(|class[ ]\w+.{0,200}[:{]|from[ ][\w.]+[ ]import[ ]|import[ ][\w.{*"']+
        |\#include[ ]*[<"]|(?:export[ ]|async[ ])?function[ ]?\w*\(|(?:const|let|var)[ ]\w+[ ]?=
        |(?:public|private|protected|static)[ ]\w|return[ ].{0,200};|fn[ ]\w+|func[ ]\w+\(
        |SELECT[ ].{1,200}[ ]FROM[ ]|(?:if|for|while)[ ]?\(.{0,200}\)[ ]*\{
        |[\w.]{1,100}\(.{0,200}\);?[ \t]*$|.{0,200}[;{}][ \t]*$
    )""",
    re.MULTILINE | re.VERBOSE,
)
_TRACE = re.compile(
    r"""Traceback[ ]\(most[ ]recent|^[ \t]{1,40}at[ ][\w.$<>/ ]{1,200}\(|File[ ]"[^"\n]{1,300}",[ ]line[ ]\d
        |panicked[ ]at[ ]|Exception[ ]in[ ]thread|^Caused[ ]by:|goroutine[ ]\d{1,9}[ ]\[|error\[E\d{4}\]
        |Segmentation[ ]fault|^[\w.]{0,60}(?:Error|Exception):[ ]""",
    re.MULTILINE | re.VERBOSE,
)
_FORMULA = re.compile(
    r"""\\(?:frac|int|sum|sqrt|begin|lim|partial|alpha|cdot)\b|\$\$|[∫∑∏√∂∇∀∃∈⊂≤≥≈≠∞]|\b[a-z]\^\{?[-\dnkx]""",
    re.IGNORECASE,
)

SIGNS: tuple[Sign, ...] = (
    Sign(says="It has code in it", difficulty=Difficulty.HARD, found_in=_FENCE.search),
    Sign(
        says="It has code in it",
        difficulty=Difficulty.HARD,
        found_in=lambda text: len(_CODE_LINE.findall(text)) >= _CODE_LINES,
    ),
    Sign(says="It has an error's trace in it", difficulty=Difficulty.HARD, found_in=_TRACE.search),
    Sign(says="It has mathematics in it", difficulty=Difficulty.HARD, found_in=_FORMULA.search),
    Sign(says="It asks about code", difficulty=Difficulty.HARD, found_in=pattern(CODE).search),
    Sign(says="It asks for hard reasoning", difficulty=Difficulty.HARD, found_in=pattern(REASONING).search),
    Sign(
        says="It is about programming",
        difficulty=Difficulty.MIDDLING,
        found_in=pattern(PROGRAMMING).search,
    ),
    Sign(says="It sets a task", difficulty=Difficulty.MIDDLING, found_in=pattern(TASK).search),
    Sign(
        says="It is long",
        difficulty=Difficulty.MIDDLING,
        found_in=lambda text: estimate_tokens(text) > _LONG_TOKENS,
    ),
)


def difficulty_of(texts: Iterable[str]) -> tuple[Difficulty, tuple[str, ...]]:
    """How hard texts look together, and the signs of that, each once; none for small talk."""
    whole = "\n".join(texts)
    text = whole if len(whole) <= 2 * _READ_CHARS else f"{whole[:_READ_CHARS]}\n{whole[-_READ_CHARS:]}"
    found = [sign for sign in SIGNS if sign.found_in(text)]
    hardest = max((sign.difficulty for sign in found), default=Difficulty.CHAT)
    return hardest, tuple(dict.fromkeys(sign.says for sign in found if sign.difficulty is hardest))
