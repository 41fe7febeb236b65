"""Transcription over the wire: the real SDK against the strict fake of OpenAI, Groq and a server of one's own."""

from datetime import UTC, datetime

import pytest

from bot.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)
from bot.core.events import Usage
from bot.core.ledger import Certainty
from bot.core.pricing import Pricing
from bot.core.sound import Transcript
from bot.core.sound_models import TranscriptionRow
from bot.providers.prices import GenaiPrices
from bot.speech.openai import OpenAITranscriber
from bot.speech.service import Connection
from tests.bot.speech.case import GROQ, LOCAL, OPENAI, connection
from tests.fakes.openai import dialect
from tests.fakes.openai.audio import NOBODY
from tests.fakes.openai.faults import NO_QUOTA, RATE_LIMITED, UNAVAILABLE
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.recordings import silence, wav_of
from tests.fakes.script import HttpFault, Reply, Silence, Step

AT = datetime(2026, 11, 20, tzinfo=UTC)
PRICE = Pricing(GenaiPrices({"openai": "openai", "groq": "groq"}))
NOTE = silence(12.0)


def at(fake: FakeOpenAI, row: TranscriptionRow, *, key: str | None = None, timeout_s: float = 5.0) -> Connection:
    return connection(row.model.ref.provider, fake.url, key or fake.key, read_timeout_s=timeout_s)


async def heard(
    fake: FakeOpenAI, row: TranscriptionRow, content: bytes = NOTE, media_type: str = "audio/ogg", **facts: float | None
) -> Transcript:
    transcriber = OpenAITranscriber(at(fake, row), row)
    try:
        return await transcriber.transcribe(content, media_type, duration_s=facts.get("duration_s"))
    finally:
        await transcriber.aclose()


async def refusal(fake: FakeOpenAI, row: TranscriptionRow, *steps: Step, timeout_s: float = 5.0) -> ProviderError:
    fake.script(*steps)
    transcriber = OpenAITranscriber(at(fake, row, timeout_s=timeout_s), row)
    with pytest.raises(ProviderError) as caught:
        await transcriber.transcribe(NOTE, "audio/ogg", duration_s=None)
    await transcriber.aclose()
    return caught.value


async def test_openai_gets_the_file_and_little_else_and_tells_the_seconds() -> None:
    async with FakeOpenAI() as fake:
        fake.script(Reply(text=" Good morning. "))
        transcript = await heard(fake, OPENAI)

    (request,) = fake.requests
    assert request.path == "/v1/audio/transcriptions"
    assert request.body == {"model": "gpt-transcribe", "response_format": "json"}
    assert list(request.files) == ["file"]
    sent = request.files["file"]
    assert (sent.name, sent.media_type, sent.content) == ("recording.ogg", "audio/ogg", NOTE)
    assert not {"openai-organization", "openai-project"} & request.headers.keys()
    assert transcript == Transcript(text="Good morning.", usage=Usage(input_tokens=0, output_tokens=0, audio_s=12.0))


async def test_groq_is_asked_for_the_length_because_it_tells_no_usage() -> None:
    async with FakeOpenAI(dialect=dialect.GROQ) as fake:
        transcript = await heard(fake, GROQ)

    assert fake.requests[0].body == {"model": "whisper-large-v3-turbo", "response_format": "verbose_json"}
    assert transcript.usage.audio_s == 12.0
    assert not transcript.estimated


async def test_groq_bills_ten_seconds_at_least() -> None:
    async with FakeOpenAI(dialect=dialect.GROQ) as fake:
        transcript = await heard(fake, GROQ, silence(1.5))

    cost = PRICE(transcript.usage, GROQ.model, AT, estimated=False)
    assert transcript.usage.audio_s == 10.0
    assert (cost.nano_usd, cost.certainty) == (111_111, Certainty.EXACT)


async def test_a_hour_at_openai_costs_what_the_price_list_says() -> None:
    async with FakeOpenAI() as fake:
        transcript = await heard(fake, OPENAI, silence(3_600.0))

    cost = PRICE(transcript.usage, OPENAI.model, AT, estimated=transcript.estimated)
    assert (cost.nano_usd, cost.certainty) == (270_000_000, Certainty.EXACT)


async def test_tokens_are_taken_as_reported() -> None:
    row = TranscriptionRow(model=OPENAI.model.__class__(ref=OPENAI.model.ref.parse("openai/gpt-4o-transcribe")))  # type: ignore[arg-type]  # it is one
    async with FakeOpenAI() as fake:
        fake.script(Reply(text="Good morning."))
        transcript = await heard(fake, row)

    assert transcript.usage == Usage(input_tokens=120, output_tokens=4, audio_tokens=120)


