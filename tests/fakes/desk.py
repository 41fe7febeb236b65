"""A desk for commands: every port behind it in memory, and one verb to type a command at it.

Knows the core's command runner but no command; the table is the test's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bot.core.budget import BudgetLimit
from bot.core.calibration import Calibration
from bot.core.catalogue import Catalogue, ModelInfo, ModelRef
from bot.core.chores import Chores
from bot.core.command import Command, Desk, StopReport
from bot.core.command_line import split_line
from bot.core.command_runner import called, run_command
from bot.core.errors import ModelNotFound
from bot.core.events import Usage
from bot.core.gate import Gate
from bot.core.health import Health
from bot.core.inbound import Event, Inbound, Invoked, Pressed
from bot.core.ledger import Certainty, Cost
from bot.core.pairing import Pairing
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Answer, Provider
from bot.core.purse import Pace, Purse
from bot.core.side_call import SideCalls
from bot.core.sound import Speaker
from bot.core.speaking import Speaking
from bot.core.thread_settings import TurnDefaults
from bot.core.tools import ServerState, Tool
from tests.fakes.clock import ManualClock
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.money import MemoryBudgets, MemoryCalibrations, MemoryRates
from tests.fakes.stores import MemoryAccess, MemoryLedger, MemorySettings, MemoryThreadStore, MemoryTurnStore

ANN = Author(platform="x", id="1", name="Ann")
BEN = Author(platform="x", id="2", name="Ben")
OWNER = Author(platform="x", id="9", name="Olga")
STRANGER = Author(platform="x", id="666", name="Mallory")

PRIVATE = Place(platform="x", account="bot", chat="1", kind=ChatKind.PRIVATE)
CHANNEL = Place(platform="x", account="bot", chat="50", kind=ChatKind.SHARED, space="7")
THREAD = Place(platform="x", account="bot", chat="50", kind=ChatKind.SHARED, space="7", thread="51")
GROUP = Place(platform="x", account="bot", chat="-60", kind=ChatKind.SHARED)


@dataclass(slots=True)
class ScriptedConversations:
    """What the engine would answer; keeps what it was asked."""

    reports: list[StopReport] = field(default_factory=list)
    can_retry: bool = True
    stops: list[tuple[str, bool]] = field(default_factory=list)
    retries: list[tuple[str | None, bool, bool]] = field(default_factory=list)
    asked: list[tuple[str, bool]] = field(default_factory=list)
    #: How often a model that sees pictures was wanted.
    seeing: int = 0

    async def stop(self, place: Place, author: Author, *, may_stop_others: bool) -> StopReport:
        self.stops.append((author.key, may_stop_others))
        return self.reports.pop(0) if self.reports else StopReport(running=False, withdrawn=0)

    async def retry(
        self, inbound: Inbound, *, turn_uid: str | None, replace: bool, elsewhere: bool = False, seeing: bool = False
    ) -> bool:
        self.retries.append((turn_uid, replace, elsewhere))
        self.seeing += seeing
        return self.can_retry

    async def ask(self, inbound: Inbound, text: str, *, search: bool) -> None:
        self.asked.append((text, search))


@dataclass(slots=True)
class FixedDirectory:
    """A directory of the models that it was given, the first being the default; `cheap` writes summaries."""

    models: tuple[ModelInfo, ...]
    default_choice: str | None = None
    cheap: ModelInfo | None = None

    def cheap_for(self, model: ModelInfo) -> ModelInfo:
        return self.cheap or model

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        providers = tuple(dict.fromkeys(model.ref.provider for model in self.models))
        return Catalogue(models={model.ref: model for model in self.models}, providers=providers)

    async def default(self) -> ModelInfo:
        return await self.model_for(None)

    async def model_for(self, chosen: str | None) -> ModelInfo:
        for model in self.models:
            if chosen in (None, str(model.ref)):
                return model
        raise ModelNotFound("not offered", provider="test")


def model(ref: str, /, **facts: object) -> ModelInfo:
    """A model by `provider/id`, with fields of ModelInfo."""
    provider, _, model_id = ref.partition("/")
    build: Callable[..., ModelInfo] = ModelInfo
    return build(ref=ModelRef(provider, model_id), **facts)


MODELS = (
    model("alpha/one", name="One", window_tokens=128_000, vision=True, tools=True),
    model("alpha/two"),
    model("beta/two-large", aliases=("big",)),
)


def price(usage: Usage, model: ModelInfo, at: datetime, *, estimated: bool, service_tier: str | None = None) -> Cost:
    """`alpha` costs $2.50 and $10 per million tokens, `demo` nothing, and of others nobody knows."""
    if model.ref.provider == "demo":
        return Cost(nano_usd=0, certainty=Certainty.EXACT, source="test")
    if model.ref.provider != "alpha":
        return Cost(nano_usd=None, certainty=Certainty.UNKNOWN, source="none")
    nano_usd = int(usage.input_tokens * Decimal(2_500) + usage.output_tokens * Decimal(10_000))
    return Cost(nano_usd=nano_usd, certainty=Certainty.EXACT, source="test")


@dataclass(slots=True, kw_only=True)
class Counter:
    """A desk and what lies behind it, open for a test to arrange and to look at."""

    commands: Sequence[Command]
    models: tuple[ModelInfo, ...] = MODELS
    owners: frozenset[str] = frozenset({OWNER.key})
    allow: frozenset[str] = frozenset({ANN.key, BEN.key, OWNER.key})
    open_to_all: bool = False
    admins: frozenset[str] = frozenset()
    clock: ManualClock = field(default_factory=ManualClock)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    settings: MemorySettings = field(default_factory=MemorySettings)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    threads: MemoryThreadStore = field(default_factory=MemoryThreadStore)
    turns: MemoryTurnStore = field(default_factory=MemoryTurnStore)
    conversations: ScriptedConversations = field(default_factory=ScriptedConversations)
    budgets: MemoryBudgets = field(init=False)
    rates: MemoryRates = field(init=False)
    limits: Sequence[BudgetLimit] = ()
    pace: Pace = field(default_factory=Pace)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    health: Health = field(init=False)
    codes: list[str] = field(default_factory=list)
    speaker: Speaker | None = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    servers: Sequence[ServerState] = ()
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        gate = Gate(
            self.access,
            open_to_all=self.open_to_all,
            owners=self.owners,
            allow=self.allow,
            clock=self.clock,
        )
        self.budgets = MemoryBudgets(self.ledger, self.clock)
        self.rates = MemoryRates(self.clock)
        self.health = Health(self.clock, configured={model.ref.provider for model in self.models})
        purse = self._purse()
        side = SideCalls(providers=self.providers, price=price, purse=purse, ledger=self.ledger, clock=self.clock)
        calibration = Calibration(MemoryCalibrations())
        directory = FixedDirectory(self.models)
        messenger = RecordingMessenger(self.clock, admins=self.admins)
        self.desk = Desk(
            commands=self.commands,
            conversations=self.conversations,
            directory=directory,
            threads=self.threads,
            turns=self.turns,
            settings=self.settings,
            ledger=self.ledger,
            budgets=self.budgets,
            purse=purse,
            price=price,
            side=side,
            chores=Chores(
                threads=self.threads,
                turns=self.turns,
                side=side,
                directory=directory,
                calibration=calibration,
                messengers={"x": messenger},
                titles=True,
            ),
            calibration=calibration,
            health=self.health,
            gate=gate,
            pairing=Pairing(clock=self.clock, announce=self.codes.append),
            messenger=messenger,
            speaking=self._speaking(messenger, purse),
            tools=self.tools,
            tool_servers=lambda: self.servers,
            defaults=TurnDefaults(system_prompt="Be kind.", temperature=None, max_output_tokens=2_000, timeout_s=60.0),
            context_tokens=32_000,
            clock=self.clock,
        )

    def _purse(self) -> Purse:
        return Purse(
            budgets=self.budgets,
            rates=self.rates,
            price=price,
            clock=self.clock,
            limits=self.limits,
            pace=self.pace,
        )

    def _speaking(self, messenger: RecordingMessenger, purse: Purse) -> Speaking:
        return Speaking(
            speaker=self.speaker,
            messengers={"x": messenger},
            price=price,
            purse=purse,
            ledger=self.ledger,
            clock=self.clock,
        )

    async def type(self, line: str, *, author: Author = ANN, place: Place = PRIVATE) -> Answer:
        """Write `/model gpt` as a message."""
        name, text = split_line(line)
        return await self._run(Invoked(name=name, text=text, message_id="1000"), author, place)

    async def slash(
        self,
        name: str,
        options: Mapping[str, str] | None = None,
        *,
        author: Author = ANN,
        place: Place = PRIVATE,
    ) -> Answer:
        """Use the platform's own interface for commands, which gives options by name."""
        return await self._run(Invoked(name=name, options=options or {}), author, place)

    async def press(self, line: str, *, author: Author = ANN, place: Place = PRIVATE) -> Answer:
        """Press a button that bears `line`."""
        return await self._run(Pressed(line=line, message_id="1001"), author, place)

    async def _run(self, event: Event, author: Author, place: Place) -> Answer:
        inbound = Inbound(uid="x:1000", place=place, author=author, at=self.clock.now(), order=1, event=event)
        name, text, given = called(inbound)
        return await run_command(self.desk, inbound, name, text=text, options=given)
