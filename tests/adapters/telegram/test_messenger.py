"""Every verb against the wire, and what the core is told when one fails."""

import asyncio
from dataclasses import dataclass

import pytest

from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection
from bot.core.clock import SystemClock
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.message import AttachmentRef
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import PageStart
from tests.adapters.telegram.talking import REPORT, STOP, page_of, place_of
from tests.fakes.telegram.faults import BAD_GATEWAY, SERVER_ERROR, Action, Drop, Respond
from tests.fakes.telegram.flood import FloodLimits
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


async def test_a_message_is_sent_with_entities_buttons_and_no_preview(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    asked = fake.say(ann.id, ann.id, "hello")
    page = page_of("See **this**: [site](https://a.io)")
    sent = await messenger.send(place_of(fake, ann), page, key="k", reply_to=str(asked.id), buttons=(STOP,))
    (message,) = fake.bot_messages(ann.id)

    assert (sent, message.text, message.reply_to_id) == (str(message.id), "See this: site", asked.id)
    assert [entity.type for entity in message.entities] == ["bold", "text_link"]
    assert message.buttons == (("Stop", "stop telegram:1:2:3"),)
    assert message.link_preview_options == {"is_disabled": True}


async def test_names_in_an_answer_ping_nobody_formatted_or_plain(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    page = page_of("**hi** @ann_lee, and [you](tg://user?id=5)")
    for plain in (False, True):
        await messenger.send(place_of(fake, ann), page, key="k", plain=plain)
    shown = fake.bot_messages(ann.id)

    assert [message.text for message in shown] == [
        "hi @ann_lee, and you (tg://user?id=5)",
        "**hi** @ann_lee, and [you](tg://user?id=5)",
    ]
    assert [message.pings for message in shown] == [(), ()]


async def test_an_edit_changes_text_and_buttons_and_may_change_nothing(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    place = place_of(fake, ann)
    sent = await messenger.send(place, page_of("one"), key="k", buttons=(STOP,))
    await messenger.edit(place, sent, page_of("**two**"), buttons=(STOP,))
    await messenger.edit(place, sent, page_of("**two**"), buttons=(STOP,))
    await messenger.edit(place, sent, page_of("three"))
    (message,) = fake.bot_messages(ann.id)

    assert [revision.text for revision in message.revisions] == ["one", "two", "three"]
    assert message.buttons == ()


async def test_a_reply_to_a_message_that_is_gone_is_sent_without_it(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    await messenger.send(place_of(fake, ann), page_of("x"), key="k", reply_to="4711")

    assert [message.reply_to_id for message in fake.bot_messages(ann.id)] == [None]


async def test_a_topic_that_is_gone_leaves_the_chat(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    forum = fake.add_group(forum=True, topics=["One"], members=[ann])
    (topic,) = forum.topics
    fake.delete_topic(forum, topic)
    await messenger.send(place_of(fake, forum, topic), page_of("x"), key="k")
    await messenger.typing(place_of(fake, forum, topic))

    assert [message.thread_id for message in fake.bot_messages(forum.id)] == [None]
    assert [action.thread_id for action in fake.actions] == [None]


async def test_a_group_that_became_a_supergroup_is_followed(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    group = fake.add_group(kind="group", members=[ann])
    upgraded = fake.migrate(group)
    for text in ("one", "two"):
        await messenger.send(place_of(fake, group), page_of(text), key=text)

    assert [message.text for message in fake.bot_messages(upgraded.id)] == ["one", "two"]
    assert [call.status for call in fake.calls_of("sendMessage")] == [400, 200, 200]


async def test_deleting_twice_is_no_error(fake: FakeTelegram, messenger: TelegramMessenger, ann: User) -> None:
    place = place_of(fake, ann)
    sent = await messenger.send(place, page_of("x"), key="k")
    for _ in range(2):
        await messenger.delete(place, sent)

    assert fake.bot_messages(ann.id) == ()


async def test_a_file_bears_its_page_as_the_caption_and_is_not_edited_into_a_text(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    place = place_of(fake, ann)
    sent = await messenger.send(place, page_of("**All** of it"), key="k", buttons=(STOP,), file=REPORT)
    with pytest.raises(DeliveryError) as caught:
        await messenger.edit(place, sent, page_of("another answer"))
    (message,) = fake.bot_messages(ann.id)

    assert (message.media[0].name, message.media[0].data) == ("answer.md", b"# All of it")
    assert (message.text, message.buttons) == ("All of it", (("Stop", "stop telegram:1:2:3"),))
    assert caught.value.kind is DeliveryKind.NOT_FOUND


async def test_a_page_too_long_for_a_caption_is_invalid(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    with pytest.raises(DeliveryError) as caught:
        await messenger.send(place_of(fake, ann), page_of("word " * 400), key="k", file=REPORT)

    assert caught.value.kind is DeliveryKind.INVALID


async def test_an_attachment_is_fetched_up_to_a_size(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    message = fake.document(ann.id, ann.id, b"12345", name="a.txt")
    ref = AttachmentRef(id=message.media[0].file_id, name="a.txt", media_type=None, size_bytes=5)

    assert await messenger.fetch(place_of(fake, ann), ref, max_bytes=5) == b"12345"
    with pytest.raises(DeliveryError) as caught:
        await messenger.fetch(place_of(fake, ann), ref, max_bytes=4)
    assert caught.value.kind is DeliveryKind.INVALID


async def test_administrators_may_manage_and_are_asked_for_once_a_minute(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    bob = fake.add_user("Bob")
    group = fake.add_group(admins=[ann], members=[bob])
    place = place_of(fake, group)
    people = [Author(platform="telegram", id=str(user_id), name="") for user_id in (ann.id, bob.id, group.id)]

    assert [await messenger.may_manage(place, person) for person in people * 2] == [True, False, True] * 2
    assert await messenger.may_manage(place_of(fake, bob), people[1])
    assert len(fake.calls_of("getChatMember")) == 2


@dataclass(frozen=True)
class Failure:
    name: str
    action: Action
    sending: DeliveryKind
    editing: DeliveryKind


def _refusal(status: int, description: str) -> Respond:
    body = f'{{"ok":false,"error_code":{status},"description":"{description}"}}'
    return Respond(status=status, body=body.encode())


_TRANSIENT, _UNKNOWN = DeliveryKind.TRANSIENT, DeliveryKind.UNKNOWN_AFTER_SEND
_INVALID, _FORBIDDEN = DeliveryKind.INVALID, DeliveryKind.FORBIDDEN


@pytest.mark.parametrize(
    "case",
    [
        Failure("dropped", Drop(), _UNKNOWN, _TRANSIENT),
        Failure("dropped-after", Drop(after=True), _UNKNOWN, _TRANSIENT),
        Failure("502", BAD_GATEWAY, _UNKNOWN, _TRANSIENT),
        Failure("500", SERVER_ERROR, _UNKNOWN, _TRANSIENT),
        Failure("503", Respond(status=503, body=b"busy", content_type="text/plain"), _TRANSIENT, _TRANSIENT),
        Failure("no-json", Respond(status=200, body=b"<html>"), _UNKNOWN, _TRANSIENT),
        Failure("entities", _refusal(400, "Bad Request: can't parse entities: x"), _INVALID, _INVALID),
        Failure("long", _refusal(400, "Bad Request: message is too long"), _INVALID, _INVALID),
        Failure("rights", _refusal(400, "Bad Request: not enough rights to send"), _FORBIDDEN, _FORBIDDEN),
        Failure("topic", _refusal(400, "Bad Request: TOPIC_CLOSED"), _FORBIDDEN, _FORBIDDEN),
        Failure("token", _refusal(401, "Unauthorized"), _FORBIDDEN, _FORBIDDEN),
    ],
    ids=lambda case: case.name,
)
async def test_a_failure_is_told_by_its_kind(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User, case: Failure
) -> None:
    place = place_of(fake, ann)
    sent = await messenger.send(place, page_of("one"), key="k")
    fake.faults.add("sendMessage|editMessageText", case.action, times=2)
    with pytest.raises(DeliveryError) as sending:
        await messenger.send(place, page_of("x"), key="k2")
    with pytest.raises(DeliveryError) as editing:
        await messenger.edit(place, sent, page_of("x"))

    assert (sending.value.kind, editing.value.kind) == (case.sending, case.editing)
    assert fake.token not in f"{sending.value!r} {editing.value!r}"


async def test_what_the_server_refuses_for_good_is_told_apart(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    place = place_of(fake, ann)
    with pytest.raises(DeliveryError) as gone:
        await messenger.edit(place, "4711", page_of("x"))
    with pytest.raises(DeliveryError) as nowhere:
        await messenger.send(place_of(fake, User(id=5, first_name="")), page_of("x"), key="k")
    fake.block(ann)
    with pytest.raises(DeliveryError) as blocked:
        await messenger.send(place, page_of("x"), key="k")

    kinds = [caught.value.kind for caught in (gone, nowhere, blocked)]
    assert kinds == [DeliveryKind.NOT_FOUND, DeliveryKind.NOT_FOUND, DeliveryKind.FORBIDDEN]


async def test_a_server_that_cannot_be_reached_was_not_told_anything(
    fake: FakeTelegram, ann: User, unused_tcp_port: int
) -> None:
    connection = Connection(fake.token, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(DeliveryError) as caught:
        await TelegramMessenger(connection, SystemClock()).send(place_of(fake, ann), page_of("x"), key="k")
    await connection.aclose()

    assert caught.value.kind is DeliveryKind.TRANSIENT


async def test_a_penalty_names_its_length_and_holds_up_no_other_chat(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    bob = fake.add_user("Bob")
    fake.add_private_chat(bob)
    fake.penalise(ann.id, 60)
    with pytest.raises(DeliveryError) as caught:
        await messenger.send(place_of(fake, ann), page_of("x"), key="k")
    await messenger.send(place_of(fake, bob), page_of("y"), key="k")

    assert (caught.value.kind, caught.value.retry_after_s) == (DeliveryKind.RATE_LIMITED, 60.0)


# --- pace ---


async def test_all_chats_together_stay_below_the_overall_limit() -> None:
    limits = FloodLimits(overall_count=30, overall_window_s=1.0, penalty_s=60)
    async with FakeTelegram(flood_limits=limits) as fake:
        connection = Connection(fake.token, fake.url)
        messenger = TelegramMessenger(connection, SystemClock())
        people = [fake.add_user(f"P{number}") for number in range(60)]
        for person in people:
            fake.add_private_chat(person)
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(messenger.send(place_of(fake, person), page_of("x"), key="k"))
        await connection.aclose()

        assert sum(fake.refusals(person.id) for person in people) == 0


def test_pages_start_where_the_core_says(messenger: TelegramMessenger) -> None:
    place = Place(platform="telegram", account="1", chat="2", kind=ChatKind.PRIVATE)

    assert messenger.render(place, "one two", PageStart(offset=4))[0].content == "two"
