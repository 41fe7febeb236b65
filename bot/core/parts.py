"""What the engine is made of: every port in one value, filled in once by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.calibration import Calibration
from bot.core.catalogue import ModelRef
from bot.core.chores import Chores
from bot.core.command import Command, Conversations, Desk
from bot.core.files import FileStore
from bot.core.gate import Gate
from bot.core.health import Health
from bot.core.history import History
from bot.core.money_stores import AnswerCache, BudgetStore
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.place import Place
from bot.core.ports import Clock, Messenger, ModelDirectory, Pricer, Provider
from bot.core.purse import Purse
from bot.core.reading import Reading
from bot.core.side_call import SideCalls
from bot.core.sound import Transcriber
from bot.core.speaking import Speaking
from bot.core.stores import InvocationStore, Ledger, SettingStore, ThreadStore, TurnStore
from bot.core.thread_settings import TurnDefaults
from bot.core.tools import ServerState, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that the engine works with. `messengers` and `providers` are by name, `context_tokens` bounds any prompt.

    `tools` may come and go. `transcriber` None: recordings stay unheard but by models that hear. `toolless` are the
    models that turned out to take no tools.
    """

    threads: ThreadStore
    turns: TurnStore
    history: History
    ledger: Ledger
    settings: SettingStore
    invocations: InvocationStore
    gate: Gate
    pairing: Pairing
    directory: ModelDirectory
    providers: Mapping[str, Provider]
    tools: Mapping[str, Tool]
    tool_servers: Callable[[], Sequence[ServerState]]
    files: FileStore
    reading: Reading
    transcriber: Transcriber | None
    speaking: Speaking
    messengers: Mapping[str, Messenger]
    price: Pricer
    budgets: BudgetStore
    purse: Purse
    side: SideCalls
    chores: Chores
    calibration: Calibration
    health: Health
    answers: AnswerCache
    commands: Sequence[Command]
    pacers: Pacers
    defaults: TurnDefaults
    context_tokens: int
    clock: Clock
    toolless: set[ModelRef] = field(default_factory=set)

    def desk(self, conversations: Conversations, place: Place) -> Desk:
        """What a command that was called in `place` can reach."""
        return Desk(
            commands=self.commands,
            conversations=conversations,
            directory=self.directory,
            threads=self.threads,
            turns=self.turns,
            settings=self.settings,
            ledger=self.ledger,
            budgets=self.budgets,
            purse=self.purse,
            price=self.price,
            side=self.side,
            chores=self.chores,
            calibration=self.calibration,
            health=self.health,
            gate=self.gate,
            pairing=self.pairing,
            messenger=self.messengers[place.platform],
            speaking=self.speaking,
            tools=self.tools,
            tool_servers=self.tool_servers,
            defaults=self.defaults,
            context_tokens=self.context_tokens,
            clock=self.clock,
        )
