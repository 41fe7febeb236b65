"""The registry is data: nothing heavy is imported from it, and every row builds."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from bot.providers import PROVIDERS
from bot.providers.connection import (
    Connection,
    Presence,
    ProviderRow,
    api_root,
    connection_for,
    is_configured,
    is_listening,
    load_factory,
)
from tests.fakes.clock import ManualClock
from tests.fakes.openai.dialect import OLLAMA
from tests.fakes.openai.server import FakeOpenAI

ROWS = {row.name: row for row in PROVIDERS}


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
async def test_every_row_builds_a_provider_of_its_name(row: ProviderRow) -> None:
    connection = Connection(name=row.name, base_url="http://127.0.0.1:9/v1", key=SecretStr("k"), clock=ManualClock())

    provider = load_factory(row)(connection)
    await provider.aclose()

    assert provider.name == row.name


def test_reading_the_registry_imports_no_sdk() -> None:
    code = (
        "import sys, bot.providers; from bot.providers.parrot import build; "
        "print([name for name in ('openai', 'httpx2', 'genai_prices') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"OPENAI_API_KEY": SecretStr("k")}, ["openai"]),
        ({"OPENAI_API_KEY": SecretStr(" ")}, []),
        ({"OPENAI_BASE_URL": "http://x"}, []),
        ({"GROQ_API_KEY": "k", "HUGGINGFACE_API_KEY": "k"}, ["groq", "huggingface"]),
        ({"COMPATIBLE_BASE_URL": "http://x", "OLLAMA_BASE_URL": "http://y"}, ["compatible", "ollama"]),
    ],
)
def test_a_provider_is_configured_once_its_settings_are_set(
    settings: dict[str, str | SecretStr | None], expected: list[str]
) -> None:
    assert [row.name for row in PROVIDERS if is_configured(row, settings)] == expected


def test_a_connection_is_read_from_the_rows_settings() -> None:
    settings: dict[str, str | SecretStr | None] = {
        "COMPATIBLE_BASE_URL": "http://vllm:8000/",
        "COMPATIBLE_API_KEY": SecretStr("k1"),
        "COMPATIBLE_NAME": "vllm",
        "OPENAI_API_KEY": SecretStr("k2"),
    }

    connection = connection_for(ROWS["compatible"], settings, ManualClock())

    assert (connection.name, connection.base_url) == ("vllm", "http://vllm:8000/v1")
    assert connection.key == SecretStr("k1")
    assert "k1" not in repr(connection)


def test_ollama_is_looked_for_at_its_usual_address() -> None:
    connection = connection_for(ROWS["ollama"], {}, ManualClock())

    assert ROWS["ollama"].presence is Presence.SOUGHT
    assert (connection.base_url, connection.key) == ("http://127.0.0.1:11434/v1", None)


async def test_a_server_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    async with FakeOpenAI(dialect=OLLAMA) as fake:
        connection = Connection(name="ollama", base_url=fake.url, key=None, clock=ManualClock())
        there = await is_listening(connection)
        async with fake.down():
            gone = await is_listening(connection)

    assert (there, gone) == (True, False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, None),
        ("http://h", "http://h/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h/v1", "http://h/v1"),
        ("http://h/api/v1/", "http://h/api/v1"),
    ],
)
def test_a_bare_host_gets_the_path_of_the_api(url: str | None, expected: str | None) -> None:
    assert api_root(url) == expected
