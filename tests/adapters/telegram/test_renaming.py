"""Names of topics: changed in private chats, in groups only for who manages them."""

import pytest

from adapters.telegram.messenger import TelegramMessenger
from bot.core.errors import DeliveryError, DeliveryKind
from tests.adapters.telegram.talking import place_of
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


def private_topic(fake: FakeTelegram, ann: User) -> int:
    return fake.add_topic(fake.world.chats[ann.id], "New chat", creator=ann)


async def test_a_topic_of_a_private_chat_gets_its_title(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    topic = private_topic(fake, ann)
    place = place_of(fake, ann, topic)
    for _ in range(2):  # what it is called already is no failure
        await messenger.rename(place, "Train to Oslo")

    assert messenger.capabilities(place).titles
    assert fake.world.chats[ann.id].topics == {topic: "Train to Oslo"}
    assert [call.status for call in fake.calls_of("editForumTopic")] == [200, 400]


async def test_a_title_is_shortened_to_what_a_name_may_have(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    topic = private_topic(fake, ann)
    await messenger.rename(place_of(fake, ann, topic), "y" * 200)

    assert fake.world.chats[ann.id].topics[topic] == "y" * 128


async def test_a_topic_of_a_group_keeps_its_name_unless_who_manages_it_asks(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    forum = fake.add_group(forum=True, members=[ann], bot_status="administrator")
    topic = fake.add_topic(forum, "Cooking", creator=ann)
    place = place_of(fake, forum, topic)
    with pytest.raises(DeliveryError) as caught:
        await messenger.rename(place, "Mine")
    asked = len(fake.calls_of("editForumTopic"))
    await messenger.rename(place, "Asked for", anyones=True)

    assert (caught.value.kind, asked) == (DeliveryKind.FORBIDDEN, 0)
    assert forum.topics[topic] == "Asked for"


async def test_without_the_right_to_manage_topics_a_name_stays(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    forum = fake.add_group(forum=True, members=[ann])
    topic = fake.add_topic(forum, "Cooking", creator=ann)
    with pytest.raises(DeliveryError) as caught:
        await messenger.rename(place_of(fake, forum, topic), "Mine", anyones=True)

    assert caught.value.kind is DeliveryKind.FORBIDDEN
    assert forum.topics[topic] == "Cooking"


async def test_a_topic_that_is_gone_needs_no_name(fake: FakeTelegram, messenger: TelegramMessenger, ann: User) -> None:
    forum = fake.add_group(forum=True, topics=["One"], members=[ann], bot_status="administrator")
    (topic,) = forum.topics
    fake.delete_topic(forum, topic)
    await messenger.rename(place_of(fake, forum, topic), "Late", anyones=True)

    assert forum.topics == {}


async def test_a_chat_without_topics_has_no_title(fake: FakeTelegram, messenger: TelegramMessenger, ann: User) -> None:
    assert not messenger.capabilities(place_of(fake, ann)).titles
