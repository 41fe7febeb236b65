"""The running adapter against the wire: what is accepted, when the server is told, and what trouble does."""

import logging

import pytest

from bot.core.errors import SettingsError, StorageUnavailable
from bot.core.inbound import Edited, Inbound, Invoked, Pressed, Said
from bot.core.place import Addressed, ChatKind
from bot.core.ports import Answer, Button
from tests.adapters.telegram.driving import HurriedClock, add_to_album, door_to
from tests.fakes.telegram.faults import BAD_GATEWAY, Drop, Respond
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.world import BotProfile


async def test_a_private_message_is_accepted_and_answered(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        said = fake.say(ann.id, ann.id, "hello")
        (inbound,) = await door.next()
        page = door.adapter.messenger.render(inbound.place, "**hi** there")[0]
        await door.adapter.messenger.send(inbound.place, page, key="k")
        await door.drained()

    assert inbound.uid == f"telegram:{fake.bot_user.id}:{ann.id}:{said.id}"
    assert (inbound.place.kind, inbound.place.thread, inbound.author.key) == (
        ChatKind.PRIVATE,
        None,
        f"telegram:{ann.id}",
    )
    assert inbound.event == Said(text="hello", message_id=str(said.id), addressed=Addressed.PRIVATE)
    assert door.ready == [f"telegram:{fake.bot_user.id}"]
    assert [message.text for message in fake.bot_messages(ann.id)] == ["hi there"]


async def test_the_server_is_told_only_after_everything_was_accepted(fake: FakeTelegram, ann: User) -> None:
    refusals = 2

    def fail(_: Inbound) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StorageUnavailable("stopped")

    async with door_to(fake, clock=HurriedClock()) as door:
        door.fail = fail
        fake.say(ann.id, ann.id, "one")
        await fake.wait_for(lambda: refusals == 0)
        pending_while_refused = len(fake.pending_updates)
        accepted = await door.next()
        await door.drained()

    assert pending_while_refused == 1
    assert [inbound.event for inbound in accepted] == [
        Said(text="one", message_id=accepted[0].uid.rpartition(":")[2], addressed=Addressed.PRIVATE)
    ]


async def test_a_redelivered_update_comes_with_the_same_uid(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        fake.say(ann.id, ann.id, "one")
        await door.next()
        await door.drained()
    fake.redeliver()
    async with door_to(fake) as again:
        await again.next()

    assert again.accepted == door.accepted


async def test_one_chat_that_cannot_be_accepted_does_not_hold_up_another(fake: FakeTelegram, ann: User) -> None:
    bob = fake.add_user("Bob")
    fake.add_private_chat(bob)

    def fail(inbound: Inbound) -> None:
        if inbound.author.name == "Ann":
            raise StorageUnavailable("stopped")

    fake.say(ann.id, ann.id, "from Ann")
    fake.say(bob.id, bob.id, "from Bob")
    async with door_to(fake) as door:
        door.fail = fail
        (inbound,) = await door.next()

    assert inbound.author.name == "Bob"
    assert len(fake.pending_updates) == 2


async def test_messages_of_one_chat_keep_their_order(fake: FakeTelegram, ann: User) -> None:
    sent = [fake.say(ann.id, ann.id, f"{number}").id for number in range(30)]
    async with door_to(fake) as door:
        accepted = await door.next(30)

    assert [inbound.order for inbound in accepted] == sent


async def test_an_event_that_fails_is_skipped_and_logged_without_its_text(
    fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(inbound: Inbound) -> None:
        if isinstance(inbound.event, Said) and inbound.event.text == "poison":
            raise ZeroDivisionError

    async with door_to(fake) as door:
        door.fail = fail
        fake.say(ann.id, ann.id, "poison")
        fake.say(ann.id, ann.id, "after it")
        (inbound,) = await door.next()
        await door.drained()

    assert isinstance(inbound.event, Said)
    assert inbound.event.text == "after it"
    assert "failed and is skipped" in caplog.text
    assert "poison" not in caplog.text


async def test_an_update_that_the_library_cannot_read_is_skipped(
    fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    fake.world.updates.put("message", {"message_id": "no chat", "text": "secret words"})
    async with door_to(fake) as door:
        fake.say(ann.id, ann.id, "after it")
        (inbound,) = await door.next()
        await door.drained()

    assert isinstance(inbound.event, Said)
    assert "cannot be read" in caplog.text
    assert "secret words" not in caplog.text


async def test_an_album_is_one_question_with_all_its_photos(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake, clock=HurriedClock(0.6)) as door:
        photos = fake.album(ann.id, ann.id, [b"1", b"2", b"3"], caption="which one?")
        fake.say(ann.id, ann.id, "well?")
        album, said = await door.next(2)
        await door.drained()

    assert isinstance(album.event, Said)
    assert (album.event.text, len(album.event.attachments)) == ("which one?", 3)
    assert album.uid.endswith(f":{photos[0].id}")
    assert isinstance(said.event, Said)
    assert len(door.accepted) == 2


async def test_an_album_waits_for_photos_that_come_later_and_holds_up_nobody(fake: FakeTelegram, ann: User) -> None:
    bob = fake.add_user("Bob")
    fake.add_private_chat(bob)
    async with door_to(fake) as door:
        (first,) = fake.album(ann.id, ann.id, [b"1"], caption="look")
        fake.say(bob.id, bob.id, "hello")
        await door.next()
        add_to_album(fake, first, b"2")
        said, album = await door.next(2)

    assert said.author.name == "Bob"
    assert isinstance(album.event, Said)
    assert len(album.event.attachments) == 2


async def test_a_second_poller_is_named_once_and_polling_goes_on(
    fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request"}'
    fake.faults.add("getUpdates", Respond(status=409, body=body), times=4)
    clock = HurriedClock()
    async with door_to(fake, clock=clock) as door:
        fake.say(ann.id, ann.id, "hello")
        await door.next()
        await door.drained()

    assert caplog.text.count("another process polls") == 1
    assert clock.slept[:4] == [1.0, 2.0, 4.0, 8.0]


async def test_a_webhook_is_deleted_and_its_updates_are_kept(
    fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    fake.world.updates.set_webhook("http://127.0.0.1:9/hook")
    fake.world.webhook = {"max_connections": 40}
    fake.say(ann.id, ann.id, "hello")
    async with door_to(fake) as door:
        await door.next()

    assert "webhook" in caplog.text
    assert fake.world.updates.webhook_url == ""


async def test_polling_survives_dropped_connections_and_proxies(
    fake: FakeTelegram, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    fake.faults.add("getMe", Drop())
    fake.faults.add("getUpdates", Drop())
    fake.faults.add("getUpdates", BAD_GATEWAY)
    async with door_to(fake, clock=HurriedClock()) as door:
        fake.say(ann.id, ann.id, "hello")
        await door.next()
        await door.drained()

    assert fake.token not in caplog.text
    assert "AAFake" not in caplog.text


async def test_a_wrong_token_is_a_settings_error_that_does_not_show_it(fake: FakeTelegram) -> None:
    token = f"1:{'x' * 35}"
    with pytest.RaisesGroup(SettingsError) as caught:
        async with door_to(fake, token=token) as door:
            await fake.wait_for(lambda: door.ready)

    (error,) = caught.value.exceptions
    assert "@BotFather" in str(error)
    assert token not in repr(error)


async def test_menus_are_set_per_scope_and_only_when_they_differ(fake: FakeTelegram) -> None:
    for _ in range(2):
        async with door_to(fake):
            await fake.wait_for(lambda: len(fake.calls_of("getMyCommands")) % 4 == 0 and fake.is_polled)
            await fake.wait_for(lambda: len(fake.calls_of("setMyCommands")) == 4)

    names = {
        scope: [command["command"] for command in fake.commands({"type": scope})]
        for scope in ("all_private_chats", "all_group_chats", "all_chat_administrators", "default")
    }
    assert names == {
        "all_private_chats": ["start", "help", "model", "allow"],
        "all_group_chats": ["help", "model"],
        "all_chat_administrators": ["help", "model", "allow"],
        "default": ["help", "model"],
    }


async def test_a_press_is_acknowledged_and_its_answer_replaces_the_message(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        messenger = door.adapter.messenger
        fake.say(ann.id, ann.id, "/model")
        (asked,) = await door.next()
        picker = Answer(text="Which?", rows=((Button(label="Next", line="model page:2"),),))
        await messenger.answer(asked, picker)
        (shown,) = fake.bot_messages(ann.id)
        callback = fake.click(ann.id, shown.id, "Next", ann.id)
        _, pressed = await door.next(2)
        second = Answer(text="Page 2", replace=True, rows=((Button(label="Back", line="model page:1"),),))
        await messenger.answer(pressed, second)
        await fake.wait_for(lambda: callback.answer)

    assert isinstance(asked.event, Invoked)
    assert pressed.event == Pressed(line="model page:2", message_id=str(shown.id))
    assert [(message.text, message.buttons) for message in fake.bot_messages(ann.id)] == [
        ("Page 2", (("Back", "model page:1"),))
    ]


async def test_edits_are_passed_on_only_when_the_text_changed(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        said = fake.say(ann.id, ann.id, "one")
        fake.touch(said)
        fake.edit(said, "two")
        fake.touch(said)
        fake.say(ann.id, ann.id, "end")
        accepted = await door.next(3)

    assert [type(inbound.event) for inbound in accepted] == [Said, Edited, Said]
    assert accepted[1].event == Edited(message_id=str(said.id), text="two")


@pytest.mark.parametrize(
    ("text", "addressed"),
    [
        ("hey @parley_test_bot, what now?", Addressed.MENTION),
        ("Parley, what now?", Addressed.NAME),
        ("what does parleying mean?", None),
        ("just chatter", None),
        ("/help@other_bot", None),
    ],
)
async def test_in_groups_only_what_is_meant_for_the_bot_comes_in(
    ann: User, text: str, addressed: Addressed | None
) -> None:
    profile = BotProfile(can_read_all_group_messages=True)
    async with FakeTelegram(bot_profile=profile) as fake:
        fake.world.users[ann.id] = ann
        group = fake.add_group(members=[ann])
        async with door_to(fake, names=("Parley",)) as door:
            fake.say(group.id, ann.id, text)
            fake.say(group.id, ann.id, "/help last")
            accepted = await door.next(1 if addressed is None else 2)

    events = [inbound.event for inbound in accepted]
    assert [event.addressed for event in events if isinstance(event, Said)] == [addressed][: len(events) - 1]
    assert isinstance(events[-1], Invoked)


async def test_topics_are_threads_and_their_opening_message_is_no_reply(fake: FakeTelegram, ann: User) -> None:
    forum = fake.add_group(forum=True, topics=["One"], members=[ann], bot_status="administrator")
    (topic,) = forum.topics
    async with door_to(fake) as door:
        fake.say(forum.id, ann.id, "chatter in a topic that the bot opened", topic_id=topic)
        fake.say(forum.id, ann.id, "/help", topic_id=topic)
        fake.say(forum.id, ann.id, "/help")
        in_topic, in_general = await door.next(2)
        page = door.adapter.messenger.render(in_topic.place, "here")[0]
        await door.adapter.messenger.send(in_topic.place, page, key="k")
        await door.adapter.messenger.typing(in_topic.place)

    assert (in_topic.place.thread, in_general.place.thread) == (str(topic), None)
    assert [message.text for message in fake.bot_messages(forum.id, topic)] == ["here"]
    assert [action.thread_id for action in fake.actions] == [topic]


async def test_a_reply_in_a_group_carries_what_it_replies_to(fake: FakeTelegram, ann: User) -> None:
    group = fake.add_group(members=[ann])
    async with door_to(fake) as door:
        fake.say(group.id, ann.id, "/help")
        (asked,) = await door.next()
        page = door.adapter.messenger.render(asked.place, "I know **that**")[0]
        sent = await door.adapter.messenger.send(asked.place, page, key="k")
        fake.say(group.id, ann.id, "why?", reply_to=int(sent))
        replied = (await door.next(2))[1]

    assert isinstance(replied.event, Said)
    assert replied.event.addressed is Addressed.REPLY
    assert replied.event.quoted is not None
    assert (replied.event.quoted.text, replied.event.quoted.by_bot) == ("I know that", True)


async def test_cancelling_stops_the_intake_but_not_the_sends(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        fake.say(ann.id, ann.id, "hello")
        (inbound,) = await door.next()
        await door.stop()
        page = door.adapter.messenger.render(inbound.place, "still here")[0]
        await door.adapter.messenger.send(inbound.place, page, key="k")

    assert [message.text for message in fake.bot_messages(ann.id)] == ["still here"]


async def test_logs_of_the_libraries_stay_silent(fake: FakeTelegram, ann: User) -> None:
    async with door_to(fake) as door:
        fake.say(ann.id, ann.id, "hello")
        await door.next()

    assert not any(logging.getLogger(name).isEnabledFor(logging.CRITICAL) for name in ("httpx", "telegram"))
