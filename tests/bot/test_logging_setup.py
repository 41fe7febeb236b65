"""Log lines: their shape, their place, and that no secret is in one."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.logging_setup import LOG_FILE, configure_logging
from bot.settings import Settings, load_settings

DISCORD = "MTk4NjIyNDgzNDcxOTI1MjQ4.Gcl5bt.ZnCjm1XVW7vRze4b7Cq4se7kKWs3qyz8XAbCdE"
TELEGRAM = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw4"
OPENAI = "sk-proj-Zq3ZVbT1uW5q8yX2cR7dLmN0pA4sF6hJ"

log = logging.getLogger("bot.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(False)


def logging_to(stream: io.StringIO, *, quiet: bool = False, **environ: str) -> Settings:
    settings = load_settings(environ, None)
    configure_logging(settings, to_file=False, quiet=quiet, stream=stream)
    return settings


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_gets_into_a_message_its_arguments_its_context_or_its_traceback(log_format: str) -> None:
    out = io.StringIO()
    logging_to(
        out,
        LOG_FORMAT=log_format,
        DISCORD_TOKEN="unusual-secret",
        MONGODB_URI="mongodb://u:open%20sesame@db/",
    )
    try:
        raise ValueError(f"GET https://api.telegram.org/bot{TELEGRAM}/getMe with {OPENAI}")
    except ValueError:
        log.exception("failed for %s at %s", DISCORD, "mongodb://u:other@h", extra={"thread_key": "unusual-secret"})

    text = out.getvalue()
    for secret in (DISCORD, TELEGRAM, OPENAI, "unusual-secret", "open%20sesame", ":other@"):
        assert secret not in text
    assert "ValueError" in text
    assert "api.telegram.org" in text


def test_another_handler_gets_no_ready_made_traceback() -> None:
    """`record.exc_text` would be taken over by every other formatter, whoever made it."""
    out = io.StringIO()
    logging_to(out)
    record = logging.makeLogRecord(
        {"msg": "x", "levelno": logging.ERROR, "exc_info": (ValueError, ValueError(TELEGRAM), None)}
    )

    logging.getLogger().handle(record)

    assert record.exc_text is None
    assert TELEGRAM not in out.getvalue()


def test_a_text_line_has_time_level_logger_message_and_context() -> None:
    out = io.StringIO()
    logging_to(out)

    log.info("taking over %d", 3, extra={"platform": "discord"})

    time, rest = out.getvalue().split(" ", 1)
    assert time.endswith("Z")
    assert rest == "INFO bot.test: taking over 3 platform=discord\n"


def test_nothing_that_is_logged_can_begin_a_line_of_its_own() -> None:
    out = io.StringIO()
    logging_to(out)

    log.info("name %s", "eve\n2026-11-21T00:00:00Z INFO root: forged\x1b[2J")

    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_a_json_line_is_one_object() -> None:
    out = io.StringIO()
    logging_to(out, LOG_FORMAT="json")

    log.warning("“quoted”\nand more", extra={"turn": "telegram:1:2", "tries": 2})

    line = json.loads(out.getvalue())
    assert out.getvalue().count("\n") == 1
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "bot.test",
        "message": "“quoted”\nand more",
        "turn": "telegram:1:2",
        "tries": 2,
    }


@pytest.mark.parametrize(
    "name",
    [
        "httpx",
        "httpcore",
        "httpx2",
        "httpcore2.http11",
        "telegram.ext",
        "discord.gateway",
        "pymongo",
        "asyncio",
    ],
)
def test_libraries_are_heard_from_warnings_on_also_at_debug(name: str) -> None:
    out = io.StringIO()
    logging_to(out, LOG_LEVEL="DEBUG")

    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("trouble")

    assert "chatter" not in out.getvalue()
    assert "trouble" in out.getvalue()


def test_quiet_shows_warnings_only() -> None:
    out = io.StringIO()
    logging_to(out, quiet=True)

    log.info("chatter")
    log.warning("trouble")

    assert "chatter" not in out.getvalue()
    assert "trouble" in out.getvalue()


def test_the_log_can_go_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path / "data")}, None)
    configure_logging(settings, to_file=True)

    log.info("kept")

    path = tmp_path / "data" / LOG_FILE
    assert "bot.test: kept" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
