"""How models are listed, described and offered as buttons. Shared by /model and /models."""

from collections.abc import Sequence

from bot.core.catalogue import ModelInfo, handle
from bot.core.command import Desk
from bot.core.events import Usage
from bot.core.formatting import count, price
from bot.core.ports import Button

PAGE_SIZE = 8
#: Discord takes five rows of buttons: four with models, one to turn pages.
_ROW_SIZE = 2
_LABEL_CHARS = 38
#: Prices can step up for long prompts: ask for few tokens, show per million.
_SAMPLE_TOKENS, _SAMPLES_PER_MILLION = 1_000, 1_000

Rows = tuple[tuple[Button, ...], ...]


def describe(model: ModelInfo, desk: Desk) -> str:
    """One line: name, price, window, capabilities and retirement, each only when it is known."""
    facts = [
        _price(model, desk),
        f"{count(model.window_tokens)} tokens" if model.window_tokens else "",
        "sees images" if model.vision else "",
        "tools" if model.tools else "",
        f"retires {model.retires:%Y-%m-%d}" if model.retires else "",
    ]
    name = f" {model.name}" if model.name and model.name != model.ref.id else ""
    return f"`{model.ref}`{name}: {' · '.join(fact for fact in facts if fact)}"


def _price(model: ModelInfo, desk: Desk) -> str:
    now = desk.clock.now()
    asked = desk.price(Usage(input_tokens=_SAMPLE_TOKENS, output_tokens=0), model, now, estimated=False)
    answered = desk.price(Usage(input_tokens=0, output_tokens=_SAMPLE_TOKENS), model, now, estimated=False)
    if asked.nano_usd is None or answered.nano_usd is None:
        return "price unknown"
    if not asked.nano_usd and not answered.nano_usd:
        return "free"
    asked_price, answered_price = (price(cost * _SAMPLES_PER_MILLION) for cost in (asked.nano_usd, answered.nano_usd))
    return f"{asked_price} in, {answered_price} out per million tokens"


def picker(models: Sequence[ModelInfo], scope: str | None = None) -> Rows:
    """Buttons that choose one of at most `PAGE_SIZE` models; `scope` as in /model."""
    suffix = f" {scope}" if scope else ""
    buttons = [
        Button(label=_label(model), line=f"model {_argument(handle(model.ref))}{suffix}")
        for model in models[:PAGE_SIZE]
    ]
    return tuple(tuple(buttons[i : i + _ROW_SIZE]) for i in range(0, len(buttons), _ROW_SIZE))


def _argument(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _label(model: ModelInfo) -> str:
    full = str(model.ref)
    return full if len(full) <= _LABEL_CHARS else f"…{full[1 - _LABEL_CHARS :]}"
