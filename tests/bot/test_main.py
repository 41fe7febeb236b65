"""The command line as a process: what it prints and with which code it ends."""

import os
import re
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.fakes.person import Person

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0
NOWHERE = "http://127.0.0.1:9"


def parley(folder: Path, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in an empty environment and folder; Ollama is looked for where nothing listens."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=_environ(environ),
        timeout=DEADLINE_S,
        check=False,
    )


def _environ(environ: dict[str, str]) -> dict[str, str]:
    found = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**found, "PYTHONPATH": str(ROOT), "OLLAMA_BASE_URL": "", **environ}


def test_version(tmp_path: Path) -> None:
    done = parley(tmp_path, "--version")

    assert (done.returncode, done.stdout) == (0, f"parley {version('parley')}\n")


@pytest.mark.parametrize("arguments", [("--help",), ()], ids=["asked", "no command"])
def test_help_shows_commands_examples_and_where_settings_come_from(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = parley(tmp_path, *arguments)

    assert done.returncode == 0
    for word in ("run", "chat", "doctor", "models", "parley doctor", ".env"):
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [("frobnicate",), ("run", "--fast"), ("--models",)])
def test_wrong_usage_is_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = parley(tmp_path, *arguments)

    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_wrong_setting_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TEMPERATURE=warm\n")
    done = parley(tmp_path, "run", DISCORD_TOKEN="Bot hush hush", LOG_LEVEL="loud")

    assert done.returncode == 2
    assert sorted(line.split()[1].rstrip(":") for line in done.stderr.splitlines()) == [
        "DISCORD_TOKEN",
        "LOG_LEVEL",
        "TEMPERATURE",
    ]
    assert "hush" not in done.stderr


def test_a_wrong_models_file_is_one_line_and_2(tmp_path: Path) -> None:
    done = parley(tmp_path, "chat", MODELS_FILE="nowhere.yaml")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("parley: MODELS_FILE")
    assert "Traceback" not in done.stderr


def test_a_default_model_of_a_provider_that_is_not_there_is_one_line_and_2(tmp_path: Path) -> None:
    done = parley(tmp_path, "models", DEFAULT_MODEL="openai/gpt-6-luna")

    assert done.returncode == 2
    assert done.stderr == (
        "parley: DEFAULT_MODEL is “openai/gpt-6-luna”: no provider “openai” is configured or running here; "
        "there is demo.\n"
    )


def test_two_providers_of_one_name_are_one_line_and_2(tmp_path: Path) -> None:
    openai = {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": NOWHERE}
    done = parley(tmp_path, "models", COMPATIBLE_BASE_URL=NOWHERE, COMPATIBLE_NAME="OpenAI", **openai)

    assert done.returncode == 2
    assert done.stderr == "parley: COMPATIBLE_NAME: another provider is called “openai” too.\n"


def test_run_without_a_platform_and_without_a_terminal_is_2(tmp_path: Path) -> None:
    done = parley(tmp_path, "run")

    assert done.returncode == 2
    assert "set DISCORD_TOKEN or TELEGRAM_TOKEN" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_out_of_reach_is_one_line_with_the_remedy_and_1(tmp_path: Path) -> None:
    done = parley(tmp_path, "chat", stdin="hi\n", MONGODB_URI="mongodb://u:hush-hush@127.0.0.1:9/")

    assert done.returncode == 1
    assert "MONGODB_URI is right" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "hush-hush" not in done.stdout + done.stderr


def test_the_traceback_of_an_error_is_in_the_log_at_debug_alone(tmp_path: Path) -> None:
    done = parley(tmp_path, "chat", MONGODB_URI="mongodb://127.0.0.1:9/", LOG_LEVEL="DEBUG")

    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_crash_is_one_line_with_what_to_do_and_1(tmp_path: Path) -> None:
    crashing = (
        "import sys\nfrom bot import app\nfrom bot.__main__ import main\n"
        "async def broken(settings, query): raise ExceptionGroup('two', [KeyError(f'token {query}')])\n"
        "app.models = broken\nsys.exit(main(['models', '123456789:" + "A" * 35 + "']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", crashing],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environ({}),
        timeout=DEADLINE_S,
        check=False,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("parley: ended by an error of its own, KeyError: 'token [redacted]'")
    assert "LOG_LEVEL=DEBUG" in line


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    lingering = (
        "import asyncio, sys\nfrom bot import app\nfrom bot.__main__ import main\n"
        "async def run(settings, *, stop, **_):\n"
        "    print('up', flush=True)\n    await stop.wait()\n    print('ending', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "app.run = run\nsys.exit(main(['chat']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", lingering],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=_environ({}),
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"up\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == b"ending\n"
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()

    assert process.returncode == 1
    assert b"Traceback" not in errors


def test_a_folder_that_cannot_be_made_is_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = parley(tmp_path, "doctor", DATA_DIR="file/data", OPENAI_API_KEY="k", OPENAI_BASE_URL=NOWHERE)

    assert done.returncode == 1
    assert "FAIL  data folder" in done.stdout
    assert "FAIL  openai: " in done.stdout
    assert "Traceback" not in done.stderr


def test_piped_lines_are_answered_and_the_end_of_input_is_0(tmp_path: Path) -> None:
    done = parley(tmp_path, "chat", stdin="hello there\n/help\n", TELEGRAM_TOKN="1")

    assert done.returncode == 0
    assert done.stdout.index("> hello there") < done.stdout.index("/models")
    assert "did you mean TELEGRAM_TOKEN?" in done.stderr
    assert " INFO " not in done.stdout
    assert not (tmp_path / "data" / "parley.log").exists()


def test_the_chat_leaves_the_platforms_to_a_bot_that_runs_beside_it(tmp_path: Path) -> None:
    telegram = {"TELEGRAM_TOKEN": f"1:{'x' * 35}", "TELEGRAM_API_URL": NOWHERE}
    done = parley(tmp_path, "chat", stdin="hello there\n", **telegram)

    assert "> hello there" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pairing_code_is_shown_at_every_level(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=_environ({"TELEGRAM_TOKEN": f"1:{'x' * 35}", "TELEGRAM_API_URL": NOWHERE, "LOG_LEVEL": "ERROR"}),
    ) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline().decode()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()

    assert re.search(r"pairing code [2-9A-Z]{8} ", first)
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "chat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=_environ({}),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline()

        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 0
    assert b"Traceback" not in errors


def test_run_without_a_platform_on_a_terminal_says_so_and_opens_the_chat(tmp_path: Path) -> None:
    person = Person([sys.executable, "-m", "bot", "run"], folder=tmp_path, environ=_environ({}))
    try:
        person.sees("No DISCORD_TOKEN and no TELEGRAM_TOKEN is set: this is the terminal chat.\r\n")
        shown = person.sees("Parley · demo/parrot · /help lists")
        person.sees(">")
        person.type("hello there\r")
        shown += person.sees("> hello there")
        shown += person.sees("This is a demo")
        person.sees(">")
        person.type("\x04")

        assert person.process.wait(DEADLINE_S) == 0
    finally:
        person.close()
    assert " INFO " not in shown
    assert (tmp_path / "data" / "parley.log").exists()


def test_a_signal_during_the_prompt_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "bot", "chat"]
    person = Person(program, folder=tmp_path, environ=_environ({}))
    try:
        before = person.modes()
        person.sees(">")
        assert person.modes() != before

        person.process.send_signal(signal.SIGTERM)

        assert person.process.wait(DEADLINE_S) == 0
        assert person.modes() == before
    finally:
        person.close()
