"""Which model transcribes and which one speaks, by settings and keys; and that nothing is loaded in vain."""

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.core.errors import SettingsError
from bot.core.retirement import is_retired
from bot.speech.opening import Sound, open_sound
from tests.bot.speech.case import EVENTS, ROWS
from tests.fakes.clock import ManualClock
from tests.fakes.openai import dialect
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.recordings import silence

KEY = SecretStr("sk-key")
Settings = dict[str, str | SecretStr | None]
OPENAI: Settings = {"OPENAI_API_KEY": KEY}
GROQ: Settings = {"GROQ_API_KEY": KEY}
GEMINI: Settings = {"GEMINI_API_KEY": KEY}
OWN: Settings = {"COMPATIBLE_BASE_URL": "http://127.0.0.1:1", "COMPATIBLE_NAME": "home"}


@asynccontextmanager
async def opened(
    values: Mapping[str, str | SecretStr | None],
    *,
    hear: str | None = None,
    speak: str | None = None,
    voice: str | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[Sound]:
    async with open_sound(
        values, ROWS, transcription_model=hear, speech_model=speak, voice=voice, clock=clock or ManualClock()
    ) as sound:
        yield sound


def names(sound: Sound) -> tuple[str | None, str | None]:
    return tuple(None if each is None else str(each.model.ref) for each in (sound.transcriber, sound.speaker))  # type: ignore[return-value]  # there are two


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (None, None)),
        ({"ANTHROPIC_API_KEY": KEY}, (None, None)),
        (OWN, (None, None)),
        (OPENAI, ("openai/gpt-transcribe", "openai/gpt-4o-mini-tts")),
        (GROQ, ("groq/whisper-large-v3-turbo", None)),
        (GEMINI, (None, "gemini/gemini-3.8-flash-lite-tts")),
        (OPENAI | GROQ | GEMINI, ("groq/whisper-large-v3-turbo", "openai/gpt-4o-mini-tts")),
        ({"GROQ_API_KEY": SecretStr(" ")}, (None, None)),
    ],
    ids=["nothing", "anthropic", "own server", "openai", "groq", "gemini", "all", "blank"],
)
async def test_the_first_row_with_a_key_is_chosen(
    values: Mapping[str, str | SecretStr | None], expected: tuple[str | None, str | None]
) -> None:
    async with opened(values) as sound:
        assert names(sound) == expected


async def test_a_retired_model_is_nobodys_default() -> None:
    clock = ManualClock(limit_s=100 * 86_400.0)
    await clock.advance(timedelta(days=70).total_seconds())

    async with opened(OPENAI | GEMINI, clock=clock) as both, opened(OPENAI, clock=clock) as alone:
        assert is_retired(EVENTS.model, clock.now().date())
        assert names(both) == ("openai/gpt-transcribe", "gemini/gemini-3.8-flash-lite-tts")
        assert names(alone) == ("openai/gpt-transcribe", None)


async def test_a_named_model_wins_listed_or_not() -> None:
    async with opened(OPENAI | GROQ | OWN, hear="openai/whisper-1", speak="home/kokoro") as sound:
        assert names(sound) == ("openai/whisper-1", "home/kokoro")


async def test_an_unlisted_model_is_asked_like_others_of_its_provider() -> None:
    async with FakeOpenAI(dialect=dialect.GROQ) as fake:
        values: Settings = {"GROQ_API_KEY": SecretStr(fake.key), "GROQ_BASE_URL": fake.url}
        async with opened(values, hear="groq/whisper-large-v4") as sound:
            assert sound.transcriber is not None
            with pytest.raises(Exception, match="404"):
                await sound.transcriber.transcribe(silence(1), "audio/ogg", duration_s=None)

    assert fake.requests[0].body == {"model": "whisper-large-v4", "response_format": "verbose_json"}


async def test_settings_reach_the_wire_down_to_the_voice() -> None:
    async with FakeOpenAI() as fake:
        values: Settings = {"OPENAI_API_KEY": SecretStr(fake.key), "OPENAI_BASE_URL": fake.origin}
        async with opened(values, voice="coral") as sound:
            assert sound.speaker is not None
            await sound.speaker.speak("Hello.")

    assert (fake.requests[0].path, fake.requests[0].body["voice"]) == ("/v1/audio/speech", "coral")


@pytest.mark.parametrize(
    ("hear", "speak", "line"),
    [
        ("groq/whisper-large-v3", None, "TRANSCRIPTION_MODEL is “groq/whisper-large-v3”: set GROQ_API_KEY too"),
        (
            "gemini/any",
            None,
            "TRANSCRIPTION_MODEL is “gemini/any”: gemini cannot do that here; openai, groq and home can",
        ),
        ("elevenlabs/x", None, "TRANSCRIPTION_MODEL is “elevenlabs/x”: elevenlabs cannot do that here"),
        (None, "compatible/kokoro", "SPEECH_MODEL is “compatible/kokoro”: compatible cannot do that here"),
        (None, "tts-1", "SPEECH_MODEL: a model is written provider/model"),
    ],
)
async def test_a_choice_that_cannot_be_is_told_at_the_start(hear: str | None, speak: str | None, line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        async with opened(OPENAI | OWN, hear=hear, speak=speak):
            pass

    assert caught.value.lines[0].startswith(line)
    assert "sk-key" not in str(caught.value)


def test_without_keys_and_with_gemini_alone_no_sdk_is_loaded() -> None:
    script = (
        "import asyncio, sys\n"
        "from pydantic import SecretStr\n"
        "from bot.core.clock import SystemClock\n"
        "from bot.catalogue_file import load_sound_models\n"
        "from bot.speech.opening import open_sound\n"
        "async def main():\n"
        "    for values in ({}, {'GEMINI_API_KEY': SecretStr('k')}):\n"
        "        async with open_sound(values, load_sound_models(None), transcription_model=None, speech_model=None,"
        " voice=None, clock=SystemClock()):\n"
        "            pass\n"
        "asyncio.run(main())\n"
        "print(sorted({'openai', 'google.genai', 'anthropic'} & sys.modules.keys()))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout.strip() == "[]"
