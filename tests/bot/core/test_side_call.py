"""Calls beside the turns: reserved, booked and settled, however they end."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bot.core.budget import BudgetKey, BudgetLimit, Giver, Period
from bot.core.errors import (
    BudgetExhausted,
    ModelNotFound,
    ProviderUnavailable,
    StorageUnavailable,
    StreamBroken,
    ToolRoundsExhausted,
    TurnTimeout,
)
from bot.core.events import TextDelta, Usage
from bot.core.ledger import CallKind, CallStatus, LedgerRow, Whose
from bot.core.place import ChatKind, Place
from bot.core.ports import ChatRequest
from bot.core.purse import Purse
from bot.core.side_call import Reply, SideCalls, short_request
from bot.core.tools import ToolSpec
from tests.fakes.clock import ManualClock
from tests.fakes.desk import model, price
from tests.fakes.money import MemoryBudgets, MemoryRates
from tests.fakes.providers import Hold, ScriptedProvider, calls_tool, says
from tests.fakes.stores import MemoryLedger

PLACE = Place(platform="x", account="bot", chat="1", kind=ChatKind.PRIVATE, thread="7")
MODEL = model("alpha/one", window_tokens=128_000)
EVERYONES = BudgetKey(whose=Whose.ALL, key="", period=Period.DAY)
A_DOLLAR = BudgetLimit(budget=EVERYONES, nano_usd=1_000_000_000, giver=Giver.OWNER)
A_DIME = BudgetLimit(budget=EVERYONES, nano_usd=100_000_000, giver=Giver.OWNER)
A_CENT = BudgetLimit(budget=EVERYONES, nano_usd=10_000_000, giver=Giver.OWNER)


@dataclass(slots=True, kw_only=True)
class Till:
    """Side calls over memory, with a limit for everyone."""

    provider: ScriptedProvider
    limit: BudgetLimit = A_DOLLAR
    clock: ManualClock = field(default_factory=ManualClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    budgets: MemoryBudgets = field(init=False)
    side: SideCalls = field(init=False)

    def __post_init__(self) -> None:
        self.budgets = MemoryBudgets(self.ledger, self.clock)
        purse = Purse(
            budgets=self.budgets, rates=MemoryRates(self.clock), price=price, clock=self.clock, limits=(self.limit,)
        )
        self.side = SideCalls(
            providers={"alpha": self.provider}, price=price, purse=purse, ledger=self.ledger, clock=self.clock
        )

    async def ask(self, *, uid: str = "job", request: ChatRequest | None = None, timeout_s: float = 30.0) -> Reply:
        return await self.side.ask(
            request or short_request(MODEL, system="Be brief.", text="Say something.", answer_tokens=100),
            uid=uid,
            kind=CallKind.TITLE,
            place=PLACE,
            author_key="x:1",
            timeout_s=timeout_s,
        )

    @property
    def rows(self) -> list[LedgerRow]:
        return list(self.ledger.booked.values())

    @property
    def money(self) -> tuple[int, int]:
        """Nano-dollars used and held by the only counter."""
        (counter,) = self.budgets.counters.values()
        spent = counter.spent()
        return spent.used_nano, spent.held_nano


def till(*scripts: object, limit: BudgetLimit = A_DOLLAR) -> Till:
    return Till(provider=ScriptedProvider(*scripts, name="alpha"), limit=limit)  # type: ignore[arg-type]  # scripts


async def test_an_answer_is_booked_under_its_kind_and_paid_for() -> None:
    desk = till(says("Tea ", "time", usage=Usage(input_tokens=1_000, output_tokens=100)))
    reply = await desk.ask()

    (row,) = desk.rows
    assert (reply.text, reply.error, reply.row) == ("Tea time", None, row)
    assert (row.id, row.kind, row.turn_uid, row.author_key) == ("job~0~0", CallKind.TITLE, "job", "x:1")
    assert (row.thread_key, row.usage_estimated, row.cost.nano_usd) == (PLACE.thread_key, False, 3_500_000)
    assert (reply.first_token_s, reply.duration_s) == (row.first_token_s, row.duration_s)
    assert desk.money == (3_500_000, 0)


async def test_a_call_has_a_lane_of_its_thread_and_no_tools() -> None:
    desk = till(says("x"))
    await desk.ask()

    (request,) = desk.provider.requests
    assert request.lane
    assert PLACE.chat not in request.lane.split(":")
    assert request.tools == ()


async def test_a_tool_that_only_stands_in_the_request_is_not_run_and_ends_the_call() -> None:
    desk = till(calls_tool("look_up"))
    tool = ToolSpec(name="look_up", description="Looks up.", parameters={"type": "object"})
    request = replace(short_request(MODEL, system="", text="x", answer_tokens=100), tools=(tool,))
    reply = await desk.ask(request=request)

    assert isinstance(reply.error, ToolRoundsExhausted)
    assert len(desk.provider.requests) == 1
    assert desk.rows == [reply.row]


async def test_usage_that_nobody_reports_is_estimated_and_marked() -> None:
    whole = says("Tea time")
    desk = till((whole[0], whole[-1]))
    await desk.ask()

    (row,) = desk.rows
    assert row.usage_estimated
    assert row.usage.output_tokens > 0


async def test_a_budget_that_is_spent_calls_nobody() -> None:
    desk = till(limit=A_CENT)
    request = short_request(MODEL, system="", text="x", answer_tokens=100_000)
    first = await desk.ask(request=request)

    assert isinstance(first.error, BudgetExhausted)
    assert (first.text, first.row, first.duration_s) == ("", None, None)
    assert desk.provider.requests == []
    assert desk.rows == []


async def test_a_provider_that_nobody_set_up_is_said_in_the_reply() -> None:
    desk = till()
    request = short_request(model("beta/x"), system="", text="x", answer_tokens=10)

    assert isinstance((await desk.ask(request=request)).error, ModelNotFound)


async def test_a_call_that_failed_before_a_word_costs_nothing_and_holds_nothing() -> None:
    desk = till([ProviderUnavailable("down", provider="alpha", retry_after_s=999.0)])
    reply = await desk.ask()

    assert isinstance(reply.error, ProviderUnavailable)
    assert (reply.row, desk.rows, desk.money) == (None, [], (0, 0))


async def test_a_call_is_tried_again_when_that_can_help() -> None:
    desk = till([ProviderUnavailable("busy", provider="alpha")], says("there"))

    assert (await desk.ask()).text == "there"
    assert len(desk.rows) == 1


async def test_what_came_before_a_break_is_kept_and_billed() -> None:
    desk = till([TextDelta(text="Half a "), StreamBroken("cut", provider="alpha")])
    reply = await desk.ask()

    assert (reply.text, isinstance(reply.error, StreamBroken)) == ("Half a ", True)
    assert [row.status for row in desk.rows] == [CallStatus.INCOMPLETE]
    assert desk.money[1] == 0


async def test_a_call_that_takes_too_long_ends_with_what_there_is() -> None:
    desk = till([TextDelta(text="Well"), Hold()])
    reply = await desk.ask(timeout_s=0.05)

    assert (reply.text, isinstance(reply.error, TurnTimeout)) == ("Well", True)
    assert desk.provider.running == 0
    assert len(desk.rows) == 1


async def test_a_call_that_is_broken_off_by_the_end_of_the_process_is_booked_as_lost() -> None:
    hold = Hold()
    desk = till([hold])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.ask())
        await hold.reached()
        task.cancel()

    (row,) = desk.rows
    assert (row.id, row.status, row.usage_estimated) == ("job~0~0", CallStatus.LOST, True)
    assert row.usage.input_tokens > 0
    assert desk.money[1] == 0


class Recovering(MemoryLedger):
    """Is away for the first `outages` writes."""

    def __init__(self, outages: int) -> None:
        super().__init__()
        self.outages = outages

    async def append(self, rows: object) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("away")
        await super().append(rows)  # type: ignore[arg-type]  # as it came


@pytest.mark.parametrize("outages", [1, 3])
async def test_a_call_is_booked_though_storage_was_away_for_a_moment(outages: int) -> None:
    desk = Till(provider=ScriptedProvider(says("x"), name="alpha"), ledger=Recovering(outages))

    assert (await desk.ask()).text == "x"
    assert len(desk.rows) == 1


async def test_storage_that_stays_away_is_the_callers_business() -> None:
    desk = Till(provider=ScriptedProvider(says("x"), name="alpha"), ledger=Recovering(1_000))
    started: datetime = desk.clock.now()

    with pytest.raises(StorageUnavailable):
        await desk.ask()

    assert (desk.clock.now() - started).total_seconds() <= 601


async def test_asking_twice_under_one_uid_is_booked_once() -> None:
    desk = till(says("a"), says("b"))
    await desk.ask()
    await desk.ask()

    assert [row.id for row in desk.rows] == ["job~0~0"]


async def test_a_notice_about_a_budget_comes_with_the_reply() -> None:
    desk = till(says("a", usage=Usage(input_tokens=0, output_tokens=8_500)), says("b"), limit=A_DIME)
    first, second = await desk.ask(uid="one"), await desk.ask(uid="two")

    assert (first.notice, second.text) == (None, "b")
    assert second.notice is not None
    assert second.notice.startswith("85 % of the bot's budget for today is spent;")


@pytest.mark.parametrize(
    ("facts", "tokens", "effort"),
    [
        pytest.param({"reasoning": False}, 100, None, id="no thinking"),
        pytest.param({}, 2_100, None, id="nobody knows"),
        pytest.param({"reasoning": True, "efforts": ("none", "low")}, 100, "none", id="thinking that can be off"),
        pytest.param({"reasoning": True, "efforts": ("low", "high")}, 2_100, "low", id="thinking that can be little"),
        pytest.param({"reasoning": True, "max_output_tokens": 500}, 500, None, id="a small limit"),
    ],
)
def test_a_short_request_leaves_room_for_thinking_where_there_is_some(
    facts: dict[str, object], tokens: int, effort: str | None
) -> None:
    request = short_request(model("alpha/x", **facts), system="s", text="t", answer_tokens=100)

    assert (request.max_output_tokens, request.reasoning_effort) == (tokens, effort)
    assert (request.cache_key, request.temperature) == (None, None)


class Fading(MemoryBudgets):
    """Goes away when something is given back."""

    async def settle(self, *facts: object) -> None:
        self.fading.set()
        await asyncio.sleep(0)
        raise StorageUnavailable("away")

    fading: asyncio.Event


async def test_an_end_that_comes_while_storage_is_away_stays_an_end() -> None:
    desk = till([ProviderUnavailable("down", provider="alpha", retry_after_s=999.0)])
    budgets = Fading(desk.ledger, desk.clock)
    budgets.fading = asyncio.Event()
    purse = Purse(budgets=budgets, rates=MemoryRates(), price=price, clock=desk.clock, limits=(desk.limit,))
    desk.side = SideCalls(
        providers={"alpha": desk.provider}, price=price, purse=purse, ledger=desk.ledger, clock=desk.clock
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.ask())
        await budgets.fading.wait()
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()
