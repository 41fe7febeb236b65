"""An engine with fakes behind every port, for the tests of the engine; a `House` is one process of the bot."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.commands import COMMANDS
from bot.core.clock import SystemClock
from bot.core.engine import Engine
from bot.core.gate import Gate
from bot.core.history import History
from bot.core.inbound import Event, Inbound, Invoked, Pressed, Said
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.parts import Parts
from bot.core.place import Addressed, Author, ChatKind, Place
from bot.core.ports import Clock, Tool
from bot.core.thread_settings import TurnDefaults
from bot.core.turn_record import TurnRecord
from tests.fakes.clock import START
from tests.fakes.desk import FixedDirectory, price
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.providers import ScriptedProvider
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


@asynccontextmanager
async def house(
    provider: ScriptedProvider,
    *,
    stores: Stores | None = None,
    messenger: RecordingMessenger | None = None,
    threads: MemoryThreadStore | None = None,
    tools: Sequence[Tool] = (),
    open_to_all: bool = False,
    timeout_s: float = 60.0,
    clock: Clock | None = None,
) -> AsyncIterator[House]:
    """A running process over `stores`; leaving it is a clean end. `threads` is its own view of the lanes."""
    clock = clock or SystemClock()
    stores = stores or Stores()
    messenger = messenger or RecordingMessenger(clock)
    gate = Gate(
        stores.access,
        open_to_all=open_to_all,
        owners=frozenset(),
        allow=frozenset({ADA.key, BOB.key}),
        clock=clock,
    )
    engine = Engine(
        Parts(
            threads=threads or stores.threads,
            turns=stores.turns,
            history=History(stores.turns),
            ledger=stores.ledger,
            settings=stores.settings,
            invocations=stores.invocations,
            gate=gate,
            pairing=Pairing(clock=clock, announce=lambda _: None),
            directory=FixedDirectory((provider.model(),)),
            providers={provider.name: provider},
            tools={tool.spec.name: tool for tool in tools},
            messengers={"x": messenger},
            price=price,
            commands=COMMANDS,
            pacers=Pacers(clock),
            defaults=TurnDefaults(
                system_prompt="Be brief.", temperature=None, max_output_tokens=None, timeout_s=timeout_s
            ),
            context_tokens=32_000,
            clock=clock,
        )
    )
    async with engine:
        engine.serve("x:bot")
        yield House(provider=provider, messenger=messenger, stores=stores, engine=engine)
