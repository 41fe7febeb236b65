"""The catalogue's sections about sound: what ships is sound and has a price, what the operator writes is merged."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.catalogue_file import load_catalogue, load_sound_models, parse_rows
from bot.core.catalogue import ModelInfo, ModelRef, Price
from bot.core.errors import SettingsError
from bot.core.events import Usage
from bot.core.ledger import Billed, Certainty, Rate
from bot.core.pricing import Pricing
from bot.core.sound_models import SoundFormat, SpeechRow, TranscriptionRow
from bot.providers.prices import GenaiPrices
from bot.speech import SERVICES

AT = datetime(2026, 11, 20, tzinfo=UTC)
PRICE = Pricing(GenaiPrices({"openai": "openai", "groq": "groq", "gemini": "google"}))
SHIPPED = load_sound_models(None)
HOUR = Usage(input_tokens=0, output_tokens=0, audio_s=3_600.0)


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_model_is_of_a_service_that_can_do_it() -> None:
    hearing = {each.name for each in SERVICES if each.transcribes}
    speaking = {each.name for each in SERVICES}

    assert {row.model.ref.provider for row in SHIPPED.transcription} <= hearing
    assert {row.model.ref.provider for row in SHIPPED.speech} <= speaking


@pytest.mark.parametrize("row", SHIPPED.transcription, ids=lambda row: str(row.model.ref))
def test_an_hour_of_every_shipped_model_has_a_price(row: TranscriptionRow) -> None:
    cost = PRICE(HOUR, row.model, AT, estimated=False)

    assert cost.nano_usd is not None
    assert 0 < cost.nano_usd < 10**9


@pytest.mark.parametrize("row", SHIPPED.speech, ids=lambda row: str(row.model.ref))
def test_every_shipped_voice_has_a_price(row: SpeechRow) -> None:
    model = row.model
    characters = Usage(input_tokens=0, output_tokens=0, credits=1_000)
    tokens = Usage(input_tokens=200, output_tokens=1_500, audio_output_tokens=1_500)
    cost = PRICE(tokens if model.price is None else characters, model, AT, estimated=False)

    assert cost.nano_usd is not None
    assert 0 < cost.nano_usd < 10**8
    assert cost.certainty is Certainty.EXACT


def test_models_of_openai_that_speak_are_known_to_end() -> None:
    ends = {row.model.retires for row in SHIPPED.speech if row.model.ref.provider == "openai"}

    assert ends == {date(2027, 1, 6)}


def test_sections_for_sound_are_no_models_of_conversations() -> None:
    refs = {str(row.ref) for row in load_catalogue(None)}

    assert not refs & {str(row.model.ref) for row in SHIPPED.transcription}
    assert not refs & {str(row.model.ref) for row in SHIPPED.speech}
    assert parse_rows("speech:\n  a/b: {voice: x}\n", file="mine.yaml") == ()


def test_the_operators_file_is_merged_field_by_field(tmp_path: Path) -> None:
    text = """
transcription:
  groq/whisper-large-v3-turbo:
    price: {hour: 0.05, as_of: 2026-11-01}
  home/whisper:
    price: {hour: 0}
    least_s: 2.5
speech:
  openai/gpt-4o-mini-tts:
    voice: coral
  home/kokoro:
    voice: af_heart
    format: wav
    price: {characters: 2}
"""
    rows = load_sound_models(own(tmp_path, text))

    groq, *_, home = rows.transcription
    openai, *_, kokoro = rows.speech
    assert (groq.timed, groq.least_s, groq.model.name) == (True, 10.0, "Whisper large v3 turbo on Groq")
    assert groq.model.price == Price(input="0", output="0", audio_hour="0.05", as_of=date(2026, 11, 1))
    assert (str(home.model.ref), home.timed, home.least_s) == ("home/whisper", False, 2.5)
    assert (openai.voice, openai.events, openai.format) == ("coral", True, SoundFormat.OPUS)
    assert (kokoro.voice, kokoro.format, kokoro.events) == ("af_heart", SoundFormat.WAV, False)
    assert kokoro.model.price == Price(input="0", output="0", credit="0.000002")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("{price: {hour: -1}}", "mine.yaml:2: a/b: price.hour: Input should be greater than or equal to 0"),
        ("{price: {hour: 1, characters: 2}}", "mine.yaml:2: a/b: price: expected one of `hour`, `characters`"),
        ("{price: {input: 1}}", "mine.yaml:2: a/b: price: expected one of"),
        ("{price: {as_of: 2026-11-01}}", "mine.yaml:2: a/b: price: expected one of"),
        ("{voice: 'a\"b'}", "mine.yaml:2: a/b: voice: "),
        ("{format: mp3}", "mine.yaml:2: a/b: format: "),
        ("{window_tokens: 1}", "mine.yaml:2: a/b: window_tokens: there is no such field"),
    ],
)
def test_a_bad_row_is_told_with_its_place(row: str, line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_rows(f"speech:\n  a/b: {row}\n", file="mine.yaml")

    assert caught.value.lines[0].startswith(line)


def priced(**rates: str) -> ModelInfo:
    return ModelInfo(ref=ModelRef("home", "ears"), price=Price(input="0", output="0", **rates))  # type: ignore[arg-type]  # rates are texts


def test_an_hour_costs_what_the_row_says() -> None:
    cost = Pricing()(
        Usage(input_tokens=0, output_tokens=0, audio_s=90.5), priced(audio_hour="0.36"), AT, estimated=False
    )

    assert (cost.nano_usd, cost.certainty) == (9_050_000, Certainty.EXACT)
    assert cost.rates == (Rate(billed=Billed.AUDIO_HOUR, nano_usd=360_000_000),)


def test_sound_without_a_rate_is_unknown_unless_everything_is_free() -> None:
    free, by_credit = priced(), priced(credit="0.01")

    assert Pricing()(HOUR, free, AT, estimated=False).nano_usd == 0
    assert Pricing()(HOUR, by_credit, AT, estimated=False).nano_usd is None
    assert Pricing()(HOUR, priced(audio_hour="0"), AT, estimated=False).nano_usd == 0
