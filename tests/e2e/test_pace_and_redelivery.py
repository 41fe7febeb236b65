"""Flood control, rate limits, redelivery, reconnects: an answer reaches its end, and there is one of it."""

import asyncio

import pytest

from tests.e2e.chats import Chat, DiscordDoor, Door, TelegramDoor
from tests.e2e.waiting import until
from tests.e2e.world import World
from tests.fakes.discord.faults import rate_limited
from tests.fakes.openai.script import Hold, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENTENCES = tuple(f"Sentence {number} of a long answer. " for number in range(1, 57))
LONG = "".join(SENTENCES).strip()


@pytest.fixture
def telegram(world: World) -> TelegramDoor:
    door = world.doors["telegram"]
    assert isinstance(door, TelegramDoor)
    return door


@pytest.fixture
def discord(world: World) -> DiscordDoor:
    door = world.doors["discord"]
    assert isinstance(door, DiscordDoor)
    return door


def shows(chat: Chat, text: str) -> bool:
    return any(message.text == text and not message.buttons for message in chat.shown())


async def test_a_long_stream_stays_within_every_limit_and_ends_exactly(
    telegram: TelegramDoor, discord: DiscordDoor, world: World
) -> None:
    chats: list[Chat] = [
        make(door.person("Ann")) for door in (telegram, discord) for make in (door.private, door.shared)
    ]
    for chat in chats:
        world.script(f"stream {chat.key}", Reply(chunks=SENTENCES, chunk_interval_s=0.09))
        chat.mention(f"stream {chat.key}")

    for chat in chats:
        shown = await chat.until(lambda shown, chat=chat: shows(chat, LONG), within_s=25)  # type: ignore[misc]
        assert len(shown.states) > 2
        assert len(chat.shown()) == 1

    assert telegram.fake.refusals(int(chats[0].key.rpartition(":")[2])) == 0
    assert telegram.fake.refusals(int(chats[1].key.rpartition(":")[2])) == 0
    assert discord.fake.rate_limits.refused == 0


async def test_telegrams_penalty_in_mid_stream_delays_the_answer_but_does_not_cost_it(
    telegram: TelegramDoor, world: World
) -> None:
    chat, other = telegram.private(telegram.person("Ann")), telegram.private(telegram.person("Bob"))
    question, hold = f"punish me {chat.key}", Hold(2)
    world.script(question, Reply(chunks=(*SENTENCES[:2], "The end."), hold=hold))
    chat.say(question)
    await chat.until(lambda shown: len(shown) == 1)
    telegram.fake.penalise(chat.id, 9.0)
    hold.release()
    other.say("are you still there?")

    await other.until(lambda shown: len(shown) == 1, within_s=5)
    await chat.until(lambda _: shows(chat, f"{SENTENCES[0]}{SENTENCES[1]}The end."), within_s=20)

    assert len(chat.shown()) == 1
    assert telegram.fake.refusals(chat.id) <= 2


async def test_discords_429_on_edits_delays_the_answer_but_does_not_cost_it(discord: DiscordDoor, world: World) -> None:
    chat = discord.private(discord.person("Ann"))
    question = f"limit me {chat.key}"
    world.script(question, Reply(chunks=SENTENCES[:20], chunk_interval_s=0.1))
    planted = discord.fake.faults.add("PATCH", f"^/channels/{chat.id}/messages/", rate_limited(1.5), times=2)
    chat.say(question)

    await chat.until(lambda _: shows(chat, "".join(SENTENCES[:20]).strip()))

    assert planted.hits == 2
    assert len(chat.shown()) == 1


async def test_what_telegram_delivers_again_is_not_answered_again(telegram: TelegramDoor, world: World) -> None:
    chat = telegram.private(telegram.person("Ann"))
    chat.say("only once, please")
    await chat.until(lambda shown: len(shown) == 1)
    await until(lambda: not telegram.fake.pending_updates, "all updates are confirmed")
    calls = len(world.provider.generations)

    assert telegram.fake.redeliver() > 0
    await until(lambda: not telegram.fake.pending_updates, "they are confirmed again")
    chat.say("and a last one")
    await chat.until(lambda shown: len(shown) == 2)

    assert len(world.provider.generations) == calls + 1


async def test_what_was_said_while_discord_was_away_is_answered_once(discord: DiscordDoor, world: World) -> None:
    chat = discord.shared(discord.person("Ann"))
    chat.mention("before")
    await chat.until(lambda shown: len(shown) == 1)
    discord.fake.forget_sessions()
    discord.fake.drop_connections(None)
    chat.mention("meanwhile")

    await chat.until(lambda shown: any("meanwhile" in message.text for message in shown))
    chat.mention("afterwards")
    await chat.until(lambda shown: any("afterwards" in message.text for message in shown))

    assert len(chat.shown()) == 3


async def test_an_edit_of_a_waiting_message_changes_what_is_asked(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question, hold = f"wait for me {chat.key}", Hold(0)
    world.script(question, Reply(text="Done waiting.", hold=hold))
    chat.say(question)
    await world.until_asked(question)
    waiting = chat.say("my tpyo")

    async def waits(text: str) -> bool:
        return any(item["text"] == text for item in (await world.thread(chat.key))["q"])

    await until(lambda: waits("my tpyo"), "it waits")
    chat.edit(waiting, "my typo")
    await until(lambda: waits("my typo"), "its edit is stored")
    hold.release()
    await chat.until(lambda shown: len(shown) == 2)

    assert chat.shown()[-1].text == "You said: my typo"


async def test_200_channels_at_once_lose_no_answer(discord: DiscordDoor, world: World) -> None:
    ann = discord.person("Ann")
    chats = [discord.shared(ann)]
    guild_id = discord.fake.world.channel(chats[0].id).guild_id
    assert guild_id is not None
    chats += [discord.channel(guild_id, ann) for _ in range(199)]
    refused = discord.fake.rate_limits.refused
    for chat in chats:
        chat.mention(f"hello from {chat.id}")

    async with asyncio.timeout(50):
        for chat in chats:
            await chat.until(lambda shown: len(shown) == 1, within_s=50)

    assert [chat.shown()[0].text for chat in chats] == [f"You said: Ann: hello from {chat.id}" for chat in chats]
    assert discord.fake.rate_limits.refused == refused
