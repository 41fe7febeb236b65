"""Ready-made HTTP faults with the bodies that the real API sends; every one is a plain value for `fake.script`."""

from tests.fakes.anthropic.refused import error_body
from tests.fakes.script import HttpFault


def fault(status: int, kind: str, message: str, code: str | None = None, **headers: str) -> HttpFault:
    """An error of the API; `headers` have `_` for `-`."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpFault(status=status, body=error_body(message, kind=kind, code=code), headers=names)


BAD_REQUEST = fault(400, "invalid_request_error", "messages: Input should be a valid list")
TOO_LONG = fault(400, "invalid_request_error", "prompt is too long: 1000042 tokens > 1000000 maximum")
NO_ROOM = fault(
    400,
    "invalid_request_error",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or "
    "`max_tokens` and try again",
)
FILTERED = fault(400, "invalid_request_error", "Output blocked by content filtering policy")
NO_CREDIT = fault(
    400,
    "invalid_request_error",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase "
    "credits.",
)
OWN_LIMIT = fault(
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
)
UNAUTHORIZED = fault(401, "authentication_error", "invalid x-api-key")
UNPAID = fault(402, "billing_error", "There is an issue with your billing or payment information.")
FORBIDDEN = fault(403, "permission_error", "Your API key does not have permission to use the specified resource.")
NOT_FOUND = fault(404, "not_found_error", "model: claude-2")
CONFLICT = fault(409, "conflict_error", "The request conflicts with the current state of the resource.")
TOO_LARGE = fault(413, "request_too_large", "Request exceeds the maximum allowed number of bytes.")
RATE_LIMITED = fault(
    429,
    "rate_limit_error",
    "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
)
RAMP = fault(429, "rate_limit_error", "Too fast an increase of usage.", "ramp_limit_exceeded", retry_after="12")
SPENT = fault(429, "rate_limit_error", "Monthly threshold of your tier crossed.", "enforced_spend_limit_reached")
CONTRACT_SPENT = fault(429, "rate_limit_error", "Spend limit of your contract.", "contract_spend_limit_reached")
SERVER_ERROR = fault(500, "api_error", "Internal server error")
BAD_GATEWAY = HttpFault(
    status=502,
    body="<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>",
    headers={"content-type": "text/html"},
)
TIMEOUT = fault(504, "timeout_error", "The request timed out while processing.")
OVERLOADED = fault(529, "overloaded_error", "Overloaded")
