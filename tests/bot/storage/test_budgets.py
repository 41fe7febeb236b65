"""The contract of `BudgetStore`, over MongoDB and over the fake in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Due, Giver, Period
from bot.core.ledger import Certainty, LedgerRow, SpendingScope, Whose
from bot.core.money_stores import Reservation, Spent, hold_id
from tests.bot.storage.samples import ADA, BOB, row
from tests.bot.storage.worlds import World

#: Far away: counters of periods long past vanish.
NOW = datetime(2099, 6, 17, 12, tzinfo=UTC)
OF_ADA = SpendingScope(whose=Whose.USER, key=ADA)
HOUR_S = 3_600.0


def due(limit_nano: int = 100, *, of: SpendingScope = OF_ADA, period: Period = Period.MONTH) -> Due:
    return Due.of(of, period, limit_nano, NOW)


ALL = due(1_000, of=SpendingScope(whose=Whose.ALL))


def booked(number: int, nano_usd: int | None, **changes: datetime) -> LedgerRow:
    """Ada's call `number`, today."""
    certainty = Certainty.UNKNOWN if nano_usd is None else Certainty.EXACT
    return replace(row(number, nano_usd=nano_usd, certainty=certainty), at=changes.get("at", NOW))


async def state(world: World, *dues: Due) -> list[tuple[int, int]]:
    """Used and held of each counter."""
    spent = await world.budgets.spent(dues)
    return [(spent[due.counter].used_nano, spent[due.counter].held_nano) for due in dues]


async def test_calls_are_held_until_the_limit_and_not_a_nano_dollar_further(world: World) -> None:
    first = await world.budgets.reserve("a", 60, [due()])
    full = await world.budgets.reserve("b", 40, [due()])
    over = await world.budgets.reserve("c", 1, [due()])

    assert first == Reservation(lacking=None, spent={due().counter: Spent(used_nano=0, held_nano=60)})
    assert full == Reservation(lacking=None, spent={due().counter: Spent(used_nano=0, held_nano=100)})
    assert over == Reservation(lacking=due(), spent={due().counter: Spent(used_nano=0, held_nano=100)})


@pytest.mark.parametrize("amount", [30, 100], ids=["with_room_left", "at_the_limit"])
async def test_holding_again_changes_nothing(world: World, amount: int) -> None:
    await world.budgets.reserve("a", amount, [due()])

    again = await world.budgets.reserve("a", amount, [due()])

    assert again.lacking is None
    assert await state(world, due()) == [(0, amount)]


async def test_a_reservation_that_comes_after_its_settlement_holds_nothing(world: World) -> None:
    await world.budgets.reserve("a", 60, [due()])
    await world.budgets.settle("a", 10, [due().counter])

    late = await world.budgets.reserve("a", 60, [due()])

    assert late.lacking is None
    assert await state(world, due()) == [(10, 0)]


async def test_what_does_not_fit_one_budget_is_held_in_none(world: World) -> None:
    tight = due(50, period=Period.DAY)

    refused = await world.budgets.reserve("a", 60, [ALL, tight, due()])

    nothing = Spent(used_nano=0, held_nano=0)
    assert refused.lacking == tight
    assert refused.spent == {ALL.counter: nothing, tight.counter: nothing, due().counter: nothing}
    assert await state(world, ALL, tight, due()) == [(0, 0), (0, 0), (0, 0)]


async def test_the_first_budget_that_lacks_is_named(world: World) -> None:
    both = [due(5, period=Period.DAY), due(4)]

    assert (await world.budgets.reserve("a", 6, both)).lacking == both[0]
    assert (await world.budgets.reserve("a", 5, both)).lacking == both[1]


async def test_of_two_limits_of_one_counter_the_lower_one_counts(world: World) -> None:
    refused = await world.budgets.reserve("a", 60, [due(100), due(50)])
    taken = await world.budgets.reserve("b", 50, [due(100), due(50)])

    assert refused.lacking == due(50)
    assert taken.lacking is None
    assert await state(world, due()) == [(0, 50)]


