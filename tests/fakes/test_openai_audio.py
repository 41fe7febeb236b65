"""The audio half of the OpenAI fake, driven by the real SDK: what it refuses, and that its sound is real."""

from typing import Any

import openai
import pytest

from tests.fakes.openai.dialect import GROQ, HUGGINGFACE, OPENAI, Dialect
from tests.fakes.openai.sdk import client_of
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.recordings import check_ogg, silence

SPEECH: dict[str, Any] = {"model": "tts-1", "input": "Hello", "voice": "alloy", "response_format": "opus"}


async def transcribe(fake: FakeOpenAI, name: str, content: bytes, model: str = "gpt-transcribe", **more: Any) -> Any:
    async with client_of(fake) as client:
        return await client.audio.transcriptions.create(file=(name, content), model=model, **more)


@pytest.mark.parametrize(
    ("dialect", "model", "name", "content", "text"),
    [
        (OPENAI, "gpt-transcribe", "voice.oga", silence(1), "Unsupported file format oga"),
        (OPENAI, "whisper-1", "voice.opus", silence(1), "Unsupported file format opus"),
        (GROQ, "whisper-large-v3", "voice.oga", silence(1), "file must be one of the following types"),
        (OPENAI, "gpt-transcribe", "voice.ogg", b"", "Audio file is too short"),
        (OPENAI, "gpt-transcribe", "voice.ogg", b"ID3", "corrupted or unsupported"),
        (OPENAI, "tts-1", "voice.ogg", silence(1), "does not exist"),
        (OPENAI, "gpt-transcribe", "voice.wav", bytes(25 * 1024 * 1024 + 1), "Maximum content size limit (26214400)"),
        (HUGGINGFACE, "openai/whisper", "voice.ogg", silence(1), "Invalid URL"),
    ],
    ids=["oga", "opus", "groq oga", "empty", "corrupt", "speaks", "large", "elsewhere"],
)
async def test_it_refuses_recordings_as_the_real_ones_do(
    dialect: Dialect, model: str, name: str, content: bytes, text: str
) -> None:
    async with FakeOpenAI(dialect=dialect) as fake:
        with pytest.raises(openai.APIStatusError) as caught:
            await transcribe(fake, name, content, model)

    assert text in caught.value.message


async def test_groq_takes_opus_by_name_and_newer_models_refuse_the_long_form() -> None:
    async with FakeOpenAI(dialect=GROQ) as fake:
        long = await transcribe(fake, "voice.opus", silence(1), "whisper-large-v3", response_format="json")
    async with FakeOpenAI() as fake:
        with pytest.raises(openai.BadRequestError, match="not compatible"):
            await transcribe(fake, "voice.ogg", silence(1), response_format="verbose_json")

    assert long.text == "Hello from the recording."


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"input": ""}, "empty string"),
        ({"input": "x" * 4_097}, "maximum length 4096"),
        ({"voice": "kore"}, "Invalid value for 'voice'"),
        ({"response_format": "ogg"}, "not compatible"),
        ({"stream_format": "sse"}, "not supported for this model"),
        ({"speed": 9}, "expected a value between"),
        ({"extra_body": {"language": "en"}}, "Unknown parameter"),
    ],
)
async def test_it_refuses_to_speak_as_the_real_one_does(wrong: dict[str, Any], text: str) -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.audio.speech.create(**{**SPEECH, **wrong})

    assert text in caught.value.message


async def test_what_it_says_is_a_real_recording_and_wants_the_key() -> None:
    async with FakeOpenAI() as fake:
        async with client_of(fake) as client:
            sound = await client.audio.speech.create(**SPEECH)
        async with client_of(fake, key="sk-wrong-key-1") as stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.audio.speech.create(**SPEECH)

    assert check_ogg(sound.content).duration_s == 1.5
