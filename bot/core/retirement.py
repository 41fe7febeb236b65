"""Models that have not long to live: which they are, and the lines that tell the operator. Knows no provider."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bot.core.catalogue import AUTO, Catalogue, ModelInfo, ModelRef
from bot.core.ports import Clock, ModelDirectory

log = logging.getLogger(__name__)

RETIRES_SOON = timedelta(days=60)
DEFAULT_SETTING = "DEFAULT_MODEL"
_DAY_S = 86_400.0


def retiring(models: Iterable[ModelInfo], today: date) -> tuple[ModelInfo, ...]:
    """The models that are gone, were retired, or retire within 60 days; the most urgent first."""
    found = [info for info in models if info.gone or _is_soon(info, today)]
    return tuple(sorted(found, key=lambda info: (not info.gone, info.retires or today, info.ref)))


def is_retired(model: ModelInfo, today: date) -> bool:
    """Whether its last day has passed."""
    return model.retires is not None and model.retires <= today


def fate(model: ModelInfo, today: date) -> str:
    """What becomes of a model, to follow its name; empty when that is nothing."""
    if model.retires is not None and model.retires <= today:
        return f"was retired on {model.retires}"
    if model.gone:
        return f"is not on the list of {model.ref.provider} any more"
    return "" if model.retires is None else f"retires on {model.retires}"


def retirement_lines(catalogue: Catalogue, chosen: Sequence[tuple[str, str]], today: date) -> tuple[str, ...]:
    """One warning for each of the operator's choices that cannot last.

    `chosen` are names of settings, each with a model (`provider/id`; `auto` is passed over).
    """
    lines = []
    for setting, name in chosen:
        ref = None if name == AUTO else ModelRef.parse(name)
        model = None if ref is None else catalogue.info(ref)
        if model is not None and retiring((model,), today):
            lines.append(f"{model.ref} {fate(model, today)}; set {setting} to another one")
    return tuple(dict.fromkeys(lines))


async def warn_daily(directory: ModelDirectory, chosen: Sequence[tuple[str, str]], clock: Clock) -> None:
    """Log the lines of `retirement_lines` at once and then every day, until cancelled.

    What answers where nobody chose a model is looked at as well, under the name of DEFAULT_MODEL.
    """
    while True:
        catalogue = await directory.catalogue()
        default = catalogue.default()
        unset = not any(setting == DEFAULT_SETTING and name != AUTO for setting, name in chosen)
        own = ((DEFAULT_SETTING, str(default.ref)),) if unset and default is not None else ()
        for line in retirement_lines(catalogue, (*chosen, *own), clock.now().date()):
            log.warning("%s", line)
        await clock.sleep(_DAY_S)


def _is_soon(model: ModelInfo, today: date) -> bool:
    return model.retires is not None and model.retires - today <= RETIRES_SOON