async def test_a_call_that_counts_against_no_budget_is_held_nowhere(world: World) -> None:
    assert await world.budgets.reserve("a", 60, []) == Reservation(lacking=None, spent={})


async def test_a_cost_takes_the_place_of_its_hold_once(world: World) -> None:
    await world.budgets.reserve("a", 60, [due(), ALL])
    await world.budgets.reserve("b", 30, [due(), ALL])

    for _ in range(2):
        await world.budgets.settle("a", 70, [due().counter, ALL.counter, "user:nobody/day/2099-06-17"])
    await world.budgets.settle("b", 0, [due().counter])

    assert await state(world, due(), ALL) == [(70, 0), (70, 30)]


async def test_a_settlement_of_what_was_never_held_changes_nothing(world: World) -> None:
    await world.budgets.reserve("a", 60, [due()])

    await world.budgets.settle("b", 10, [due().counter])

    assert await state(world, due()) == [(0, 60)]


@pytest.mark.parametrize("name", ["$a.b~1~0", "$$NOW", "a\u2028😀"])
async def test_holds_and_scopes_may_have_any_name(world: World, name: str) -> None:
    odd = due(of=SpendingScope(whose=Whose.CHANNEL, key=name))

    await world.budgets.reserve(name, 60, [odd])
    await world.budgets.settle(name, 10, [odd.counter])
    await world.budgets.reserve(name, 60, [odd])

    assert await state(world, odd) == [(10, 0)]


async def test_a_new_counter_begins_with_what_the_ledger_booked_in_its_period(world: World) -> None:
    before = booked(3, 500, at=Period.MONTH.start(NOW) - timedelta(milliseconds=1))
    of_bob = replace(booked(4, 700), author_key=BOB)
    await world.ledger.append([booked(1, 20), booked(2, None), before, of_bob])

    fits = await world.budgets.reserve("a", 80, [due()])
    over = await world.budgets.reserve("b", 1, [due()])

    assert (fits.lacking, over.lacking) == (None, due())
    assert fits.spent == {due().counter: Spent(used_nano=20, held_nano=80)}


async def test_a_counter_that_nobody_held_anything_in_is_read_from_the_ledger(world: World) -> None:
    await world.ledger.append([booked(1, 20)])
    assert await state(world, due(), ALL) == [(20, 0), (20, 0)]

    await world.ledger.append([booked(2, 5)])
    assert await state(world, due(), ALL) == [(25, 0), (25, 0)]


async def test_what_is_booked_of_a_call_that_is_held_counts_once(world: World) -> None:
    await world.budgets.reserve(booked(1, 20).id, 60, [due()])
    await world.ledger.append([booked(1, 20)])
    await world.budgets.settle(booked(1, 20).id, 20, [due().counter])
    await world.budgets.reserve("b", 1, [due()])

    assert await state(world, due()) == [(20, 1)]


async def test_people_are_warned_of_a_counter_once(world: World) -> None:
    await world.budgets.reserve("a", 60, [due(), ALL])

    told = [await world.budgets.note_warned(name) for name in (due().counter, due().counter, ALL.counter, "nothing")]

    assert told == [True, False, True, False]


async def test_abandoned_calls_are_settled_with_what_was_booked_or_with_nothing(world: World) -> None:
    dead, done = booked(1, 20).id, booked(2, 30).id
    await world.budgets.reserve(dead, 60, [due(500), ALL])
    await world.budgets.reserve(done, 60, [due(500), ALL])
    await world.budgets.reserve("unpriced", 60, [ALL])
    await world.ledger.append([booked(2, 30), replace(booked(3, None), id="unpriced")])
    await world.pass_time(HOUR_S)
    await world.budgets.reserve("young", 7, [due(500)])

    settled = await world.budgets.settle_abandoned(HOUR_S)
    again = await world.budgets.settle_abandoned(HOUR_S)

    assert (settled, again) == (5, 0)
    assert await state(world, due(), ALL) == [(30, 7), (90, 0)]


