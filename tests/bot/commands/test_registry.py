"""The table of commands: within every platform's limits, and documented as it is."""

import re
from pathlib import Path

import pytest

from bot.commands import COMMANDS
from bot.core.command import Command, Privilege
from bot.core.command_line import usage

DOCS = Path(__file__).parents[3] / "docs" / "commands.md"
#: Discord's and Telegram's rule for names, Discord's for descriptions and the number of choices.
NAME = re.compile(r"[a-z0-9_-]{1,32}")
DESCRIPTION_CHARS, CHOICES = 100, 25
_WHO = {Privilege.STRANGER: "anyone", Privilege.ALLOWED: "who is allowed", Privilege.OWNER: "owners"}


def documented() -> list[str]:
    """The rows of the first table of docs/commands.md."""
    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `/")]
    assert rows
    return rows


def row(command: Command) -> str:
    return f"| `{usage(command)}` | {command.description} | {_WHO[command.privilege]} |"


def test_the_documentation_lists_the_commands_as_they_are() -> None:
    assert [row(command) for command in COMMANDS] == documented()


def test_the_documentation_explains_every_option() -> None:
    text = DOCS.read_text(encoding="utf-8")
    options = {
        f"- `{command.name}` `{option.name}`: {option.description}"
        + (f" ({', '.join(f'`{choice}`' for choice in option.choices)})" if option.choices else "")
        for command in COMMANDS
        for option in command.options
    }

    assert options == {line for line in text.splitlines() if line.startswith("- `")}


def test_names_are_unique() -> None:
    names = [command.name for command in COMMANDS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_fits_every_platform(command: Command) -> None:
    assert NAME.fullmatch(command.name)
    assert 1 <= len(command.description) <= DESCRIPTION_CHARS
    for option in command.options:
        assert NAME.fullmatch(option.name)
        assert 1 <= len(option.description) <= DESCRIPTION_CHARS
        assert len(option.choices) <= CHOICES
        assert not (option.choices and option.complete), "Discord takes choices or completion, not both"
    required = [option.required for option in command.options]
    assert required == sorted(required, reverse=True), "required options come first"
    assert not any(option.rest for option in command.options[:-1]), "only the last option takes the rest"
