"""Requests and tokens a minute: refused in words, and corrected by what was used."""

from dataclasses import dataclass, replace

import pytest

from bot.core.errors import StorageUnavailable, TooFast
from bot.core.ledger import CallKind
from bot.core.money_stores import Bucket
from bot.core.place import Place
from bot.core.rate_limits import Pace, RateLimits
from tests.bot.core.spending import ANN, CHANNEL, booked
from tests.fakes.clock import ManualClock
from tests.fakes.desk import PRIVATE
from tests.fakes.money import MemoryRates

TOKENS = Bucket(key=f"tokens/user:{ANN}", per_minute=1_000, amount=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    id: str
    pace: Pace
    words: str
    place: Place = CHANNEL


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            id="requests of a person",
            pace=Pace(user_requests=1),
            words="You may send 1 request a minute; try again in 60 seconds.",
        ),
        Refused(
            id="requests of a channel",
            pace=Pace(channel_requests=1),
            words="This channel may send 1 request a minute; try again in 60 seconds.",
        ),
        Refused(
            id="requests of a private chat",
            pace=Pace(channel_requests=1),
            place=PRIVATE,
            words="This chat may send 1 request a minute; try again in 60 seconds.",
        ),
        Refused(
            id="tokens of a person",
            pace=Pace(user_tokens=1_200),
            words="You may use 1,200 tokens a minute; try again in 40 seconds.",
        ),
        Refused(
            id="tokens of a channel",
            pace=Pace(user_tokens=5_000, channel_tokens=1_200),
            words="This channel may use 1,200 tokens a minute; try again in 40 seconds.",
        ),
    ],
    ids=lambda case: case.id,
)
async def test_who_is_too_fast_is_told_when(case: Refused) -> None:
    limits = RateLimits(MemoryRates(ManualClock()), case.pace)
    await limits.admit(case.place, ANN, prompt_tokens=1_000)

    with pytest.raises(TooFast) as refusal:
        await limits.admit(case.place, ANN, prompt_tokens=1_000)

    assert str(refusal.value) == case.words


async def test_after_the_time_that_was_named_it_goes_on() -> None:
    clock = ManualClock()
    limits = RateLimits(MemoryRates(clock), Pace(user_requests=5))
    for _ in range(5):
        await limits.admit(CHANNEL, ANN, prompt_tokens=1)
    with pytest.raises(TooFast) as refusal:
        await limits.admit(CHANNEL, ANN, prompt_tokens=1)
    await clock.advance(refusal.value.retry_after_s)

    await limits.admit(CHANNEL, ANN, prompt_tokens=1)

    assert "try again in 12 seconds" in str(refusal.value)


async def test_without_limits_nobody_is_asked() -> None:
    rates = MemoryRates()
    rates.down = True
    limits = RateLimits(rates, Pace())

    await limits.admit(CHANNEL, ANN, prompt_tokens=10**9)
    await limits.settle([booked("call", 1)])
    await limits.release(CHANNEL, ANN)


async def test_what_was_used_takes_the_place_of_the_estimate() -> None:
    rates = MemoryRates(ManualClock())
    limits = RateLimits(rates, Pace(user_tokens=1_000))
    await limits.admit(CHANNEL, ANN, prompt_tokens=100)
    await limits.settle([booked("1", 1, tokens=(80, 20)), booked("2", 1, tokens=(200, 50))])

    assert rates.level(TOKENS) == 650

    await limits.settle([booked("3", 1, tokens=(100, 0))])

    assert rates.level(TOKENS) == 550


async def test_a_call_that_was_not_made_gives_its_estimate_back() -> None:
    rates = MemoryRates(ManualClock())
    limits = RateLimits(rates, Pace(user_tokens=1_000))
    await limits.admit(CHANNEL, ANN, prompt_tokens=100)
    await limits.release(CHANNEL, ANN)
    await limits.release(CHANNEL, ANN)

    assert rates.level(TOKENS) == 1_000


async def test_a_correction_that_failed_can_be_repeated() -> None:
    rates = MemoryRates(ManualClock())
    limits = RateLimits(rates, Pace(user_tokens=1_000))
    await limits.admit(CHANNEL, ANN, prompt_tokens=100)
    rates.down = True
    with pytest.raises(StorageUnavailable):
        await limits.settle([booked("1", 1, tokens=(300, 0))])
    rates.down = False
    await limits.settle([booked("1", 1, tokens=(300, 0))])

    assert rates.level(TOKENS) == 700


@pytest.mark.parametrize("kind", [CallKind.SUMMARY, CallKind.TITLE])
async def test_what_nobody_asked_for_is_not_counted(kind: CallKind) -> None:
    rates = MemoryRates(ManualClock())
    limits = RateLimits(rates, Pace(user_tokens=1_000))

    await limits.settle([replace(booked("call", 1, tokens=(50_000, 500)), kind=kind)])

    assert rates.level(TOKENS) == 1_000
