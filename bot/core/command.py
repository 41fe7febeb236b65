"""Commands as values: declared once, projected to slash commands, menus and the terminal by the adapters.

A command is one file in `bot/commands` plus one row in its registry. Handlers see the product through `Desk`, never
a platform.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.gate import Gate
from bot.core.inbound import Inbound
from bot.core.pairing import Pairing
from bot.core.place import Author, Place
from bot.core.ports import Answer, Clock, Messenger, Pricer
from bot.core.stores import Ledger, SettingStore, ThreadStore, TurnStore
from bot.core.thread_settings import TurnDefaults


class Privilege(StrEnum):
    """Who may run a command. `STRANGER`: also people whom nobody has allowed yet."""

    STRANGER = "stranger"
    ALLOWED = "allowed"
    OWNER = "owner"


class Complete(StrEnum):
    """What an option's value is completed from while it is typed."""

    MODEL = "model"
    COMMAND = "command"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One argument. `choices` are all values it can take, empty: any. `rest` takes all remaining words (last only).

    Names are `[a-z0-9_]{1,32}`, descriptions at most 100 characters (Discord's limits for slash commands).
    """

    name: str
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    complete: Complete | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A command as it was called: `options` hold only what was given, already checked against the declaration."""

    inbound: Inbound
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.inbound.place

    @property
    def author(self) -> Author:
        return self.inbound.author


Handler = Callable[[Invocation, "Desk"], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. `description` is at most 100 characters; `details` is the rest of its help, in Markdown."""

    name: str
    description: str
    handler: Handler
    options: tuple[Option, ...] = ()
    privilege: Privilege = Privilege.ALLOWED
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReport:
    """What Stop did: whether a running turn was ended, and how many waiting messages were dropped."""

    running: bool
    withdrawn: int


class Conversations(Protocol):
    """What commands may ask of the engine."""

    async def stop(self, place: Place, author: Author, *, may_stop_others: bool) -> StopReport:
        """Drop the author's waiting messages, then end the running turn if it is theirs (or may be stopped)."""
        ...

    async def retry(self, inbound: Inbound, *, turn_uid: str | None, replace: bool) -> bool:
        """Answer a turn once more (None: the thread's last); False when there is none.

        `replace` shows the new answer in the old one's messages.
        """
        ...


class ModelDirectory(Protocol):
    """The models that can be asked now."""

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        """All models, discovered ones merged in; at most five minutes old unless `refresh`. Never raises."""
        ...

    async def default(self) -> ModelInfo:
        """The model for whoever chose none. Raises ModelNotFound when no provider offers any."""
        ...

    async def model_for(self, chosen: str | None) -> ModelInfo:
        """The model of a turn: `chosen` as stored (`provider/id`), None: the default. Does not wait for discovery
        where the catalogue or the name alone tells enough. Raises ModelNotFound when its provider is not configured.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that a handler can reach. `commands` is the whole table, for /help."""

    commands: Sequence[Command]
    conversations: Conversations
    directory: ModelDirectory
    threads: ThreadStore
    turns: TurnStore
    settings: SettingStore
    ledger: Ledger
    price: Pricer
    gate: Gate
    pairing: Pairing
    messenger: Messenger
    defaults: TurnDefaults
    clock: Clock
