"""Errors in the form in which Google's APIs send them, and the refusal that a check raises."""

from collections.abc import Mapping, Sequence

from tests.fakes.script import HttpFault

_TYPE = "type.googleapis.com/google.rpc."
STATUSES: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_EXHAUSTED = "You exceeded your current quota, please check your plan and billing details."

Detail = Mapping[str, object]


def error_body(status: int, word: str, message: str, *details: Detail) -> dict[str, object]:
    """The error object; `word` is the canonical code's name."""
    error: dict[str, object] = {"code": status, "message": message, "status": word}
    return {"error": error | {"details": [dict(detail) for detail in details]} if details else error}


def fault(status: int, word: str, message: str, *details: Detail) -> HttpFault:
    """The same as an answer."""
    return HttpFault(status=status, body=error_body(status, word, message, *details))


def key_error(reason: str = "API_KEY_INVALID") -> Detail:
    """Why a key is refused."""
    metadata = {"service": "generativelanguage.googleapis.com"}
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}


def bad_request(description: str) -> Detail:
    """Which field is wrong."""
    return {"@type": f"{_TYPE}BadRequest", "fieldViolations": [{"description": description}]}


def retry_info(seconds: float) -> Detail:
    """When to come back."""
    return {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{seconds:g}s"}


def quota_failure(*quota_ids: str) -> Detail:
    """Which quotas were exceeded."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violations = [{"quotaMetric": metric, "quotaId": quota_id, "quotaValue": "10"} for quota_id in quota_ids]
    return {"@type": f"{_TYPE}QuotaFailure", "violations": violations}


PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


def rate_limited(seconds: float | None = None, quotas: Sequence[str] = (PER_MINUTE,)) -> HttpFault:
    """429; `seconds` None: it does not say when to come back."""
    told = () if seconds is None else (retry_info(seconds),)
    return fault(429, "RESOURCE_EXHAUSTED", _EXHAUSTED, quota_failure(*quotas), *told)


BAD_REQUEST = fault(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
TOO_LONG = fault(
    400, "INVALID_ARGUMENT", "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
)
WRONG_KEY = fault(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", key_error())
EXPIRED_KEY = fault(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", key_error())
NO_LOCATION = fault(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
NO_PERMISSION = fault(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support.")
NOT_FOUND = fault(404, "NOT_FOUND", "models/x is not found for API version v1, or is not supported.")
TOO_LARGE = fault(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 104857600 bytes.")
TIMEOUT = fault(408, "DEADLINE_EXCEEDED", "Request timed out.")
DAY_SPENT = rate_limited(33, (PER_MINUTE, PER_DAY))
NO_FREE_TIER = fault(
    429,
    "RESOURCE_EXHAUSTED",
    f"{_EXHAUSTED}\n* Quota exceeded for metric: generativelanguage.googleapis.com/"
    "generate_content_free_tier_requests, limit: 0, model: gemini-4-argon\nPlease retry in 10.67s.",
    retry_info(10.67),
)
NO_CREDIT = fault(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted. Please go to AI Studio.")
SPEND_CAP = fault(429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap.")
OVERLOADED = fault(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
INTERNAL = fault(500, "INTERNAL", "An internal error has occurred. Please retry.")
WEB_PAGE = HttpFault(
    status=502,
    body="<!DOCTYPE html><html><title>Error 502 (Server Error)!!1</title></html>",
    headers={"content-type": "text/html"},
)


class Refused(Exception):
    """The request is answered with an error; `body` goes out as it is."""

    def __init__(self, message: str, *details: Detail, status: int = 400, word: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(status, word, message, *details)
