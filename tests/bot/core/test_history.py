"""History from memory: never other than what the store would give."""

from dataclasses import replace

import pytest

from bot.core.context import MAX_TURNS
from bot.core.history import TURN_CHARS, History
from bot.core.turn_record import Claim, TurnRecord
from tests.bot.core.test_context import item, turn
from tests.fakes.desk import PRIVATE
from tests.fakes.stores import MemoryTurnStore


def record(seq: int) -> TurnRecord:
    return replace(turn(seq, "question", "answer"), thread_key=PRIVATE.thread_key)


def claim(next_seq: int, *, from_seq: int = 0) -> Claim:
    return Claim(
        place=PRIVATE,
        fence=1,
        items=(item(99, "next"),),
        next_seq=next_seq,
        from_seq=from_seq,
        attempt=None,
        tries=0,
    )


class CountingTurns(MemoryTurnStore):
    """Counts reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def recent(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[TurnRecord, ...]:
        self.reads += 1
        return await super().recent(thread_key, from_seq=from_seq, limit=limit)


@pytest.fixture
def turns() -> CountingTurns:
    return CountingTurns()


async def test_a_thread_is_read_once_and_goes_on_from_memory(turns: CountingTurns) -> None:
    history = History(turns)
    assert await history.of(claim(0)) == ()

    await turns.append(record(0))
    history.add(record(0))

    assert await history.of(claim(1)) == (record(0),)
    assert turns.reads == 1


async def test_a_turn_of_another_process_makes_it_read_again(turns: CountingTurns) -> None:
    history = History(turns)
    await history.of(claim(0))
    await turns.append(record(0))

    assert await history.of(claim(1)) == (record(0),)
    assert turns.reads == 2


async def test_a_superseded_turn_leaves_memory_as_well(turns: CountingTurns) -> None:
    history = History(turns)
    await history.of(claim(0))
    history.add(record(0))
    history.add(record(1), replaces=record(0).uid)

    assert await history.of(claim(2)) == (record(1),)


async def test_a_fresh_start_hides_what_is_before_it(turns: CountingTurns) -> None:
    history = History(turns)
    await history.of(claim(0))
    history.add(record(0))
    history.add(record(1))

    assert await history.of(claim(2, from_seq=1)) == (record(1),)
    assert turns.reads == 1


async def test_a_context_that_begins_earlier_than_what_is_kept_is_read(turns: CountingTurns) -> None:
    history = History(turns)
    for seq in range(3):
        await turns.append(record(seq))
    await history.of(claim(3, from_seq=2))

    assert len(await history.of(claim(3, from_seq=0))) == 3


async def test_what_a_summary_stands_for_leaves_memory(turns: CountingTurns) -> None:
    history = History(turns, max_chars=3 * (len("questionanswer") + TURN_CHARS))
    other = replace(claim(0), place=replace(PRIVATE, chat="other"))
    await history.of(other)
    await history.of(claim(0))
    for seq in range(3):
        history.add(record(seq))
    await history.of(claim(3, from_seq=2))
    history.add(replace(record(0), thread_key=other.thread_key))
    turns.reads = 0

    assert await history.of(claim(3, from_seq=2)) == (record(2),)
    assert len(await history.of(replace(other, next_seq=1))) == 1
    assert turns.reads == 0


async def test_no_more_turns_are_kept_than_a_context_holds(turns: CountingTurns) -> None:
    history = History(turns)
    await history.of(claim(0))
    for seq in range(MAX_TURNS + 5):
        history.add(record(seq))

    assert [kept.seq for kept in await history.of(claim(MAX_TURNS + 5))] == list(range(5, MAX_TURNS + 5))


async def test_the_threads_that_were_used_longest_ago_go_first(turns: CountingTurns) -> None:
    history = History(turns, max_chars=2 * (len("questionanswer") + TURN_CHARS))
    others = [replace(claim(0), place=replace(PRIVATE, chat=str(number))) for number in range(3)]
    for other in others:
        await history.of(other)
        history.add(replace(record(0), thread_key=other.thread_key))
    turns.reads = 0

    for other in (others[2], others[1], others[0]):
        await history.of(replace(other, next_seq=1))

    assert turns.reads == 1
