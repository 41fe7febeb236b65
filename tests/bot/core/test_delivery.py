"""What people see of one answer, and what it costs in calls to the platform."""

from dataclasses import replace

import pytest

from bot.core.delivery import Shown
from bot.core.errors import DeliveryKind
from tests.bot.core.delivering import AGAIN, STOP, WORDS, Chat
from tests.fakes.messenger import CAPABILITIES


async def test_an_answer_that_is_complete_at_once_is_one_send_and_no_edit() -> None:
    chat = Chat()
    shown = await chat.answer(WORDS, WORDS, "End.")
    (call,) = chat.messenger.calls

    assert shown == Shown(message_ids=("m1",), delivered=True)
    assert (call.verb, call.text, call.buttons) == ("send", WORDS * 2 + "End.", AGAIN)
    assert (call.reply_to, call.key) == ("question", "test:7~0")
    assert chat.recorded == [(0, "m1")]


async def test_two_hundred_chunks_in_a_second_cost_at_most_four_calls() -> None:
    chat = Chat()
    await chat.answer(*["word "] * 200, every_s=0.005)

    assert len(chat.messenger.calls_of("send", "edit")) <= 4
    assert chat.messenger.texts() == ("word " * 200,)
    assert chat.messenger.messages["m1"].buttons == AGAIN


async def test_the_first_words_go_out_after_the_first_sentence() -> None:
    chat = Chat()
    await chat.answer("A first sentence of some length. ", "And ", "so ", "on", every_s=0.3)
    send = chat.messenger.calls_of("send")[0]

    assert (round(chat.clock.elapsed_s, 2), round(send.at_s - 1_000, 2)) == (1.2, 0.1)
    assert (send.text, send.buttons) == ("A first sentence of some length. ", STOP)


async def test_the_first_words_go_out_after_a_while_without_a_sentence() -> None:
    chat = Chat()
    await chat.answer(*["word "] * 20, every_s=0.1)
    send = chat.messenger.calls_of("send")[0]

    assert round(send.at_s - 1_000, 2) == 0.7
    assert send.text.startswith("word word ")


async def test_typing_is_shown_until_the_first_words_and_renewed() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        await chat.clock.sleep(9.0)
        delivery.feed(WORDS)
        await chat.clock.sleep(20.0)
        await delivery.finish()

    assert [round(call.at_s - 1_000, 2) for call in chat.messenger.calls_of("typing")] == [0.05, 4.05, 8.05]


async def test_typing_that_fails_is_ignored() -> None:
    chat = Chat()
    chat.messenger.fail("typing", DeliveryKind.FORBIDDEN)
    async with chat.delivery() as delivery:
        await chat.clock.sleep(5.0)
        delivery.feed(WORDS)

        assert (await delivery.finish()).delivered


async def test_a_place_without_typing_shows_none() -> None:
    chat = Chat(abilities=replace(CAPABILITIES, typing_interval_s=None))
    await chat.answer(*["word "] * 20, every_s=1.0)

    assert chat.messenger.calls_of("typing") == ()


async def test_feeding_makes_no_call_and_renders_nothing() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        for _ in range(10_000):
            delivery.feed("word ")

        assert (chat.messenger.calls, chat.messenger.renders) == ([], 0)

        await delivery.finish()


async def test_edits_keep_to_the_pace_of_the_place() -> None:
    chat = Chat()
    await chat.answer(*["word "] * 300, every_s=0.05)
    times = [call.at_s for call in chat.messenger.calls_of("send", "edit")]

    assert len(times) > 5
    for begin in times:
        assert sum(begin <= at < begin + 4.9 for at in times) <= 5


async def test_an_edit_that_would_change_nothing_is_not_made() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.feed(WORDS)
        await chat.clock.sleep(2.0)
        delivery.feed("")
        await chat.clock.sleep(10.0)
        await delivery.finish(buttons=STOP)

    assert chat.verbs == ["send"]


async def test_a_full_page_is_frozen_without_a_button_and_never_edited_again() -> None:
    chat = Chat(page_chars=100)
    shown = await chat.answer(*["0123456789"] * 35, every_s=0.5)
    text = "0123456789" * 35

    assert shown.message_ids == ("m1", "m2", "m3", "m4")
    assert chat.messenger.texts() == (text[:100], text[100:200], text[200:300], text[300:])
    assert [message.buttons for message in chat.messenger.messages.values()] == [(), (), (), AGAIN]
    for page, message_id in enumerate(shown.message_ids[:-1]):
        changes = [call for call in chat.messenger.calls if call.message_id == message_id]
        assert changes[-1].text == text[page * 100 : page * 100 + 100]
        assert [call.text for call in changes].count(changes[-1].text) == 1
    assert chat.recorded == [(0, "m1"), (1, "m2"), (2, "m3"), (3, "m4")]


async def test_only_the_first_page_is_a_reply() -> None:
    chat = Chat(page_chars=100)
    await chat.answer("x" * 250)

    assert [call.reply_to for call in chat.messenger.calls] == ["question", None, None]


