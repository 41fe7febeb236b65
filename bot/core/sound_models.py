"""Rows of the catalogue about sound: which models write down what is said, and which read texts out. Values only.

Reads no file and knows no service.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.catalogue import ModelInfo

#: A voice that OpenAI's models and most servers like them have.
DEFAULT_VOICE = "alloy"


class SoundFormat(StrEnum):
    """How a model gives its sound. `OPUS` in an Ogg file is what platforms play as a voice message, `WAV` is a file."""

    OPUS = "opus"
    WAV = "wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRow:
    """A model that transcribes.

    `timed`: it is asked for the long form of its answer (`verbose_json`), which tells how long the recording is.
    `least_s` are the seconds that are billed at least for each recording.
    """

    model: ModelInfo
    timed: bool = False
    least_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRow:
    """A model that speaks with `voice`, unless the operator sets another.

    `events`: it is asked for its sound in events, the last of which tells what was used. One whose price counts
    credits is billed by the character: each is one.
    """

    model: ModelInfo
    voice: str = DEFAULT_VOICE
    format: SoundFormat = SoundFormat.OPUS
    events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundModels:
    """All rows, the first of each being the choice of whoever made none, where its service has a key."""

    transcription: tuple[TranscriptionRow, ...] = ()
    speech: tuple[SpeechRow, ...] = ()
