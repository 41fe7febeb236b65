"""When a model does not answer: which errors let the next of the chain try, and how chains are written. Pure.

Knows neither health nor money: the turn asks the models of the chain one after the other.
"""

from collections.abc import Sequence

from bot.core.catalogue import ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    EmptyAnswer,
    ModelNotFound,
    ParleyError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
    UsageError,
    explain,
)

#: Longer chains would not come to their end within a turn.
MAX_FALLBACKS = 8
_OFF = "off"

#: Errors of the provider, not of the request: another one may do better.
_MOVING_ON = (
    AuthenticationFailed,
    EmptyAnswer,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
)


def moves_on(error: ParleyError) -> bool:
    """Whether the next model of the chain may answer after this error.

    To be asked only while nothing of the answer was shown: words that are out stay, whatever breaks after them.
    """
    return isinstance(error, _MOVING_ON)


def why(error: ParleyError) -> str:
    """A few words, for people, on why a model did not answer: `openai is not reachable right now`."""
    return explain(error, reference="").what.removesuffix(".")


def parse_fallback(text: str) -> tuple[str, ...]:
    """The names in `openai/x, anthropic/y`, each once; none for `off`. Raises UsageError with the right form."""
    if text.strip().lower() == _OFF:
        return ()
    refs = [ModelRef.parse(name) for name in text.replace("`", "").split(",") if name.strip()]
    names = tuple(dict.fromkeys(str(ref) for ref in refs if ref is not None))
    if None in refs or not names or any(len(name.split()) > 1 for name in names):
        raise UsageError("Name models as `provider/model`, with commas between them, or say `off`.")
    if len(names) > MAX_FALLBACKS:
        raise UsageError(f"{len(names)} models are too many; at most {MAX_FALLBACKS} are tried.")
    return names


def show_fallback(names: Sequence[str]) -> str:
    """`names` as `parse_fallback` reads them: the form in which they are stored and shown."""
    return ", ".join(names) or _OFF
