"""The one error of the fake: an answer of the Bot API with ok = false."""

from tests.fakes.telegram.model import JsonObject


class ApiError(Exception):
    """Becomes an answer with ok = false; `code` is the HTTP status too, `parameters` a ResponseParameters."""

    def __init__(self, code: int, description: str, parameters: JsonObject | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(reason: str) -> ApiError:
    """Return the 400 for `reason`, which is given in lower case as the server prints it."""
    return ApiError(400, f"Bad Request: {reason}")


def too_many_requests(retry_after_s: int) -> ApiError:
    """Return the 429 for a wait of `retry_after_s` seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after_s}", {"retry_after": retry_after_s})
