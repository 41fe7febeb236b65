"""How much a call for sound uses, before it is made and where the service does not tell. Knows no wire.

All but characters is estimated. People and models read about three tokens of text in a second, whatever the script; a
second of speech is 20 to 25 tokens for the models of OpenAI and Google.
"""

import math

from bot.core.catalogue import ModelInfo
from bot.core.events import Usage
from bot.core.sound_models import TranscriptionRow
from bot.core.tokens import estimate_tokens
from bot.speech import ogg, wav

_SPEECH_TOKENS_PER_S = 25
#: The slowest reading, the most tokens a second, and what a tokenizer may count beyond our estimate.
_SLOWEST_TOKENS_PER_S = 2.0
_MOST_SPEECH_TOKENS_PER_S = 28
_TOKENS_FACTOR = 1.3
_EXTRA_TOKENS = 64
#: Bytes a second of a usual voice message, and of the thinnest sound that anybody records (Opus at 6 kbit/s).
_USUAL_BYTES_PER_S = 2_000
_FEWEST_BYTES_PER_S = 750


def counts_characters(model: ModelInfo) -> bool:
    """Whether the model's row says that it bills by the character."""
    return model.price is not None and model.price.credit is not None


def bills_hours(model: ModelInfo) -> bool:
    """Whether the model's row says that it bills by time."""
    return model.price is not None and model.price.audio_hour is not None


def characters_of(text: str) -> Usage:
    """What a text uses where characters are billed."""
    return Usage(input_tokens=0, output_tokens=0, credits=len(text))


def reading(model: ModelInfo, text: str, duration_s: float) -> Usage:
    """What reading a text out has probably used."""
    if counts_characters(model):
        return characters_of(text)
    return spoken_tokens(estimate_tokens(text), math.ceil(duration_s * _SPEECH_TOKENS_PER_S))


def reading_at_most(model: ModelInfo, text: str) -> Usage:
    """What reading a text out may use."""
    if counts_characters(model):
        return characters_of(text)
    tokens = math.ceil(estimate_tokens(text) * _TOKENS_FACTOR) + _EXTRA_TOKENS
    return spoken_tokens(tokens, math.ceil(tokens / _SLOWEST_TOKENS_PER_S * _MOST_SPEECH_TOKENS_PER_S))


def counted(number: object) -> int:
    """A count as a service told it. Raises ValueError for what is none."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError("not a count")
    return number


def spoken_tokens(input_tokens: int, output_tokens: int) -> Usage:
    """Text in and speech out. Raises ValueError for what are no counts."""
    input_tokens, output_tokens = counted(input_tokens), counted(output_tokens)
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, audio_output_tokens=output_tokens)


def billed_s(row: TranscriptionRow, duration_s: float) -> Usage:
    """What a recording of that length uses where time is billed. Raises ValueError for what is no length."""
    if not 0 <= duration_s < math.inf:
        raise ValueError("not a length")
    return Usage(input_tokens=0, output_tokens=0, audio_s=max(duration_s, row.least_s))


def likely_s(content: bytes, duration_s: float | None) -> float:
    """How long a recording probably is: what it says itself, what we were told, or what its size suggests."""
    opus = ogg.read_opus(content)
    known = wav.duration_s(content) if opus is None else opus.duration_s
    if known is not None:
        return known
    return len(content) / _USUAL_BYTES_PER_S if duration_s is None else duration_s


def most_s(content: bytes, duration_s: float | None) -> float:
    """How long a recording may be at most; what a platform tells of it is the sender's word and only adds to ours."""
    known = ogg.longest_s(content)
    known = wav.duration_s(content) if known is None else known
    if known is None:
        return len(content) / _FEWEST_BYTES_PER_S if duration_s is None else duration_s
    return max(known, duration_s or 0.0)
