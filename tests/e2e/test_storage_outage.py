"""The private MongoDB hangs or dies in the middle of an answer: people are told once, nothing is lost."""

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.e2e.chats import Chat, Shown
from tests.e2e.mongo_gate import MongoGate
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world
from tests.fakes.openai.script import Hold, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
LEASE_S = 12.0
WORDS = "The first words of the answer. "
TOLD = "I can't reach my storage right now."


@pytest_asyncio.fixture(loop_scope="session")
async def own_world(tmp_path: Path) -> AsyncIterator[World]:
    """A bot on both platforms with a private MongoDB, which a test may stop and kill."""
    async with open_world(tmp_path, None, *PLATFORMS) as world:
        await world.start()
        yield world


def mongod_of(folder: Path) -> psutil.Process:
    """The server of the bot's data folder."""
    wanted = str(folder / "data" / "mongodb" / "db")
    (found,) = [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if wanted in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
    return found


def told(chat: Chat) -> list[Shown]:
    return [message for message in chat.shown() if TOLD in message.text]


def shows(chat: Chat, text: str) -> bool:
    return any(message.text == text and not message.buttons for message in chat.shown())


async def test_a_mongodb_that_hangs_is_waited_for_and_people_are_told_once(own_world: World, tmp_path: Path) -> None:
    world, mongod = own_world, mongod_of(tmp_path)
    chats = {name: door.private(door.person("Ann")) for name, door in world.doors.items()}
    late = {name: door.private(door.person("Bob")) for name, door in world.doors.items()}
    hold = Hold(1)
    world.script("answer me", Reply(chunks=(WORDS, "And the rest."), hold=hold))
    first = next(iter(chats.values()))
    first.say("answer me")
    await first.until(lambda shown: len(shown) == 1)

    mongod.suspend()
    try:
        hold.release()
        for chat in late.values():
            chat.say("are you there?")
        for chat in (first, *late.values()):
            await chat.until(lambda _, chat=chat: len(told(chat)) == 1)  # type: ignore[misc]
    finally:
        mongod.resume()

    await first.until(lambda _: shows(first, f"{WORDS}And the rest."), within_s=30)
    for chat in late.values():
        await chat.until(lambda _, chat=chat: shows(chat, "You said: are you there?"), within_s=30)  # type: ignore[misc]
    (turn,) = await world.until_turns(first.key, 1)
    assert (turn["outcome"], turn["answer"]) == ("answered", f"{WORDS}And the rest.")
    assert len(await world.usage(first.key)) == 1
    for chat in (first, *late.values()):
        assert len(told(chat)) == 1
        assert len(chat.shown()) == 2


async def test_an_outage_longer_than_a_lease_costs_no_second_call(mongodb_uri: str, tmp_path: Path) -> None:
    async with MongoGate(mongodb_uri) as gate, open_world(tmp_path, gate.uri, *PLATFORMS) as world:
        await world.start()
        # Several, since what comes first when the server is back is a matter of chance.
        chats = [door.private(door.person("Ann")) for door in world.doors.values() for _ in range(4)]
        holds = [Hold(1) for _ in chats]
        for chat, hold in zip(chats, holds, strict=True):
            world.script(f"answer me {chat.key}", Reply(chunks=(WORDS, "And the rest."), hold=hold))
            chat.say(f"answer me {chat.key}")
        for chat in chats:
            await chat.until(lambda shown: len(shown) == 1)

        async with gate.down():
            down_since = time.monotonic()
            for hold in holds:
                hold.release()
            for chat in chats:
                await chat.until(lambda _, chat=chat: len(told(chat)) == 1)  # type: ignore[misc]
            await until(lambda: time.monotonic() - down_since > LEASE_S + 1, "the lease is over")

        for chat in chats:
            await chat.until(lambda _, chat=chat: shows(chat, f"{WORDS}And the rest."))  # type: ignore[misc]
            (turn,) = await world.until_turns(chat.key, 1)
            assert (turn["outcome"], turn["answer"]) == ("answered", f"{WORDS}And the rest.")

            async def nothing_waits(chat: Chat = chat) -> bool:
                return bool((await world.thread(chat.key))["np"] == 0)

            await until(nothing_waits, "nothing waits any more")
            assert len(told(chat)) == 1
            assert len(chat.shown()) == 2
            assert len(world.asked(f"answer me {chat.key}")) == 1
            assert [row["status"] for row in await world.usage(chat.key)] == ["completed"]


async def test_a_mongodb_that_dies_is_started_again_and_nothing_is_lost(own_world: World, tmp_path: Path) -> None:
    world, mongod = own_world, mongod_of(tmp_path)
    chats = [door.private(door.person("Ann")) for door in world.doors.values()]
    holds = [Hold(1) for _ in chats]
    for chat, hold in zip(chats, holds, strict=True):
        world.script(f"answer me {chat.key}", Reply(chunks=(WORDS, "And the rest."), hold=hold))
        chat.say(f"answer me {chat.key}")
    for chat in chats:
        await chat.until(lambda shown: len(shown) == 1)

    os.kill(mongod.pid, signal.SIGKILL)
    for hold in holds:
        hold.release()
    for chat in chats:
        chat.say("and this as well")

    for chat in chats:
        await chat.until(lambda _, chat=chat: shows(chat, f"{WORDS}And the rest."), within_s=30)  # type: ignore[misc]
        await chat.until(lambda _, chat=chat: shows(chat, "You said: and this as well"), within_s=30)  # type: ignore[misc]
        turns = await world.until_turns(chat.key, 2)
        assert [turn["outcome"] for turn in turns] == ["answered", "answered"]
        assert len(await world.usage(chat.key)) == 2
        assert len(told(chat)) <= 1


async def test_the_private_mongodb_ends_with_the_bot(own_world: World, tmp_path: Path) -> None:
    mongod = mongod_of(tmp_path)

    assert await own_world.parley.stop() == 0

    await until(lambda: not mongod.is_running(), "the server has ended")
    # The world looks into the database once more when it closes.
    await own_world.parley.start()
    await own_world.parley.wait_for_log("Telegram: connected")
