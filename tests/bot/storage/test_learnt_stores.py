"""The contracts of `CalibrationStore` and `AnswerCache`, over MongoDB and over the fakes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.money_stores import CachedAnswer
from bot.storage.database import Database
from tests.bot.storage.worlds import World

#: Far away: the server removes what is over.
NOW = datetime(2099, 6, 17, 12, tzinfo=UTC)
ANSWER = CachedAnswer(text="**hi** $x", model="openai/gpt-6.1", at=NOW)


async def test_factors_are_kept_by_model_and_others_stay(world: World) -> None:
    assert await world.calibrations.load() == {}
    await world.calibrations.save({"openai/gpt-6.1": 1.25, "groq/$b": 1.0})
    await world.calibrations.save({"groq/$b": 0.5})
    await world.calibrations.save({})

    assert await world.calibrations.load() == {"openai/gpt-6.1": 1.25, "groq/$b": 0.5}


async def test_an_answer_counts_until_its_time_is_over(world: World) -> None:
    world.clock.now_ = NOW
    await world.answers.save("digest", ANSWER, 60.0)

    assert await world.answers.load("digest") == ANSWER
    assert await world.answers.load("other") is None
    world.clock.now_ = NOW + timedelta(seconds=59)
    assert await world.answers.load("digest") == ANSWER
    world.clock.now_ = NOW + timedelta(seconds=60)
    assert await world.answers.load("digest") is None


async def test_a_newer_answer_replaces_the_old_one_and_its_time(world: World) -> None:
    world.clock.now_ = NOW
    newer = replace(ANSWER, text="hello", at=NOW + timedelta(seconds=50))
    await world.answers.save("digest", ANSWER, 60.0)
    await world.answers.save("digest", newer, 90.0)
    world.clock.now_ = NOW + timedelta(seconds=80)

    assert await world.answers.load("digest") == newer


async def test_an_answer_with_half_a_character_is_stored(database: Database, world: World) -> None:
    world.clock.now_ = NOW
    await world.answers.save("digest", replace(ANSWER, text="a\ud83d"), 60.0)

    loaded = await world.answers.load("digest")

    assert loaded is not None
    assert loaded.text.startswith("a")
