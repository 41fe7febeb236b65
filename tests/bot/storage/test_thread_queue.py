"""The contract of `ThreadStore` over MongoDB and its fake: what waits in a thread, and Stop."""

from dataclasses import replace

from bot.core.turn_record import ItemKind
from tests.bot.storage.samples import ADA, BOB, KEY, PLACE, item
from tests.bot.storage.worlds import World, claimed, numbers


async def test_messages_that_arrived_in_parallel_wait_in_the_platforms_order(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world, number=5)
    for number in (8, 6, 9, 7):
        await threads.ingest(PLACE, item(number))

    following = await threads.finish(claim, {claim.items[0].uid})

    assert numbers(following) == ["6", "7", "8", "9"]


async def test_what_an_owner_was_handed_is_not_overtaken(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world, number=5)
    await threads.ingest(PLACE, item(4))
    await world.expire(KEY)

    (taken,) = await world.threads("b").claim_expired(10, [PLACE.account_key])
    await threads.ingest(PLACE, item(3))
    await world.expire(KEY)

    assert numbers(taken) == ["5", "4"]
    assert numbers((await world.threads("c").claim_expired(10, [PLACE.account_key]))[0]) == ["5", "4", "3"]
    assert numbers(claim) == ["5"]


async def test_a_persons_waiting_items_can_be_withdrawn_but_not_the_running_ones(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    for message in (item(2), item(3, author=BOB), item(4)):
        await threads.ingest(PLACE, message)
    running = {claim.items[0].uid}

    gone = await threads.withdraw(KEY, ADA, running)

    assert [i.message_id for i in gone] == ["2", "4"]
    assert numbers(await threads.finish(claim, running)) == ["3"]


async def test_everyones_items_can_be_withdrawn_and_are_known_afterwards(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    await threads.ingest(PLACE, item(2, author=BOB))

    gone = await threads.withdraw(KEY, None, {claim.items[0].uid})

    assert [i.message_id for i in gone] == ["2"]
    assert (await threads.ingest(PLACE, item(2, author=BOB))).duplicate
    assert await threads.withdraw("telegram:99:nowhere", None, ()) == ()


async def test_a_waiting_message_can_be_rewritten_or_dropped(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    for number in (2, 3):
        await threads.ingest(PLACE, item(number))

    assert await threads.revise(KEY, "2", "$owner")
    assert await threads.revise(KEY, "3", None)
    assert not await threads.revise(KEY, "3", None)

    following = await threads.finish(claim, {claim.items[0].uid})
    assert following is not None
    assert [(i.message_id, i.text) for i in following.items] == [("2", "$owner")]


async def test_a_running_message_cannot_be_rewritten_until_its_owner_is_dead(world: World) -> None:
    threads = world.threads("a")
    await claimed(world)

    assert not await threads.revise(KEY, "1", "too late")
    assert not await threads.revise("telegram:99:nowhere", "1", "x")
    await world.expire(KEY)
    assert await threads.revise(KEY, "1", "in time")
    (taken,) = await threads.claim_expired(1, [PLACE.account_key])
    assert taken.items[0].text == "in time"


async def test_another_persons_message_can_be_rewritten_though_the_owner_has_seen_it(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    for message in (item(2), item(3, author=BOB)):
        await threads.ingest(PLACE, message)
    following = await threads.finish(claim, {claim.items[0].uid})
    assert following is not None

    assert not await threads.revise(KEY, "2", "running")
    assert await threads.revise(KEY, "3", "waiting")


async def test_heartbeats_keep_a_lease_and_only_the_owners(world: World) -> None:
    claim = await claimed(world, "a")
    await world.expire(KEY)
    await world.threads("b").heartbeat([KEY])

    assert await world.threads("a").heartbeat([KEY, "telegram:99:nowhere"]) == {}

    assert await world.threads("b").claim_expired(10, [PLACE.account_key]) == ()
    await world.threads("a").release(claim)
    await world.threads("a").heartbeat([KEY])
    assert len(await world.threads("b").claim_expired(10, [PLACE.account_key])) == 1


async def test_a_stop_request_reaches_the_owner_in_another_process_until_it_finishes(world: World) -> None:
    claim, threads = await claimed(world, "a"), world.threads("a")
    await threads.ingest(PLACE, item(2))

    assert await world.threads("b").request_stop(KEY, "$telegram:2")

    assert await world.threads("b").heartbeat([KEY]) == {}
    assert await threads.heartbeat([]) == {}
    assert await threads.heartbeat([KEY]) == {KEY: "$telegram:2"}
    assert await threads.heartbeat([KEY]) == {KEY: "$telegram:2"}
    await threads.finish(claim, {claim.items[0].uid})
    assert await threads.heartbeat([KEY]) == {}


async def test_a_turn_can_be_stopped_from_another_process_after_its_queue_was_emptied(world: World) -> None:
    await claimed(world, "a")
    await world.threads("b").withdraw(KEY, ADA, ())

    assert await world.threads("b").request_stop(KEY, ADA)
    assert await world.threads("a").heartbeat([KEY]) == {KEY: ADA}


async def test_nothing_is_stopped_where_nothing_runs(world: World) -> None:
    claim, threads = await claimed(world, "a"), world.threads("a")
    await threads.finish(claim, {claim.items[0].uid})

    assert not await threads.request_stop(KEY, ADA)
    assert not await threads.request_stop("telegram:99:nowhere", ADA)
    await claimed(world, "a", 2)
    await world.expire(KEY)
    assert not await threads.request_stop(KEY, ADA)


async def test_a_fresh_start_leaves_out_stored_turns_and_the_running_one(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    await threads.start_afresh(KEY)
    await threads.finish(claim, {claim.items[0].uid})
    second = await claimed(world, "a", 2)
    await threads.finish(second, {second.items[0].uid})
    await threads.start_afresh(KEY)

    third = await claimed(world, "a", 3)

    assert (second.next_seq, second.from_seq) == (1, 1)
    assert (third.next_seq, third.from_seq) == (2, 2)


async def test_a_message_that_waits_behind_a_retry_of_its_author_can_be_rewritten(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    retry = replace(item(2), kind=ItemKind.RETRY, message_id="1", retry_of=item(1).uid)
    for waiting in (retry, item(3)):
        await threads.ingest(PLACE, waiting)
    following = await threads.finish(claim, {claim.items[0].uid})
    assert following is not None

    assert await threads.revise(KEY, "3", "in time")

    last = await threads.finish(following, {retry.uid})
    assert last is not None
    assert [i.text for i in last.items] == ["in time"]
