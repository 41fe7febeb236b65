"""Stop signals in the middle of an answer."""

import signal
import time
from pathlib import Path

import pytest

from tests.e2e.chats import Chat
from tests.e2e.world import World, open_world
from tests.fakes.openai.script import Hold, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
WORDS = "The first words of the answer. "
ANSWER = f"{WORDS}And the rest."


async def in_mid_turn(world: World, *holds: Hold) -> dict[str, Chat]:
    """Bring one chat of each platform to where the first words stand and its provider is held."""
    chats: dict[str, Chat] = {}
    for hold, (name, door) in zip(holds, world.doors.items(), strict=True):
        chats[name] = chat = door.private(door.person("Ann"))
        world.script(f"answer me {chat.key}", Reply(chunks=(WORDS, "And the rest."), hold=hold))
        chat.say(f"answer me {chat.key}")
    for chat in chats.values():
        await chat.until(lambda shown: len(shown) == 1)
    return chats


async def test_running_answers_are_finished_before_it_ends(mongodb_uri: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS) as world:
        await world.start()
        holds = (Hold(1), Hold(1))
        chats = await in_mid_turn(world, *holds)

        world.parley.send(signal.SIGTERM)
        await world.parley.wait_for_log("stopping")
        for hold in holds:
            hold.release()
        code = await world.parley.ended()

        assert code == 0
        for chat in chats.values():
            assert [(message.text, message.buttons) for message in chat.shown()] == [(ANSWER, ())]
            (turn,) = await world.turns(chat.key)
            assert turn["outcome"] == "answered"
            assert (await world.thread(chat.key))["np"] == 0


async def test_what_the_grace_did_not_suffice_for_is_taken_up_at_once_by_the_next_start(
    mongodb_uri: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS, SHUTDOWN_GRACE_S="0") as world:
        await world.start()
        chats = await in_mid_turn(world, Hold(1), Hold(1))

        assert await world.parley.stop() == 0
        started = time.monotonic()
        await world.start()
        for chat in chats.values():
            await chat.until(lambda shown: shown[-1].text == ANSWER)

        assert time.monotonic() - started < 10, "a thread that was handed over need not wait for its lease"
        for chat in chats.values():
            assert len(chat.shown()) == 1
            statuses = sorted(row["status"] for row in await world.usage(chat.key))
            assert len(world.asked(chat.key)) == len(statuses) == 2


async def test_a_second_signal_ends_it_at_once(mongodb_uri: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS) as world:
        await world.start()
        chats = await in_mid_turn(world, Hold(1), Hold(1))

        world.parley.send(signal.SIGTERM)
        await world.parley.wait_for_log("stopping")
        started = time.monotonic()
        world.parley.send(signal.SIGTERM)
        code = await world.parley.ended()

        assert time.monotonic() - started < 5
        assert code == 1
        await world.start()
        for chat in chats.values():
            await chat.until(lambda shown: shown[-1].text == ANSWER)
            assert len(chat.shown()) == 1
