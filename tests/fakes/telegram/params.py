"""Parameters of a request, whichever way they came: query string, form, multipart or JSON.

Like the real server: every value is a string, nested values are JSON in a string. Knows no method.
"""

import json
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.telegram.errors import bad_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The named values and files of one request."""

    values: dict[str, str]
    files: dict[str, Upload]

    def text(self, name: str) -> str:
        """Return the value, or an empty string: the server does not tell them apart."""
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0, low: int = -(2**62), high: int = 2**62) -> int:
        """Return the value clamped to [low, high]; what is no number counts as 0, as in td::to_integer."""
        raw = self.values.get(name)
        if raw is None:
            return default
        try:
            return min(max(int(raw), low), high)
        except ValueError:
            return min(max(0, low), high)

    def flag(self, name: str) -> bool:
        """Return whether the value is true, yes or 1."""
        return self.text(name).strip().lower() in ("true", "yes", "1")

    def decoded(self, name: str, what: str) -> object | None:
        """Return the JSON value, or None if it is absent; `what` names it in the error.

        Raises:
            ApiError: it is not JSON. For entities the real server ignores that silently; the fake does not.
        """
        raw = self.text(name)
        if not raw:
            return None
        try:
            value: object = json.loads(raw)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None
        return value


async def read_params(request: web.Request) -> Params:
    """Read the query string and the body of `request`."""
    values = {name: str(value) for name, value in request.query.items()}
    files: dict[str, Upload] = {}
    if request.content_type == "application/json":
        body = await request.text()
        try:
            given = json.loads(body) if body else {}
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise bad_request("can't parse request: object expected")
        for name, value in given.items():
            if value is not None:
                values[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Params(values=values, files=files)
    for name, part in (await request.post()).items():
        if isinstance(part, web.FileField):
            upload = Upload(name=part.filename, mime_type=part.content_type, data=part.file.read())
            files[name] = upload
        else:
            values[name] = part if isinstance(part, str) else bytes(part).decode()
    return Params(values=values, files=files)
