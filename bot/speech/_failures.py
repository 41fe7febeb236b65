"""What a refusal of a service means, by status and code. Knows no SDK.

A service's own text never gets through here: it may quote the request or the key.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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

#: What is sent and taken at most: the limit of OpenAI and Groq for recordings.
MAX_BYTES = 25 * 1024 * 1024
_WORD = re.compile(r"[\w.\-]{1,64}")
_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: ProviderUnavailable,
    409: ProviderUnavailable,
    425: ProviderUnavailable,
    429: RateLimited,
    499: ProviderUnavailable,
}
#: Codes that say more than their status does.
_BY_CODE: Mapping[tuple[int, str], type[ProviderError]] = {
    (429, "insufficient_quota"): QuotaExhausted,
    (429, "billing_hard_limit_reached"): QuotaExhausted,
    (400, "model_not_found"): ModelNotFound,
    (400, "model_decommissioned"): ModelNotFound,  # Groq
    (400, "invalid_api_key"): AuthenticationFailed,
    (400, "API_KEY_INVALID"): AuthenticationFailed,  # Gemini
    (400, "API_KEY_EXPIRED"): AuthenticationFailed,
    (400, "FAILED_PRECONDITION"): AuthenticationFailed,  # Gemini: not from here without paying
    (400, "content_policy_violation"): ContentRefused,
}
_PASSING = (RateLimited, ProviderUnavailable)


def refused(
    status: int,
    code: object,
    headers: Mapping[str, str],
    *,
    provider: str,
    now: datetime,
    reference: str | None = None,
) -> ProviderError:
    """Our error for an answer that is none. `code` is the service's word for it, of any type, None: it has none."""
    word = str(code) if isinstance(code, str) and _WORD.fullmatch(code) else "without a code"
    kind = _BY_CODE.get((status, word)) or _BY_STATUS.get(status)
    kind = kind or (ProviderUnavailable if status >= 500 else RequestRejected)
    return kind(
        f"HTTP {status} {word}",
        provider=provider,
        status=status,
        retry_after_s=retry_after_s(headers, now) if issubclass(kind, _PASSING) else None,
        reference=reference if reference and _WORD.fullmatch(reference) else None,
    )


def unusable(provider: str, what: str, *, begun: bool = False) -> ProviderError:
    """No answer came; `begun`: it had begun to, so that it is probably billed."""
    kind = StreamBroken if begun else ProviderUnavailable
    return kind(what, provider=provider)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait from `retry-after` (seconds or an HTTP date); None: not told."""
    text = headers.get("retry-after", "")
    try:
        return max(0.0, float(text)) if text.replace(".", "", 1).isdigit() else _seconds_until(text, now)
    except ValueError:
        return None


def _seconds_until(text: str, now: datetime) -> float | None:
    when = parsedate_to_datetime(text)
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())
