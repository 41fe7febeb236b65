"""Whether a setting suits the model that would have to follow it. Shared by the commands that set something."""

from bot.commands._target import default_model, thread_settings
from bot.core.answering import NO_SEARCH
from bot.core.catalogue import AUTO, ModelInfo
from bot.core.command import Desk, Invocation
from bot.core.errors import ModelNotFound, ProviderUnavailable, UsageError
from bot.core.list_price import above_ceiling, list_price
from bot.core.speaking import NO_SPEAKER
from bot.core.thread_settings import Search, SettingValue, fallback_names
from bot.core.tool_belt import WEB_SEARCH


async def check_fits(name: str, value: SettingValue, invocation: Invocation, desk: Desk) -> str | None:
    """Check a parsed value of the setting `name` against the model here; returns what else is worth saying.

    Raises:
        UsageError: the model refuses it; the message says what it takes instead.
    """
    if name == "fallback":
        await _check_chain(str(value), desk)
        return None
    if name == "voice" and value and desk.speaking.model is None:
        raise UsageError(NO_SPEAKER)
    if name == "search" and value == Search.ALWAYS and WEB_SEARCH not in desk.tools:
        raise UsageError(NO_SEARCH)
    model = await _model_here(invocation, desk)
    if model is None:
        return None
    match name:
        case "temperature" | "top_p" if not model.temperature:
            raise UsageError(f"`{model.ref}` takes no temperature and no top-p; it would be left out.")
        case "max_output" if model.max_output_tokens is not None and int(value) > model.max_output_tokens:
            raise UsageError(f"`{model.ref}` writes at most {model.max_output_tokens:,} tokens.")
        case "effort" if str(value) not in model.efforts:
            raise UsageError(_efforts(model))
        case "json" if value and model.json is False:
            raise UsageError(f"`{model.ref}` cannot be held to JSON; pick another with /models json.")
        case "price_ceiling":
            return _above(model, float(value), desk)
        case _:
            return None


def _efforts(model: ModelInfo) -> str:
    if model.efforts:
        return f"`{model.ref}` takes these efforts: {', '.join(model.efforts)}."
    return f"`{model.ref}` cannot be told how much to think; /models reasoning lists those that can."


def _above(model: ModelInfo, ceiling: float, desk: Desk) -> str | None:
    above = above_ceiling(model, list_price(model, desk.price, desk.clock.now()), ceiling)
    return None if above is None else f"{above} It does not answer any more: choose another model, or `auto`."


async def _check_chain(value: str, desk: Desk) -> None:
    for name in fallback_names(value, ()):
        try:
            await desk.directory.model_for(name)
        except ModelNotFound:
            raise UsageError(f"`{name}` cannot be asked: its provider is not configured. /models lists all.") from None


async def _model_here(invocation: Invocation, desk: Desk) -> ModelInfo | None:
    """The one model that would answer; None where that is not certain (`auto`, no provider)."""
    settings = await thread_settings(invocation, desk)
    name = settings.model or await default_model(desk)
    if name is None or name == AUTO:
        return None
    try:
        return await desk.directory.model_for(name)
    except (ModelNotFound, ProviderUnavailable):
        return None
