"""The refusal that a check raises, and the API's error object. Messages follow the API's own."""

from collections.abc import Collection, Mapping
from typing import Any

REQUEST_ID = "req_011CSHoEeqs5C35K2UUqR7Fy"


def error_body(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, object]:
    """The error object; `code` is in its details."""
    error: dict[str, object] = {"type": kind, "message": message}
    if code is not None:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": REQUEST_ID}


class Refused(Exception):
    """The request is answered with an error; `status` and `body` go out as they are."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, kind=kind)


def check_known(fields: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    """Refuse the first field that the API does not have."""
    for name in fields:
        if name not in known:
            raise Refused(f"{where}{name}: Extra inputs are not permitted")


def check_required(fields: Mapping[str, Any], names: Collection[str], where: str = "") -> None:
    """Refuse the first field that is missing."""
    for name in names:
        if fields.get(name) is None:
            raise Refused(f"{where}{name}: Field required")


def as_object(value: object, where: str) -> Mapping[str, Any]:
    """A JSON object, or a refusal."""
    if not isinstance(value, dict):
        raise Refused(f"{where}: Input should be a valid dictionary")
    return value


def as_list(value: object, where: str) -> list[Any]:
    """A JSON array, or a refusal."""
    if not isinstance(value, list):
        raise Refused(f"{where}: Input should be a valid list")
    return value
