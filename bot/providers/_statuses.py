"""What HTTP statuses mean for a call of a model, and which failures pass by themselves. Imports no SDK."""

import re
from collections.abc import Mapping

from bot.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)

#: How long a server may take to list its models.
LIST_TIMEOUT_S = 10.0
#: What passes by itself: a new try makes sense, and a time to wait may be told.
PASSING = (RateLimited, ProviderUnavailable)
#: A prompt that is too long, in the words of servers that have no code for it.
TOO_LONG = re.compile(
    r"context (length|window|size)|maximum context|prompt is too long|too many (input )?tokens|n_ctx"
    r"|tokens? exceeds?|longer than the (model|maximum)",
    re.IGNORECASE,
)
_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: ProviderUnavailable,
    409: ProviderUnavailable,
    425: ProviderUnavailable,
    429: RateLimited,
}


def kind_of_status(status: int) -> type[ProviderError]:
    """What a status means where nothing else says more."""
    return _BY_STATUS.get(status, ProviderUnavailable if status >= 500 else RequestRejected)


def in_stream(kind: type[ProviderError], *, begun: bool) -> type[ProviderError]:
    """What an error inside of a stream is: with words out (`begun`), what would pass is a broken stream."""
    return StreamBroken if begun and issubclass(kind, PASSING) else kind
