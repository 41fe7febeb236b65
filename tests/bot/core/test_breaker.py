"""When a model is left alone, and how it comes back."""

from bot.core.breaker import FAILURES_TO_OPEN, FIRST_OPEN_S, LONGEST_ASKED_S, LONGEST_OPEN_S, Breaker
from tests.fakes.clock import ManualClock


def entered(breaker: Breaker) -> int:
    ticket = breaker.enter()
    assert ticket is not None, "the breaker is open"
    return ticket


def fail(breaker: Breaker, times: int = FAILURES_TO_OPEN) -> None:
    for _ in range(times):
        breaker.failed(entered(breaker))


async def opened(clock: ManualClock) -> Breaker:
    breaker = Breaker(clock)
    fail(breaker)
    return breaker


async def test_it_opens_at_the_fifth_failure_in_a_row_and_not_before() -> None:
    breaker = Breaker(ManualClock())
    fail(breaker, 4)
    before = breaker.open_for_s
    fail(breaker, 1)

    assert (before, breaker.open_for_s) == (None, FIRST_OPEN_S)
    assert breaker.enter() is None


async def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker(ManualClock())
    fail(breaker, 4)
    breaker.succeeded(entered(breaker))
    fail(breaker, 4)

    assert breaker.open_for_s is None


async def test_half_open_lets_one_probe_through_and_nobody_beside_it() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(FIRST_OPEN_S)

    assert breaker.enter() is not None
    assert breaker.enter() is None
    assert breaker.open_for_s is not None


async def test_a_probe_that_works_closes_it() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(FIRST_OPEN_S)
    breaker.succeeded(entered(breaker))

    assert breaker.open_for_s is None
    fail(breaker, 4)
    assert breaker.open_for_s is None


async def test_each_probe_that_fails_doubles_the_time_up_to_five_minutes() -> None:
    clock = ManualClock(limit_s=10**9)
    breaker = await opened(clock)
    times = []
    for _ in range(6):
        assert breaker.open_for_s is not None
        times.append(round(breaker.open_for_s))
        await clock.advance(breaker.open_for_s)
        breaker.failed(entered(breaker))

    assert times == [30, 60, 120, 240, 300, 300]


async def test_weeks_of_failing_probes_keep_the_longest_time() -> None:
    clock = ManualClock(limit_s=10**9)
    breaker = await opened(clock)
    for _ in range(2_000):
        await clock.advance(LONGEST_OPEN_S)
        breaker.failed(entered(breaker))

    assert breaker.open_for_s == LONGEST_OPEN_S


async def test_after_it_closed_the_time_is_short_again() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(FIRST_OPEN_S)
    fail(breaker, 1)
    await clock.advance(2 * FIRST_OPEN_S)
    breaker.succeeded(entered(breaker))
    fail(breaker)

    assert breaker.open_for_s == FIRST_OPEN_S


async def test_a_probe_that_tells_nothing_leaves_the_place_to_the_next() -> None:
    clock = ManualClock()
    breaker = await opened(clock)
    await clock.advance(FIRST_OPEN_S)
    breaker.left(entered(breaker))

    assert breaker.enter() is not None


async def test_calls_from_before_it_opened_neither_lengthen_nor_close_it() -> None:
    clock = ManualClock()
    breaker = Breaker(clock)
    slow = [entered(breaker) for _ in range(3)]
    fail(breaker)
    breaker.failed(slow[0])
    breaker.succeeded(slow[1])
    assert breaker.open_for_s == FIRST_OPEN_S

    await clock.advance(FIRST_OPEN_S)
    probe = entered(breaker)
    breaker.failed(slow[2])
    breaker.succeeded(probe)

    assert breaker.open_for_s is None


async def test_a_server_that_names_a_time_is_left_alone_for_it_at_once() -> None:
    clock = ManualClock()
    breaker = Breaker(clock)
    breaker.asked_to_wait(entered(breaker), 90.0)
    assert breaker.open_for_s == 90.0
    await clock.advance(90.0)

    assert breaker.enter() is not None


async def test_a_server_that_names_a_day_is_asked_again_within_the_hour() -> None:
    breaker = Breaker(ManualClock())
    breaker.asked_to_wait(entered(breaker), 86_400.0)

    assert breaker.open_for_s == LONGEST_ASKED_S
