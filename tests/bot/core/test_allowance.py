"""Which limit counts: the narrowest of the owner's, and a manager's besides."""

from dataclasses import dataclass

import pytest

from bot.core.allowance import LIMITS_FRESH_S, Allowance, scopes_of, scopes_of_row
from bot.core.budget import EACH, BudgetLimit, Giver, Period
from bot.core.ledger import SpendingScope, Whose
from tests.bot.core.spending import ANN, CHANNEL, booked, limit
from tests.fakes.clock import START, ManualClock
from tests.fakes.desk import PRIVATE
from tests.fakes.money import MemoryBudgets

ME = SpendingScope(whose=Whose.USER, key=ANN)


class CountingBudgets(MemoryBudgets):
    """Counts how often the limits are read."""

    reads = 0

    async def limits(self) -> tuple[BudgetLimit, ...]:
        self.reads += 1
        return await super().limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    id: str
    counts: int | None
    granted: int | None
    settings: int | None = None
    each: int | None = None
    own: int | None = None
    manager: int | None = None


@pytest.mark.parametrize(
    "case",
    [
        Precedence(id="none", counts=None, granted=None),
        Precedence(id="the settings", settings=5, counts=5, granted=5),
        Precedence(id="an owner's for each replaces them", settings=5, each=9, counts=9, granted=9),
        Precedence(id="an owner's for this one replaces both", settings=5, each=9, own=20, counts=20, granted=20),
        Precedence(id="a tighter one for this one", settings=5, own=1, counts=1, granted=1),
        Precedence(id="zero is a limit", settings=5, own=0, counts=0, granted=0),
        Precedence(id="a manager's below", settings=5, manager=2, counts=2, granted=5),
        Precedence(id="a manager's above", own=5, manager=8, counts=5, granted=5),
        Precedence(id="a manager's alone", manager=8, counts=8, granted=None),
    ],
    ids=lambda case: case.id,
)
async def test_which_limit_counts(case: Precedence) -> None:
    store = MemoryBudgets()
    fixed = () if case.settings is None else (limit(Whose.USER, case.settings),)
    allowance = Allowance(store, fixed, ManualClock())
    for key, nano_usd, giver in (
        (EACH, case.each, Giver.OWNER),
        (ANN, case.own, Giver.OWNER),
        (ANN, case.manager, Giver.MANAGER),
    ):
        if nano_usd is not None:
            await allowance.put(limit(Whose.USER, nano_usd, key=key, giver=giver))

    dues = await allowance.dues((ME,), START)

    assert [due.limit_nano for due in dues] == ([] if case.counts is None else [case.counts])
    assert await allowance.granted(ME, Period.DAY) == case.granted


async def test_a_limit_for_somebody_else_does_not_count() -> None:
    allowance = Allowance(MemoryBudgets(), (limit(Whose.USER, 1, key="x:2"),), ManualClock())

    assert await allowance.dues((ME,), START) == ()


async def test_every_period_has_its_own_counter() -> None:
    fixed = tuple(limit(Whose.USER, 7, period) for period in Period)
    dues = await Allowance(MemoryBudgets(), fixed, ManualClock()).dues((ME,), START)

    assert [due.counter for due in dues] == [
        "user:x:1/day/2026-11-01",
        "user:x:1/week/2026-10-26",
        "user:x:1/month/2026-11-01",
    ]


async def test_limits_are_read_once_in_a_while() -> None:
    clock, store = ManualClock(), CountingBudgets()
    allowance = Allowance(store, (), clock)
    for _ in range(3):
        await allowance.dues((ME,), START)
    await store.set_limit(limit(Whose.USER, 3))  # by another process

    assert store.reads == 1
    assert await allowance.dues((ME,), START) == ()

    await clock.advance(LIMITS_FRESH_S + 0.1)

    assert [due.limit_nano for due in await allowance.dues((ME,), START)] == [3]


async def test_own_changes_count_at_once() -> None:
    allowance = Allowance(MemoryBudgets(), (limit(Whose.USER, 5),), ManualClock())
    assert [due.limit_nano for due in await allowance.dues((ME,), START)] == [5]

    await allowance.put(limit(Whose.USER, 3, key=ANN))
    assert [due.limit_nano for due in await allowance.dues((ME,), START)] == [3]
    assert await allowance.changed() == (limit(Whose.USER, 3, key=ANN),)

    assert await allowance.remove(limit(Whose.USER, 0, key=ANN))
    assert not await allowance.remove(limit(Whose.USER, 0, key=ANN))
    assert [due.limit_nano for due in await allowance.dues((ME,), START)] == [5]


def test_a_call_counts_for_a_person_a_channel_a_server_and_all() -> None:
    scopes = scopes_of(CHANNEL, ANN)

    assert [scope.whose for scope in scopes] == [Whose.USER, Whose.CHANNEL, Whose.SERVER, Whose.ALL]
    assert scopes_of_row(booked("call", 1)) == scopes


def test_without_a_server_there_is_none_to_count() -> None:
    assert [scope.whose for scope in scopes_of(PRIVATE, ANN)] == [Whose.USER, Whose.CHANNEL, Whose.ALL]
