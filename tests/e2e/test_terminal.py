"""`parley chat` with piped input, as a script would use it."""

from pathlib import Path

import psutil
import pytest

from tests.e2e.parley import Parley
from tests.fakes.openai import faults
from tests.fakes.openai.server import FakeOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")


def settings_of(fake: FakeOpenAI) -> dict[str, str]:
    return {"OPENAI_API_KEY": fake.key, "OPENAI_BASE_URL": fake.url}


async def test_each_line_is_answered_before_the_next_is_taken(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake, Parley(tmp_path, settings_of(fake)) as parley:
        await parley.start("chat", piped=True)
        await parley.write("first\nsecond\nthird\n")
        parley.end_input()

        lines = [line for line in (await parley.read_rest()).splitlines() if line]

        assert lines == ["You said: first", "You said: second", "You said: third"]
        assert await parley.ended() == 0
        assert [len(request.body["input"]) for request in fake.generations] == [1, 3, 5]
        assert mongods(tmp_path) == []
        assert fake.key not in parley.log


async def test_an_answer_comes_while_the_input_stays_open(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake, Parley(tmp_path, settings_of(fake)) as parley:
        await parley.start("chat", piped=True)
        await parley.write("hello\n")

        assert await parley.read_line() == "You said: hello\n"
        parley.end_input()
        assert await parley.ended() == 0


async def test_a_failure_is_told_with_a_hint_and_retry_answers(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake, Parley(tmp_path, settings_of(fake)) as parley:
        fake.script(faults.UNAUTHORIZED)
        await parley.start("chat", piped=True)
        await parley.write("hello\n/retry\n")
        parley.end_input()

        output = await parley.read_rest()

        assert "did not accept the bot's key" in output
        assert "/retry" in output + parley.log
        assert output.rstrip().endswith("You said: hello")
        assert await parley.ended() == 0
        for text in (output, parley.log):
            assert fake.key not in text
            assert "Traceback" not in text


async def test_the_history_is_there_after_a_restart(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake, Parley(tmp_path, settings_of(fake)) as parley:
        for line in ("first", "second"):
            await parley.start("chat", piped=True)
            await parley.write(f"{line}\n")
            parley.end_input()
            assert f"You said: {line}" in await parley.read_rest()
            assert await parley.ended() == 0

        assert [len(request.body["input"]) for request in fake.generations] == [1, 3]


def mongods(folder: Path) -> list[int]:
    """The live servers of the bot's data folder."""
    wanted = str(folder / "data" / "mongodb" / "db")
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if wanted in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
