"""An answer reaches its last state whatever the platform does, and says so where it cannot."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.delivery import Delivery, Shown
from bot.core.delivery_pages import REPETITION
from bot.core.errors import DeliveryKind, Fenced
from bot.core.ports import Rate
from tests.bot.core.delivering import AGAIN, NOT_IDEMPOTENT, PLACE, WORDS, Chat
from tests.fakes.clock import ManualClock
from tests.fakes.messenger import CAPABILITIES


async def test_the_last_state_lands_after_a_penalty_of_minutes() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(1.0)
        delivery.feed("The end.")
        chat.messenger.fail("edit", DeliveryKind.RATE_LIMITED, retry_after_s=250.0, times=2)
        shown = await delivery.finish(buttons=AGAIN)

    assert shown.delivered
    assert chat.messenger.texts() == (WORDS + "The end.",)
    assert chat.messenger.messages["m1"].buttons == AGAIN
    assert 500 <= chat.clock.elapsed_s < 510


async def test_a_rate_limited_streaming_edit_is_dropped_for_newer_text() -> None:
    chat = Chat()
    chat.messenger.fail("edit", DeliveryKind.RATE_LIMITED, retry_after_s=10.0)
    await chat.answer(*["word "] * 150, every_s=0.1)
    edits = chat.messenger.calls_of("edit")

    assert edits[1].at_s - edits[0].at_s >= 10.0
    assert len(edits[1].text) > len(edits[0].text)


async def test_a_penalty_that_outlasts_the_deadline_is_reported() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.RATE_LIMITED, retry_after_s=3_600.0)
    shown = await chat.answer(WORDS, deadline_s=60.0)

    assert not shown.delivered
    assert shown.error is not None
    assert shown.error.kind is DeliveryKind.RATE_LIMITED
    assert chat.clock.elapsed_s < 60


@pytest.mark.parametrize("verb", ["send", "edit"])
async def test_transient_failures_are_tried_again(verb: str) -> None:
    chat = Chat()
    chat.messenger.fail(verb, DeliveryKind.TRANSIENT, times=5)
    shown = await chat.answer(*[WORDS] * 8, every_s=0.1)

    assert shown.delivered
    assert chat.messenger.texts() == (WORDS * 8,)


async def test_transient_failures_without_end_are_given_up_within_a_minute() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.TRANSIENT, times=100)
    shown = await chat.answer(WORDS)

    assert not shown.delivered
    assert shown.message_ids == ()
    assert len(chat.messenger.calls_of("send")) == 6
    assert 5 < chat.clock.elapsed_s < 60


async def test_an_unknown_send_is_repeated_with_the_same_key_where_that_is_safe() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.UNKNOWN_AFTER_SEND, carried_out=True)
    shown = await chat.answer(WORDS)

    assert shown.message_ids == ("m1",)
    assert chat.messenger.texts() == (WORDS,)
    assert {call.key for call in chat.messenger.calls_of("send")} == {"test:7~0"}


async def test_a_deduplicated_send_is_brought_up_to_date() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.UNKNOWN_AFTER_SEND, carried_out=True)
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(0.5)
        assert chat.messenger.texts() == (WORDS,)
        delivery.feed("The end.")
        await delivery.finish(buttons=AGAIN)

    assert chat.messenger.texts() == (WORDS + "The end.",)
    assert chat.messenger.messages["m1"].buttons == AGAIN


async def test_a_former_owners_deduplicated_send_is_brought_up_to_date() -> None:
    chat = Chat()
    async with chat.delivery() as dying:
        dying.feed("What the dead one said, in a sentence. ")
        await chat.clock.sleep(0.5)
    shown = await chat.answer(WORDS, resent=True)

    assert shown.message_ids == ("m1",)
    assert chat.messenger.texts() == (WORDS,)


async def test_an_unknown_send_is_repeated_once_and_marked_where_it_may_show_twice() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT)
    chat.messenger.fail("send", DeliveryKind.UNKNOWN_AFTER_SEND, carried_out=True)
    shown = await chat.answer(WORDS)

    assert shown.message_ids == ("m2",)
    assert chat.messenger.texts() == (WORDS, f"{REPETITION}\n\n{WORDS}")


async def test_a_send_that_stays_unknown_is_not_repeated_for_ever() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT)
    chat.messenger.fail("send", DeliveryKind.UNKNOWN_AFTER_SEND, times=100)
    shown = await chat.answer(WORDS)

    assert not shown.delivered
    assert len(chat.messenger.calls_of("send")) == 2


async def test_an_unknown_edit_is_repeated() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT)
    chat.messenger.fail("edit", DeliveryKind.UNKNOWN_AFTER_SEND, times=2)
    shown = await chat.answer(*[WORDS] * 3, every_s=0.2)

    assert shown.delivered
    assert chat.messenger.texts() == (WORDS * 3,)


async def test_a_refused_page_is_sent_plain() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.INVALID)
    shown = await chat.answer("Some **bold** words.")

    assert shown.delivered
    assert chat.messenger.texts() == ("Some bold words.",)


async def test_a_page_refused_while_it_streamed_gets_another_chance_at_the_end() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.INVALID)
    await chat.answer("Some **bold** words, enough of them. ", "The end.", every_s=0.3)

    assert [call.plain for call in chat.messenger.calls_of("send", "edit")] == [False, True, False]


async def test_a_page_refused_even_plain_is_an_error() -> None:
    chat = Chat()
    chat.messenger.fail("send", DeliveryKind.INVALID, times=2)
    shown = await chat.answer(WORDS)

    assert shown.error is not None
    assert shown.error.kind is DeliveryKind.INVALID


async def test_a_message_that_somebody_deleted_is_sent_anew() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(0.5)
        chat.messenger.remove("m1")
        delivery.feed("The end.")
        shown = await delivery.finish()

    assert shown == Shown(message_ids=("m2",), delivered=True)
    assert chat.messenger.texts() == (WORDS + "The end.",)
    assert chat.recorded == [(0, "m1"), (0, "m2")]


@pytest.mark.parametrize("kind", [DeliveryKind.FORBIDDEN, DeliveryKind.NOT_FOUND])
async def test_a_chat_that_is_closed_to_the_bot_is_given_up(kind: DeliveryKind) -> None:
    chat = Chat()
    chat.messenger.fail("send", kind, times=100)
    shown = await chat.answer(*["word "] * 100, every_s=0.1)

    assert not shown.delivered
    assert shown.error is not None
    assert shown.error.kind is kind
    assert len(chat.messenger.calls_of("send")) == 2


async def test_a_call_that_never_returns_ends_at_its_deadline() -> None:
    chat = Chat(clock=ManualClock(auto=False))
    chat.messenger.latency_s = 3_600.0
    async with chat.delivery(call_timeout_s=0.01) as delivery:
        delivery.feed(WORDS)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            finish = tasks.create_task(delivery.finish())
            while not finish.done():
                await chat.clock.advance(1.0)
                await asyncio.wait([finish], timeout=0.02)
                if chat.messenger.calls_of("send"):
                    chat.messenger.latency_s = 0.0

    assert finish.result().delivered


# --- earlier attempts ---


async def test_known_messages_are_edited_and_those_left_over_deleted() -> None:
    chat = Chat(page_chars=100)
    old = await chat.answer("0123456789" * 25)
    shown = await chat.answer("A new answer.", known=old.message_ids)

    assert shown.message_ids == old.message_ids[:1]
    assert chat.messenger.texts() == ("A new answer.",)
    assert chat.verbs == ["send"] * 3 + ["edit", "delete", "delete"]


async def test_a_new_answer_that_is_longer_goes_on_in_new_messages() -> None:
    chat = Chat(page_chars=100)
    old = await chat.answer("short")
    shown = await chat.answer("0123456789" * 15, known=old.message_ids)

    assert shown.message_ids[0] == old.message_ids[0]
    assert chat.messenger.texts() == ("0123456789" * 10, "0123456789" * 5)


async def test_a_message_left_over_that_cannot_be_deleted_changes_nothing() -> None:
    chat = Chat(page_chars=100)
    old = await chat.answer("0123456789" * 15)
    chat.messenger.fail("delete", DeliveryKind.FORBIDDEN)

    assert (await chat.answer("new", known=old.message_ids)).delivered


async def test_a_resend_after_a_crash_is_marked_where_it_may_show_twice() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT, page_chars=100)
    await chat.answer("0123456789" * 15, resent=True)

    assert chat.messenger.texts()[0].startswith(f"{REPETITION}\n\n0123456789")
    assert "".join(chat.messenger.texts()) == f"{REPETITION}\n\n" + "0123456789" * 15


async def test_an_attempt_with_known_messages_marks_only_the_first_new_one() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT, page_chars=100)
    old = await chat.answer("short")
    await chat.answer("0123456789" * 15, known=old.message_ids, resent=True)

    assert chat.messenger.texts() == ("0123456789" * 10, f"{REPETITION}\n\n" + "0123456789" * 5)


# --- the engine's notes ---


async def test_each_page_is_noted_once_before_it_goes_out_where_it_may_show_twice() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT, page_chars=100)
    notes: list[tuple[int, int]] = []

    async def note(page: int) -> None:
        notes.append((page, len(chat.messenger.calls_of("send"))))

    async with chat.delivery(before_send=note) as delivery:
        delivery.feed("0123456789" * 25)
        await delivery.finish()

    assert notes == [(0, 0), (1, 1), (2, 2)]


async def test_nothing_is_noted_where_sends_are_idempotent() -> None:
    chat = Chat()

    async def note(page: int) -> None:
        raise AssertionError

    async with chat.delivery(before_send=note) as delivery:
        delivery.feed(WORDS)
        await delivery.finish()


async def test_nothing_is_sent_when_the_note_fails() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT)

    async def note(page: int) -> None:
        raise Fenced

    async with chat.delivery(before_send=note) as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(5.0)
        with pytest.raises(Fenced):
            await delivery.finish()

    assert chat.messenger.calls_of("send") == ()


async def test_recording_a_message_does_not_hold_up_the_text() -> None:
    chat = Chat(page_chars=100)
    release = asyncio.Event()

    async def record(page: int, message_id: str) -> None:
        await release.wait()
        chat.recorded.append((page, message_id))

    delivery = Delivery(
        chat.messenger,
        chat.pacers,
        chat.clock,
        place=PLACE,
        turn_uid="u",
        reply_to=None,
        on_message=record,
    )
    async with delivery:
        delivery.feed("0123456789" * 25)
        shown = await delivery.finish()
        assert (shown.delivered, chat.recorded) == (True, [])
        release.set()

    assert chat.recorded == [(0, "m1"), (1, "m2"), (2, "m3")]


async def test_an_error_inside_comes_out_as_it_is_and_ends_the_streaming() -> None:
    chat = Chat()

    async def lose_the_thread() -> None:
        async with chat.delivery() as delivery:
            delivery.feed(WORDS)
            await chat.clock.sleep(0.5)
            raise Fenced

    with pytest.raises(Fenced):
        await lose_the_thread()
    await chat.clock.sleep(30.0)

    assert chat.verbs == ["send"]


async def test_a_finish_can_be_cancelled_while_it_waits() -> None:
    chat = Chat(clock=ManualClock(auto=False))
    chat.messenger.fail("send", DeliveryKind.RATE_LIMITED, retry_after_s=60.0)
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        async with asyncio.TaskGroup() as tasks:
            finish = tasks.create_task(delivery.finish())
            await chat.clock.settle()
            finish.cancel()

    assert finish.cancelled()
    assert chat.clock.sleepers == 0


async def test_finishing_never_cancels_a_send_that_is_under_way() -> None:
    chat = Chat(abilities=NOT_IDEMPOTENT)
    chat.messenger.latency_s = 2.0
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(1.0)
        delivery.feed("The end.")
        shown = await delivery.finish()

    assert shown.message_ids == ("m1",)
    assert chat.messenger.texts() == (WORDS + "The end.",)


async def test_one_chats_penalty_does_not_touch_another() -> None:
    chat = Chat()
    chat.pacers.of(replace(PLACE, chat="11"), CAPABILITIES).penalise(300.0)
    await chat.answer(WORDS)

    assert chat.clock.elapsed_s == 0


async def test_many_answers_in_one_slow_chat_all_reach_their_end() -> None:
    chat = Chat(abilities=replace(CAPABILITIES, rates=(Rate(calls=20, window_s=60.0),), reserved=6))

    async def one(number: int) -> None:
        async with chat.delivery(turn_uid=f"test:{number}") as delivery:
            for _ in range(50):
                delivery.feed(f"{number} ")
                await chat.clock.sleep(0.1)
            await delivery.finish()

    async with asyncio.TaskGroup() as tasks:
        for number in range(10):
            tasks.create_task(one(number))

    assert sorted(chat.messenger.texts()) == [f"{number} " * 50 for number in range(10)]
    times = [call.at_s for call in chat.messenger.calls_of("send", "edit")]
    for begin in times:
        assert sum(begin <= at < begin + 59.9 for at in times) <= 20
