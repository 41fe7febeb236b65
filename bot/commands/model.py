"""/model: which model answers here, and choosing another."""

from typing import assert_never

from bot.commands._models import KEEP, PAGE_SIZE, describe, picker
from bot.commands._suitability import alternatives, circumstances, why_not
from bot.commands._target import (
    CLEAR_WORDS,
    SCOPE_OPTION,
    Target,
    change,
    choose_target,
    quoted,
    settings_here,
    shown,
)
from bot.core.catalogue import AUTO, Ambiguous, Catalogue, ModelInfo, Unknown
from bot.core.command import Command, Complete, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.inbound import Pressed
from bot.core.place import ChatKind, Scope
from bot.core.ports import Answer, Button
from bot.core.retirement import is_retired
from bot.core.thread_settings import setting

_SPEC = setting("model")
#: Comparing longer names with every model would cost more than any answer is worth.
_NAME_CHARS = 200
_AUTO = Button(label="auto: for each message", line=f"model {AUTO}")
_ALL = Button(label="All models", line="models 1")
_AUTO_FACTS = f"`{AUTO}`: chosen for each message. /why tells how."


async def _model(invocation: Invocation, desk: Desk) -> Answer:
    name = invocation.options.get("name")
    if name is None:
        return await _show(invocation, desk)
    if len(name) > _NAME_CHARS:
        raise UsageError("No model has such a long name.")
    word = name.strip().lower()
    if word in CLEAR_WORDS:
        return await _set(None, "", await _target(invocation, desk), invocation, desk)
    if word == AUTO:
        return await _set(AUTO, _AUTO_FACTS, await _target(invocation, desk), invocation, desk)
    catalogue = await desk.directory.catalogue()
    found = catalogue.resolve(name)
    match found:
        case ModelInfo():
            return await _choose(found, catalogue, invocation, desk)
        case Ambiguous(candidates=candidates):
            text = f"{quoted(name)} fits {len(candidates)} models. Which one?"
            offered = candidates[:PAGE_SIZE]
        case Unknown(nearest=nearest):
            text = f"I know no model {quoted(name)}." + (" Did you mean one of these?" if nearest else "")
            offered = nearest[:PAGE_SIZE]
        case _:
            assert_never(found)
    return _offer(text, offered, invocation, desk)


async def _choose(model: ModelInfo, catalogue: Catalogue, invocation: Invocation, desk: Desk) -> Answer:
    """Set it, unless it cannot work here."""
    target = await _target(invocation, desk)
    here = await circumstances(invocation, desk, target.scope)
    reason = why_not(model, here, desk)
    if reason is None:
        return await _set(str(model.ref), describe(model, desk), target, invocation, desk)
    others = alternatives(model, catalogue, here, desk)
    return _offer(reason + (" These can work here:" if others else ""), others, invocation, desk)


def _offer(text: str, offered: tuple[ModelInfo, ...], invocation: Invocation, desk: Desk) -> Answer:
    rows = "\n".join(f"- {describe(model, desk)}" for model in offered)
    parts = (text, rows, "/models lists all of them.")
    return Answer(
        text="\n\n".join(part for part in parts if part), rows=picker(offered, invocation.options.get("scope"))
    )


async def _target(invocation: Invocation, desk: Desk) -> Target:
    scope = invocation.options.get("scope")
    if scope is None and "keep" in invocation.options and invocation.place.kind is ChatKind.SHARED:
        scope = Scope.CHANNEL
    return await choose_target(invocation, desk, scope)


async def _set(value: str | None, facts: str, target: Target, invocation: Invocation, desk: Desk) -> Answer:
    text = await change(_SPEC, value, target, invocation, desk)
    pressed = isinstance(invocation.inbound.event, Pressed) and "keep" not in invocation.options
    return Answer(text=f"{text}\n\n{facts}" if facts else text, replace=pressed)


async def _show(invocation: Invocation, desk: Desk) -> Answer:
    name, source = await shown(_SPEC, (await settings_here(invocation, desk)).get(_SPEC.name), desk)
    catalogue = await desk.directory.catalogue()
    found = catalogue.resolve(name)
    if name == AUTO:
        answers = _AUTO_FACTS
    else:
        answers = describe(found, desk) if isinstance(found, ModelInfo) else f"{quoted(name)} (not offered now)"
    today = desk.clock.now().date()
    usable = [model for model in catalogue.search("") if not model.gone and not is_retired(model, today)]
    return Answer(
        text=f"The model here, from {source}:\n\n{answers}\n\n`/model <name>` changes it, /models lists all.",
        rows=(*picker(usable), (_AUTO, _ALL)),
    )


COMMAND = Command(
    name="model",
    description="Show or choose the model that answers",
    handler=_model,
    options=(
        Option(name="name", description="The model, or a part of its name, or: auto, default", complete=Complete.MODEL),
        SCOPE_OPTION,
        Option(name="keep", description="Leave what a pressed button stands under as it is", choices=(KEEP,)),
    ),
    details="`auto` picks one for each message. `default` takes a choice back. A thread's model counts before its "
    "channel's, that before the server's; `me` counts in private chats. Choosing for a channel or a server is for "
    "those who manage it. A model that cannot work here is refused, with the reason: it is retired, it cannot see the "
    "images of this conversation, or it is dearer than the price ceiling (`/settings price_ceiling`).",
)
