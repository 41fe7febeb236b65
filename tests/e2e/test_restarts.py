"""What was there before a restart works after it: buttons, settings, history, Stop for what is taken over."""

from pathlib import Path

import pytest

from tests.e2e.chats import Chat, Shown
from tests.e2e.waiting import until
from tests.e2e.world import World, conversation, open_world
from tests.fakes.openai import faults
from tests.fakes.openai.script import Hold, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
WORDS = "These are the first words. "


def has(label: str, shown: tuple[Shown, ...]) -> bool:
    return any(label in each for message in shown for each in message.buttons)


async def test_buttons_settings_and_history_survive_a_restart(mongodb_uri: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS) as world:
        await world.start()
        chats = [door.private(door.person("Ann")) for door in world.doors.values()]
        for chat in chats:
            await chat.command("model", name="openai/gpt-6.1-sol")
            world.script(f"fails {chat.key}", faults.UNAUTHORIZED, Reply(text="Works now."))
            chat.say(f"fails {chat.key}")
            await chat.until(lambda shown: has("Retry", shown))
        await world.parley.stop()

        await world.start()
        for chat in chats:
            chat.press("Retry")
            await chat.until(lambda shown: any(message.text == "Works now." for message in shown))
            chat.say(f"and then? {chat.key}")
            await chat.until(lambda shown: "and then?" in shown[-1].text)
            (request,) = world.asked(f"and then? {chat.key}")
            assert request.model == "gpt-6.1-sol"
            assert [text for _, text in conversation(request)] == [
                f"fails {chat.key}",
                "Works now.",
                f"and then? {chat.key}",
            ]


async def test_an_answer_that_was_taken_over_can_be_stopped_and_a_retry_survives_a_kill(
    mongodb_uri: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS) as world:
        await world.start()
        stopped, retried = {}, {}
        for name, door in world.doors.items():
            stopped[name] = await _killed_in_mid_stream(world, door.private(door.person("Ann")))
            retried[name] = await _killed_in_mid_retry(world, door.private(door.person("Bob")))
        await world.parley.kill()

        await world.start()
        for chat in stopped.values():
            await world.until_asked(f"stream {chat.key}", 2)
            chat.press("Stop")
            shown = await chat.until(lambda shown: shown[-1].text.endswith("Stopped."))
            assert shown.text == f"{WORDS.strip()}\n\nStopped."
            assert len(chat.shown()) == 1
            (turn,) = await world.until_turns(chat.key, 1)
            assert turn["outcome"] == "stopped"
            assert len(await world.usage(chat.key)) == 2
        for chat in retried.values():
            await chat.until(lambda shown: shown[-1].text == "After the retry.")
            assert len(chat.shown()) == 1
            turns = await world.until_turns(chat.key, 2)
            assert sorted(turn["outcome"] for turn in turns) == ["answered", "failed"]


async def _killed_in_mid_stream(world: World, chat: Chat) -> Chat:
    reply = Reply(chunks=(WORDS, "More of them."), hold=Hold(1))
    again = Reply(chunks=(WORDS, "More of them."), hold=Hold(1))
    world.script(f"stream {chat.key}", reply, again)
    chat.say(f"stream {chat.key}")
    await chat.until(lambda shown: has("Stop", shown))

    async def is_recorded() -> object:
        return (await world.thread(chat.key)).get("attempt", {}).get("pages")

    await until(is_recorded, "the message is recorded")
    return chat


async def _killed_in_mid_retry(world: World, chat: Chat) -> Chat:
    question = f"retry me {chat.key}"
    world.script(question, faults.UNAUTHORIZED, Reply(text="x", hold=Hold(0)), Reply(text="After the retry."))
    chat.say(question)
    await chat.until(lambda shown: has("Retry", shown))
    chat.press("Retry")
    await world.until_asked(question, 2)
    return chat
