"""The contract of `RateStore`, over MongoDB and over the fake in memory; slow buckets, since the server's time runs."""

import asyncio
import time

import pytest

from bot.core.money_stores import Bucket
from bot.storage.database import Database
from bot.storage.rates import RateStore
from tests.bot.storage.worlds import World

#: What a test may take, in seconds; a bucket of 6 a minute gets a tenth of one in a second.
SLACK_S = 3.0


def bucket(amount: int = 1, *, key: str = "user:a/requests", per_minute: int = 6) -> Bucket:
    return Bucket(key=key, per_minute=per_minute, amount=amount)


def wait_s(lacking: tuple[Bucket, float] | None, of: Bucket) -> float:
    """In how many seconds this bucket, which is the one that lacks, will do."""
    assert lacking is not None
    assert lacking[0] == of
    return lacking[1]


async def test_a_minutes_worth_can_be_taken_at_once_then_it_lacks(world: World) -> None:
    assert [await world.rates.take([bucket()]) for _ in range(6)] == [None] * 6

    lacking = await world.rates.take([bucket()])

    assert wait_s(lacking, bucket()) == pytest.approx(10, abs=SLACK_S)


async def test_the_seconds_that_are_named_suffice(world: World) -> None:
    await world.rates.take([bucket(6)])
    seconds = wait_s(await world.rates.take([bucket(3)]), bucket(3))
    assert seconds == pytest.approx(30, abs=SLACK_S)

    await world.pass_time(seconds + 0.1)

    assert await world.rates.take([bucket(3)]) is None
    assert await world.rates.take([bucket(1)]) is not None


async def test_a_bucket_never_holds_more_than_a_minutes_worth(world: World) -> None:
    await world.rates.take([bucket(1)])
    await world.pass_time(3_600)
    await world.rates.correct([bucket(-5)])

    assert await world.rates.take([bucket(6)]) is None
    assert await world.rates.take([bucket(1)]) is not None


async def test_what_one_bucket_lacks_is_taken_from_none(world: World) -> None:
    tokens = bucket(5, key="user:a/tokens")
    await world.rates.take([tokens])

    lacking = await world.rates.take([bucket(4), tokens, bucket(1, key="other")])

    assert wait_s(lacking, tokens) > 0
    assert await world.rates.take([bucket(6)]) is None
    assert await world.rates.take([bucket(6, key="other")]) is None


async def test_what_no_bucket_could_hold_is_taken_from_a_full_one(world: World) -> None:
    assert await world.rates.take([bucket(12)]) is None

    lacking = await world.rates.take([bucket(1)])

    assert wait_s(lacking, bucket(1)) == pytest.approx(70, abs=SLACK_S)


async def test_corrections_go_into_debt_and_out_of_it(world: World) -> None:
    await world.rates.correct([bucket(8), bucket(6, key="other")])
    in_debt = await world.rates.take([bucket()])
    await world.rates.correct([bucket(-3)])

    assert wait_s(in_debt, bucket()) == pytest.approx(30, abs=SLACK_S)
    assert await world.rates.take([bucket()]) is None
    assert await world.rates.take([bucket(key="other")]) is not None


async def test_nothing_to_take_is_nothing_that_lacks(world: World) -> None:
    assert await world.rates.take([]) is None
    await world.rates.correct([])


async def test_a_limit_that_was_lowered_holds_at_once(world: World) -> None:
    await world.rates.take([bucket(1)])

    lower = [await world.rates.take([bucket(1, per_minute=2)]) for _ in range(3)]

    assert [lacking is None for lacking in lower] == [True, True, False]


async def test_many_at_once_never_take_more_than_there_is(database: Database) -> None:
    began, taken, per_minute = time.monotonic(), 0, 120
    stores = [RateStore(database) for _ in range(8)]

    async def ask(store: RateStore) -> None:
        nonlocal taken
        for _ in range(40):
            shared = bucket(1, key="shared", per_minute=per_minute)
            if await store.take([bucket(1, key="wide", per_minute=10_000), shared]) is None:
                taken += 1

    async with asyncio.TaskGroup() as tasks:
        for store in stores:
            tasks.create_task(ask(store))

    refilled = (time.monotonic() - began) * per_minute / 60
    assert per_minute <= taken <= per_minute + refilled + 1


async def test_a_bucket_is_forgotten_when_it_is_full_again(database: Database) -> None:
    await RateStore(database).take([bucket(3)])

    async with database.operation():
        document = await database.collection("rates").find_one({"_id": bucket().key})

    assert document is not None
    assert (document["expire_at"] - document["at"]).total_seconds() == pytest.approx(30, abs=0.01)
