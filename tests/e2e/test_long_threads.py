"""Conversations that outgrow their window: summaries beside the turns, /compact and /context; and titles of threads."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.chats import Chat, DiscordChat, DiscordDoor
from tests.e2e.waiting import until
from tests.e2e.world import World, conversation, open_world
from tests.fakes.openai import faults
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Hold, Reply, Step

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTEXT_TOKENS = 1_500
SIDE_MODEL = "gpt-4.1-mini"
SAID = "and much more is said about the garden "
#: About 800 tokens of what people say first; after that 60 with each message.
FIRST, USUAL = SAID * 80, SAID * 6
SUMMARY = "They talk about a garden. The roses are red."
ROSES = "what grows in the garden?"
TITLE = "The red roses"
FRAME = "[Summary of the earlier conversation"
#: So many turns more than fill the window.
MANY = 10


class House:
    """A bot with a small window. `side` is what the cheap model does in a chat; by default it writes `SUMMARY`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.side: dict[str, Step] = {}
        world.otherwise = self._step

    def _step(self, request: Request) -> Step:
        if request.model != SIDE_MODEL:
            return Reply(text=f"Yes: {request.last_user_text[:40]}")
        if "titles" in request.body["instructions"]:
            return Reply(text=TITLE)
        return next((step for key, step in self.side.items() if key in request.last_user_text), Reply(text=SUMMARY))

    def side_calls(self, word: str, text: str) -> list[Request]:
        """The calls of the cheap model about a text, for summaries or titles."""
        asked = [request for request in self.world.asked(text) if request.model == SIDE_MODEL]
        return [request for request in asked if word in request.body["instructions"]]

    def summaries(self, chat: Chat) -> list[Request]:
        """The calls that asked for a summary of a chat."""
        return self.side_calls("summary", f"of {chat.key}")

    def answers(self, chat: Chat) -> list[Request]:
        """The calls for answers in a chat, oldest first."""
        return [request for request in self.world.asked(f"of {chat.key}") if request.model != SIDE_MODEL]

    async def say(self, chat: Chat, number: int, more: str = USUAL) -> None:
        """One more exchange in a private chat or, by a mention, elsewhere; waited for."""
        chat.mention(f"message {number} of {chat.key} {more}")
        await chat.until(lambda shown: any(f"message {number} of" in each.text for each in shown))

    async def say_until_summarised(self, chat: Chat) -> int:
        """Talk until a summary is asked for; gives the number of exchanges so far."""
        await self.say(chat, 0, FIRST)
        for number in range(1, MANY):
            if self.summaries(chat):
                return number
            await self.say(chat, number)
        raise AssertionError("no summary was asked for")

    async def until_summarised(self, chat: Chat) -> None:
        """Wait until a summary stands for the oldest part."""

        async def is_summarised() -> bool:
            return "summary" in await self.world.thread(chat.key)

        await until(is_summarised, "there is a summary")

    async def until_free(self, chat: Chat) -> None:
        """Wait until no turn runs or waits."""

        async def is_free() -> bool:
            return not (await self.world.thread(chat.key)).get("q")

        await until(is_free, "nothing waits")

    async def opened_thread(self) -> DiscordChat:
        """A thread that the bot opened, with its first answer in it."""
        door = self.world.doors["discord"]
        assert isinstance(door, DiscordDoor)
        ann = door.person("Ann")
        channel = door.shared(ann)
        await channel.command("settings", name="threads", value="on", scope="channel")
        message_id = channel.mention(f"{ROSES} {channel.id}")
        await until(lambda: message_id in door.fake.world.channels, "the bot opens a thread")
        thread = DiscordChat(door.fake, message_id, (ann,))
        await thread.until(lambda shown: bool(shown))
        return thread

    def private(self) -> Chat:
        """A private chat with somebody."""
        door = self.world.doors["discord"]
        return door.private(door.person("Ann"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = {
        "CONTEXT_TOKENS": str(CONTEXT_TOKENS),
        "DEFAULT_MODEL": "openai/gpt-6-luna",
        "SIDE_MODEL": f"openai/{SIDE_MODEL}",
    }
    folder = tmp_path_factory.mktemp("long")
    async with open_world(folder, mongodb_uri, "discord", "telegram", **settings) as world:
        house = House(world)
        await world.start()
        yield house


async def test_the_oldest_part_becomes_a_summary_beside_the_turns(house: House) -> None:
    chat = house.private()
    hold = Hold(0)
    house.side[chat.key] = Reply(text=SUMMARY, hold=hold)
    said = await house.say_until_summarised(chat)
    await house.say(chat, said)  # nobody waits for the summary
    assert not any(FRAME in text for _, text in conversation(house.answers(chat)[-1]))

    hold.release()
    await house.until_summarised(chat)
    await house.say(chat, said + 1)

    before, after = (conversation(request) for request in house.answers(chat)[-2:])
    assert after[0][1].startswith(FRAME)
    assert f"> {SUMMARY}" in after[0][1]
    assert sum(len(text) for _, text in after) < sum(len(text) for _, text in before) // 2
    assert after[-3:-2] == before[-1:]
    (request,) = house.summaries(chat)
    assert f"> message 0 of {chat.key}" in request.last_user_text
    rows = await house.world.usage(chat.key)
    (row,) = [row for row in rows if row["kind"] == "summary"]
    assert (row["model"], row["status"]) == (f"openai/{SIDE_MODEL}", "completed")
    assert row["cost"] > 0
    assert len(rows) == said + 3
    assert len(await house.world.until_turns(chat.key, said + 2)) == said + 2


async def test_without_a_summary_the_oldest_is_cut_and_the_conversation_goes_on(house: House) -> None:
    chat = house.private()
    house.side[chat.key] = faults.UNAUTHORIZED

    await house.say(chat, 0, FIRST)
    for number in range(1, MANY):
        await house.say(chat, number)

    await until(lambda: house.summaries(chat), "a summary was tried")
    requests = house.answers(chat)
    assert len(requests) == MANY
    told = [conversation(request) for request in requests]
    assert told[5][0][1].startswith("message 0 of")
    assert not told[-1][0][1].startswith("message 0 of")
    assert told[-1][-1][1].startswith(f"message {MANY - 1} of")
    assert not any(FRAME in text for said in told for _, text in said)
    assert {turn["outcome"] for turn in await house.world.until_turns(chat.key, MANY)} == {"answered"}


async def test_compact_does_it_now_and_context_shows_what_fills_the_window(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        for door in house.world.doors.values():
            group.create_task(_compact_one(house, door.shared(door.person("Ann"))))


async def _compact_one(house: House, chat: Chat) -> None:
    await house.say(chat, 0)
    assert "There is nothing here to summarise" in await chat.command("compact")
    for number in range(1, 6):
        await house.say(chat, number)

    full = await chat.command("context")
    done = await chat.command("compact")
    less = await chat.command("context")

    assert "of 1,500 tokens with" in full
    assert "The next message will cost about $0.0" in full
    assert "Summary of what was said before" not in full
    assert "4 older exchanges became a summary" in done
    assert "The summary cost $0.0" in done
    assert "Summary of what was said before" in less
    await house.say(chat, 6)
    told = conversation(house.answers(chat)[-1])
    assert told[0][1].startswith(FRAME)
    assert len(told) == 1 + 2 * 2 + 1


async def test_a_kill_while_a_summary_is_written_loses_nothing(house: House) -> None:
    chat = house.private()
    house.side[chat.key] = Reply(text="never", hold=Hold(0))
    said = await house.say_until_summarised(chat)
    await house.until_free(chat)
    await house.world.parley.kill()

    await house.world.start()
    await house.say(chat, said)

    assert len(await house.world.until_turns(chat.key, said + 1)) == said + 1
    assert len(chat.shown()) == said + 1
    told = [text for _, text in conversation(house.answers(chat)[-1])]
    assert f"message {said - 1} of {chat.key}" in " ".join(told)
    assert not any(FRAME in text for text in told)


async def test_a_thread_of_the_bots_gets_a_title_once(house: House) -> None:
    thread = await house.opened_thread()
    await until(lambda: thread.name == TITLE, "the thread is renamed")

    await house.say(thread, 1)

    assert len(house.side_calls("titles", ROSES)) == 1
    (row,) = [row for row in await house.world.usage(thread.key) if row["kind"] == "title"]
    assert row["model"] == f"openai/{SIDE_MODEL}"
    assert (await house.world.thread(thread.key))["title"] == TITLE


async def test_no_title_is_thought_of_where_the_operator_switched_that_off(house: House) -> None:
    await house.world.parley.stop()
    await house.world.start(AUTO_TITLES="false")
    before = len(house.side_calls("titles", ROSES))
    thread = await house.opened_thread()
    name = thread.name

    await house.say(thread, 1)

    assert len(house.side_calls("titles", ROSES)) == before
    assert thread.name == name
