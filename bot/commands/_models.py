"""How models are listed, described and offered as buttons. Shared by /model and /models."""

from collections.abc import Sequence
from typing import assert_never

from bot.core.catalogue import ModelInfo, handle
from bot.core.command import Desk
from bot.core.formatting import amount, count, excerpt, price
from bot.core.health import Condition, HealthReport
from bot.core.list_price import list_price
from bot.core.ports import Button
from bot.core.retirement import fate

PAGE_SIZE = 8
#: Discord takes five rows of buttons: four with models, one to turn pages.
_ROW_SIZE = 2
_LABEL_CHARS = 38
_ERROR_CHARS = 60

#: The word of /model that leaves the message with the pressed button as it is, and chooses for the channel.
KEEP = "keep"

Rows = tuple[tuple[Button, ...], ...]


def describe(model: ModelInfo, desk: Desk) -> str:
    """One line: name, price, window, abilities, retirement and health, each only when it is known."""
    facts = [
        _price(model, desk),
        f"{count(model.window_tokens)} tokens" if model.window_tokens else "",
        _abilities(model),
        fate(model, desk.clock.now().date()),
        _health(desk.health.of(model.ref)),
    ]
    name = f" {model.name}" if model.name and model.name != model.ref.id else ""
    return f"`{model.ref}`{name}: {' · '.join(fact for fact in facts if fact)}"


def is_free(model: ModelInfo, desk: Desk) -> bool:
    """Whether it is known to cost nothing."""
    listed = list_price(model, desk.price, desk.clock.now())
    return listed is not None and listed.is_free


def picker(models: Sequence[ModelInfo], word: str | None = None) -> Rows:
    """Buttons that choose one of at most `PAGE_SIZE` models; `word` is a scope as in /model, or `KEEP`."""
    suffix = f" {word}" if word else ""
    buttons = [
        Button(label=_label(model), line=f"model {_argument(handle(model.ref))}{suffix}")
        for model in models[:PAGE_SIZE]
    ]
    return tuple(tuple(buttons[i : i + _ROW_SIZE]) for i in range(0, len(buttons), _ROW_SIZE))


def _price(model: ModelInfo, desk: Desk) -> str:
    listed = list_price(model, desk.price, desk.clock.now())
    if listed is None:
        return "price unknown"
    if listed.is_free:
        return "free"
    return f"{price(listed.input_nano)} in, {price(listed.output_nano)} out per million tokens"


def _abilities(model: ModelInfo) -> str:
    named = (
        (model.vision, "sees images"),
        (model.pdf, "reads PDF"),
        (model.audio, "hears"),
        (model.tools, "tools"),
        (model.json, "JSON"),
        (model.reasoning, "reasons"),
    )
    return ", ".join(name for has, name in named if has)


def _health(report: HealthReport) -> str:
    """What is worth knowing before one chooses the model."""
    error = "" if report.last_error is None else f" ({excerpt(report.last_error, _ERROR_CHARS)})"
    match report.condition:
        case Condition.DOWN:
            alone = "" if report.open_for_s is None else f": left alone for {max(1, round(report.open_for_s))} s"
            return f"**down**{alone}{error}"
        case Condition.DEGRADED:
            share = round(report.error_rate * 100)
            return f"**degraded**{f': {share} % errors' if share else ''}{error}"
        case Condition.HEALTHY:
            return _latency(report)
        case Condition.UNCONFIGURED:
            return ""
        case _:
            assert_never(report.condition)


def _latency(report: HealthReport) -> str:
    """How soon it begins, of its last calls; nothing while nobody knows."""
    if report.p50_s is None or report.p95_s is None:
        return ""
    return f"begins after {report.p50_s:.1f} s (p95 {report.p95_s:.1f} s, {amount(report.calls, 'call')})"


def _argument(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _label(model: ModelInfo) -> str:
    full = str(model.ref)
    return full if len(full) <= _LABEL_CHARS else f"…{full[1 - _LABEL_CHARS :]}"
