"""What the tests of the services share: connections to fakes, and the rows of the shipped catalogue by name."""

from pydantic import SecretStr

from bot.catalogue_file import load_sound_models
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.sound_models import SpeechRow, TranscriptionRow
from bot.speech.service import Connection
from tests.fakes.clock import ManualClock

ROWS = load_sound_models(None)
HEARING = {str(row.model.ref): row for row in ROWS.transcription}
SPEAKING = {str(row.model.ref): row for row in ROWS.speech}
GROQ = HEARING["groq/whisper-large-v3-turbo"]
OPENAI = HEARING["openai/gpt-transcribe"]
EVENTS = SPEAKING["openai/gpt-4o-mini-tts"]
LITE = SPEAKING["gemini/gemini-3.8-flash-lite-tts"]
LOCAL = TranscriptionRow(model=ModelInfo(ref=ModelRef("compatible", "whisper-local")))
KOKORO = SpeechRow(model=ModelInfo(ref=ModelRef("compatible", "kokoro")))


def connection(name: str, base_url: str, key: str | None, *, read_timeout_s: float = 5.0) -> Connection:
    """As the registry's row would make it."""
    return Connection(
        name=name,
        base_url=base_url,
        key=None if key is None else SecretStr(key),
        clock=ManualClock(),
        read_timeout_s=read_timeout_s,
    )
