"""Money before a call: held at worst, settled at cost, refused in words, and never above a limit."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.budget import Due, Period
from bot.core.errors import BudgetExhausted, StorageUnavailable, TooFast
from bot.core.ledger import Whose
from bot.core.money_stores import Bucket, Reservation
from bot.core.purse import Pace, Permit
from bot.core.worst_case import LEAST_OUTPUT_TOKENS
from tests.bot.core.spending import (
    ANN,
    CHANNEL,
    CHEAP,
    FREE,
    UNPRICED,
    USD,
    asks,
    booked,
    limit,
)
from tests.bot.core.till import BOUND, DAY, HELD, LEAST, PROMPT, Till, user
from tests.fakes.clock import START, ManualClock
from tests.fakes.money import MemoryBudgets


async def test_without_a_budget_nothing_is_held_and_nothing_changed() -> None:
    till, request = Till(), asks()
    permit = await till.reserve(request=request)
    await till.purse.settle([booked("call", 1)])

    assert permit.request is request
    assert till.sums() == {}


async def test_known_limits_make_a_call_without_a_budget_ask_nobody() -> None:
    till = Till()
    await till.reserve()
    till.budgets.down = True
    till.rates.down = True

    await till.reserve("another")
    await till.purse.settle([booked("another", 1)])
    await till.release()


async def test_the_worst_case_is_held_until_the_cost_is_known() -> None:
    till = user(USD)
    permit = await till.reserve()
    held = till.sums()
    await till.purse.settle([booked("call", 1_200_000)])

    assert permit == Permit(request=replace(asks(), max_output_tokens=4_096))
    assert held == {DAY: (0, HELD)}
    assert till.sums() == {DAY: (1_200_000, 0)}


async def test_every_budget_holds_it() -> None:
    till = Till(limits=[limit(whose, USD, Period.MONTH) for whose in Whose])
    await till.reserve()

    assert till.sums() == {
        "user:x:1/month/2026-11-01": (0, HELD),
        "channel:x:bot:50/month/2026-11-01": (0, HELD),
        "server:x:bot:7/month/2026-11-01": (0, HELD),
        "all:/month/2026-11-01": (0, HELD),
    }


async def test_the_calls_of_a_turn_are_held_beside_each_other() -> None:
    till = user(USD)
    await till.reserve("turn~1~0")
    await till.reserve("turn~1~1")
    assert till.sums() == {DAY: (0, 2 * HELD)}

    await till.purse.settle([booked("turn~1~0", 5), booked("turn~1~1", 7)])
    assert till.sums() == {DAY: (12, 0)}


async def test_a_tight_budget_shortens_the_answer() -> None:
    till = user(LEAST + 500 * 10_000 + 9_999)
    permit = await till.reserve()

    assert permit.request.max_output_tokens == LEAST_OUTPUT_TOKENS + 500


async def test_the_tightest_of_several_budgets_decides_how_long_it_gets() -> None:
    till = Till(limits=(limit(Whose.USER, 2 * LEAST), limit(Whose.CHANNEL, LEAST + 10_000), limit(Whose.ALL, LEAST)))
    permit = await till.reserve()

    assert permit.request.max_output_tokens == LEAST_OUTPUT_TOKENS


async def test_an_answer_too_short_to_be_worth_it_is_refused() -> None:
    till = user(LEAST - 1)

    assert "Your budget for today has too little left" in await till.refused()
    assert till.sums() == {DAY: (0, 0)}


async def test_a_short_answer_that_was_asked_for_is_not() -> None:
    till = user(LEAST - 1)
    permit = await till.reserve(request=asks(max_output_tokens=100))

    assert permit.request.max_output_tokens == 100


async def test_a_free_model_always_passes() -> None:
    till, request = user(0), asks(FREE)
    permit = await till.reserve(request=request)
    till.budgets.down = True
    await till.purse.settle([booked("call", 0)])

    assert permit.request is request


async def test_it_passes_where_that_is_allowed_and_holds_nothing() -> None:
    till, request = user(USD, allow_unknown=True), asks(UNPRICED)
    permit = await till.reserve(request=request)
    await till.purse.settle([booked("call", None)])

    assert permit.request is request
    assert till.sums() == {}


async def test_a_cost_that_stays_unknown_is_charged_as_it_was_held() -> None:
    till = user(USD)
    await till.reserve()
    await till.purse.settle([booked("call", None)])

    assert till.sums() == {DAY: (HELD, 0)}


async def test_what_is_released_can_be_spent_again() -> None:
    till = user(HELD)
    await till.reserve()
    await till.release()

    assert till.sums() == {DAY: (0, 0)}


async def test_a_call_that_is_made_after_all_is_held_anew() -> None:
    till = user(2 * HELD)
    for _ in range(3):
        await till.reserve()
        assert till.sums() == {DAY: (0, HELD)}
        await till.release()
    await till.reserve()
    await till.purse.settle([booked("call", 8)])

    assert till.sums() == {DAY: (8, 0)}


async def test_settling_twice_counts_once() -> None:
    till = user(USD)
    await till.reserve()
    for _ in range(2):
        await till.purse.settle([booked("call", 5)])

    assert till.sums() == {DAY: (5, 0)}


async def test_another_process_settles_what_a_dead_one_held() -> None:
    till = user(USD)
    await till.reserve()
    await till.another(limits=(limit(Whose.USER, USD),)).settle([booked("call", 5)])

    assert till.sums() == {DAY: (5, 0)}


async def test_another_process_settles_what_was_held_for_a_fallback() -> None:
    till = user(USD)
    await till.reserve()
    await till.release()
    await till.reserve(request=asks(CHEAP))
    await till.another(limits=(limit(Whose.USER, USD),)).settle([booked("call", 5)])

    assert till.sums() == {DAY: (5, 0)}


async def test_a_row_for_which_nothing_was_held_changes_nothing() -> None:
    till = user(USD)
    await till.reserve()
    await till.purse.settle([booked("stranger", 5)])

    assert till.sums() == {DAY: (0, HELD)}


async def test_a_call_over_midnight_is_settled_where_it_was_held() -> None:
    clock = ManualClock()
    till = user(USD, clock=clock)
    await clock.advance(12 * 3_600 - 1)
    await till.reserve()
    await clock.advance(2)
    await till.purse.settle([booked("call", 5, at=clock.now())])

    assert till.sums() == {DAY: (5, 0)}


async def test_a_new_limit_begins_with_what_the_ledger_says() -> None:
    till = Till()
    await till.ledger.append([booked("old", 600_000_000), booked("older", 7, at=START - timedelta(days=1))])
    await till.purse.allowance.put(limit(Whose.USER, USD, key=ANN))
    await till.reserve()

    assert till.sums() == {DAY: (600_000_000, HELD)}


async def test_status_shows_every_budget_that_counts() -> None:
    till = Till(limits=(limit(Whose.USER, USD), limit(Whose.ALL, 5 * USD, Period.MONTH)))
    await till.reserve()
    shown = await till.purse.status(CHANNEL, ANN)

    assert [(due.counter, spent.held_nano) for due, spent in shown] == [
        (DAY, HELD),
        ("all:/month/2026-11-01", HELD),
    ]
    assert shown[1][0].resets_at == datetime(2026, 12, 1, tzinfo=UTC)


async def test_rates_are_corrected_when_a_call_is_refused() -> None:
    till = user(0, pace=Pace(user_tokens=1_000, user_requests=2))
    bucket = Bucket(key=f"tokens/user:{ANN}", per_minute=1_000, amount=0)
    for _ in range(2):
        await till.purse.admit(CHANNEL, ANN, prompt_tokens=PROMPT)
        await till.refused()

    assert till.rates.level(bucket) == 1_000
    with pytest.raises(TooFast):
        await till.purse.admit(CHANNEL, ANN, prompt_tokens=PROMPT)


class LateBudgets(MemoryBudgets):
    """Carries out a reservation and only then fails to say so, as a database that answers too late."""

    late = False

    async def reserve(self, hold: str, nano_usd: int, dues: list[Due]) -> Reservation:  # type: ignore[override]  # lists do
        reservation = await super().reserve(hold, nano_usd, dues)
        if self.late:
            self.late = False
            raise StorageUnavailable("too late")
        return reservation


async def test_a_repeated_reservation_promises_no_more_than_it_holds() -> None:
    clock = ManualClock()
    budgets = LateBudgets(clock=clock)
    till = user(2 * LEAST, budgets=budgets, clock=clock)
    await till.reserve("other", asks(max_output_tokens=900))
    shortened = (2 * LEAST - till.sums()[DAY][1] - BOUND * 2_500) // 10_000
    budgets.late = True
    with pytest.raises(StorageUnavailable):
        await till.reserve("call", asks(max_output_tokens=shortened))
    await till.release("other")

    permit = await till.reserve("call", asks(max_output_tokens=4_096))

    assert permit.request.max_output_tokens == shortened


@given(
    limit_nano=st.integers(0, 4 * HELD),
    calls=st.lists(
        st.tuples(st.integers(0, 3_000), st.none() | st.integers(16, 9_000), st.integers(0, 100)), max_size=12
    ),
)
def test_whatever_is_asked_at_once_stays_within_the_limit(
    limit_nano: int, calls: list[tuple[int, int | None, int]]
) -> None:
    """Each call: its prompt, the answer that it asks for, and how much of its hold it really costs in percent."""

    async def run() -> None:
        till = user(limit_nano)

        async def call(number: int, prompt_tokens: int, asked: int | None, percent: int) -> None:
            request, call_id = asks(max_output_tokens=asked), f"call {number}"
            try:
                permit = await till.purse.reserve(
                    call_id, request, prompt_tokens=prompt_tokens, place=CHANNEL, author_key=ANN
                )
            except BudgetExhausted:
                return
            used, held = till.sums()[DAY]
            assert used + held <= limit_nano
            assert permit.request.max_output_tokens is not None
            most = prompt_tokens * 2_500 + permit.request.max_output_tokens * 10_000
            await asyncio.sleep(0)
            await till.purse.settle([booked(call_id, most * percent // 100)])
            assert sum(till.sums()[DAY]) <= limit_nano

        async with asyncio.TaskGroup() as group:
            for number, (prompt_tokens, asked, percent) in enumerate(calls):
                group.create_task(call(number, prompt_tokens, asked, percent))
        assert all(held == 0 for _, held in till.sums().values())

    asyncio.run(run())
