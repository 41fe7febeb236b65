"""Threads, forum posts and topics; and answers too long for a few messages."""

import pytest

from tests.e2e.chats import DiscordChat, DiscordDoor, Door, TelegramDoor
from tests.e2e.world import World, conversation
from tests.fakes.openai.script import Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARAGRAPHS = "\n\n".join(f"Paragraph {number}. {'word ' * 60}".strip() for number in range(1, 121))


async def test_an_answer_of_too_many_pages_comes_whole_as_a_file(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    world.script(f"write a book {chat.key}", Reply(chunks=(PARAGRAPHS,)))
    chat.say(f"write a book {chat.key}")

    await chat.until(lambda shown: any("answer.md" in message.text for message in shown))

    (file,) = chat.files()
    assert file.decode() == PARAGRAPHS
    (turn,) = await world.until_turns(chat.key, 1)
    assert turn["answer"] == PARAGRAPHS


async def test_a_discord_thread_is_a_conversation_of_its_own_in_which_everyone_is_answered(
    world: World,
) -> None:
    door = world.doors["discord"]
    assert isinstance(door, DiscordDoor)
    ann = door.person("Ann")
    channel = door.shared(ann)
    starter = channel.say("The roof leaks.")
    thread = DiscordChat(door.fake, door.fake.add_thread(channel.id, message_id=starter).id, (ann,))
    thread.mention(f"what is wrong? {thread.id}")
    await thread.until(lambda shown: len(shown) == 1)

    thread.say(f"and now without a mention {thread.id}")
    await thread.until(lambda shown: len(shown) == 2)

    assert channel.shown() == ()
    (request,) = world.asked(f"and now without a mention {thread.id}")
    told = conversation(request)
    assert "The roof leaks." in told[0][1]
    assert len(told) == 3


async def test_a_forum_posts_starter_is_in_the_context(world: World) -> None:
    door = world.doors["discord"]
    assert isinstance(door, DiscordDoor)
    ann = door.person("Ann")
    guild_id = door.fake.add_guild(members=[door.fake.world.user(ann.id)]).id
    forum = door.fake.add_forum(guild_id)
    post = door.fake.add_forum_post(forum.id, ann.id, "Roof", "The roof of the shed leaks.")
    chat = DiscordChat(door.fake, post.id, (ann,))
    chat.mention(f"what now? {chat.id}")

    await chat.until(lambda shown: len(shown) == 1)

    (request,) = world.asked(f"what now? {chat.id}")
    assert "The roof of the shed leaks." in conversation(request)[0][1]


async def test_a_telegram_topic_is_a_conversation_of_its_own(world: World) -> None:
    door = world.doors["telegram"]
    assert isinstance(door, TelegramDoor)
    ann = door.person("Ann")
    user = door.fake.world.users[ann.id]
    group = door.fake.add_group(forum=True, topics=("Tea", "Coffee"), members=[user])
    name = f"@{door.fake.bot_user.username}"
    for topic in group.topics:
        door.fake.say(group.id, ann.id, f"{name} I am in topic {topic} of {group.id}", topic_id=topic)
    for topic in group.topics:
        await door.fake.wait_for(lambda topic=topic: door.fake.bot_messages(group.id, topic))  # type: ignore[misc]
        (shown,) = door.fake.bot_messages(group.id, topic)
        assert f"I am in topic {topic} of" in shown.text
        (request,) = world.asked(f"in topic {topic} of {group.id}")
        assert len(conversation(request)) == 1


async def test_an_unreachable_provider_is_told_and_retry_works_once_it_is_back(door: Door, world: World) -> None:
    chat = await world.with_own_model(door, "down")
    before = len(chat.shown())
    async with world.provider.down():
        chat.say("anyone there?")
        shown = await chat.until(lambda shown: bool(shown) and "Retry" in shown[-1].buttons)
        assert "not reachable" in shown.text

    chat.press("Retry")

    await chat.until(lambda shown: shown[-1].text == "You said: anyone there?")
    assert len(chat.shown()) == before + 1
