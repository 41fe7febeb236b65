"""The contract of `ThreadStore` for what stands beside the queue: summary, title, and who is at a chore."""

from bot.core.stores import ThreadState
from bot.core.turn_record import Summary
from tests.bot.storage.samples import KEY, PLACE, item
from tests.bot.storage.worlds import World, claimed

NOWHERE = "telegram:99:nowhere"


async def answered(world: World, turns: int) -> None:
    """A thread in which so many messages were answered."""
    threads = world.threads("a")
    for number in range(1, turns + 1):
        claim = await claimed(world, "a", number)
        assert await threads.finish(claim, {item(number).uid}) is None


async def test_a_thread_that_nobody_knows_has_the_state_of_a_new_one(world: World) -> None:
    threads = world.threads("a")

    assert await threads.state(NOWHERE) == ThreadState()
    assert not await threads.begin_chore(NOWHERE, "summary", 60.0)
    assert not await threads.set_summary(NOWHERE, Summary(upto_seq=0, text="x"))
    assert not await threads.set_title(NOWHERE, "x", replace=True)
    await threads.end_chore(NOWHERE, "summary")
    assert not await threads.is_joined(NOWHERE)


async def test_a_summary_stands_for_the_turns_up_to_its_number(world: World) -> None:
    await answered(world, 5)
    threads, summary = world.threads("a"), Summary(upto_seq=2, text="$owner said {a.b}")

    assert await threads.set_summary(KEY, summary)

    assert await threads.state(KEY) == ThreadState(next_seq=5, from_seq=3, summary=summary)
    claim = await claimed(world, "b", 9)
    assert (claim.summary, claim.from_seq, claim.titled) == (summary, 3, False)


async def test_a_running_turn_gets_the_new_summary_with_what_it_does_next(world: World) -> None:
    await answered(world, 3)
    threads, claim = world.threads("a"), await claimed(world, "a", 4)
    await threads.ingest(PLACE, item(5))
    summary = Summary(upto_seq=1, text="before")
    await threads.set_summary(KEY, summary)

    following = await threads.finish(claim, {item(4).uid}, from_seq=0)

    assert following is not None
    assert (following.summary, following.from_seq) == (summary, 2)


async def test_setting_the_same_summary_again_changes_nothing_and_says_yes(world: World) -> None:
    await answered(world, 3)
    threads, summary = world.threads("a"), Summary(upto_seq=1, text="once")

    assert await threads.set_summary(KEY, summary)
    assert await threads.set_summary(KEY, summary)
    assert (await threads.state(KEY)).from_seq == 2


async def test_a_summary_of_what_no_longer_counts_is_refused(world: World) -> None:
    await answered(world, 5)
    threads, newer = world.threads("a"), Summary(upto_seq=3, text="newer")
    await threads.set_summary(KEY, newer)

    assert not await threads.set_summary(KEY, Summary(upto_seq=1, text="older"))
    assert not await threads.set_summary(KEY, Summary(upto_seq=3, text="another"))
    assert await threads.state(KEY) == ThreadState(next_seq=5, from_seq=4, summary=newer)


async def test_a_cut_behind_it_leaves_a_summary_that_comes_late_in_place(world: World) -> None:
    await answered(world, 5)
    threads, claim = world.threads("a"), await claimed(world, "a", 9)
    await threads.finish(claim, {item(9).uid}, from_seq=4)
    summary = Summary(upto_seq=2, text="paid for")

    assert await threads.set_summary(KEY, summary)
    state = await threads.state(KEY)
    assert (state.from_seq, state.summary) == (4, summary)


async def test_a_fresh_start_drops_the_summary_and_one_that_comes_late(world: World) -> None:
    await answered(world, 3)
    threads = world.threads("a")
    await threads.set_summary(KEY, Summary(upto_seq=0, text="gone"))
    await threads.set_title(KEY, "Kept", replace=False)
    await threads.start_afresh(KEY)

    assert not await threads.set_summary(KEY, Summary(upto_seq=1, text="late"))
    assert await threads.state(KEY) == ThreadState(next_seq=3, from_seq=3, title="Kept", fresh_seq=3)


async def test_one_at_a_time_is_at_a_chore_in_whichever_process(world: World) -> None:
    await answered(world, 1)
    one, other = world.threads("a"), world.threads("b")

    assert await one.begin_chore(KEY, "summary", 60.0)
    assert not await other.begin_chore(KEY, "summary", 60.0)
    assert not await one.begin_chore(KEY, "summary", 60.0)
    assert await other.begin_chore(KEY, "title", 60.0)
    await one.end_chore(KEY, "summary")
    assert await other.begin_chore(KEY, "summary", 60.0)


async def test_a_chore_whose_lease_ran_out_can_be_taken_up(world: World) -> None:
    await answered(world, 1)
    await world.threads("a").begin_chore(KEY, "summary", -1.0)

    assert await world.threads("b").begin_chore(KEY, "summary", 60.0)


async def test_a_title_is_set_once_unless_it_is_to_be_replaced(world: World) -> None:
    await answered(world, 1)
    threads = world.threads("a")

    assert await threads.set_title(KEY, "$first", replace=False)
    assert await threads.set_title(KEY, "$first", replace=False)
    assert not await threads.set_title(KEY, "second", replace=False)
    assert (await threads.state(KEY)).title == "$first"
    assert await threads.set_title(KEY, "third", replace=True)
    assert (await threads.state(KEY)).title == "third"
    assert (await claimed(world, "b", 2)).titled
