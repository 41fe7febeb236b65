"""Endpoints for application commands, with Discord's validation.

https://discord.com/developers/docs/interactions/application-commands
"""

import re

from tests.fakes.discord import errors
from tests.fakes.discord.endpoint import Call, Endpoint, Reply
from tests.fakes.discord.errors import ApiError, Problems
from tests.fakes.discord.records import Json

CHAT_INPUT = 1
SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, NUMBER = 3, 4, 10
MAX_COMMANDS = {1: 100, 2: 5, 3: 5}
_NAME = re.compile(r"^[-_'\w]{1,32}$")

Path = tuple[str | int, ...]


def _check_name(name: object, path: Path, problems: Problems) -> None:
    problems.length(path, name, 1, 32)
    if isinstance(name, str) and (not _NAME.match(name) or name != name.lower()):
        problems.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_localized(command: Json, path: Path, problems: Problems) -> None:
    for locale, name in (command.get("name_localizations") or {}).items():
        _check_name(name, (*path, "name_localizations", locale), problems)
    for locale, text in (command.get("description_localizations") or {}).items():
        problems.length((*path, "description_localizations", locale), text, 1, 100)


def check_command(command: Json, path: Path, problems: Problems) -> None:
    kind = command.get("type", CHAT_INPUT)
    if kind != CHAT_INPUT:
        problems.length((*path, "name"), command.get("name"), 1, 32)
        if command.get("description"):
            problems.add((*path, "description"), "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED", "Must be empty")
        return
    _check_name(command.get("name"), (*path, "name"), problems)
    problems.length((*path, "description"), command.get("description"), 1, 100)
    _check_localized(command, path, problems)
    _check_options(command.get("options") or [], (*path, "options"), problems, depth=0)
    if _text_length(command) > 8000:
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _text_length(command: Json) -> int:
    own = len(str(command.get("name", ""))) + len(str(command.get("description", "")))
    own += sum(len(str(c.get("name"))) + len(str(c.get("value"))) for c in command.get("choices") or ())
    return own + sum(_text_length(option) for option in command.get("options") or ())


def _check_options(options: list[Json], path: Path, problems: Problems, *, depth: int) -> None:
    problems.size(path, len(options), 0, 25)
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        problems.add(path, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique")
    optional_seen = False
    for index, option in enumerate(options):
        at = (*path, index)
        kind = option.get("type")
        _check_name(option.get("name"), (*at, "name"), problems)
        problems.length((*at, "description"), option.get("description"), 1, 100)
        _check_localized(option, at, problems)
        if kind in (SUBCOMMAND, GROUP):
            if depth + (kind == SUBCOMMAND) > 2 or (kind == GROUP and depth > 0):
                problems.choice((*at, "type"), kind)
            _check_options(option.get("options") or [], (*at, "options"), problems, depth=depth + 1)
            continue
        if kind not in range(3, 12):
            problems.choice((*at, "type"), kind)
        if option.get("required") and optional_seen:
            problems.add(
                at,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")
        _check_choices(option, at, problems)


def _check_choices(option: Json, path: Path, problems: Problems) -> None:
    choices = option.get("choices") or []
    if (choices or option.get("autocomplete")) and option.get("type") not in (STRING, INTEGER, NUMBER):
        problems.add((*path, "choices"), "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", "Type takes no choices")
    if choices and option.get("autocomplete"):
        problems.add((*path, "autocomplete"), "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES", "Not with choices")
    problems.size((*path, "choices"), len(choices), 0, 25)
    for index, choice in enumerate(choices):
        problems.length((*path, "choices", index, "name"), choice.get("name"), 1, 100)
        if option.get("type") == STRING:
            problems.length((*path, "choices", index, "value"), choice.get("value"), 0, 100)


def _scope(call: Call) -> int:
    if call.id("application") != call.world.application_id:
        raise ApiError(403, 20012, "You are not authorized to perform this action on this application")
    scope = call.id("guild") if "guild" in call.path else 0
    if scope and scope not in call.world.guilds:
        raise errors.missing_access()
    return scope


def _stored(call: Call, scope: int, command: Json, old: Json | None) -> Json:
    world = call.world
    return {
        "nsfw": False,
        "default_member_permissions": None,
        "dm_permission": True,
        "contexts": None,
        "integration_types": [0],
        "description": "",
        "type": CHAT_INPUT,
        **command,
        "id": old["id"] if old else str(world.ids.next()),
        "application_id": str(world.application_id),
        "version": str(world.ids.next()),
        **({"guild_id": str(scope)} if scope else {}),
    }


def _key(command: Json) -> tuple[str, int]:
    return command["name"], command.get("type", CHAT_INPUT)


async def list_commands(call: Call) -> Reply:
    return Reply(list(call.world.commands.get(_scope(call), ())))


async def overwrite_commands(call: Call) -> Reply:
    """Replace all commands of a scope, keeping the ids of those whose name and type stay."""
    scope, commands = _scope(call), call.json
    call.world.command_syncs += 1
    problems = Problems()
    if not isinstance(commands, list):
        raise errors.invalid_json()
    for index, command in enumerate(commands):
        check_command(command, (index,), problems)
    problems.check()
    if len({_key(command) for command in commands}) != len(commands):
        problems.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        problems.check()
    for kind, most in MAX_COMMANDS.items():
        if sum(1 for command in commands if command.get("type", CHAT_INPUT) == kind) > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most}).")
    old = {_key(command): command for command in call.world.commands.get(scope, ())}
    call.world.commands[scope] = tuple(_stored(call, scope, c, old.get(_key(c))) for c in commands)
    call.world.changes.fire()
    return Reply(list(call.world.commands[scope]))


async def upsert_command(call: Call) -> Reply:
    scope, command = _scope(call), call.body
    problems = Problems()
    check_command(command, (), problems)
    problems.check()
    others = [c for c in call.world.commands.get(scope, ()) if _key(c) != _key(command)]
    old = next((c for c in call.world.commands.get(scope, ()) if _key(c) == _key(command)), None)
    if old is None and len(others) >= MAX_COMMANDS[command.get("type", CHAT_INPUT)]:
        raise ApiError(400, 30032, "Maximum number of application commands reached (100).")
    stored = _stored(call, scope, command, old)
    call.world.commands[scope] = (*others, stored)
    call.world.changes.fire()
    return Reply(stored, status=200 if old else 201)


async def delete_command(call: Call) -> Reply:
    scope, command_id = _scope(call), str(call.id("command"))
    left = tuple(c for c in call.world.commands.get(scope, ()) if c["id"] != command_id)
    if len(left) == len(call.world.commands.get(scope, ())):
        raise errors.unknown("application command")
    call.world.commands[scope] = left
    call.world.changes.fire()
    return Reply(status=204)


_SCOPES = ("/applications/{application}", "/applications/{application}/guilds/{guild}")

ENDPOINTS = tuple(
    endpoint
    for scope in _SCOPES
    for endpoint in (
        Endpoint(method="GET", path=scope + "/commands", handler=list_commands),
        Endpoint(method="PUT", path=scope + "/commands", handler=overwrite_commands),
        Endpoint(method="POST", path=scope + "/commands", handler=upsert_command),
        Endpoint(method="DELETE", path=scope + "/commands/{command}", handler=delete_command),
    )
)