async def test_an_unknown_cost_is_charged_as_it_was_held_whoever_settles(world: World) -> None:
    for hold in ("ours", "abandoned", "freed"):
        await world.budgets.reserve(hold, 10, [due(), ALL])
    await world.budgets.settle("ours", None, [due().counter, ALL.counter])
    await world.ledger.append([replace(booked(1, None), id="abandoned")])
    await world.budgets.settle_abandoned(0)
    before = await state(world, due(), ALL)
    await world.budgets.settle("freed", None, [due().counter, ALL.counter])
    await world.budgets.settle("nothing", None, [due().counter])

    assert before == [(20, 0), (20, 0)]
    assert await state(world, due(), ALL) == [(30, 0), (30, 0)]


async def test_a_call_that_was_held_anew_is_found_by_its_row(world: World) -> None:
    row_id = booked(1, 20).id
    await world.budgets.reserve(row_id, 60, [due()])
    await world.budgets.settle(row_id, 0, [due().counter])
    await world.budgets.reserve(hold_id(row_id, 1), 60, [due()])
    await world.ledger.append([booked(1, 20)])

    assert await world.budgets.settle_abandoned(0) == 1
    assert await state(world, due()) == [(20, 0)]


async def test_none_is_abandoned_before_its_time(world: World) -> None:
    await world.budgets.reserve("a", 60, [due()])
    await world.pass_time(HOUR_S - 60)

    assert await world.budgets.settle_abandoned(HOUR_S) == 0
    assert await state(world, due()) == [(0, 60)]


async def test_an_abandoned_call_that_ends_after_all_is_counted_once(world: World) -> None:
    await world.budgets.reserve("slow", 60, [due()])
    await world.budgets.reserve(booked(1, 20).id, 30, [due()])
    await world.budgets.settle_abandoned(0)
    assert await state(world, due()) == [(0, 0)]

    await world.budgets.settle("slow", 50, [due().counter])
    await world.budgets.settle("slow", 50, [due().counter])
    await world.ledger.append([booked(1, 20)])

    assert await world.budgets.settle_abandoned(0) == 1
    assert await state(world, due()) == [(70, 0)]


async def test_an_abandoned_call_is_waited_for_a_day(world: World) -> None:
    await world.budgets.reserve("slow", 60, [due()])
    await world.budgets.settle_abandoned(0)
    await world.pass_time(25 * HOUR_S)

    await world.budgets.settle_abandoned(0)
    await world.budgets.settle("slow", 50, [due().counter])

    assert await state(world, due()) == [(0, 0)]


async def test_limits_of_an_owner_and_of_a_manager_stand_beside_each_other(world: World) -> None:
    each_day = BudgetKey(Whose.USER, EACH, Period.DAY)
    of_owner = BudgetLimit(budget=each_day, nano_usd=5_000_000_000)
    of_manager = BudgetLimit(budget=each_day, nano_usd=1, giver=Giver.MANAGER)
    server = BudgetLimit(budget=BudgetKey(Whose.SERVER, "discord:$1.2", Period.MONTH), nano_usd=7)
    for limit in (server, of_owner, of_manager, replace(of_manager, nano_usd=2)):
        await world.budgets.set_limit(limit)

    assert await world.budgets.limits() == (server, replace(of_manager, nano_usd=2), of_owner)


async def test_a_limit_is_taken_back_whatever_its_amount(world: World) -> None:
    limit = BudgetLimit(budget=BudgetKey(Whose.ALL, "", Period.WEEK), nano_usd=5)
    await world.budgets.set_limit(limit)
    assert await world.budgets.limits() == (limit,)

    assert not await world.budgets.remove_limit(replace(limit, giver=Giver.MANAGER))
    assert await world.budgets.remove_limit(replace(limit, nano_usd=9))
    assert not await world.budgets.remove_limit(limit)

    assert await world.budgets.limits() == ()
