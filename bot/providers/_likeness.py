"""Whether a price list means the model that was asked for: it finds names by their beginning, too.

Knows how `genai-prices` writes its rules, and no price.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
)

_DATE = re.compile(r"[-@](\d{8}|\d{4}-\d{2}-\d{2})", re.ASCII)
#: What names another release of the same model: `-001`, `-preview-11-2025`, `@default`. A size (`-8b`), a kind
#: (`-image`) or a version of its own (`.5`) is not among them.
_RELEASE = re.compile(r"([-@:](\d{2,8}|latest|preview|exp|experimental|default|v\d))+", re.ASCII)


class Likeness(StrEnum):
    """`SAME`: the list names it, or it is a dated form of what is named. `CLOSE`: another release of that."""

    SAME = "same"
    CLOSE = "close"
    NONE = "none"


def likeness_of(model_id: str, found: ModelInfo) -> Likeness:
    """How the model that was asked for is related to the one that the list found for it."""
    wanted = model_id.lower()
    if any(re.fullmatch(pattern, wanted) for pattern in _patterns(found.match)):
        return Likeness.SAME
    names = {found.id.lower(), *_names(found.match)}
    endings = [wanted[len(name) :] for name in names if wanted.startswith(name)]
    if any(not ending or _DATE.fullmatch(ending) for ending in endings):
        return Likeness.SAME
    return Likeness.CLOSE if any(_RELEASE.fullmatch(ending) for ending in endings) else Likeness.NONE


def _names(rule: MatchLogic) -> Iterator[str]:
    """Every name that a rule spells out, and every beginning of one."""
    match rule:
        case ClauseEquals():
            yield rule.equals.lower()
        case ClauseStartsWith():
            yield rule.starts_with.lower().rstrip("-@:")
        case ClauseContains():
            yield rule.contains.lower().rstrip("-@:")
        case ClauseEndsWith():
            yield rule.ends_with.lower()
        case ClauseOr():
            for each in rule.or_:
                yield from _names(each)
        case ClauseAnd():
            for each in rule.and_:
                yield from _names(each)
        case ClauseRegex():
            return


def _patterns(rule: MatchLogic) -> Iterator[str]:
    """Every pattern that describes a whole name; one that only bounds another rule matches no name in full."""
    match rule:
        case ClauseRegex():
            yield rule.regex
        case ClauseOr():
            for each in rule.or_:
                yield from _patterns(each)
        case _:
            return
