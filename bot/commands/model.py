"""/model: which model answers here, and choosing another."""

from typing import assert_never

from bot.commands._models import PAGE_SIZE, describe, picker
from bot.commands._target import (
    CLEAR_WORDS,
    SCOPE_OPTION,
    change,
    choose_target,
    quoted,
    settings_here,
    shown,
)
from bot.core.catalogue import Ambiguous, ModelInfo, Unknown
from bot.core.command import Command, Complete, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.inbound import Pressed
from bot.core.ports import Answer, Button
from bot.core.thread_settings import setting

_SPEC = setting("model")
#: Comparing longer names with every model would cost more than any answer is worth.
_NAME_CHARS = 200
_ALL = Button(label="All models", line="models 1")


async def _model(invocation: Invocation, desk: Desk) -> Answer:
    name = invocation.options.get("name")
    if name is None:
        return await _show(invocation, desk)
    if len(name) > _NAME_CHARS:
        raise UsageError("No model has such a long name.")
    if name.lower() in CLEAR_WORDS:
        return await _set(None, invocation, desk)
    catalogue = await desk.directory.catalogue()
    found = catalogue.resolve(name)
    scope = invocation.options.get("scope")
    match found:
        case ModelInfo():
            return await _set(found, invocation, desk)
        case Ambiguous(candidates=candidates):
            text = f"{quoted(name)} fits {len(candidates)} models. Which one?"
            offered = candidates[:PAGE_SIZE]
        case Unknown(nearest=nearest):
            text = f"I know no model {quoted(name)}." + (" Did you mean one of these?" if nearest else "")
            offered = nearest[:PAGE_SIZE]
        case _:
            assert_never(found)
    rows = "\n".join(f"- {describe(model, desk)}" for model in offered)
    parts = (text, rows, "/models lists all of them.")
    return Answer(text="\n\n".join(part for part in parts if part), rows=picker(offered, scope))


async def _set(model: ModelInfo | None, invocation: Invocation, desk: Desk) -> Answer:
    target = await choose_target(invocation, desk, invocation.options.get("scope"))
    value = None if model is None else str(model.ref)
    text = await change(_SPEC, value, target, invocation, desk)
    facts = "" if model is None else f"\n\n{describe(model, desk)}"
    return Answer(text=text + facts, replace=isinstance(invocation.inbound.event, Pressed))


async def _show(invocation: Invocation, desk: Desk) -> Answer:
    name, source = await shown(_SPEC, (await settings_here(invocation, desk)).get(_SPEC.name), desk)
    catalogue = await desk.directory.catalogue()
    found = catalogue.resolve(name)
    answers = describe(found, desk) if isinstance(found, ModelInfo) else f"{quoted(name)} (not offered now)"
    return Answer(
        text=f"The model here, from {source}:\n\n{answers}\n\n`/model <name>` changes it, /models lists all.",
        rows=(*picker(catalogue.search("")), (_ALL,)),
    )


COMMAND = Command(
    name="model",
    description="Show or choose the model that answers",
    handler=_model,
    options=(
        Option(name="name", description="The model, or a part of its name, or: default", complete=Complete.MODEL),
        SCOPE_OPTION,
    ),
    details="`default` takes a choice back. A thread's model counts before its channel's, that before the "
    "server's; `me` counts in private chats. Choosing for a channel or a server is for those who manage it.",
)
