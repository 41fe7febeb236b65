"""Services for sound in memory: they hear and say what they are told to, and count by the second."""

from dataclasses import dataclass, field

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ProviderError
from bot.core.events import Usage
from bot.core.sound import Spoken, Transcript, Voice


@dataclass(slots=True)
class ScriptedTranscriber:
    """Hears `said` in everything, or fails."""

    said: str = "Hello there"
    failure: ProviderError | None = None
    heard: list[bytes] = field(default_factory=list)
    model: ModelInfo = field(default_factory=lambda: ModelInfo(ref=ModelRef("alpha", "ears")))

    def worst_case(self, content: bytes, duration_s: float | None) -> Usage:
        return Usage(input_tokens=1_000, output_tokens=0)

    async def transcribe(self, content: bytes, media_type: str, *, duration_s: float | None) -> Transcript:
        self.heard.append(content)
        if self.failure is not None:
            raise self.failure
        return Transcript(text=self.said, usage=Usage(input_tokens=100, output_tokens=0))

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class ScriptedSpeaker:
    """Says everything as the same two seconds of sound."""

    spoken: list[str] = field(default_factory=list)
    model: ModelInfo = field(default_factory=lambda: ModelInfo(ref=ModelRef("alpha", "mouth")))

    def worst_case(self, text: str) -> Usage:
        return Usage(input_tokens=len(text), output_tokens=1_000)

    async def speak(self, text: str) -> Spoken:
        self.spoken.append(text)
        voice = Voice(content=b"OggS", media_type="audio/ogg", name="answer.ogg", duration_s=2.0, waveform=b"\x10\x20")
        return Spoken(voice=voice, usage=Usage(input_tokens=len(text), output_tokens=50))

    async def aclose(self) -> None:
        """Nothing is open."""
