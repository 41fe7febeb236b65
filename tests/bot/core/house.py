"""An engine with fakes behind every port, for the tests of the engine; a `House` is one process of the bot."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.commands import COMMANDS
from bot.core.budget import BudgetLimit
from bot.core.calibration import Calibration
from bot.core.catalogue import ModelInfo
from bot.core.chores import Chores
from bot.core.clock import SystemClock
from bot.core.engine import Engine
from bot.core.files import FileReader
from bot.core.gate import Gate
from bot.core.health import Health
from bot.core.history import History
from bot.core.inbound import Event, Inbound, Invoked, Pressed, Said
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.parts import Parts
from bot.core.place import Addressed, Author, ChatKind, Place
from bot.core.ports import Clock, Pricer
from bot.core.purse import Pace, Purse
from bot.core.reading import FileLimits, Reading
from bot.core.side_call import SideCalls
from bot.core.sound import Speaker, Transcriber
from bot.core.speaking import Speaking
from bot.core.thread_settings import TurnDefaults
from bot.core.tools import Tool
from bot.core.turn_record import TurnRecord
from tests.fakes.clock import START
from tests.fakes.desk import FixedDirectory, price
from tests.fakes.files import MemoryFiles
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.money import MemoryAnswers, MemoryBudgets, MemoryCalibrations, MemoryRates
from tests.fakes.providers import ScriptedProvider
from tests.fakes.reader import ScriptedReader
from tests.fakes.stores import (
    MemoryAccess,
    MemoryInvocations,
    MemoryLedger,
    MemorySettings,
    MemoryThreadStore,
    MemoryTurnStore,
)

ADA = Author(platform="x", id="1", name="Ada")
BOB = Author(platform="x", id="2", name="Bob")
STRANGER = Author(platform="x", id="666", name="Mallory")
PRIVATE = Place(platform="x", account="bot", chat="10", kind=ChatKind.PRIVATE)
CHANNEL = Place(platform="x", account="bot", chat="50", kind=ChatKind.SHARED, space="7")
DEADLINE_S = 5.0


@dataclass(slots=True, kw_only=True)
class Stores:
    """What survives a process."""

    threads: MemoryThreadStore = field(default_factory=MemoryThreadStore)
    turns: MemoryTurnStore = field(default_factory=MemoryTurnStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    settings: MemorySettings = field(default_factory=MemorySettings)
    invocations: MemoryInvocations = field(default_factory=MemoryInvocations)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    budgets: MemoryBudgets = field(init=False)
    rates: MemoryRates = field(default_factory=MemoryRates)
    calibrations: MemoryCalibrations = field(default_factory=MemoryCalibrations)
    answers: MemoryAnswers = field(default_factory=MemoryAnswers)
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def __post_init__(self) -> None:
        self.budgets = MemoryBudgets(self.ledger)


@dataclass(slots=True, kw_only=True)
class House:
    """One process: `engine` runs between the entrance and exit of `house`."""

    provider: ScriptedProvider
    messenger: RecordingMessenger
    stores: Stores
    engine: Engine
    numbers: int = 0

    def said(self, text: str, *, place: Place = PRIVATE, author: Author = ADA, **facts: object) -> Inbound:
        build: Callable[..., Said] = Said
        self.numbers += 1
        message_id = str(100 + self.numbers)
        said = build(**{"text": text, "message_id": message_id, "addressed": Addressed.PRIVATE, **facts})
        return self._inbound(said, place, author)

    def typed(self, line: str, *, place: Place = PRIVATE, author: Author = ADA) -> Inbound:
        name, _, text = line.removeprefix("/").partition(" ")
        return self._inbound(Invoked(name=name, text=text, message_id="c"), place, author)

    def pressed(self, line: str, *, place: Place = PRIVATE, author: Author = ADA) -> Inbound:
        return self._inbound(Pressed(line=line, message_id="b"), place, author)

    async def say(self, text: str, **facts: object) -> Inbound:
        """Send a message and wait until nothing runs any more."""
        build: Callable[..., Inbound] = self.said
        inbound = build(text, **facts)
        await self.engine.accept(inbound)
        await self.engine.idle()
        return inbound

    async def rested(self) -> None:
        """Wait until the chores after the turns are done as well."""
        while self.engine._aside:
            await asyncio.wait(self.engine._aside)

    async def command(self, line: str, **facts: object) -> str:
        """Type a command and return its answer."""
        build: Callable[..., Inbound] = self.typed
        await self.engine.accept(build(line, **facts))
        await self.engine.idle()
        answer = self.messenger.calls_of("answer")[-1].answer
        assert answer is not None
        return answer.text

    @property
    def turns(self) -> list[TurnRecord]:
        """All stored turns in their order."""
        return sorted(self.stores.turns.turns.values(), key=lambda turn: turn.seq)

    def asked(self, call: int = -1) -> list[str]:
        """The texts of the messages of a request."""
        return [message.text for message in self.provider.requests[call].messages]

    def _inbound(self, event: Event, place: Place, author: Author) -> Inbound:
        self.numbers += 1
        uid = f"x:{event.message_id}" if isinstance(event, Said) else f"x:e{self.numbers}"
        return Inbound(uid=uid, place=place, author=author, at=START, order=self.numbers, event=event)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so that nobody announces; TimeoutError when that takes too long."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # what is looked at are plain lists of fakes
            await asyncio.sleep(0.005)


@dataclass(slots=True, kw_only=True)
class Blueprint:
    """What a house is made of, all but its provider as tests usually want it.

    `threads` is its own view of the lanes. `others` are further providers; without `models` each provider has one.
    `cheap` writes titles and summaries. A `ceiling_nano` bounds what one answer's tools may cost.
    """

    provider: ScriptedProvider
    stores: Stores = field(default_factory=Stores)
    messenger: RecordingMessenger | None = None
    threads: MemoryThreadStore | None = None
    tools: Sequence[Tool] = ()
    open_to_all: bool = False
    timeout_s: float = 60.0
    clock: Clock = field(default_factory=SystemClock)
    others: Sequence[ScriptedProvider] = ()
    models: Sequence[ModelInfo] = ()
    cheap: ModelInfo | None = None
    default_choice: str | None = None
    fallback: tuple[str, ...] = ()
    auto_models: tuple[str, ...] = ()
    answer_ttl_s: float = 0.0
    context_tokens: int = 32_000
    limits: Sequence[BudgetLimit] = ()
    pace: Pace = field(default_factory=Pace)
    prices: Pricer = price
    titles: bool = False
    owners: frozenset[str] = frozenset()
    reader: FileReader = field(default_factory=ScriptedReader)
    file_limits: FileLimits = field(default_factory=FileLimits)
    transcriber: Transcriber | None = None
    speaker: Speaker | None = None
    tool_rounds: int = 6
    ceiling_nano: int | None = None

    def parts(self, messenger: RecordingMessenger) -> Parts:
        """Everything an engine needs, over fakes."""
        stores, clock = self.stores, self.clock
        providers = {each.name: each for each in (self.provider, *self.others)}
        models = tuple(self.models) or tuple(each.model() for each in providers.values())
        directory = FixedDirectory(models, default_choice=self.default_choice, cheap=self.cheap)
        purse = self._purse()
        side = SideCalls(providers=providers, price=self.prices, purse=purse, ledger=stores.ledger, clock=clock)
        calibration = Calibration(stores.calibrations)
        threads = self.threads or stores.threads
        return Parts(
            threads=threads,
            turns=stores.turns,
            history=History(stores.turns),
            ledger=stores.ledger,
            settings=stores.settings,
            invocations=stores.invocations,
            gate=self._gate(),
            pairing=Pairing(clock=clock, announce=lambda _: None),
            directory=directory,
            providers=providers,
            tools={tool.spec.name: tool for tool in self.tools},
            tool_servers=tuple,
            files=stores.files,
            reading=self._reading(),
            transcriber=self.transcriber,
            speaking=self._speaking(messenger, purse),
            messengers={"x": messenger},
            price=self.prices,
            budgets=stores.budgets,
            purse=purse,
            side=side,
            chores=Chores(
                threads=threads,
                turns=stores.turns,
                side=side,
                directory=directory,
                calibration=calibration,
                messengers={"x": messenger},
                titles=self.titles,
            ),
            calibration=calibration,
            health=Health(clock, configured=set(providers)),
            answers=stores.answers,
            commands=COMMANDS,
            pacers=Pacers(clock),
            defaults=self._defaults(),
            context_tokens=self.context_tokens,
            clock=clock,
        )

    def _reading(self) -> Reading:
        return Reading(
            reader=self.reader, files=self.stores.files, limits=self.file_limits, new_marker=lambda: "0123456789abcdef"
        )

    def _speaking(self, messenger: RecordingMessenger, purse: Purse) -> Speaking:
        return Speaking(
            speaker=self.speaker,
            messengers={"x": messenger},
            price=self.prices,
            purse=purse,
            ledger=self.stores.ledger,
            clock=self.clock,
        )

    def _gate(self) -> Gate:
        return Gate(
            self.stores.access,
            open_to_all=self.open_to_all,
            owners=self.owners,
            allow=frozenset({ADA.key, BOB.key}),
            clock=self.clock,
        )

    def _purse(self) -> Purse:
        return Purse(
            budgets=self.stores.budgets,
            rates=self.stores.rates,
            price=self.prices,
            clock=self.clock,
            limits=self.limits,
            pace=self.pace,
        )

    def _defaults(self) -> TurnDefaults:
        return TurnDefaults(
            system_prompt="Be brief.",
            temperature=None,
            max_output_tokens=None,
            timeout_s=self.timeout_s,
            fallback=self.fallback,
            auto_models=self.auto_models,
            answer_ttl_s=self.answer_ttl_s,
            tool_rounds=self.tool_rounds,
            turn_cost_nano=self.ceiling_nano,
        )


@asynccontextmanager
async def house(provider: ScriptedProvider, **facts: object) -> AsyncIterator[House]:
    """A running process; leaving it is a clean end. `facts` are fields of Blueprint, None: as usual."""
    build: Callable[..., Blueprint] = Blueprint
    plan = build(provider=provider, **{name: value for name, value in facts.items() if value is not None})
    messenger = plan.messenger or RecordingMessenger(plan.clock)
    engine = Engine(plan.parts(messenger))
    async with engine:
        engine.serve("x:bot")
        yield House(provider=provider, messenger=messenger, stores=plan.stores, engine=engine)
