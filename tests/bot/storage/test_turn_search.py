"""The contract of `TurnStore.search`, over MongoDB and over the fake; and what the database reads for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.files import FileKind, FileNote
from bot.core.stores import Speaker, TurnQuery, TurnsFound
from bot.core.turn_record import ToolStep, TurnRecord
from bot.storage.database import Database
from bot.storage.turns import TurnStore
from tests.bot.storage.samples import ADA, BOB, KEY, NOON, PLACE, item, row, turn
from tests.bot.storage.test_schema import Profiler
from tests.bot.storage.worlds import World, claimed

ANY = TurnQuery(thread_key=KEY)


def said(seq: int, text: str, answer: str = "fine", *, author: str = ADA) -> TurnRecord:
    return replace(turn(seq, answer=answer), items=(item(seq, text, author=author),))


async def found(world: World, *words: str, **other: object) -> list[int]:
    """The numbers of the turns that a search finds."""
    result = await world.turns.search(replace(ANY, words=words, **other))  # type: ignore[arg-type]
    assert result.in_time
    return [turn.seq for turn in result.turns]


async def test_words_are_found_in_questions_and_answers_the_newest_first(world: World) -> None:
    for stored in (said(1, "the BUDGET for march"), said(2, "hello"), said(3, "and?", "Our Budget is 5.")):
        await world.turns.append(stored)

    assert await found(world, "budget") == [3, 1]
    assert await found(world, "budget", speaker=Speaker.PEOPLE) == [1]
    assert await found(world, "budget", speaker=Speaker.BOT) == [3]
    assert await found(world) == [3, 2, 1]
    assert await found(world, limit=2) == [3, 2]


async def test_all_words_have_to_be_in_one_turn(world: World) -> None:
    for stored in (said(1, "red apples", "and green pears"), said(2, "red pears")):
        await world.turns.append(stored)

    assert await found(world, "red", "green") == [1]
    assert await found(world, "red", "pears") == [2, 1]
    assert await found(world, "apples", "yellow") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我们明天去北京开会", "北京"),
        ("ПРИВЕТ, как дела", "привет"),
        ("costs $5.00 (a+b)*", "$5.00 (A+B)*"),
        (r"back\slash \E and \d", r"\e and \D"),
        ("line one\nline two", "ONE\nline"),
    ],
    ids=["chinese", "russian", "signs", "backslash", "lines"],
)
async def test_a_word_is_a_substring_in_any_case_and_never_a_pattern(world: World, text: str, word: str) -> None:
    await world.turns.append(said(1, text))
    await world.turns.append(said(2, "costs $5x00 aab"))

    assert await found(world, word) == [1]


async def test_names_and_words_of_files_are_found(world: World) -> None:
    note = FileNote(name="Lease.pdf", kind=FileKind.PDF, excerpt="the deposit is due")
    await world.turns.append(replace(turn(1), items=(replace(item(1), files=(note,)),)))

    assert await found(world, "lease") == [1]
    assert await found(world, "deposit", speaker=Speaker.PEOPLE) == [1]
    assert await found(world, "deposit", speaker=Speaker.BOT) == []


async def test_authors_and_times_narrow_a_search(world: World) -> None:
    for stored in (said(1, "tea"), said(2, "tea", author=BOB), said(3, "tea")):
        await world.turns.append(stored)

    assert await found(world, "tea", author_key=BOB) == [2]
    assert await found(world, "tea", author_name="bo") == [2]
    assert await found(world, "tea", author_name="b.") == []
    assert await found(world, "tea", since=NOON + timedelta(seconds=2)) == [3, 2]
    assert await found(world, "tea", before=NOON + timedelta(seconds=2)) == [1]


async def test_other_threads_and_superseded_turns_are_never_found(world: World) -> None:
    await world.turns.append(said(1, "tea"))
    await world.turns.append(replace(said(2, "tea"), uid="telegram:99:other:2", thread_key="telegram:99:-1001"))
    await world.turns.append(said(3, "tea"))
    await world.turns.supersede(said(3, "tea").uid, "telegram:99:-100:9")

    assert await found(world, "tea") == [1]


async def test_what_was_said_before_a_fresh_start_is_left_out(world: World) -> None:
    claim = await claimed(world)
    await world.turns.append(replace(said(claim.next_seq, "tea"), uid=claim.items[0].uid))
    await world.threads("a").finish(claim, [claim.items[0].uid])
    assert await found(world, "tea") == [0]

    await world.threads("a").start_afresh(PLACE.thread_key)

    assert await found(world, "tea") == []
    await world.turns.append(replace(said(1, "more tea"), uid="telegram:99:-100:5"))
    assert await found(world, "tea") == [1]


async def test_a_turn_comes_back_without_its_steps_and_calls(world: World) -> None:
    step = ToolStep(name="a", arguments="{}", result="x" * 100, is_error=False, duration_s=1.0)
    stored = replace(said(1, "tea"), steps=(step,), calls=(row(1),), reason="It was cut.", message_ids=("m1",))
    await world.turns.append(stored)

    result = await world.turns.search(replace(ANY, words=("tea",)))

    assert result == TurnsFound(turns=(replace(stored, steps=(), calls=()),))


async def test_a_search_reads_one_thread_from_its_end_until_it_has_enough(database: Database) -> None:
    turns = TurnStore(database)
    for seq in range(60):
        await turns.append(said(seq, "tea"))
        await turns.append(replace(said(seq, "tea"), uid=f"other:{seq}", thread_key="telegram:99:other"))

    async with Profiler(database) as profiler:
        await turns.search(replace(ANY, words=("tea",), limit=5))
        few = await profiler.examined("turns")
    async with Profiler(database) as profiler:
        await turns.search(replace(ANY, words=("coffee",), limit=5))
        all_of_it = await profiler.examined("turns")

    assert (few, all_of_it) == ((5, 5), (60, 60))


async def test_a_search_that_takes_too_long_is_given_up_and_the_database_is_not_blamed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.turns._SEARCH_S", 0.000_001)
    turns = TurnStore(database)
    await turns.append(said(1, "tea"))

    given_up = [await turns.search(replace(ANY, words=("tea",))) for _ in range(4)]

    assert given_up == [TurnsFound(turns=(), in_time=False)] * 4
    assert await turns.last(KEY) == said(1, "tea")
