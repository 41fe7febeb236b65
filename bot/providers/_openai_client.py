"""The OpenAI SDK for all providers that use it: a client without retries, and its errors as ours.

Errors are told apart by type, status and code, once, here; by text only for servers that have nothing else.
What we say of an error is made of status and code: the API's own message may quote the request or the key.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import httpx2
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    OpenAIError,
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
from bot.providers._statuses import PASSING, TOO_LONG, in_stream, kind_of_status
from bot.providers.connection import Connection

#: All that a call and reading its stream can raise. The SDK builds its objects without looking at what the
#: server sent: broken JSON is a ValueError, JSON of another shape shows as the others when it is read.
WIRE_ERRORS = (OpenAIError, httpx2.HTTPError, ValueError, AttributeError, TypeError, KeyError)
_CACHE_KEY_CHARS = 64

_IMAGE_CODES = (
    "empty_image_file",
    "image_file_too_large",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "invalid_base64_image",
    "invalid_image",
    "invalid_image_format",
    "unsupported_image_media_type",
)
_BY_CODE: Mapping[str, type[ProviderError]] = {
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "context_length_exceeded": ContextTooLong,
    "model_not_found": ModelNotFound,
    "model_not_supported": ModelNotFound,  # Hugging Face's router, status 400
    "model_decommissioned": ModelNotFound,  # Groq, status 400
    "content_filter": ContentRefused,
    "content_policy_violation": ContentRefused,
    "image_content_policy_violation": ContentRefused,
    "bio_policy": ContentRefused,
    "misalignment_policy_violation": ContentRefused,
    "invalid_api_key": AuthenticationFailed,
    "invalid_prompt": RequestRejected,
    **dict.fromkeys(_IMAGE_CODES, RequestRejected),
    "rate_limit_exceeded": RateLimited,
}
#: Statuses whose code may say more than the status does; the others mean the same whatever the code is.
_CODED_STATUSES = frozenset({400, 404, 413, 422, 429})


def open_client(connection: Connection) -> AsyncOpenAI:
    """A client that never retries; it takes nothing from the environment but proxies."""
    client = AsyncOpenAI(
        # The SDK insists on a key and would look for one in the environment; servers without keys ignore it.
        api_key=connection.key.get_secret_value() if connection.key else "none",
        base_url=connection.base_url or "https://api.openai.com/v1",
        timeout=Timeout(connect=10.0, read=connection.read_timeout_s, write=60.0, pool=10.0),
        max_retries=0,
    )
    # The SDK fills these from OPENAI_ORG_ID and OPENAI_PROJECT_ID, for any server.
    client.organization = client.project = None
    return client


def translate_error(
    error: Exception, *, provider: str, now: datetime, begun: bool, by_text: bool = False
) -> ProviderError:
    """Our error for one of WIRE_ERRORS.

    `begun`: words of the answer were out already; what would pass with a new try is a broken stream then.
    `by_text`: the server has no code for a prompt that is too long.
    """
    match error:
        case APIStatusError():
            return _from_status(error, provider, now, by_text=by_text)
        case APITimeoutError() | TimeoutError():
            return unusable(provider, "no answer in time", begun=begun)
        case APIConnectionError() | httpx2.HTTPError():
            return unusable(provider, "the connection failed", begun=begun)
        case APIError():
            code = error.code or error.type
            return error_from_code(code, error.message if by_text else "", provider=provider, begun=begun)
        case _:
            return unusable(provider, f"nonsense instead of an answer ({type(error).__name__})", begun=begun)


def error_from_code(code: str | None, text: str = "", *, provider: str, begun: bool) -> ProviderError:
    """Our error for one that came inside a stream, after status 200.

    `text` is searched for a prompt that is too long; empty where the server has a code for that.
    """
    word = str(code)
    # OpenRouter gives the HTTP status of the server behind it.
    kind = _kind_of(int(word), None, None) if word.isdecimal() else _BY_CODE.get(word, ProviderUnavailable)
    if kind is ProviderUnavailable and TOO_LONG.search(text):
        kind = ContextTooLong
    return in_stream(kind, begun=begun)(f"an error in the stream: {plain_word(code)}", provider=provider)


def is_named(model: object) -> bool:
    """Whether an entry of a server's list is one: the SDK does not check that either."""
    return isinstance(getattr(model, "id", None), str)


def cache_key(text: str) -> str:
    """A cache key within the API's 64 characters, the same for the same text."""
    return text if len(text) <= _CACHE_KEY_CHARS else blake2b(text.encode(), digest_size=32).hexdigest()


def _from_status(error: APIStatusError, provider: str, now: datetime, *, by_text: bool) -> ProviderError:
    status, headers = error.status_code, error.response.headers
    code = error.code or error.type
    kind = _kind_of(status, error.code, error.type)
    if by_text and kind is RequestRejected and TOO_LONG.search(error.message):
        kind = ContextTooLong
    return kind(
        f"HTTP {status} {plain_word(code)}",
        provider=provider,
        status=status,
        retry_after_s=retry_after_s(headers, now) if issubclass(kind, PASSING) else None,
        reference=reference(error.request_id),
    )


def _kind_of(status: int, code: str | None, kind: str | None) -> type[ProviderError]:
    if status in _CODED_STATUSES:
        for word in (code, kind):
            known = _BY_CODE.get(str(word))
            # A 413 with the code of a rate limit is a request above the limit: no wait makes it smaller
            # (Groq).
            if known is not None and not (known is RateLimited and status != 429):
                return known
    return kind_of_status(status)
