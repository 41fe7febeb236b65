"""Words in sound and sound in words: the ports to services that transcribe and speak.

Knows neither a service's wire nor a platform's voice messages.
"""

from dataclasses import dataclass
from typing import Protocol

from bot.core.catalogue import ModelInfo
from bot.core.events import Usage

#: The head of an Ogg page and the 19 bytes of `OpusHead`, with room for a longer table of channels.
_FIRST_PAGE_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said. `usage` is what the service reports, or the seconds that it bills by; `estimated`: our count."""

    text: str
    usage: Usage
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A recording, fit for a voice message. `waveform` are up to 256 loudness values of 0 to 255, for showing.

    Platforms play Ogg with Opus as a voice message, and anything else as a file.
    """

    content: bytes
    media_type: str
    name: str
    duration_s: float
    waveform: bytes = b""

    @property
    def is_ogg_opus(self) -> bool:
        """Whether it is Ogg with Opus, by its first page (RFC 7845, section 5.1)."""
        return self.content.startswith(b"OggS") and b"OpusHead" in self.content[:_FIRST_PAGE_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A text as a recording, and what it used as in Transcript."""

    voice: Voice
    usage: Usage
    estimated: bool = False


class Transcriber(Protocol):
    """One model that writes down what is said. Never retries."""

    @property
    def model(self) -> ModelInfo:
        """The model and its price."""
        ...

    def worst_case(self, content: bytes, duration_s: float | None) -> Usage:
        """The most that a call may be billed for; `duration_s` None: only the size is known."""
        ...

    async def transcribe(self, content: bytes, media_type: str, *, duration_s: float | None) -> Transcript:
        """Write a recording down, in the language that is spoken. Empty: nobody speaks. Raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Close the client's connections."""
        ...


class Speaker(Protocol):
    """One model that reads texts out. Never retries."""

    @property
    def model(self) -> ModelInfo:
        """The model and its price."""
        ...

    def worst_case(self, text: str) -> Usage:
        """The most that reading `text` out may be billed for."""
        ...

    async def speak(self, text: str) -> Spoken:
        """Read a text out (plain words, at most 4,000 characters). Raises ProviderError."""
        ...

    async def aclose(self) -> None:
        """Close the client's connections."""
        ...
