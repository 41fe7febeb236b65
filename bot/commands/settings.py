"""/settings: everything that can be set besides the model and the system prompt, as its table says."""

from collections.abc import Mapping

from bot.commands._fitness import check_fits
from bot.commands._target import CLEAR_WORDS, SCOPE_OPTION, change, choose_target, settings_here, shown
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.ports import Answer
from bot.core.thread_settings import SETTINGS, Origin, SettingSpec, setting

_LISTED = tuple(spec for spec in SETTINGS if spec.command is None)


async def _settings(invocation: Invocation, desk: Desk) -> Answer:
    name, value = invocation.options.get("name"), invocation.options.get("value")
    if name is None:
        here = await settings_here(invocation, desk)
        rows = [await _row(spec, here, desk) for spec in _LISTED]
        return Answer(text="\n".join(["**Settings here**", "", *rows, "", _HINT]))
    spec = setting(name)
    if value is None:
        row = await _row(spec, await settings_here(invocation, desk), desk)
        return Answer(text=f"{row}\n\n`/settings {spec.name} <value>` changes it.")
    parsed = None if value.lower() in CLEAR_WORDS else spec.parse(value)
    remark = None if parsed is None else await check_fits(spec.name, parsed, invocation, desk)
    target = await choose_target(invocation, desk, invocation.options.get("scope"))
    text = await change(spec, parsed, target, invocation, desk)
    return Answer(text=text if remark is None else f"{text}\n\n{remark}")


async def _row(spec: SettingSpec, here: Mapping[str, Origin], desk: Desk) -> str:
    value, source = await shown(spec, here.get(spec.name), desk)
    return f"- `{spec.name}`: **{value}**, from {source}. {spec.description}."


_HINT = (
    "`/settings temperature 0.7` changes one, `/settings temperature default` takes that back. "
    "/model and /system set the rest."
)

COMMAND = Command(
    name="settings",
    description="Show or change settings",
    handler=_settings,
    options=(
        Option(name="name", description="Which setting", choices=tuple(spec.name for spec in _LISTED)),
        Option(name="value", description="The new value, or: default"),
        SCOPE_OPTION,
    ),
    details="A thread's setting counts before its channel's, that before the server's and the default; in a "
    "private chat your own `me` counts before the server's.",
)
