"""Ready-made HTTP faults with the bodies real servers send; every one is a plain value for `fake.script`."""

from tests.fakes.openai.script import HttpFault


def error_body(message: str, *, kind: str, code: str | None = None, param: str | None = None) -> dict[str, object]:
    """OpenAI's error object."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _fault(status: int, message: str, kind: str, code: str | None = None, **headers: str) -> HttpFault:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpFault(status=status, body=error_body(message, kind=kind, code=code), headers=names)


def rate_limited(retry_after: str | None = "2") -> HttpFault:
    """429; `retry_after` is the header's text (seconds or an HTTP date), None sends no header."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    body = error_body(
        "Rate limit reached for gpt-6-luna on tokens per min (TPM).",
        kind="tokens",
        code="rate_limit_exceeded",
    )
    return HttpFault(status=429, body=body, headers=headers)


CONTEXT_LENGTH = _fault(
    400,
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "invalid_request_error",
    "context_length_exceeded",
)
UNAUTHORIZED = _fault(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
PAYMENT_REQUIRED = HttpFault(
    status=402, body={"error": "You have depleted your monthly included credits."}
)  # Hugging Face: `error` is a string
FORBIDDEN = _fault(403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country")
NOT_FOUND = _fault(404, "The model does not exist.", "invalid_request_error", "model_not_found")
REQUEST_TIMEOUT = _fault(408, "Request timed out.", "timeout")
TOO_LARGE = _fault(413, "Request Entity Too Large", "invalid_request_error", "request_too_large")
RATE_LIMITED = rate_limited()
RATE_LIMITED_BARE = rate_limited(None)
NO_QUOTA = _fault(
    429,
    "You exceeded your current quota, please check your plan.",
    "insufficient_quota",
    "insufficient_quota",
)
SERVER_ERROR = _fault(500, "The server had an error while processing your request.", "server_error")
BAD_GATEWAY = HttpFault(
    status=502,
    body="<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>",
    headers={"content-type": "text/html"},
)
UNAVAILABLE = _fault(503, "The engine is currently overloaded.", "service_unavailable", retry_after="1")
OVERLOADED = _fault(529, "Overloaded", "overloaded_error")

HTTP_FAULTS = (
    CONTEXT_LENGTH,
    UNAUTHORIZED,
    PAYMENT_REQUIRED,
    FORBIDDEN,
    NOT_FOUND,
    REQUEST_TIMEOUT,
    TOO_LARGE,
    RATE_LIMITED,
    RATE_LIMITED_BARE,
    NO_QUOTA,
    SERVER_ERROR,
    BAD_GATEWAY,
    UNAVAILABLE,
    OVERLOADED,
)
