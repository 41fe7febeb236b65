"""kill -9 while files are read: one visible end, a true bill, no reader left behind, and what was read stays known."""

from pathlib import Path

import psutil
import pytest

from tests.e2e.readers import suspend_next
from tests.e2e.talk import Talk, check_no_address_leaked, photo, private_talk, sizes, small_photo
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world
from tests.fakes.openai.script import Silence
from tests.fakes.recordings import silence

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
TRANSCRIPTIONS = "/v1/audio/transcriptions"


async def test_a_kill_while_files_are_read_ends_in_one_answer_each_and_known_pictures_stay_known(
    mongodb_uri: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS) as world:
        await world.start()
        known, seen, heard = ([private_talk(world, door) for door in world.doors.values()] for _ in range(3))
        for talk in known:
            await talk.ask(f"First {talk.about}", small_photo(80))
        for number, talk in enumerate(heard, start=1):
            await _until_transcribed(world, talk, number)
        readers: list[psutil.Process] = []
        for talk in seen:
            talk.files.send(talk.chat, talk.person, f"What is this {talk.about}?", photo())
            readers.append(await suspend_next(world.parley, readers))
        await world.parley.kill()
        for reader in readers:
            reader.resume()
        await until(lambda: not any(reader.is_running() for reader in readers), "nobody reads for a dead bot")
        assert [talk for talk in (*seen, *heard) if await world.usage(talk.chat.key)] == []

        await world.start()
        for talk in known:
            fetched = talk.files.downloads
            await talk.ask(f"And second {talk.about}?")
            (request,) = world.asked(f"And second {talk.about}?")
            assert sizes(request) == [(80, 40)]
            assert talk.files.downloads == fetched
        for talk in seen:
            await _check_one_end(world, talk, "attached to this message", "answer")
            (request,) = world.asked(f"What is this {talk.about}?")
            assert sizes(request) == [(1_365, 2_048)]
        for talk in heard:
            await _check_one_end(
                world, talk, "Read: voice message (“Hello from the recording.”).", "answer", "transcription"
            )
        await check_no_address_leaked(world)


async def _until_transcribed(world: World, talk: Talk, count: int) -> None:
    """Record something and wait until the service, which will never answer, has it."""
    world.provider.script(Silence())
    talk.files.record(talk.chat, talk.person, silence(1.0), duration_s=1)
    calls = world.provider.requests
    await until(lambda: sum(call.path == TRANSCRIPTIONS for call in calls) == count, "it is being transcribed")


async def _check_one_end(world: World, talk: Talk, words: str, *billed: str) -> None:
    shown = await talk.chat.until(lambda shown: bool(shown) and "Read: " in shown[-1].text)
    assert words in shown.text
    assert len(talk.chat.shown()) == 1
    (turn,) = await world.until_turns(talk.chat.key, 1)
    assert turn["outcome"] == "answered"
    rows = [row for row in await world.usage(talk.chat.key) if row["status"] == "completed"]
    assert sorted(row["kind"] for row in rows) == sorted(billed)
    lost = [row for row in await world.usage(talk.chat.key) if row["status"] != "completed"]
    assert [row for row in lost if row["kind"] == "answer"] == [], "no model was called before"
