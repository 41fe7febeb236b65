"""What a platform's adapter is built from, and the row by which it is known."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from bot.core.command import Command, Complete
from bot.core.place import Author, Place
from bot.core.ports import Adapter, Clock
from bot.core.stores import ActivityStore

#: What to suggest for an option while it is typed, at most 25 values.
Completer = Callable[[Complete, str, Place, Author], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a platform: the bot's token and the base address of the API."""

    token: str
    api_url: str
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """All that an adapter gets. `names` are what the bot answers to in groups besides mention and reply."""

    access: Access
    commands: Sequence[Command]
    names: tuple[str, ...]
    complete: Completer
    activity: ActivityStore


Build = Callable[[Door], Adapter]
#: For `parley doctor`: whether each thing is fine, and a line with the remedy where it is not.
Check = Callable[[Access], Awaitable[Sequence[tuple[bool, str]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRow:
    """One platform as data. `module` has `build` (Build) and `check` (Check); it is imported when it is needed."""

    platform: str
    module: str
    token_setting: str
    url_setting: str

    def build(self, door: Door) -> Adapter:
        """Import the platform's SDK and make the adapter."""
        build: Build = import_module(self.module).build
        return build(door)

    async def check(self, access: Access) -> Sequence[tuple[bool, str]]:
        """What `parley doctor` says of the platform."""
        check: Check = import_module(self.module).check
        return await check(access)
