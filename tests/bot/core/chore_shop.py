"""Chores over memory, and threads with something said in them: for the tests of summaries and titles."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.budget import BudgetLimit
from bot.core.calibration import Calibration
from bot.core.catalogue import ModelInfo
from bot.core.chores import Chores, TurnDone
from bot.core.context import Window, build
from bot.core.events import Outcome, Usage
from bot.core.ledger import LedgerRow
from bot.core.place import ChatKind, Place
from bot.core.ports import ChatRequest
from bot.core.purse import Purse
from bot.core.side_call import SideCalls
from bot.core.tools import ToolSpec
from bot.core.turn_record import Claim, Item, ItemKind, Summary, TurnRecord
from bot.core.warm_prompt import Sent
from tests.fakes.clock import ManualClock
from tests.fakes.desk import FixedDirectory, model, price
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger
from tests.fakes.money import MemoryBudgets, MemoryCalibrations, MemoryRates
from tests.fakes.providers import ScriptedProvider
from tests.fakes.stores import MemoryLedger, MemoryThreadStore, MemoryTurnStore

PLACE = Place(platform="x", account="bot", chat="50", kind=ChatKind.SHARED, space="7", thread="51")
KEY = PLACE.thread_key
BIG = model("alpha/big", window_tokens=200_000)
CHEAP = model("alpha/cheap", window_tokens=100_000, reasoning=False)
WINDOW = Window(high=10_000, low=5_000)
#: With what stands around it about 510 tokens.
LONG = "The train to Oslo leaves at nine. " * 80


@dataclass(slots=True, kw_only=True)
class Shop:
    """One process; `rival` is another on the same stores. `cheap` writes summaries and titles."""

    provider: ScriptedProvider
    cheap: ModelInfo = CHEAP
    titles: bool = True
    limits: tuple[BudgetLimit, ...] = ()
    clock: ManualClock = field(default_factory=ManualClock)
    threads: MemoryThreadStore = field(default_factory=MemoryThreadStore)
    turns: MemoryTurnStore = field(default_factory=MemoryTurnStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    calibration: Calibration = field(default_factory=lambda: Calibration(MemoryCalibrations()))
    messenger: RecordingMessenger = field(init=False)
    chores: Chores = field(init=False)

    def __post_init__(self) -> None:
        self.messenger = RecordingMessenger(self.clock, abilities=replace(CAPABILITIES, titles=True))
        purse = Purse(
            budgets=MemoryBudgets(self.ledger, self.clock),
            rates=MemoryRates(self.clock),
            price=price,
            clock=self.clock,
            limits=self.limits,
        )
        self.chores = Chores(
            threads=self.threads,
            turns=self.turns,
            side=SideCalls(
                providers={"alpha": self.provider}, price=price, purse=purse, ledger=self.ledger, clock=self.clock
            ),
            directory=FixedDirectory((BIG,), cheap=self.cheap),
            calibration=self.calibration,
            messengers={"x": self.messenger},
            titles=self.titles,
        )

    def rival(self, provider: ScriptedProvider) -> "Shop":
        """Another process."""
        return Shop(provider=provider, threads=self.threads.rival("other"), turns=self.turns, ledger=self.ledger)

    @property
    def rows(self) -> list[LedgerRow]:
        return list(self.ledger.booked.values())

    async def talk(self, *said: tuple[str, str], place: Place = PLACE, outcome: Outcome = Outcome.ANSWERED) -> TurnDone:
        """Questions and answers, one turn each; returns the last of them as it was done."""
        done = None
        for question, answer in said:
            done = await self._turn(place, question, answer, outcome)
        assert done is not None
        return done

    async def _turn(self, place: Place, question: str, answer: str, outcome: Outcome) -> TurnDone:
        number = len(self.turns.turns)
        item = Item(
            uid=f"x:{number}",
            kind=ItemKind.MESSAGE,
            author_key="x:1",
            author_name="Ann",
            text=question,
            message_id=str(number),
            at=self.clock.now(),
            order=number,
        )
        claim = (await self.threads.ingest(place, item)).claim
        assert claim is not None
        record = TurnRecord(
            uid=item.uid,
            thread_key=place.thread_key,
            seq=claim.next_seq,
            fence=claim.fence,
            at=self.clock.now(),
            items=(item,),
            steps=(),
            answer=answer,
            outcome=outcome,
            reason=None,
            model=str(BIG.ref),
        )
        await self.turns.append(record)
        await self.threads.finish(claim, [item.uid])
        return _done(claim, record)


def sent_for(
    turns: Sequence[TurnRecord], *, at: datetime, summary: Summary | None = None, model: ModelInfo = BIG
) -> Sent:
    """The prompt of the last of these turns, nearly all of which its provider found in a cache."""
    *history, last = turns
    context = build(
        history,
        last.items,
        system="Be kind.",
        window=Window(high=10**9, low=10**9),
        estimate=len,
        named=True,
        next_seq=last.seq,
        summary=summary,
    )
    request = ChatRequest(
        model=model,
        system="Be kind.",
        messages=context.messages,
        tools=(ToolSpec(name="look_up", description="Looks up.", parameters={"type": "object"}),),
        cache_key="thread",
        cache_ttl_s=3_600,
        lane="lane",
    )
    usage = Usage(input_tokens=8_000, output_tokens=200, cached_tokens=7_400, cache_write_tokens=500)
    return Sent(seq=last.seq, request=request, usage=usage, at=at)


def _done(claim: Claim, record: TurnRecord) -> TurnDone:
    return TurnDone(claim=claim, record=record, author_key="x:1", model=BIG, prompt_tokens=100, window=WINDOW)


def shop(
    *scripts: object,
    titles: bool = True,
    limits: tuple[BudgetLimit, ...] = (),
    calibration: Calibration | None = None,
    cheap: ModelInfo = CHEAP,
) -> Shop:
    """A shop whose provider plays these scripts."""
    return Shop(
        provider=ScriptedProvider(*scripts, name="alpha"),  # type: ignore[arg-type]  # scripts
        cheap=cheap,
        titles=titles,
        limits=limits,
        calibration=calibration or Calibration(MemoryCalibrations()),
    )
