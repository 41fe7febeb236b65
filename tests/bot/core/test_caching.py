"""When marking prompts for caching pays, and for how long they should be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.caching import (
    LONG_TTL_S,
    NEW_SHARE,
    READ_RATE,
    SHORT_TTL_S,
    WRITE_RATE,
    CachePlan,
    break_even,
    cost,
    plan,
    price_again,
)
from bot.core.events import Usage

AT = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE, HOUR = 60, 3_600
OFF = CachePlan(enabled=False, ttl_s=SHORT_TTL_S)
SHORT, LONG = CachePlan(enabled=True, ttl_s=SHORT_TTL_S), CachePlan(enabled=True, ttl_s=LONG_TTL_S)


def planned(gaps_s: Sequence[float]) -> CachePlan:
    """The plan for a message that comes after the last of the gaps."""
    times = [AT]
    for gap_s in gaps_s:
        times.append(times[-1] + timedelta(seconds=gap_s))
    return plan(times[:-1], times[-1])


def billed(gaps_s: Sequence[float], chosen: CachePlan, *, new: float = 400.0) -> float:
    """What a provider with a prefix cache bills for a prompt of 20,000 tokens after each gap."""
    if not chosen.enabled:
        return 20_000.0 * len(gaps_s)
    write, total = WRITE_RATE[chosen.ttl_s], 0.0
    for gap_s in gaps_s:
        known = 20_000.0 - new if gap_s < chosen.ttl_s else 0.0
        total += known * READ_RATE + (20_000.0 - known) * write
    return total


def test_five_minutes_pay_above_a_hit_rate_of_22_percent_and_an_hour_above_54() -> None:
    assert round(break_even(SHORT_TTL_S), 2) == 0.22
    assert round(break_even(LONG_TTL_S), 2) == 0.54
    for ttl_s in WRITE_RATE:
        assert cost(break_even(ttl_s), ttl_s) == pytest.approx(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    id: str
    gaps_s: tuple[float, ...]
    plan: CachePlan


@pytest.mark.parametrize(
    "habit",
    [
        Habit(id="new thread", gaps_s=(), plan=SHORT),
        Habit(id="two gaps tell nothing", gaps_s=(5 * HOUR, 5 * HOUR), plan=SHORT),
        Habit(id="brisk", gaps_s=(30.0,) * 10, plan=SHORT),
        Habit(id="a quarter of an hour between", gaps_s=(15 * MINUTE,) * 10, plan=LONG),
        Habit(id="twice a day", gaps_s=(12 * HOUR,) * 10, plan=OFF),
        Habit(id="one in four is quick", gaps_s=(12 * HOUR, 12 * HOUR, 12 * HOUR, 30.0) * 4, plan=SHORT),
        Habit(id="one in five is quick", gaps_s=(12 * HOUR,) * 4 + (30.0,), plan=OFF),
        Habit(id="half within the hour", gaps_s=(12 * HOUR, 15 * MINUTE) * 5, plan=OFF),
        Habit(id="old habits are forgotten", gaps_s=(12 * HOUR,) * 30 + (30.0,) * 20, plan=SHORT),
    ],
    ids=lambda habit: habit.id,
)
def test_the_plan_follows_the_habits_of_a_thread(habit: Habit) -> None:
    assert planned(habit.gaps_s) == habit.plan


def test_the_time_since_the_last_message_counts_as_well() -> None:
    times = [AT + timedelta(days=day) for day in range(3)]

    assert plan(times, times[-1] + timedelta(days=1)) == OFF
    assert plan(times, times[-1] + timedelta(seconds=30)) == SHORT


@given(st.lists(st.sampled_from((30.0, 15.0 * MINUTE, 12.0 * HOUR)), min_size=3, max_size=20))
def test_no_other_plan_would_have_cost_less(gaps_s: list[float]) -> None:
    assert NEW_SHARE == 400 / 20_000
    chosen = billed(gaps_s, planned(gaps_s))

    assert chosen <= min(billed(gaps_s, other) for other in (OFF, SHORT, LONG)) * (1 + 1e-9)


def test_a_brisk_thread_of_200_turns_costs_a_seventh_of_what_it_would_without_caching() -> None:
    gaps_s = (60.0,) * 200
    share = billed(gaps_s, planned(gaps_s)) / billed(gaps_s, OFF)

    assert share < 1 / 7


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        pytest.param(Usage(input_tokens=1_000, output_tokens=9), 1_250, id="not cached"),
        pytest.param(Usage(input_tokens=1_000, output_tokens=9, cached_tokens=800), 80 + 250, id="read"),
        pytest.param(Usage(input_tokens=1_000, output_tokens=9, cache_write_tokens=1_000), 100, id="written"),
        pytest.param(
            Usage(input_tokens=1_000, output_tokens=9, cached_tokens=800, cache_write_tokens=200), 100, id="both"
        ),
    ],
)
def test_what_was_read_from_a_cache_or_written_to_it_is_cheap_to_send_again_at_once(usage: Usage, tokens: int) -> None:
    assert price_again(usage) == pytest.approx(tokens)
