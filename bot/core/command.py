"""Commands as values: declared once, projected to slash commands, menus and the terminal by the adapters.

A command is one file in `bot/commands` plus one row in its registry. Handlers see the product through `Desk`, never
a platform.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.core.calibration import Calibration
from bot.core.chores import Chores
from bot.core.gate import Gate
from bot.core.health import Health
from bot.core.inbound import Inbound
from bot.core.money_stores import BudgetStore
from bot.core.pairing import Pairing
from bot.core.place import Author, Place
from bot.core.ports import Answer, Clock, Messenger, ModelDirectory, Pricer
from bot.core.purse import Purse
from bot.core.side_call import SideCalls
from bot.core.speaking import Speaking
from bot.core.stores import Ledger, SettingStore, ThreadStore, TurnStore
from bot.core.thread_settings import TurnDefaults
from bot.core.tools import ServerState, Tool

#: What follows a turn in the line of the button that asks another model.
ANOTHER_MODEL = "elsewhere"
#: The same for the nearest model that sees pictures.
SEEING_MODEL = "seeing"


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

    async def retry(
        self, inbound: Inbound, *, turn_uid: str | None, replace: bool, elsewhere: bool = False, seeing: bool = False
    ) -> bool:
        """Answer a turn once more (None: the thread's last); False when there is none.

        `replace` shows the new answer in the old one's messages. `elsewhere` asks the model that comes after the
        turn's own in the fallback chain, `seeing` the nearest that sees pictures.
        """
        ...

    async def ask(self, inbound: Inbound, text: str, *, search: bool) -> None:
        """Take `text` as a message of whoever called the command; `search`: it is looked up on the web first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that a handler can reach. `commands` is the whole table, for /help.

    `tools` are all that can run anywhere, `tool_servers` tells how those are that tools come from.
    """

    commands: Sequence[Command]
    conversations: Conversations
    directory: ModelDirectory
    threads: ThreadStore
    turns: TurnStore
    settings: SettingStore
    ledger: Ledger
    budgets: BudgetStore
    purse: Purse
    price: Pricer
    side: SideCalls
    chores: Chores
    calibration: Calibration
    health: Health
    gate: Gate
    pairing: Pairing
    messenger: Messenger
    speaking: Speaking
    tools: Mapping[str, Tool]
    tool_servers: Callable[[], Sequence[ServerState]]
    defaults: TurnDefaults
    context_tokens: int
    clock: Clock
