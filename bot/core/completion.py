"""What to suggest while someone types a command's option.

One more way to ask the bot something, so it passes the gate. Knows no platform; how many suggestions one
takes is the adapter's limit as well.
"""

from collections.abc import Sequence
from typing import assert_never

from bot.core.catalogue import AUTO, Catalogue, handle
from bot.core.command import Command, Complete
from bot.core.gate import Gate, Verdict
from bot.core.place import Author, Place
from bot.core.ports import ModelDirectory
from bot.core.thread_settings import SETTINGS

LIMIT = 25


class Completion:
    """Suggestions for the options of `commands`; call it with what was typed so far."""

    def __init__(self, *, gate: Gate, directory: ModelDirectory, commands: Sequence[Command]) -> None:
        self._gate = gate
        self._directory = directory
        self._commands = commands

    async def __call__(self, complete: Complete, typed: str, place: Place, author: Author) -> tuple[str, ...]:
        """At most `LIMIT` values that fit, the likeliest first; none for those who may not use the bot.

        Raises StorageUnavailable.
        """
        if await self._gate.check(place, author) is Verdict.DENIED:
            return ()
        match complete:
            case Complete.MODEL:
                return _models(await self._directory.catalogue(), typed)
            case Complete.COMMAND:
                return _fitting([command.name for command in self._commands], typed.removeprefix("/"))
            case Complete.SETTING:
                return _fitting([spec.name for spec in SETTINGS], typed)
            case _:
                assert_never(complete)


def _models(catalogue: Catalogue, typed: str) -> tuple[str, ...]:
    """`auto` and the short names that begin with what was typed, then the models that fit it."""
    models = [model for model in catalogue.search(typed) if not model.gone]
    aliases = dict.fromkeys(alias for model in catalogue.models.values() for alias in model.aliases)
    wanted = typed.strip().casefold()
    short = [name for name in (AUTO, *aliases) if name.casefold().startswith(wanted)]
    return tuple(dict.fromkeys([*short, *(handle(model.ref) for model in models)]))[:LIMIT]


def _fitting(names: Sequence[str], typed: str) -> tuple[str, ...]:
    """The names that begin with what was typed, then those that have it elsewhere."""
    wanted = typed.strip().lower()
    starting = [name for name in names if name.startswith(wanted)]
    return tuple([*starting, *(name for name in names if wanted in name and name not in starting)][:LIMIT])
