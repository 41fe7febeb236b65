"""What is sent with one key, and who waits for whom."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import RateLimited
from bot.core.outgoing import OutgoingLimits, Slot
from tests.fakes.clock import ManualClock

MODEL = ModelInfo(ref=ModelRef("openai", "gpt"))
ENDLESS_S = 10.0**6


@dataclass
class Traffic:
    """Requests of many lanes, and when each went: lane, name, seconds since the start."""

    limits: OutgoingLimits
    clock: ManualClock
    went: list[tuple[str, str, float]] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)

    async def send(self, lane: str, name: str = "", *, tokens: int = 1, model: ModelInfo = MODEL) -> None:
        self.slots.append(await self.limits.acquire(model, lane=lane, tokens=lambda: tokens))
        self.went.append((lane, name, round(self.clock.elapsed_s, 1)))

    @property
    def times(self) -> list[float]:
        return [at for _, _, at in self.went]


def traffic(*limits: tuple[str, str, int], patience_s: float = ENDLESS_S, clock: ManualClock | None = None) -> Traffic:
    clock = clock or ManualClock(limit_s=10**9)
    return Traffic(OutgoingLimits(clock, limits=limits, patience_s=patience_s), clock)


async def test_without_a_limit_nothing_waits_and_nothing_is_estimated() -> None:
    def never() -> int:
        raise AssertionError("nobody needs to know")

    limits = OutgoingLimits(ManualClock(), limits=[("anthropic", "rpm", 1)])
    for _ in range(100):
        await limits.acquire(MODEL, lane="a", tokens=never)

    assert limits.waiting == 0


async def test_requests_go_at_once_until_the_minute_is_full() -> None:
    sent = traffic(("openai", "rpm", 3))
    for _ in range(7):
        await sent.send("a")

    assert sent.times == [0, 0, 0, 60, 60, 60, 120]


async def test_tokens_are_limited_like_requests() -> None:
    sent = traffic(("openai", "tpm", 1_000))
    for tokens in (600, 400, 300, 800):
        await sent.send("a", tokens=tokens)

    assert sent.times == [0, 0, 60, 120]


async def test_a_request_larger_than_the_limit_goes_alone() -> None:
    sent = traffic(("openai", "tpm", 1_000))
    for tokens in (1, 5_000, 1):
        await sent.send("a", tokens=tokens)

    assert sent.times == [0, 60, 120]


async def test_real_usage_takes_the_place_of_the_estimate() -> None:
    sent = traffic(("openai", "tpm", 1_000))
    await sent.send("a", tokens=1_000)
    sent.slots[0].correct(200)
    await sent.send("a", tokens=800)
    sent.slots[1].correct(1_600)
    await sent.send("a", tokens=1)

    assert sent.times == [0, 0, 60]


async def test_real_usage_lets_a_waiting_request_go_at_once() -> None:
    clock = ManualClock(auto=False)
    sent = traffic(("openai", "tpm", 1_000), clock=clock)
    await sent.send("a", tokens=1_000)
    async with asyncio.TaskGroup() as group:
        group.create_task(sent.send("a", tokens=500))
        await clock.advance(10)
        assert sent.limits.waiting == 1
        sent.slots[0].correct(500)

    assert sent.times == [0, 10]


async def test_usage_of_more_than_a_minute_ago_changes_nothing() -> None:
    sent = traffic(("openai", "tpm", 1_000))
    await sent.send("a", tokens=1_000)
    await sent.clock.advance(61)
    await sent.send("a", tokens=1_000)
    sent.slots[0].correct(0)
    await sent.send("a", tokens=1)

    assert sent.times == [0, 61, 121]


async def test_what_is_given_back_is_free_again() -> None:
    sent = traffic(("openai", "rpm", 1), ("openai", "tpm", 10))
    await sent.send("a", tokens=10)
    sent.slots[0].give_back()
    await sent.send("a", tokens=10)

    assert sent.times == [0, 0]


async def test_a_lane_with_one_request_waits_at_most_one_slot_beside_one_with_a_thousand() -> None:
    sent = traffic(("openai", "rpm", 1))
    async with asyncio.TaskGroup() as group:
        for number in range(1_000):
            group.create_task(sent.send("busy", str(number)))
        await sent.clock.settle()
        group.create_task(sent.send("quiet"))

    lanes = [lane for lane, _, _ in sent.went]
    assert len(sent.went) == 1_001
    assert lanes.index("quiet") <= 2, "one went before it came, one slot may be another's"
    assert [int(name) for lane, name, _ in sent.went if lane == "busy"] == list(range(1_000))


async def test_lanes_take_turns_and_each_keeps_its_order() -> None:
    sent = traffic(("openai", "rpm", 1))
    async with asyncio.TaskGroup() as group:
        for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
            group.create_task(sent.send(name[0], name))

    assert [name for _, name, _ in sent.went] == ["a1", "a2", "b1", "c1", "a3", "b2"]


async def test_a_large_request_is_not_starved_by_small_ones() -> None:
    sent = traffic(("openai", "tpm", 100))
    async with asyncio.TaskGroup() as group:
        group.create_task(sent.send("first", tokens=50))
        await sent.clock.settle()
        group.create_task(sent.send("large", tokens=100))
        for number in range(200):
            group.create_task(sent.send(f"small-{number}", tokens=10))

    assert [lane for lane, _, _ in sent.went][:2] == ["first", "large"]


async def test_a_model_with_a_limit_of_its_own_does_not_hold_up_the_others_of_its_provider() -> None:
    scarce = replace(MODEL, ref=ModelRef("openai", "scarce"), requests_per_minute=1)
    sent = traffic(("openai", "rpm", 100))
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(sent.send(f"scarce-{number}", model=scarce))
        group.create_task(sent.send("plenty"))

    assert [(lane, at) for lane, _, at in sent.went] == [
        ("scarce-0", 0),
        ("plenty", 0),
        ("scarce-1", 60),
        ("scarce-2", 120),
    ]


async def test_limits_of_the_key_hold_over_all_its_models() -> None:
    own = replace(MODEL, ref=ModelRef("openai", "own"), requests_per_minute=10, tokens_per_minute=10**6)
    sent = traffic(("openai", "rpm", 2))
    for model in (own, MODEL, own):
        await sent.send("a", model=model)

    assert sent.times == [0, 0, 60]


async def test_a_limit_that_the_catalogue_changes_holds_from_then_on() -> None:
    strict = replace(MODEL, requests_per_minute=1)
    sent = traffic()
    for model in (strict, replace(MODEL, requests_per_minute=3), replace(MODEL, requests_per_minute=3), strict, MODEL):
        await sent.send("a", model=model)

    assert sent.times == [0, 0, 0, 60, 60]


async def test_providers_do_not_wait_for_each_other() -> None:
    sent = traffic(("openai", "rpm", 1), ("groq", "rpm", 1))
    await sent.send("a")
    await sent.send("a", model=ModelInfo(ref=ModelRef("groq", "x")))

    assert sent.times == [0, 0]


async def test_who_would_wait_too_long_is_told_at_once_for_how_long() -> None:
    sent = traffic(("openai", "rpm", 1), patience_s=15.0)
    await sent.send("a")
    await sent.clock.advance(20)
    with pytest.raises(RateLimited) as raised:
        await sent.send("b")

    assert sent.clock.elapsed_s == 20
    assert raised.value.provider == "openai"
    assert raised.value.retry_after_s == pytest.approx(40.0)
    assert sent.limits.waiting == 0


async def test_who_waits_behind_too_many_gives_up_in_time_and_leaves_no_trace() -> None:
    sent = traffic(("openai", "rpm", 1), patience_s=15.0)
    await sent.send("a")
    await sent.clock.advance(50)
    refused: list[float] = []

    async def hopeful(lane: str) -> None:
        try:
            await sent.send(lane)
        except RateLimited:
            refused.append(round(sent.clock.elapsed_s, 1))

    async with asyncio.TaskGroup() as group:
        for lane in ("b", "c"):
            group.create_task(hopeful(lane))
    assert (sent.times, refused) == ([0, 60], [60.0])
    await sent.clock.advance(60)
    await sent.send("d")

    assert sent.times[-1] == pytest.approx(120.0)
    assert sent.limits.waiting == 0


async def test_a_waiting_request_that_is_cancelled_leaves_its_place_to_the_next() -> None:
    sent = traffic(("openai", "rpm", 1))
    await sent.send("a")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(sent.send("b"))
        await asyncio.sleep(0)  # it waits, and keeps the time for all
        group.create_task(sent.send("c"))
        await asyncio.sleep(0)
        first.cancel()

    assert [(lane, at) for lane, _, at in sent.went] == [("a", 0), ("c", 60)]
    assert sent.limits.waiting == 0


async def test_a_request_that_is_cancelled_just_when_it_may_go_gives_its_place_back() -> None:
    clock = ManualClock(auto=False)
    sent = traffic(("openai", "rpm", 1), clock=clock)
    await sent.send("a")
    async with asyncio.TaskGroup() as group:
        late = group.create_task(sent.send("b"))
        group.create_task(sent.send("c"))
        await clock.settle()
        sent.slots[0].give_back()  # b may go, and has not heard of it yet
        late.cancel()
        await clock.settle()

    assert [(lane, at) for lane, _, at in sent.went] == [("a", 0), ("c", 0)]


async def test_models_with_limits_that_nobody_asks_any_more_are_forgotten() -> None:
    sent = traffic()
    for number in range(300):
        await sent.send("a", model=replace(MODEL, ref=ModelRef("openai", str(number)), requests_per_minute=1))
        await sent.clock.advance(61)

    assert sent.limits.models <= 65


@settings(max_examples=40, deadline=None)
@given(
    requests=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 90), st.integers(1, 60)), max_size=40),
    rpm=st.integers(1, 10),
    tpm=st.integers(20, 200),
)
def test_no_minute_ever_holds_more_than_the_limits(requests: list[tuple[int, int, int]], rpm: int, tpm: int) -> None:
    async def run() -> list[tuple[float, int]]:
        clock = ManualClock(limit_s=10**9)
        limits = OutgoingLimits(clock, limits=[("openai", "rpm", rpm), ("openai", "tpm", tpm)], patience_s=ENDLESS_S)
        went: list[tuple[float, int]] = []

        async def send(lane: int, after_s: int, tokens: int) -> None:
            await clock.sleep(after_s)
            await limits.acquire(MODEL, lane=str(lane), tokens=lambda: tokens)
            went.append((clock.elapsed_s, tokens))

        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(send(*request))
        assert limits.waiting == 0
        return went

    went = asyncio.run(run())
    assert len(went) == len(requests)
    for begin, _ in went:
        minute = [tokens for at, tokens in went if begin <= at < begin + 59.99]
        assert len(minute) <= rpm
        assert sum(minute) <= tpm or len(minute) == 1
