"""What the fake writes down: requests, bills, disconnects. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.openai.audio import Upload

GENERATION_PATHS = ("/v1/responses", "/v1/chat/completions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it arrived, refused ones too; header names lower case, `at` monotonic seconds."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]  # JSON of any shape, or the fields of a form: tests index into it
    at: float
    last_user_text: str = ""
    files: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model asked for; empty when the body names none."""
        return str(self.body.get("model", ""))

    @property
    def store(self) -> bool | None:
        """The `store` flag as sent; None means absent (OpenAI then stores on Responses)."""
        value = self.body.get("store")
        return value if isinstance(value, bool) else None

    @property
    def is_generation(self) -> bool:
        """Whether it asked a model for an answer."""
        return self.path in GENERATION_PATHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What a provider charges for one call; `completed` False means cut off, charged as far as streamed."""

    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    completed: bool
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """The client left (Stop, kill, timeout) before the answer was complete."""

    request: Request
    chunks_sent: int
    at: float
