"""From what was typed to a command's options, and back to its usage line. Pure.

One declaration serves text and slash commands: both come out as the same checked mapping. Knows neither who
may run a command nor what it does; every error is a UsageError in words for the user, to which the runner
adds the usage line.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from bot.core.command import Command, Option
from bot.core.errors import UsageError
from bot.core.formatting import excerpt

#: A word, or several in quotation marks; phones turn straight marks into typographic ones.
_WORD = re.compile(r'"(?P<straight>[^"]*)"(?!\S)|“(?P<curly>[^”]*)”(?!\S)|(?P<plain>\S+)')


def split_line(line: str) -> tuple[str, str]:
    """A command line into its name, without a slash and in lower case, and the text after it."""
    name, *text = line.split(maxsplit=1) or [""]
    return name.removeprefix("/").lower(), "".join(text).strip()


def find_command(commands: Sequence[Command], name: str) -> Command | None:
    """The command of that name, in any case, with or without a slash, and with `_` where names have no dashes."""
    wanted = name.strip().removeprefix("/").lower().replace("_", "-")
    return next((command for command in commands if command.name == wanted), None)


def nearest_command(commands: Sequence[Command], name: str) -> Command | None:
    """The command that was probably meant by a misspelt name; None when nothing comes near."""
    close = get_close_matches(name.strip().removeprefix("/").lower()[:32], [c.name for c in commands], n=1)
    return find_command(commands, close[0]) if close else None


def usage(command: Command) -> str:
    """How a command is written: `/model [name] [scope]`; `<…>` must be given, `[…]` may."""
    return " ".join([f"/{command.name}", *(_usage_of(option) for option in command.options)])


def _usage_of(option: Option) -> str:
    return f"<{option.name}>" if option.required else f"[{option.name}]"


def parse_options(command: Command, text: str) -> Mapping[str, str]:
    """Read the words after a command's name as its options, in the order of declaration.

    An optional choice is skipped when the word fits a later one (`/cost here`). `rest` takes the remaining
    text as it is. Words with spaces stand in quotation marks.

    Raises:
        UsageError: a word too many, one that is no choice, or a required one missing.
    """
    given: dict[str, str] = {}
    options = list(command.options)
    position = 0
    while found := _WORD.search(text, position):
        option = _next_option(options, word := _text_of(found))
        if option is None:
            raise UsageError(f"I don't know what to do with `{excerpt(word)}`.")
        del options[: options.index(option) + 1]
        given[option.name] = text[found.start() :].strip() if option.rest else word
        position = len(text) if option.rest else found.end()
    return check_options(command, given)


def check_options(command: Command, options: Mapping[str, str]) -> Mapping[str, str]:
    """Options given by name, as slash commands do, held to the declaration; blank ones count as not given.

    Choices come back in their declared spelling.

    Raises:
        UsageError: an option that is not declared, a value that is no choice, or a required one missing.
    """
    unknown = options.keys() - {option.name for option in command.options}
    if unknown:
        raise UsageError(f"/{command.name} has no option `{excerpt(min(unknown))}`.")
    checked: dict[str, str] = {}
    for option in command.options:
        value = options.get(option.name, "").strip()
        if value:
            checked[option.name] = _checked(option, value)
        elif option.required:
            raise UsageError(f"Please give `{option.name}`: {_lower_first(option.description)}.")
    return checked


def _text_of(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None)


def _next_option(options: Sequence[Option], word: str) -> Option | None:
    """The next one, unless it is a choice that may be left out and a later choice has that word."""
    for option in options:
        if _choice(option, word) is not None:
            return option
        if option.required or not option.choices:
            break
    return options[0] if options else None


def _choice(option: Option, word: str) -> str | None:
    return next((choice for choice in option.choices if _plain(choice) == _plain(word)), None)


def _plain(word: str) -> str:
    """As choices are compared: `Max-Output` and `"max output"` are `max_output` too."""
    return re.sub(r"[\s-]+", "_", word.lower())


def _checked(option: Option, value: str) -> str:
    if not option.choices:
        return value
    choice = _choice(option, value)
    if choice is None:
        allowed = ", ".join(f"`{choice}`" for choice in option.choices)
        raise UsageError(f"`{option.name}` can be {allowed}, not `{excerpt(value)}`.")
    return choice


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
