"""Servers of one's own that know less than Telegram's: what is not essential keeps nobody from an answer."""

import pytest

from adapters.telegram.messenger import TelegramMessenger
from tests.adapters.telegram.driving import HurriedClock, door_to
from tests.adapters.telegram.talking import place_of
from tests.fakes.telegram.faults import Respond
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


@pytest.mark.parametrize(
    "answer",
    [
        Respond(status=404, body=b'{"ok":false,"error_code":404,"description":"Not Found"}'),
        Respond(status=200, body=b'{"ok":true,"result":true}'),
        Respond(status=200, body=b'{"ok":true,"result":{}}'),
    ],
    ids=["unknown method", "true", "another shape"],
)
async def test_a_server_without_webhooks_and_menus_keeps_nobody_from_being_answered(
    fake: FakeTelegram, ann: User, answer: Respond
) -> None:
    fake.faults.add("(get|delete)webhook(info)?|(get|set)mycommands", answer, times=None)
    async with door_to(fake) as door:
        fake.say(ann.id, ann.id, "hello")
        (inbound,) = await door.next()
        page = door.adapter.messenger.render(inbound.place, "hi")[0]
        await door.adapter.messenger.send(inbound.place, page, key="k")
        await door.drained()

    assert [message.text for message in fake.bot_messages(ann.id)] == ["hi"]


async def test_the_id_of_a_sent_message_is_all_that_is_read_of_it(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    fake.faults.add("sendMessage", Respond(status=200, body=b'{"ok":true,"result":{"message_id":7}}'))
    page = messenger.render(place_of(fake, ann), "hi")[0]
    sent = await messenger.send(place_of(fake, ann), page, key="k")

    assert sent == "7"


async def test_menus_are_set_where_they_cannot_be_read(fake: FakeTelegram, ann: User) -> None:
    fake.faults.add("getMyCommands", Respond(status=404, body=b'{"ok":false,"error_code":404}'), times=None)
    async with door_to(fake) as door:
        await fake.wait_for(lambda: fake.commands({"type": "all_private_chats"}))
        assert door.ready


async def test_a_server_that_does_not_wait_for_updates_is_asked_with_pauses(fake: FakeTelegram) -> None:
    nothing = Respond(status=200, body=b'{"ok":true,"result":[]}')
    fake.faults.add("getUpdates", nothing, times=3)
    clock = HurriedClock()
    async with door_to(fake, clock=clock):
        await fake.wait_for(lambda: len(fake.calls_of("getUpdates")) > 3)

    assert clock.slept == [0.05] * 3
