"""What every fake of a model API can do, whatever its wire: be told what to say, and tell what it was asked.

The steps that it is told are in `tests.fakes.script`. What is right on a wire and how it looks there belongs to the
fake's own package.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from tests.fakes.script import Step


class Trouble(StrEnum):
    """What can be wrong with a call, in the words of nobody's API."""

    BAD_REQUEST = "bad_request"
    CONTEXT_TOO_LONG = "context_too_long"
    FILTERED = "filtered"
    WRONG_KEY = "wrong_key"
    NO_PERMISSION = "no_permission"
    NO_MONEY = "no_money"
    NO_SUCH_MODEL = "no_such_model"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    WEB_PAGE = "web_page"  # HTML of a proxy, status 502


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of the history as it went out.

    `role` is user, assistant or tool whatever the API calls it. `text` is all text of it, `files` are the decoded
    contents of images and documents, `calls` the names of the tools called, `results` what tools answered.
    """

    role: str
    text: str = ""
    files: tuple[bytes, ...] = ()
    calls: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request for an answer, read without its wire; None: the request does not say.

    `json`: held to JSON by the API (not only asked in words), `schema`: to JSON of that form. `body` is the raw
    JSON and `headers` have lower-case names, for tests of one wire.
    """

    model: str
    system: str = ""
    said: tuple[Said, ...] = ()
    tools: tuple[str, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    effort: str | None = None
    json: bool = False
    schema: Mapping[str, Any] | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """The keys of the body; those inside of an object as `key.inner`, one level deep."""
        return frozenset(name for key, value in self.body.items() for name in _paths(key, value))


class ModelServer(Protocol):
    """A fake of one model API on loopback, running.

    Without a step it answers `You said: <text of the newest user message>`. It refuses what the real one refuses, and
    a refused request uses up no step.
    """

    @property
    def base_url(self) -> str:
        """What the provider's `Connection` gets; as an operator would write it."""
        ...

    @property
    def key(self) -> str:
        """The right key."""
        ...

    @property
    def asked(self) -> Sequence[Asked]:
        """Requests for an answer in order of arrival, refused ones included."""
        ...

    @property
    def left_early(self) -> int:
        """How many clients hung up before their answer was complete."""
        ...

    @property
    def connections(self) -> int:
        """How many connections have been opened so far to ask a model."""
        ...

    def script(self, *steps: Step) -> None:
        """Queue what the next calls get."""
        ...

    async def wait_for(self, predicate: Callable[[], bool], deadline_s: float = 5.0) -> None:
        """Return as soon as the predicate holds. Raises TimeoutError."""
        ...

    def down(self) -> AbstractAsyncContextManager[None]:
        """Connections are refused inside the block; the address is the same afterwards."""
        ...


def _paths(key: str, value: object) -> list[str]:
    return [f"{key}.{inner}" for inner in value] if isinstance(value, Mapping) and value else [key]
