"""Answers to commands and buttons against the wire: where they stand, and what is waited for."""

import pytest

from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection
from bot.core.errors import DeliveryError
from bot.core.inbound import Invoked, Pressed, Said
from bot.core.place import Addressed
from bot.core.ports import Answer
from tests.adapters.telegram.driving import HurriedClock
from tests.adapters.telegram.talking import REPORT, STOP, event_at, place_of
from tests.fakes.telegram.faults import Respond, too_many_requests
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


async def test_a_command_in_a_group_is_answered_as_a_reply(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    group = fake.add_group(members=[ann])
    asked = fake.say(group.id, ann.id, "/help")
    inbound = event_at(place_of(fake, group), Invoked(name="help", message_id=str(asked.id)))
    await messenger.answer(inbound, Answer(text="**Help**"))
    await messenger.answer(inbound, Answer(text=""))

    assert [(message.text, message.reply_to_id) for message in fake.bot_messages(group.id)] == [("Help", asked.id)]


async def test_a_long_answer_takes_several_messages_with_the_buttons_under_the_last(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    inbound = event_at(place_of(fake, ann), Invoked(name="models"))
    rows = ((STOP, STOP), (STOP,))
    await messenger.answer(inbound, Answer(text="a line of text\n" * 500, rows=rows))
    first, second = fake.bot_messages(ann.id)

    assert (first.buttons, len(second.buttons)) == ((), 3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", [("", "answer.md")]),
        ("short", [("short", "answer.md")]),
        ("x" * 2_000, [("x" * 2_000, None), ("", "answer.md")]),
    ],
    ids=["none", "short", "long"],
)
async def test_a_file_comes_with_the_last_page_if_that_fits(
    fake: FakeTelegram,
    messenger: TelegramMessenger,
    ann: User,
    text: str,
    shown: list[tuple[str, str | None]],
) -> None:
    inbound = event_at(place_of(fake, ann), Invoked(name="export"))
    await messenger.answer(inbound, Answer(text=text, file=REPORT))
    messages = fake.bot_messages(ann.id)

    assert [(each.text, each.media[0].name if each.media else None) for each in messages] == shown


async def test_an_answer_waits_out_a_penalty(fake: FakeTelegram, connection: Connection, ann: User) -> None:
    clock = HurriedClock()
    fake.faults.add("sendMessage", too_many_requests(70))
    inbound = event_at(place_of(fake, ann), Invoked(name="help"))
    await TelegramMessenger(connection, clock).answer(inbound, Answer(text="Help"))

    assert 70.0 in clock.slept
    assert [message.text for message in fake.bot_messages(ann.id)] == ["Help"]


async def test_what_is_answered_while_it_is_accepted_waits_for_nothing(
    fake: FakeTelegram, connection: Connection, ann: User
) -> None:
    clock = HurriedClock()
    fake.faults.add("sendMessage", too_many_requests(70))
    said = Said(text="hi", message_id="3", addressed=Addressed.PRIVATE)
    with pytest.raises(DeliveryError):
        await TelegramMessenger(connection, clock).answer(
            event_at(place_of(fake, ann), said), Answer(text="Not allowed")
        )

    assert clock.slept == []


async def test_an_answer_that_is_refused_formatted_is_sent_plain(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    body = b'{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities: x"}'
    fake.faults.add("sendMessage", Respond(status=400, body=body))
    await messenger.answer(event_at(place_of(fake, ann), Invoked(name="help")), Answer(text="**Help**"))

    assert [message.text for message in fake.bot_messages(ann.id)] == ["**Help**"]


async def test_a_replacement_whose_message_is_gone_is_sent_anew(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    inbound = event_at(place_of(fake, ann), Pressed(line="model page:2", message_id="4711"))
    await messenger.answer(inbound, Answer(text="Page 2", replace=True))

    assert [message.text for message in fake.bot_messages(ann.id)] == ["Page 2"]
