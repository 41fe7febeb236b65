"""What a change of a setting applies to, who may make it, and the words that confirm it.

Shared by /model, /system and /settings. Does not know what is being set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.catalogue import AUTO
from bot.core.command import Desk, Invocation, Option
from bot.core.errors import ModelNotFound, NotAllowed, UsageError
from bot.core.formatting import excerpt
from bot.core.place import ChatKind, Place, Scope
from bot.core.thread_settings import Origin, SettingSpec, SettingValue, ThreadSettings, origins, resolve

SCOPE_OPTION = Option(
    name="scope",
    description="What it applies to; without it this thread, this channel, or you in a private chat",
    choices=tuple(Scope),
)
#: Words in place of a value that remove it, so that a wider scope or the default counts again.
CLEAR_WORDS = frozenset({"default", "clear", "reset"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a value is stored: the scope and its key in the SettingStore."""

    scope: Scope
    key: str


async def choose_target(invocation: Invocation, desk: Desk, wanted: str | None) -> Target:
    """The scope that was asked for, or the one that fits the place.

    Raises:
        UsageError: the place has no such scope.
        NotAllowed: it would change things for others, and the asker does not manage this place.
    """
    place = invocation.place
    scope = _default_scope(place) if wanted is None else Scope(wanted)
    shared = place.kind is ChatKind.SHARED
    if scope is Scope.THREAD and shared and place.thread is None:
        scope = Scope.CHANNEL  # outside of a thread the channel is the conversation, and everyone's
    keys = dict(place.setting_keys(invocation.author.key))
    if scope not in keys:
        raise UsageError(
            "`me` counts in private chats only: send me that there."
            if scope is Scope.ME
            else "This chat does not belong to a server."
        )
    if shared and scope in (Scope.CHANNEL, Scope.SERVER) and not await manages(invocation, desk):
        raise NotAllowed(
            f"That would change {scope_name(scope)} for everyone here: only people who manage it, or an "
            "owner of this bot, can do that. In our private chat you can choose for yourself."
        )
    return Target(scope=scope, key=keys[scope])


async def manages(invocation: Invocation, desk: Desk) -> bool:
    """Whether the asker may decide for others here: an owner of the bot, or who administers the chat."""
    if await desk.gate.is_owner(invocation.author):
        return True
    return await desk.messenger.may_manage(invocation.place, invocation.author)


async def settings_here(invocation: Invocation, desk: Desk) -> Mapping[str, Origin]:
    """What people set that counts for the asker in this place, by setting name; one read."""
    keys = invocation.place.setting_keys(invocation.author.key)
    return origins(keys, await desk.settings.load([key for _, key in keys]))


async def thread_settings(invocation: Invocation, desk: Desk) -> ThreadSettings:
    """What counts for the asker in this place; one read."""
    keys = invocation.place.setting_keys(invocation.author.key)
    return resolve(keys, await desk.settings.load([key for _, key in keys]))


async def shown(spec: SettingSpec, origin: Origin | None, desk: Desk) -> tuple[str, str]:
    """A setting's value and where it comes from, in words: (`0.7`, `this channel`); None: nobody set it."""
    if origin is not None:
        return spec.show(origin.value), scope_name(origin.scope)
    value = await _default(spec, desk)
    return spec.unset if value is None else spec.show(value), "the default"


async def change(
    spec: SettingSpec, value: SettingValue | None, target: Target, invocation: Invocation, desk: Desk
) -> str:
    """Set a value, or with None remove it; returns the confirmation, with old, new and what overrides it."""
    keys = invocation.place.setting_keys(invocation.author.key)
    before = await desk.settings.load([key for _, key in keys])
    await desk.settings.set(target.key, spec.name, value)
    after = {**before, target.key: {**before.get(target.key, {}), spec.name: value}}
    narrower, outward = _split_at(keys, target)
    old, _ = await shown(spec, origins(outward, before).get(spec.name), desk)
    new, source = await shown(spec, origins(outward, after).get(spec.name), desk)
    taken_back = f", from {source}" if value is None else ""
    text = f"{spec.title} for {scope_name(target.scope)}: {quoted(old)} → {quoted(new)}{taken_back}."
    override = origins(narrower, after).get(spec.name)
    if override is None:
        return text
    still = quoted(spec.show(override.value))
    return f"{text} Here {still} still counts, which is set for {scope_name(override.scope)}."


def _split_at(
    keys: tuple[tuple[Scope, str], ...], target: Target
) -> tuple[tuple[tuple[Scope, str], ...], tuple[tuple[Scope, str], ...]]:
    """The keys that count before the target's, and those from it on."""
    at = keys.index((target.scope, target.key))
    return keys[:at], keys[at:]


async def _default(spec: SettingSpec, desk: Desk) -> SettingValue | None:
    """What counts where nobody set anything; None leaves it to the provider."""
    if spec.name == "model":
        return await default_model(desk)
    configured: Mapping[str, SettingValue | None] = {
        "system": desk.defaults.system_prompt,
        "temperature": desk.defaults.temperature,
        "max_output": desk.defaults.max_output_tokens,
    }
    built_in: SettingValue | None = getattr(ThreadSettings(), spec.name)
    return configured.get(spec.name, built_in)


async def default_model(desk: Desk) -> str | None:
    """The name of the model for whoever chose none, or `auto`; None when no provider offers any."""
    if desk.directory.default_choice == AUTO:
        return AUTO
    try:
        return str((await desk.directory.default()).ref)
    except ModelNotFound:
        return None


def quoted(value: str) -> str:
    """A value inside a sentence: as code, on one line, shortened."""
    return f"`{excerpt(value)}`"


def scope_name(scope: Scope) -> str:
    """A scope in words, as seen from where the command was sent."""
    return _SCOPE_NAMES[scope]


def _default_scope(place: Place) -> Scope:
    if place.kind is ChatKind.PRIVATE:
        return Scope.ME
    return Scope.CHANNEL if place.thread is None else Scope.THREAD


_SCOPE_NAMES = {
    Scope.THREAD: "this thread",
    Scope.CHANNEL: "this channel",
    Scope.SERVER: "this server",
    Scope.ME: "you in private chats",
}
