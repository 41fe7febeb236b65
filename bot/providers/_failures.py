"""What providers say of a failed call, whichever SDK raised it: the words that may be logged, and how long to wait.

Knows no SDK. A server's own text never gets through here: it may quote the request or the key.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.core.errors import ProviderError, ProviderUnavailable, StreamBroken

_PLAIN_WORD = re.compile(r"[\w.\-\[\]]{1,64}")


def unusable(provider: str, what: str, *, begun: bool) -> ProviderError:
    """There is no answer, or (`begun`: words of it were out already) no end of it."""
    kind = StreamBroken if begun else ProviderUnavailable
    return kind(what, provider=provider)


def cut_off(provider: str, *, begun: bool) -> ProviderError:
    """The stream is over without having said that it is."""
    return unusable(provider, "the stream ended without its end", begun=begun)


def plain_word(code: object) -> str:
    """A server's code fit for a log; anything that is not one short word is left out."""
    text = str(code)
    return text if code is not None and _PLAIN_WORD.fullmatch(text) else "without a code"


def reference(request_id: str | None) -> str | None:
    """The provider's request id; None where it is not one short word."""
    return request_id if request_id and _PLAIN_WORD.fullmatch(request_id) else None


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait from `retry-after-ms` or `retry-after` (seconds or an HTTP date); None: not told."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    return None if text is None else _seconds_until(text, now)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number == number and abs(number) < float("inf") else None


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
