"""Parley's own engine in this process, over stores in memory and the real providers: the money bench's contestant.

What a thread costs does not depend on the database or on a platform. Time is the bench's, so hours pass at once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property

from bot.core.calibration import Calibration
from bot.core.catalogue import ModelInfo
from bot.core.chores import Chores, TurnDone
from bot.core.engine import Engine
from bot.core.events import ProviderEvent
from bot.core.gate import Gate
from bot.core.history import History
from bot.core.inbound import Inbound, Said
from bot.core.ledger import LedgerRow
from bot.core.pacing import Pacers
from bot.core.pairing import Pairing
from bot.core.parts import Parts
from bot.core.place import Addressed, Author, ChatKind, Place
from bot.core.ports import ChatRequest, Provider
from bot.core.purse import Purse
from bot.core.reading import FileLimits, Reading
from bot.core.side_call import SideCalls
from bot.core.speaking import Speaking
from bot.core.thread_settings import TurnDefaults
from bot.core.untrusted import new_marker
from bot.models import Models
from bot.settings import Settings
from tests.fakes.files import MemoryFiles
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.money import MemoryAnswers, MemoryBudgets, MemoryCalibrations, MemoryRates
from tests.fakes.reader import ScriptedReader
from tests.fakes.stores import (
    MemoryAccess,
    MemoryInvocations,
    MemoryLedger,
    MemorySettings,
    MemoryThreadStore,
    MemoryTurnStore,
)

_START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
_PLATFORM = "bench"
_TURN_TIMEOUT_S = 60.0
_PLACE = Place(platform=_PLATFORM, account="bot", chat="1", kind=ChatKind.PRIVATE)
_ADA = Author(platform=_PLATFORM, id="1", name="Ada")


class LeapClock:
    """`Clock` that goes as the machine's and can leap ahead; whoever sleeps meanwhile does not notice."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._leapt_s = 0.0

    def leap(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._leapt_s += seconds

    def now(self) -> datetime:
        return _START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return time.monotonic() - self._began_s + self._leapt_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class Recorded:
    """`Provider` around a provider that keeps what it was asked, in order."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        return self._provider.name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        self.requests.append(request)
        async with aclosing(self._provider.stream(request)) as events:
            async for event in events:
                yield event

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        return await self._provider.list_models()

    async def aclose(self) -> None:
        """Nothing: whoever opened the provider closes it."""


class AttendedChores(Chores):
    """Chores that tell when those after a turn are over; the engine waits for none."""

    @cached_property
    def over(self) -> asyncio.Semaphore:
        """Released once for each turn."""
        return asyncio.Semaphore(0)

    async def after_turn(self, done: TurnDone) -> None:
        try:
            await super().after_turn(done)
        finally:
            self.over.release()


class Inside:
    """One private chat with Parley."""

    def __init__(
        self,
        engine: Engine,
        chores: AttendedChores,
        ledger: MemoryLedger,
        providers: dict[str, Recorded],
        clock: LeapClock,
    ) -> None:
        self._engine = engine
        self._chores = chores
        self._ledger = ledger
        self._providers = providers
        self._clock = clock
        self._said = 0

    @property
    def rows(self) -> list[LedgerRow]:
        """Every call, in the order of booking."""
        return list(self._ledger.booked.values())

    @property
    def asked(self) -> list[ChatRequest]:
        """The requests that went out, those for summaries included."""
        return [request for provider in self._providers.values() for request in provider.requests]

    async def say(self, text: str) -> None:
        """Send a message, and wait until it is answered and a summary that it made due is there.

        Raises:
            TimeoutError: it was not answered.
        """
        self._said += 1
        event = Said(text=text, message_id=str(self._said), addressed=Addressed.PRIVATE)
        await self._engine.accept(
            Inbound(
                uid=f"{_PLATFORM}:{self._said}",
                place=_PLACE,
                author=_ADA,
                at=self._clock.now(),
                order=self._said,
                event=event,
            )
        )
        async with asyncio.timeout(_TURN_TIMEOUT_S):
            await self._engine.idle()
            await self._chores.over.acquire()


@asynccontextmanager
async def inside(settings: Settings, models: Models, clock: LeapClock) -> AsyncIterator[Inside]:
    """A running engine with these settings; it knows no conversation yet."""
    ledger = MemoryLedger()
    providers = {name: Recorded(provider) for name, provider in models.providers.items()}
    threads, turns, budgets = MemoryThreadStore(clock=clock), MemoryTurnStore(), MemoryBudgets(ledger, clock)
    purse = Purse(budgets=budgets, rates=MemoryRates(clock), price=models.price, clock=clock)
    side = SideCalls(providers=providers, price=models.price, purse=purse, ledger=ledger, clock=clock)
    calibration = Calibration(MemoryCalibrations())
    messengers = {_PLATFORM: RecordingMessenger(clock, page_chars=10_000)}
    chores = AttendedChores(
        threads=threads,
        turns=turns,
        side=side,
        directory=models.directory,
        calibration=calibration,
        messengers=messengers,
        titles=settings.auto_titles,
    )
    files = MemoryFiles(clock)
    parts = Parts(
        threads=threads,
        turns=turns,
        history=History(turns),
        ledger=ledger,
        settings=MemorySettings(),
        invocations=MemoryInvocations(),
        gate=Gate(MemoryAccess(), open_to_all=True, owners=frozenset(), allow=frozenset(), clock=clock),
        pairing=Pairing(clock=clock, announce=lambda _: None),
        directory=models.directory,
        providers=providers,
        tools={},
        tool_servers=tuple,
        files=files,
        reading=Reading(reader=ScriptedReader(), files=files, limits=FileLimits(), new_marker=new_marker),
        transcriber=None,
        speaking=Speaking(
            speaker=None, messengers=messengers, price=models.price, purse=purse, ledger=ledger, clock=clock
        ),
        messengers=messengers,
        price=models.price,
        budgets=budgets,
        purse=purse,
        side=side,
        chores=chores,
        calibration=calibration,
        health=models.health,
        answers=MemoryAnswers(),
        commands=(),
        pacers=Pacers(clock),
        defaults=_defaults(settings),
        context_tokens=settings.context_tokens,
        clock=clock,
    )
    async with Engine(parts) as engine:
        engine.serve(_PLACE.account_key)
        yield Inside(engine, chores, ledger, providers, clock)


def _defaults(settings: Settings) -> TurnDefaults:
    return TurnDefaults(
        system_prompt=settings.system_prompt,
        temperature=settings.temperature,
        max_output_tokens=settings.max_output_tokens,
        timeout_s=settings.turn_timeout_s,
    )
