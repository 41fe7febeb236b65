"""The command table as Discord's slash commands: payloads out, options in. Pure.

https://discord.com/developers/docs/interactions/application-commands#application-command-object
"""

from collections.abc import Mapping, Sequence

from adapters.discord.markup import Payload
from bot.core.command import Command, Option
from bot.core.command_line import find_command

STRING = 3
_CHAT_INPUT = 1
_GUILD, _BOT_DM = 0, 1
_DESCRIPTION_CHARS = 100


def to_payloads(commands: Sequence[Command]) -> list[dict[str, object]]:
    """All commands as Discord takes them in one bulk overwrite."""
    return [
        {
            "name": command.name,
            "type": _CHAT_INPUT,
            "description": command.description[:_DESCRIPTION_CHARS],
            "options": [_option(option) for option in _required_first(command.options)],
            "contexts": [_GUILD, _BOT_DM],
        }
        for command in commands
    ]


def differ(registered: Sequence[Payload], wanted: Sequence[Payload]) -> bool:
    """Whether what Discord has is not what we want; ids, versions and defaults that it adds do not count."""
    return _comparable(registered) != _comparable(wanted)


def options_of(data: Payload) -> dict[str, str]:
    """The values of a slash command by the options' names."""
    return {option["name"]: str(option["value"]) for option in data.get("options") or () if "value" in option}


def focused_option(commands: Sequence[Command], data: Payload) -> tuple[Option, str] | None:
    """The option that is being typed and what was typed so far; None when the table has no such one."""
    command = find_command(commands, data["name"])
    typed = next((option for option in data.get("options") or () if option.get("focused")), None)
    if command is None or typed is None:
        return None
    declared = next((option for option in command.options if option.name == typed["name"]), None)
    return None if declared is None else (declared, str(typed["value"]))


def _required_first(options: Sequence[Option]) -> list[Option]:
    """Discord refuses a required option behind an optional one."""
    return sorted(options, key=lambda option: not option.required)


def _option(option: Option) -> dict[str, object]:
    payload: dict[str, object] = {
        "type": STRING,
        "name": option.name,
        "description": option.description[:_DESCRIPTION_CHARS],
        "required": option.required,
    }
    if option.choices:
        payload["choices"] = [{"name": choice, "value": choice} for choice in option.choices]
    elif option.complete is not None:
        payload["autocomplete"] = True
    return payload


def _comparable(commands: Sequence[Payload]) -> Mapping[tuple[object, object], object]:
    return {
        (command["name"], command.get("type", _CHAT_INPUT)): (
            command["description"],
            sorted(command.get("contexts") or ()),
            [
                (
                    option["name"],
                    option["type"],
                    option["description"],
                    bool(option.get("required")),
                    bool(option.get("autocomplete")),
                    [(choice["name"], choice["value"]) for choice in option.get("choices") or ()],
                )
                for option in command.get("options") or ()
            ],
        )
        for command in commands
    }
