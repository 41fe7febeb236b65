"""The contract of `TurnStore`, over MongoDB and over the fake in memory."""

from dataclasses import replace

from bot.core.events import Outcome
from bot.core.files import FileKind, FileNote
from bot.core.turn_record import ToolStep
from tests.bot.storage.samples import KEY, item, row, turn
from tests.bot.storage.worlds import World


async def test_a_turn_comes_back_as_it_was_stored(world: World) -> None:
    stored = replace(
        turn(3, answer="$answer 🦜\n```"),
        items=(item(3), item(4, "$$NOW")),
        steps=(ToolStep(name="a.b", arguments="{", result="$x", is_error=True, duration_s=0.25),),
        outcome=Outcome.PARTIAL,
        reason="It was cut.",
        message_ids=("m1", "m2"),
        calls=(row(3), row(4, nano_usd=None, space="telegram:99:s")),
    )

    await world.turns.append(stored)

    assert await world.turns.load(stored.uid) == stored
    assert await world.turns.last(KEY) == stored
    assert await world.turns.recent(KEY, from_seq=0, limit=10) == (replace(stored, calls=()),)


async def test_what_was_never_stored_is_none(world: World) -> None:
    await world.turns.append(turn(0, key="telegram:99:other"))

    assert await world.turns.load("telegram:nothing") is None
    assert await world.turns.last(KEY) is None
    assert await world.turns.recent(KEY, from_seq=0, limit=10) == ()


async def test_storing_the_same_uid_again_changes_nothing(world: World) -> None:
    await world.turns.append(turn(0, answer="first"))

    await world.turns.append(turn(0, answer="second"))

    assert [stored.answer for stored in await world.turns.recent(KEY, from_seq=0, limit=10)] == ["first"]


async def test_the_owner_with_the_highest_fence_has_the_last_word(world: World) -> None:
    await world.turns.append(turn(0, fence=1, answer="of the late owner"))
    await world.turns.append(turn(0, fence=2, answer="as shown"))
    await world.turns.append(turn(0, fence=1, answer="even later"))

    assert [stored.answer for stored in await world.turns.recent(KEY, from_seq=0, limit=10)] == ["as shown"]


async def test_recent_turns_are_the_newest_of_the_context_in_order(world: World) -> None:
    for seq in (4, 0, 2, 1, 3):
        await world.turns.append(turn(seq))

    limited = await world.turns.recent(KEY, from_seq=0, limit=2)
    bounded = await world.turns.recent(KEY, from_seq=2, limit=10)

    assert [stored.seq for stored in limited] == [3, 4]
    assert [stored.seq for stored in bounded] == [2, 3, 4]


async def test_a_superseded_turn_leaves_the_context_and_stays_stored(world: World) -> None:
    first, second = turn(0), turn(1)
    await world.turns.append(first)
    await world.turns.append(second)

    await world.turns.supersede(second.uid, "telegram:99:-100:7")

    assert await world.turns.recent(KEY, from_seq=0, limit=10) == (first,)
    assert await world.turns.last(KEY) == first
    assert await world.turns.load(second.uid) == replace(second, superseded_by="telegram:99:-100:7")


async def test_the_messages_of_an_answer_can_be_noted_later(world: World) -> None:
    await world.turns.append(turn(0))

    await world.turns.set_messages(turn(0).uid, ["m1", "$m2"])
    await world.turns.set_messages("telegram:nothing", ["m1"])

    assert await world.turns.last(KEY) == replace(turn(0), message_ids=("m1", "$m2"))
    assert await world.turns.load("telegram:nothing") is None


async def test_the_files_of_a_conversation_are_found_however_long_ago_they_came(world: World) -> None:
    for seq in range(6):
        notes = (FileNote(name=f"{seq}.txt", kind=FileKind.TEXT),) if seq % 2 == 0 else ()
        asked = replace(item(seq, "look"), files=notes)
        await world.turns.append(replace(turn(seq), items=(asked,)))

    names = [note.name for note in await world.turns.files(KEY, from_seq=1, limit=10)]
    newest = [note.name for note in await world.turns.files(KEY, from_seq=0, limit=2)]

    assert names == ["2.txt", "4.txt"]
    assert newest == ["2.txt", "4.txt"]
    assert await world.turns.files("elsewhere", from_seq=0, limit=10) == ()
