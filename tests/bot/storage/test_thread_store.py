"""The contract of `ThreadStore` over MongoDB and its fake: who owns a thread, and what owners learn."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Fenced
from bot.core.inbound import Quoted
from bot.core.message import AttachmentRef
from bot.core.turn_record import Claim, ItemKind
from tests.bot.storage.samples import BOB, KEY, PLACE, item, place
from tests.bot.storage.worlds import World, claimed, numbers


async def test_the_first_message_of_a_thread_is_claimed_by_who_stored_it(world: World) -> None:
    message = replace(
        item(1),
        kind=ItemKind.RETRY,
        quoted=Quoted(message_id="7", author_name="Bob", text="before", by_bot=True),
        attachments=(AttachmentRef(id="f", name="a.txt", media_type=None, size_bytes=3),),
        retry_of="telegram:99:-100:0",
    )

    ingested = await world.threads("a").ingest(PLACE, message)

    expected = Claim(place=PLACE, fence=1, items=(message,), next_seq=0, from_seq=0, attempt=None, tries=0)
    assert ingested.claim == expected
    assert not ingested.duplicate


async def test_a_message_for_a_running_thread_waits(world: World) -> None:
    await claimed(world)

    ingested = await world.threads("a").ingest(PLACE, item(2))

    assert (ingested.claim, ingested.duplicate, ingested.full) == (None, False, False)


async def test_a_redelivery_is_recognised_while_it_waits_and_after_it_is_done(world: World) -> None:
    threads = world.threads("a")
    claim = await claimed(world)
    waiting = await threads.ingest(PLACE, item(1))
    await threads.finish(claim, {claim.items[0].uid})

    done = await threads.ingest(PLACE, item(1))

    assert (waiting.duplicate, waiting.claim) == (True, None)
    assert (done.duplicate, done.claim) == (True, None)


async def test_a_redelivery_takes_over_a_thread_whose_owner_died(world: World) -> None:
    await claimed(world, "a")
    await world.expire(KEY)

    ingested = await world.threads("b").ingest(PLACE, item(1))

    assert ingested.duplicate
    assert ingested.claim is not None
    assert (ingested.claim.fence, ingested.claim.tries) == (2, 1)


async def test_a_new_message_takes_over_a_thread_whose_owner_died(world: World) -> None:
    await claimed(world, "a")
    await world.expire(KEY)

    ingested = await world.threads("b").ingest(PLACE, item(2))

    assert numbers(ingested.claim) == ["1", "2"]
    assert ingested.claim is not None
    assert ingested.claim.tries == 1


async def test_the_queue_has_a_cap_and_a_full_queue_takes_no_more(world: World) -> None:
    threads = world.threads("a")
    for number in range(1, 51):
        assert not (await threads.ingest(PLACE, item(number))).full

    ingested = await threads.ingest(PLACE, item(51))

    assert (ingested.full, ingested.claim) == (True, None)
    assert len(await threads.withdraw(KEY, None, ())) == 50
    assert not (await threads.ingest(PLACE, item(51))).duplicate


async def test_finish_hands_out_what_waits_under_the_same_fence(world: World) -> None:
    threads = world.threads("a")
    claim = await claimed(world)
    await threads.begin_attempt(claim)
    await threads.ingest(PLACE, item(2))
    await threads.ingest(PLACE, item(3, author=BOB))

    following = await threads.finish(claim, {claim.items[0].uid})

    assert numbers(following) == ["2", "3"]
    assert following is not None
    assert (following.fence, following.next_seq, following.attempt, following.tries) == (
        claim.fence,
        1,
        None,
        0,
    )


async def test_finish_gives_the_lease_back_when_nothing_waits(world: World) -> None:
    threads = world.threads("a")
    claim = await claimed(world)

    assert await threads.finish(claim, {claim.items[0].uid}) is None

    ingested = await world.threads("b").ingest(PLACE, item(2))
    assert ingested.claim is not None
    assert (ingested.claim.fence, ingested.claim.next_seq, ingested.claim.tries) == (2, 1, 0)


async def test_finishing_twice_changes_nothing_more(world: World) -> None:
    threads = world.threads("a")
    claim = await claimed(world)
    await threads.ingest(PLACE, item(2))
    uids = {claim.items[0].uid}

    first, second = await threads.finish(claim, uids), await threads.finish(claim, uids)

    assert numbers(second) == ["2"]
    assert first == second
    assert second is not None
    assert await threads.finish(second, {item(2).uid}) is None
    assert await threads.finish(second, {item(2).uid}) is None


async def test_finish_moves_the_start_of_the_context_forward_only(world: World) -> None:
    threads = world.threads("a")
    claim = await claimed(world)
    for number in (2, 3, 4):
        await threads.ingest(PLACE, item(number))

    moved = await threads.finish(claim, {claim.items[0].uid}, from_seq=1)
    assert moved is not None
    kept = await threads.finish(moved, {moved.items[0].uid}, from_seq=0)

    assert kept is not None
    assert (moved.from_seq, kept.from_seq) == (1, 1)


async def test_a_late_owner_is_refused_everywhere(world: World) -> None:
    late, threads = await claimed(world, "a"), world.threads("a")
    await world.expire(KEY)
    (current,) = await world.threads("b").claim_expired(10, [PLACE.account_key])

    with pytest.raises(Fenced):
        await threads.begin_attempt(late)
    with pytest.raises(Fenced):
        await threads.begin_send(late, 0)
    with pytest.raises(Fenced):
        await threads.record_message(late, 0, "m")
    with pytest.raises(Fenced):
        await threads.finish(late, {late.items[0].uid})
    await threads.release(late)
    assert await world.threads("c").claim_expired(10, [PLACE.account_key]) == ()
    assert await world.threads("b").finish(current, {current.items[0].uid}) is None


async def test_a_new_owner_learns_what_the_former_one_noted(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    await threads.begin_attempt(claim)
    await threads.begin_send(claim, 0)
    await threads.begin_send(claim, 1)
    await threads.record_message(claim, 0, "m0")
    await threads.record_message(claim, 1, "m1")
    await threads.record_message(claim, 1, "m1")
    await world.expire(KEY)

    (taken,) = await world.threads("b").claim_expired(10, [PLACE.account_key])

    attempt = taken.attempt
    assert attempt is not None
    assert (attempt.uid, attempt.fence, attempt.called, attempt.sending) == (
        claim.items[0].uid,
        1,
        True,
        2,
    )
    assert attempt.message_ids == ("m0", "m1")


async def test_notes_survive_a_second_takeover_and_tries_are_counted(world: World) -> None:
    await world.threads("a").record_message(await claimed(world), 0, "m0")
    await world.expire(KEY)
    (second,) = await world.threads("b").claim_expired(10, [PLACE.account_key])
    await world.threads("b").begin_attempt(second)
    await world.expire(KEY)

    (third,) = await world.threads("c").claim_expired(10, [PLACE.account_key])

    assert third.attempt is not None
    assert (third.attempt.fence, third.attempt.called, third.attempt.message_ids) == (2, True, ("m0",))
    assert (third.fence, third.tries) == (3, 2)


async def test_notes_on_a_former_head_are_not_those_of_the_next(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    await threads.record_message(claim, 0, "m0")
    await threads.ingest(PLACE, item(2))
    following = await threads.finish(claim, {claim.items[0].uid})
    assert following is not None
    await threads.begin_attempt(following)
    await world.expire(KEY)

    (taken,) = await world.threads("b").claim_expired(10, [PLACE.account_key])

    assert taken.attempt is not None
    assert (taken.attempt.uid, taken.attempt.message_ids, taken.tries) == (item(2).uid, (), 1)


async def test_a_released_thread_is_taken_by_the_next_sweep(world: World) -> None:
    claim = await claimed(world, "a")
    await world.threads("a").release(claim)

    (taken,) = await world.threads("b").claim_expired(10, [PLACE.account_key])

    assert (taken.items, taken.fence) == (claim.items, 2)


async def test_a_sweep_takes_only_dead_threads_with_waiting_items_up_to_its_limit(world: World) -> None:
    threads = world.threads("a")
    claims = {}
    for chat in ("1", "2", "3", "4", "5"):
        claims[chat] = (await threads.ingest(place(chat), replace(item(1), uid=f"telegram:99:{chat}:1"))).claim
    idle = claims["5"]
    assert idle is not None
    await threads.finish(idle, {"telegram:99:5:1"})
    for chat in ("1", "2", "3"):
        await world.expire(place(chat).thread_key)

    first = await world.threads("b").claim_expired(2, [PLACE.account_key])
    second = await world.threads("b").claim_expired(2, [PLACE.account_key])

    assert len(first) == 2
    assert sorted(claim.place.chat for claim in (*first, *second)) == ["1", "2", "3"]


async def test_a_sweep_takes_threads_of_the_accounts_that_are_served_only(world: World) -> None:
    await claimed(world, "a")
    await world.expire(KEY)
    threads = world.threads("b")

    assert await threads.claim_expired(10, []) == ()
    assert await threads.claim_expired(10, ["telegram:98", "discord:99"]) == ()
    assert len(await threads.claim_expired(10, ["discord:99", "telegram:99"])) == 1


async def test_a_thread_is_joined_once_something_was_accepted_in_it(world: World) -> None:
    threads = world.threads("a")
    await threads.start_afresh(KEY)

    assert not await threads.is_joined(KEY)
    await claimed(world)
    assert await threads.is_joined(KEY)


async def test_of_two_owners_that_race_exactly_one_claims(world: World) -> None:
    rivals = [world.threads(owner) for owner in "ab"]
    for number in range(20):
        here = place(str(number))
        async with asyncio.TaskGroup() as tasks:
            first, second = (
                tasks.create_task(store.ingest(here, replace(item(n), uid=f"{number}:{n}")))
                for n, store in enumerate(rivals)
            )
        assert [first.result().claim, second.result().claim].count(None) == 1


async def test_texts_with_dollars_dots_and_emoji_are_stored_as_they_are(world: World) -> None:
    texts = ("$owner", "$$NOW", "a.b", "\u0000 🦜 ‮", "x" * 65_536, "")
    threads = world.threads("$owner")
    claim = None
    for number, text in enumerate(texts):
        message = replace(item(number, text), author_name=text[:40], message_id=f"${number}.$q")
        claim = (await threads.ingest(PLACE, message)).claim or claim
    assert claim is not None
    await threads.record_message(claim, 0, "$n.q")

    await world.expire(KEY)
    (taken,) = await threads.claim_expired(1, [PLACE.account_key])

    assert [i.text for i in taken.items] == list(texts)
    assert [i.message_id for i in taken.items] == [f"${number}.$q" for number in range(len(texts))]
    assert taken.attempt is not None
    assert taken.attempt.message_ids == ("$n.q",)


async def test_a_lease_of_ours_that_ran_out_is_not_taken_from_a_lane_that_runs(world: World) -> None:
    threads, claim = world.threads("a"), await claimed(world)
    await world.expire(KEY)

    assert (await threads.ingest(PLACE, item(2))).claim is None
    assert await threads.claim_expired(10, [PLACE.account_key], {KEY}) == ()
    assert numbers(await threads.finish(claim, {claim.items[0].uid})) == ["2"]


async def test_a_claim_that_never_became_a_lane_is_taken_by_our_own_sweep(world: World) -> None:
    await claimed(world)
    await world.expire(KEY)

    (taken,) = await world.threads("a").claim_expired(10, [PLACE.account_key], {"telegram:99:elsewhere"})

    assert numbers(taken) == ["1"]


async def test_a_lease_can_be_renewed_until_somebody_else_has_the_thread(world: World) -> None:
    claim = await claimed(world)
    await world.expire(KEY)

    await world.threads("a").hold(claim)
    assert await world.threads("b").claim_expired(10, [PLACE.account_key]) == ()
    await world.expire(KEY)
    await world.threads("b").claim_expired(10, [PLACE.account_key])

    with pytest.raises(Fenced):
        await world.threads("a").hold(claim)
