"""The Anthropic SDK: a client without retries, and its errors as ours.

Errors are told apart by status, type and code; by text only where the API has nothing else. What we say of an error
is made of status and code: the API's own message may quote the request or the key.
"""

import re
from collections.abc import Mapping
from datetime import datetime

import httpx2
from anthropic import (
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
    Timeout,
)

from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)
from bot.providers._failures import plain_word, reference, retry_after_s, unusable
from bot.providers._statuses import PASSING, in_stream, kind_of_status
from bot.providers.connection import Connection

#: All that a call and reading its stream can raise. A connection that breaks in mid-stream comes as httpx2 raised it;
#: broken JSON is a ValueError, JSON of another shape shows as the others when it is read.
WIRE_ERRORS = (AnthropicError, httpx2.HTTPError, ValueError, AttributeError, TypeError, LookupError)

#: `error.details.error_code`: it says more than status and type.
_BY_CODE: Mapping[str, type[ProviderError]] = {
    "contract_spend_limit_reached": QuotaExhausted,
    "enforced_spend_limit_reached": QuotaExhausted,
    "linked_organization_billing_unavailable": QuotaExhausted,
    "linked_organization_spend_limit_reached": QuotaExhausted,
    "organization_on_hold": AuthenticationFailed,
}
#: For errors inside a stream, which have status 200. A type that is not here is taken for a fault of theirs.
_BY_TYPE: Mapping[str, type[ProviderError]] = {
    "authentication_error": AuthenticationFailed,
    "billing_error": QuotaExhausted,
    "invalid_request_error": RequestRejected,
    "not_found_error": ModelNotFound,
    "permission_error": AuthenticationFailed,
    "rate_limit_error": RateLimited,
    "request_too_large": RequestRejected,
}
#: These have no code and share their type with everything else that is wrong with a request.
_BY_TEXT: tuple[tuple[re.Pattern[str], type[ProviderError]], ...] = (
    (
        re.compile(r"prompt is too long|exceeds? (the )?(model's )?context (limit|window)", re.IGNORECASE),
        ContextTooLong,
    ),
    (re.compile(r"credit balance is too low|API usage limits|spend limit", re.IGNORECASE), QuotaExhausted),
    (re.compile(r"blocked by content filtering", re.IGNORECASE), ContentRefused),
)


def open_client(connection: Connection) -> AsyncAnthropic:
    """A client that never retries; it takes nothing from the environment but proxies."""
    client = AsyncAnthropic(
        # With a key given the SDK looks for no other one: not in the environment, not in its own files.
        api_key=connection.key.get_secret_value() if connection.key else "none",
        # The SDK's paths begin with /v1 themselves.
        base_url=(connection.base_url or "https://api.anthropic.com").removesuffix("/v1"),
        timeout=Timeout(connect=10.0, read=connection.read_timeout_s, write=60.0, pool=10.0),
        max_retries=0,
        open_telemetry=False,
    )
    # The SDK fills these from ANTHROPIC_CUSTOM_HEADERS.
    client._custom_headers = {}
    return client


def translate_error(error: Exception, *, provider: str, now: datetime, begun: bool) -> ProviderError:
    """Our error for one of WIRE_ERRORS.

    `begun`: words of the answer were out already; what would pass with a new try is a broken stream then.
    """
    match error:
        case APIStatusError():
            return _from_status(error, provider, now, begun=begun)
        case APITimeoutError() | httpx2.TimeoutException() | TimeoutError():
            return unusable(provider, "no answer in time", begun=begun)
        case APIConnectionError() | httpx2.HTTPError():
            return unusable(provider, "the connection failed", begun=begun)
        case _:
            return unusable(provider, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)


def _from_status(error: APIStatusError, provider: str, now: datetime, *, begun: bool) -> ProviderError:
    streamed = error.status_code < 400
    kind = _kind_of(error, streamed=streamed)
    word = plain_word(error.error_code or error.type)
    waits = issubclass(kind, PASSING) and not streamed
    return (in_stream(kind, begun=begun) if streamed else kind)(
        f"an error in the stream: {word}" if streamed else f"HTTP {error.status_code} {word}",
        provider=provider,
        status=None if streamed else error.status_code,
        retry_after_s=retry_after_s(error.response.headers, now) if waits else None,
        reference=reference(error.request_id),
    )


def _kind_of(error: APIStatusError, *, streamed: bool) -> type[ProviderError]:
    if (known := _BY_CODE.get(str(error.error_code))) is not None:
        return known
    by_type = _BY_TYPE.get(str(error.type), ProviderUnavailable)
    kind = by_type if streamed else kind_of_status(error.status_code)
    text = error.api_message
    if kind is RequestRejected and isinstance(text, str):
        return next((meant for words, meant in _BY_TEXT if words.search(text)), kind)
    return kind