async def test_a_long_answer_is_rendered_from_its_open_page_only_when_a_call_is_due() -> None:
    chat = Chat()
    await chat.answer(*["word "] * 1_000, every_s=0.01)

    assert chat.messenger.renders <= 2 * len(chat.messenger.calls_of("send", "edit")) + 3


async def test_a_partial_answer_keeps_its_text_and_ends_with_the_reason() -> None:
    chat = Chat()
    await chat.answer("Look:\n```py\nx = 1", reason="The connection broke.")

    assert chat.messenger.texts() == ("Look:\n```py\nx = 1\n```\n\nThe connection broke.",)


async def test_a_failed_answer_is_its_reason_with_the_buttons() -> None:
    chat = Chat()
    await chat.answer(reason="The model is not reachable.")

    assert chat.messenger.texts() == ("The model is not reachable.",)
    assert chat.messenger.messages["m1"].buttons == AGAIN


async def test_a_place_without_buttons_gets_none() -> None:
    chat = Chat(abilities=replace(CAPABILITIES, buttons=False))
    await chat.answer(*["word "] * 40, every_s=0.1)

    assert not any(call.buttons for call in chat.messenger.calls)


async def test_a_place_without_edits_gets_whole_pages_at_the_end() -> None:
    chat = Chat(abilities=replace(CAPABILITIES, edits=False), page_chars=100)
    await chat.answer(*["0123456789"] * 15, every_s=1.0)

    assert chat.verbs == ["send", "send"]
    assert chat.messenger.calls_of("send")[0].at_s == 1_015.0


async def test_a_status_line_stands_until_more_words_come() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.status("searching …")
        await chat.clock.sleep(3.0)
        delivery.status("reading …")
        await chat.clock.sleep(3.0)
        assert chat.messenger.texts() == ("reading …",)
        delivery.feed(WORDS)
        await chat.clock.sleep(3.0)
        assert chat.messenger.texts() == (WORDS,)
        delivery.status("reading on …")
        await chat.clock.sleep(3.0)
        assert chat.messenger.texts() == (f"{WORDS.rstrip()}\n\nreading on …",)
        delivery.feed(WORDS)
        await chat.clock.sleep(3.0)
        assert chat.messenger.texts() == (WORDS * 2,)
        delivery.status("gone at the end")
        shown = await delivery.finish()

    assert chat.messenger.texts() == (WORDS * 2,)
    assert shown.message_ids == ("m1",)


async def test_a_status_line_never_makes_a_page_of_its_own() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.feed(WORDS * 2)
        delivery.status("s" * 10_000)
        await chat.clock.sleep(3.0)

        assert chat.messenger.texts() == (WORDS * 2,)

        await delivery.finish()


async def test_the_status_of_a_quick_tool_is_not_shown() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.status("searching …")
        await chat.clock.sleep(0.2)
        delivery.feed(WORDS)
        await delivery.finish()

    assert chat.verbs == ["send"]


async def test_with_nothing_to_show_the_status_is_taken_away() -> None:
    chat = Chat()
    async with chat.delivery() as delivery:
        delivery.status("searching …")
        await chat.clock.sleep(3.0)
        shown = await delivery.finish()

    assert shown == Shown(message_ids=(), delivered=True)
    assert chat.messenger.texts() == ()


# --- past the page limit ---


async def test_past_the_page_limit_the_whole_answer_comes_as_a_file() -> None:
    chat = Chat(page_chars=100)
    text = "0123456789" * 80
    shown = await chat.answer(*["0123456789"] * 80, every_s=0.2, reason="Stopped.")
    last = list(chat.messenger.messages.values())[-1]

    assert len(shown.message_ids) == len(chat.messenger.messages) == 5
    assert "".join(chat.messenger.texts()[:4]) == text[:400]
    assert last.file is not None
    assert (last.file.name, last.file.content.decode()) == ("answer.md", text)
    assert "800 characters" in last.text
    assert last.text.endswith("Stopped.")
    assert last.buttons == AGAIN


async def test_while_it_writes_past_the_limit_it_says_so_and_sends_no_more_pages() -> None:
    chat = Chat(page_chars=100)
    async with chat.delivery() as delivery:
        for _ in range(400):
            delivery.feed("0123456789")
            await chat.clock.sleep(0.1)

        assert len(chat.messenger.messages) == 5
        assert "still writing, 3,000 characters" in chat.messenger.texts()[-1]
        assert chat.messenger.messages["m5"].buttons == STOP

        await delivery.finish()


@pytest.mark.parametrize("how", ["no files", "file refused"])
async def test_where_files_cannot_be_sent_all_pages_are(how: str) -> None:
    chat = Chat(abilities=replace(CAPABILITIES, files=how != "no files"), page_chars=100)
    text = "0123456789" * 80
    async with chat.delivery() as delivery:
        delivery.feed(text)
        chat.messenger.refuses_files = how == "file refused"
        shown = await delivery.finish()

    assert shown.delivered
    assert "".join(chat.messenger.texts()) == text
