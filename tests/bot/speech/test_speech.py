"""Speech over the wire: OpenAI's API with its SDK, Gemini's without one, both against strict fakes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.core.events import Usage
from bot.core.ledger import Certainty
from bot.core.pricing import Pricing
from bot.core.sound import Speaker, Spoken
from bot.core.sound_models import SoundFormat, SpeechRow
from bot.providers.prices import GenaiPrices
from bot.speech.gemini import GeminiSpeaker
from bot.speech.openai import OpenAISpeaker
from tests.bot.speech.case import EVENTS, KOKORO, LITE, SPEAKING, connection
from tests.fakes.gemini.faults import fault
from tests.fakes.gemini.models import FakeModel
from tests.fakes.gemini.server import FakeGemini
from tests.fakes.openai import dialect
from tests.fakes.openai.faults import NO_QUOTA, RATE_LIMITED, UNAVAILABLE
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.recordings import check_ogg
from tests.fakes.script import Breakage, Broken, Finish, HttpFault, Reply, Silence, Step

AT = datetime(2026, 11, 20, tzinfo=UTC)
PRICE = Pricing(GenaiPrices({"openai": "openai", "gemini": "google"}))
TEXT = "The answer is four."
TTS_1 = SPEAKING["openai/tts-1"]


def openai_speaker(
    fake: FakeOpenAI, row: SpeechRow, *, voice: str = "nova", key: str | None = None, timeout_s: float = 5.0
) -> OpenAISpeaker:
    made = connection(row.model.ref.provider, fake.url, key or fake.key, read_timeout_s=timeout_s)
    return OpenAISpeaker(made, row, voice)


def gemini_speaker(
    fake: FakeGemini, row: SpeechRow = LITE, *, voice: str = "Kore", key: str | None = None, timeout_s: float = 5.0
) -> GeminiSpeaker:
    made = connection("gemini", fake.base_url, key or fake.key, read_timeout_s=timeout_s)
    return GeminiSpeaker(made, row, voice)


async def said(speaker: Speaker, text: str = TEXT) -> Spoken:
    try:
        return await speaker.speak(text)
    finally:
        await speaker.aclose()


async def refused(speaker: Speaker) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await said(speaker)
    return caught.value


async def test_openai_is_asked_for_events_and_tells_what_was_used() -> None:
    async with FakeOpenAI() as fake:
        spoken = await said(openai_speaker(fake, EVENTS))

    (request,) = fake.requests
    assert request.path == "/v1/audio/speech"
    assert request.body == {
        "model": "gpt-4o-mini-tts",
        "input": TEXT,
        "voice": "nova",
        "response_format": "opus",
        "stream_format": "sse",
    }
    assert spoken.usage == Usage(input_tokens=5, output_tokens=30, audio_output_tokens=30)
    assert not spoken.estimated


async def test_the_recording_is_a_voice_message_with_its_length_and_a_waveform() -> None:
    async with FakeOpenAI() as fake:
        voice = (await said(openai_speaker(fake, EVENTS))).voice

    assert (voice.media_type, voice.name) == ("audio/ogg", "voice.ogg")
    assert voice.duration_s == check_ogg(voice.content).duration_s == 1.5
    assert 0 < len(voice.waveform) <= 256


async def test_a_model_that_bills_characters_is_not_asked_for_events() -> None:
    async with FakeOpenAI() as fake:
        spoken = await said(openai_speaker(fake, TTS_1))

    cost = PRICE(spoken.usage, TTS_1.model, AT, estimated=spoken.estimated)
    assert "stream_format" not in fake.requests[0].body
    assert spoken.usage == Usage(input_tokens=0, output_tokens=0, credits=len(TEXT))
    assert (cost.nano_usd, cost.certainty) == (len(TEXT) * 15_000, Certainty.EXACT)


async def test_a_server_that_tells_nothing_is_estimated() -> None:
    async with FakeOpenAI(dialect=dialect.COMPATIBLE) as fake:
        spoken = await said(openai_speaker(fake, KOKORO, voice="alloy"))

    assert fake.requests[0].body.keys() == {"model", "input", "voice", "response_format"}
    assert spoken.estimated
    assert (spoken.usage.input_tokens, spoken.usage.output_tokens) == (4, 38)


async def test_events_without_usage_are_estimated() -> None:
    async with FakeOpenAI() as fake:
        fake.script(Reply(no_usage=True))
        spoken = await said(openai_speaker(fake, EVENTS))

    assert spoken.estimated


async def test_wav_is_taken_as_a_file_and_what_platforms_cannot_play_is_refused() -> None:
    orpheus = SpeechRow(model=ModelInfo(ref=ModelRef("groq", "canopylabs/orpheus-v1-english")), format=SoundFormat.WAV)
    async with FakeOpenAI(dialect=dialect.GROQ) as fake:
        voice = (await said(openai_speaker(fake, orpheus, voice="hannah"))).voice
    async with FakeOpenAI(dialect=dialect.COMPATIBLE) as fake:
        fake.script(HttpFault(status=200, body="ID3 this is an mp3 file"))
        error = await refused(openai_speaker(fake, KOKORO, voice="alloy"))

    assert (voice.media_type, voice.name, voice.duration_s) == ("audio/wav", "voice.wav", 1.5)
    assert type(error) is StreamBroken


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (RATE_LIMITED, RateLimited),
        (NO_QUOTA, QuotaExhausted),
        (UNAVAILABLE, ProviderUnavailable),
        (Broken(how=Breakage.RESET, after_chunks=2), StreamBroken),
        (Broken(how=Breakage.CUT, after_chunks=0), ProviderUnavailable),
        (HttpFault(status=400, body={"error": {"message": "m", "code": "content_policy_violation"}}), ContentRefused),
        (
            HttpFault(status=200, body="data: [1]\n\n", headers={"content-type": "text/event-stream"}),
            ProviderUnavailable,
        ),
        (HttpFault(status=200, body="data: {\n\n", headers={"content-type": "text/event-stream"}), ProviderUnavailable),
        (HttpFault(status=200, body="", headers={"content-type": "text/event-stream"}), StreamBroken),
    ],
    ids=["limited", "quota", "busy", "reset", "cut", "policy", "no event", "no json", "no end"],
)
async def test_failures_of_openai_are_ours(step: Step, kind: type[ProviderError]) -> None:
    async with FakeOpenAI() as fake:
        fake.script(step)
        error = await refused(openai_speaker(fake, EVENTS))

    assert type(error) is kind


async def test_a_wrong_key_a_wrong_voice_and_silence_at_openai() -> None:
    async with FakeOpenAI() as fake:
        key = await refused(openai_speaker(fake, EVENTS, key="sk-other-key"))
        voice = await refused(openai_speaker(fake, EVENTS, voice="Kore"))
        fake.script(Silence())
        silence = await refused(openai_speaker(fake, EVENTS, timeout_s=0.1))

    assert [type(key), type(voice), type(silence)] == [AuthenticationFailed, RequestRejected, ProviderUnavailable]


async def test_gemini_is_asked_for_sound_in_a_voice_and_with_the_key_in_a_header() -> None:
    async with FakeGemini(version="v1beta") as fake:
        spoken = await said(gemini_speaker(fake))

    (request,) = fake.requests
    assert request.path == "/v1beta/models/gemini-3.8-flash-lite-tts:generateContent"
    assert request.query == {}
    assert request.body == {
        "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    }
    assert (spoken.voice.media_type, spoken.voice.name, spoken.voice.duration_s) == ("audio/wav", "voice.wav", 2.0)
    assert spoken.usage == Usage(input_tokens=5, output_tokens=50, audio_output_tokens=50)
    assert not spoken.estimated


async def test_a_second_of_gemini_costs_what_the_price_list_says() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000, audio_output_tokens=1_000_000)

    cost = PRICE(usage, LITE.model, AT, estimated=False)

    assert (cost.nano_usd, cost.certainty) == (6_500_000_000, Certainty.EXACT)


async def test_bare_samples_of_older_models_become_a_file() -> None:
    older = FakeModel(id="gemini-2.5-flash-preview-tts", name="older")
    row = replace(LITE, model=ModelInfo(ref=ModelRef("gemini", older.id)))
    async with FakeGemini(version="v1beta", models=(older,)) as fake:
        voice = (await said(gemini_speaker(fake, row))).voice

    assert (voice.media_type, voice.duration_s) == ("audio/wav", 2.0)


async def test_gemini_without_counts_is_estimated() -> None:
    async with FakeGemini(version="v1beta") as fake:
        fake.script(Reply(no_usage=True))
        spoken = await said(gemini_speaker(fake))

    assert (spoken.usage.output_tokens, spoken.estimated) == (50, True)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fault(429, "RESOURCE_EXHAUSTED", "quota"), RateLimited),
        (fault(503, "UNAVAILABLE", "overloaded"), ProviderUnavailable),
        (fault(400, "FAILED_PRECONDITION", "User location is not supported"), AuthenticationFailed),
        (HttpFault(status=502, body="<html>"), ProviderUnavailable),
        (HttpFault(status=200, body="{"), StreamBroken),
        (HttpFault(status=200, body={"candidates": [{"content": {"parts": [{"text": "no"}]}}]}), StreamBroken),
        (HttpFault(status=200, body={"promptFeedback": {"blockReason": "SAFETY"}}), ContentRefused),
        (Reply(finish=Finish.CONTENT_FILTER), ContentRefused),
        (Broken(how=Breakage.RESET), ProviderUnavailable),
    ],
    ids=["limited", "busy", "place", "page", "no json", "no sound", "blocked", "filtered", "reset"],
)
async def test_failures_of_gemini_are_ours(step: Step, kind: type[ProviderError]) -> None:
    async with FakeGemini(version="v1beta") as fake:
        fake.script(step)
        error = await refused(gemini_speaker(fake))

    assert type(error) is kind
    assert error.provider == "gemini"


async def test_a_wrong_key_model_and_silence_at_gemini() -> None:
    async with FakeGemini(version="v1beta") as fake:
        key = await refused(gemini_speaker(fake, key="AIzaWrong"))
        unknown = await refused(gemini_speaker(fake, replace(LITE, model=ModelInfo(ref=ModelRef("gemini", "none")))))
        odd = await refused(gemini_speaker(fake, replace(LITE, model=ModelInfo(ref=ModelRef("gemini", "../x?")))))
        fake.script(Silence())
        silence = await refused(gemini_speaker(fake, timeout_s=0.1))

    kinds = [type(each) for each in (key, unknown, odd, silence)]
    assert kinds == [AuthenticationFailed, ModelNotFound, ModelNotFound, ProviderUnavailable]
    assert "AIza" not in str(key)


@pytest.mark.parametrize("text", [TEXT, "The sky is blue because light scatters. " * 100, "あ" * 2_600])
async def test_the_worst_case_covers_what_is_used(text: str) -> None:
    async with FakeOpenAI() as fake:
        speaker = openai_speaker(fake, EVENTS)
        most, spoken = speaker.worst_case(text), await said(speaker, text)

    assert most.input_tokens >= spoken.usage.input_tokens
    assert most.output_tokens >= spoken.usage.output_tokens