async def test_a_server_that_tells_nothing_is_counted_by_the_recording_itself() -> None:
    async with FakeOpenAI(dialect=dialect.COMPATIBLE) as fake:
        opus = await heard(fake, LOCAL, duration_s=3.0)
        sound = await heard(fake, LOCAL, wav_of(4.0), "audio/x-wav")
        told = await heard(fake, LOCAL, b"ID3" + bytes(8_000), "audio/mpeg", duration_s=7.0)
        untold = await heard(fake, LOCAL, b"ID3" + bytes(7_997), "audio/mpeg")

    assert [each.usage.audio_s for each in (opus, sound, told, untold)] == [12.0, 4.0, 7.0, 4.0]
    assert all(each.estimated for each in (opus, sound, told, untold))


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/ogg; codecs=opus", "recording.ogg"),
        ("audio/opus", "recording.ogg"),
        ("application/ogg", "recording.ogg"),
        ("AUDIO/OGG", "recording.ogg"),
    ],
)
async def test_ogg_goes_by_the_one_extension_that_is_taken(media_type: str, name: str) -> None:
    async with FakeOpenAI() as fake:
        await heard(fake, OPENAI, NOTE, media_type)

    assert fake.requests[0].files["file"].name == name


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"", "audio/ogg", None), (b"#!AMR", "audio/amr", None), (bytes(25 * 1024 * 1024 + 1), "audio/wav", 413)],
    ids=["empty", "unknown kind", "too large"],
)
async def test_what_nobody_takes_is_not_sent(content: bytes, media_type: str, status: int | None) -> None:
    async with FakeOpenAI() as fake:
        with pytest.raises(RequestRejected) as caught:
            await heard(fake, OPENAI, content, media_type)

    assert caught.value.status == status
    assert fake.requests == []


async def test_silence_is_no_text_whatever_whisper_makes_of_it() -> None:
    async with FakeOpenAI(dialect=dialect.GROQ) as fake:
        fake.script(Reply(text="Thank you.", reasoning=NOBODY))
        transcript = await heard(fake, GROQ)

    assert transcript.text == ""


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (RATE_LIMITED, RateLimited),
        (NO_QUOTA, QuotaExhausted),
        (UNAVAILABLE, ProviderUnavailable),
        (HttpFault(status=502, body="<html>bad gateway</html>"), ProviderUnavailable),
        (HttpFault(status=200, body="not json"), ProviderUnavailable),
        (HttpFault(status=200, body={"words": []}), ProviderUnavailable),
        (HttpFault(status=200, body={"text": "x", "usage": {"seconds": -1}}), ProviderUnavailable),
        (HttpFault(status=400, body={"error": {"message": "secret text", "code": "invalid_value"}}), RequestRejected),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_failures_are_ours_by_status_and_code(fault: HttpFault, kind: type[ProviderError]) -> None:
    async with FakeOpenAI() as fake:
        error = await refusal(fake, OPENAI, fault)

    assert type(error) is kind
    assert "secret" not in str(error)


async def test_a_time_to_wait_is_kept() -> None:
    async with FakeOpenAI() as fake:
        error = await refusal(fake, OPENAI, RATE_LIMITED)

    assert (error.retry_after_s, error.provider, error.status) == (2.0, "openai", 429)


async def test_a_wrong_key_and_an_unknown_model_are_told_apart() -> None:
    unknown = TranscriptionRow(model=LOCAL.model)
    async with FakeOpenAI() as fake:
        missing = await refusal(fake, unknown)
        transcriber = OpenAITranscriber(at(fake, OPENAI, key="sk-wrong-key"), OPENAI)
        with pytest.raises(AuthenticationFailed) as caught:
            await transcriber.transcribe(NOTE, "audio/ogg", duration_s=None)
        await transcriber.aclose()

    assert type(missing) is ModelNotFound
    assert "sk-wrong" not in str(caught.value)


async def test_a_silent_server_and_one_that_is_down_end_the_wait() -> None:
    async with FakeOpenAI() as fake:
        silent = await refusal(fake, OPENAI, Silence(), timeout_s=0.1)
        async with fake.down():
            gone = await refusal(fake, OPENAI)

    assert [type(silent), type(gone)] == [ProviderUnavailable, ProviderUnavailable]


async def test_the_worst_case_never_believes_less_than_the_recording_shows() -> None:
    async with FakeOpenAI() as fake:
        transcriber = OpenAITranscriber(at(fake, OPENAI), OPENAI)
        most = [
            transcriber.worst_case(NOTE, None).audio_s,
            transcriber.worst_case(NOTE, 1.0).audio_s,
            transcriber.worst_case(b"ID3" + bytes(7_497), None).audio_s,
        ]
        await transcriber.aclose()

    assert most == [pytest.approx(12.14), pytest.approx(12.14), 10.0]
