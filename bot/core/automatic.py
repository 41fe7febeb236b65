"""The model `auto`: which one answers a message, by rules that can be read, and why, in words for people. Pure.

First what a model must have for this message, then what kind of model its difficulty asks for. No model is asked, and
the same message always gets the same one. Knows neither health nor who may use what: it is given the models to choose
from, best those that work.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.core.catalogue import CostClass, ModelInfo, Speed
from bot.core.context import UNKNOWN_WINDOW_TOKENS
from bot.core.difficulty import Difficulty, difficulty_of
from bot.core.errors import NoFittingModel
from bot.core.formatting import count, price
from bot.core.list_price import ListPrice

#: What an answer may take of the window where nobody set a limit.
ANSWER_TOKENS = 4_096
#: How long an answer usually is: for telling which of two models costs less.
_USUAL_ANSWER_TOKENS = 500
_SMART, _FAST = "smart", "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a message needs of a model. `signs` tell, for people, where `difficulty` comes from.

    `has_pdf` and `has_audio`: such a file goes to the model as it is, not as its text.
    """

    prompt_tokens: int = 0
    answer_tokens: int = ANSWER_TOKENS
    has_image: bool = False
    has_pdf: bool = False
    has_audio: bool = False
    needs_tools: bool = False
    difficulty: Difficulty = Difficulty.CHAT
    signs: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        *,
        prompt_tokens: int,
        answer_tokens: int | None = None,
        has_image: bool = False,
        has_pdf: bool = False,
        has_audio: bool = False,
        needs_tools: bool = False,
    ) -> "Needs":
        """From the new `texts`, without the history, and what is known of the whole request.

        `prompt_tokens` is an estimate; `answer_tokens` is the limit that was set, None: there is none.
        """
        difficulty, signs = difficulty_of(texts)
        if has_pdf and difficulty is Difficulty.CHAT:
            difficulty, signs = Difficulty.MIDDLING, ("It has a document to read",)
        return cls(
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens or ANSWER_TOKENS,
            has_image=has_image,
            has_pdf=has_pdf,
            has_audio=has_audio,
            needs_tools=needs_tools,
            difficulty=difficulty,
            signs=signs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The model that answers. `reasons` are sentences for people, the one that decided last."""

    model: ModelInfo
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A model and its price; None: unknown."""

    model: ModelInfo
    price: ListPrice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for: the needs of the message, and dollars per million tokens of answer (None: any)."""

    needs: Needs
    ceiling_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What a model must have. `reason` tells why others are left out, `missing` ends the sentence `no model …`."""

    applies: Callable[[_Wish], bool]
    meets: Callable[[_Candidate, _Wish], bool]
    reason: Callable[[_Wish], str]
    missing: Callable[[_Wish], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """What kind of model a difficulty asks for. The least `rank` is the best; price decides among equals."""

    says: str
    rank: Callable[[_Candidate], tuple[int, ...]]


def pick(
    needs: Needs,
    models: Sequence[ModelInfo],
    *,
    price_of: Callable[[ModelInfo], ListPrice | None],
    ceiling_usd: float | None,
    today: date,
) -> Pick:
    """The model for a message, of `models` in the operator's order.

    `price_of` gives None for a price that is not known: such a model is never picked under a ceiling, which is in
    dollars per million tokens of answer.

    Raises:
        NoFittingModel: none can answer; the message says what is missing, for people.
    """
    wish = _Wish(needs=needs, ceiling_usd=None if ceiling_usd is None else Decimal(str(ceiling_usd)))
    offered = [model for model in models if model.retires is None or model.retires > today]
    candidates = [_Candidate(model=model, price=price_of(model)) for model in offered]
    rules = [rule for rule in _RULES if rule.applies(wish)]
    fitting = [each for each in candidates if all(rule.meets(each, wish) for rule in rules)]
    telling = [rule for rule in rules if not all(rule.meets(each, wish) for each in candidates)]
    if not fitting:
        raise NoFittingModel(_missing(candidates, telling, wish))
    kind = _CLASSES[needs.difficulty]
    best = min(fitting, key=lambda each: (*kind.rank(each), _expected_nano(each, needs)))
    looks = " and ".join(_continued(needs.signs)) or "It is short chat"
    return Pick(model=best.model, reasons=(*(rule.reason(wish) for rule in telling), f"{looks}: {kind.says}."))


def _missing(candidates: Sequence[_Candidate], telling: Sequence[_Rule], wish: _Wish) -> str:
    """What no model has; where each has something of it, all that together. `telling` rules leave somebody out."""
    if not candidates:
        return "`auto` has no model to choose from. Name one with /model."
    nobody = [rule for rule in telling if not any(rule.meets(each, wish) for each in candidates)]
    wanted = " and ".join(rule.missing(wish) for rule in nobody or telling)
    return f"None of the models that `auto` may choose from {wanted}. Name another one with /model."


def _continued(signs: Sequence[str]) -> tuple[str, ...]:
    """Signs as one sentence: `It has code in it`, `it asks for hard reasoning`."""
    return tuple(sign if not position else sign[0].lower() + sign[1:] for position, sign in enumerate(signs))


def _expected_nano(candidate: _Candidate, needs: Needs) -> float:
    """What the answer will cost, in proportion; an unknown price is more than any."""
    if candidate.price is None:
        return math.inf
    return needs.prompt_tokens * candidate.price.input_nano + _USUAL_ANSWER_TOKENS * candidate.price.output_nano


def _has_room(candidate: _Candidate, wish: _Wish) -> bool:
    window = candidate.model.window_tokens or UNKNOWN_WINDOW_TOKENS
    return wish.needs.prompt_tokens + min(wish.needs.answer_tokens, window // 2) <= window


def _is_below_ceiling(candidate: _Candidate, wish: _Wish) -> bool:
    if wish.ceiling_usd is None:
        return True
    return candidate.price is not None and candidate.price.output_usd <= wish.ceiling_usd


def _ceiling(wish: _Wish) -> str:
    return f"{price(int((wish.ceiling_usd or 0) * 10**9))} per million tokens of answer"


_RULES: tuple[_Rule, ...] = (
    _Rule(
        applies=lambda wish: wish.needs.has_image,
        meets=lambda each, _: each.model.vision is True,
        reason=lambda _: "It has a picture: only models that see.",
        missing=lambda _: "can see pictures",
    ),
    _Rule(
        applies=lambda wish: wish.needs.has_pdf,
        meets=lambda each, _: each.model.pdf is True,
        reason=lambda _: "It has a PDF: only models that read such files.",
        missing=lambda _: "can read PDF files",
    ),
    _Rule(
        applies=lambda wish: wish.needs.has_audio,
        meets=lambda each, _: each.model.audio is True,
        reason=lambda _: "It has a recording: only models that hear.",
        missing=lambda _: "can hear recordings",
    ),
    _Rule(
        applies=lambda wish: wish.needs.needs_tools,
        meets=lambda each, _: each.model.tools is not False,
        reason=lambda _: "Tools are on: only models that can use them.",
        missing=lambda _: "can use tools",
    ),
    _Rule(
        applies=lambda _: True,
        meets=_has_room,
        reason=lambda wish: (
            f"The conversation has about {count(wish.needs.prompt_tokens)} tokens: only models with room for it."
        ),
        missing=lambda wish: f"has room for about {count(wish.needs.prompt_tokens)} tokens and an answer",
    ),
    _Rule(
        applies=lambda wish: wish.ceiling_usd is not None,
        meets=_is_below_ceiling,
        reason=lambda wish: f"The price ceiling is {_ceiling(wish)}: only models known to cost no more.",
        missing=lambda wish: f"is known to cost at most {_ceiling(wish)}",
    ),
)


def _unrated(candidate: _Candidate) -> int:
    """1 for a model of which the catalogue says neither speed nor cost: nobody knows what it is good for.

    Aliases do not count: local servers give them to all of their models.
    """
    return int(candidate.model.speed is None and candidate.model.cost is None)


_SPEED_RANK = {Speed.FAST: 0, Speed.MEDIUM: 1, None: 2, Speed.SLOW: 3}
_MIDDLE_RANK = {CostClass.MEDIUM: 0, CostClass.CHEAP: 1, CostClass.DEAR: 2, None: 3}
_COST_RANK = {CostClass.DEAR: 0, CostClass.MEDIUM: 1, CostClass.CHEAP: 2, None: 3}


def _fastest(candidate: _Candidate) -> tuple[int, ...]:
    return (_unrated(candidate), _SPEED_RANK[candidate.model.speed])


def _most_middling(candidate: _Candidate) -> tuple[int, ...]:
    return (_unrated(candidate), _MIDDLE_RANK[candidate.model.cost])


def _smartest(candidate: _Candidate) -> tuple[int, ...]:
    model = candidate.model
    called_smart = _SMART in model.aliases and _FAST not in model.aliases  # called both, it is called everything
    return (_unrated(candidate), not called_smart, model.reasoning is not True, _COST_RANK[model.cost])


_CLASSES = {
    Difficulty.CHAT: _Class(says="the cheapest fast model", rank=_fastest),
    Difficulty.MIDDLING: _Class(says="a model of the middle", rank=_most_middling),
    Difficulty.HARD: _Class(says="the smartest model", rank=_smartest),
}
