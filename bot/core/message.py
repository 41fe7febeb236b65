"""What is said: messages and their parts, as the model sees them.

Deliberately knows neither a provider's wire format nor a platform's message object.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Who speaks, in the words that every provider's API shares."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRef:
    """A file as the platform announced it, not yet fetched. `size_bytes` is None where the platform does not say.

    `duration_s` is the platform's word for the length of a recording, None: it has none or does not say. `spoken`: a
    voice message, recorded in this chat by whoever sends it; not one that was forwarded, and no other file.
    """

    id: str
    name: str
    media_type: str | None
    size_bytes: int | None
    duration_s: float | None = None
    spoken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text or Markdown."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An encoded picture, ready for a provider."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that a provider takes as it is (PDF). `pages` None: nobody counted them."""

    content: bytes
    media_type: str
    name: str
    pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A recording, encoded."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model asks for a tool. `arguments` is the JSON text as the model wrote it, possibly invalid.

    `replay` is the provider's own: what it wants back with the call inside the same tool loop (sealed
    reasoning, a signature). Opaque to all others, never stored, None where there is nothing.
    """

    id: str
    name: str
    arguments: str
    replay: str | None = field(default=None, repr=False)

    @property
    def parsed(self) -> dict[str, Any] | None:
        """The arguments as the object that they should be; None: the model wrote something else."""
        try:
            parsed = json.loads(self.arguments or "{}", parse_constant=_no_number)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered to the call `call_id`; `is_error` marks a failure that the model should read."""

    call_id: str
    text: str
    is_error: bool = False


def _no_number(word: str) -> None:
    # Python would read NaN and Infinity, and write them back: no server takes that for JSON.
    raise ValueError(f"{word} is no JSON")


Part = Text | Image | Document | Audio | ToolCall | ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a request: never empty, tool results only in `Role.TOOL`, tool calls only in `Role.ASSISTANT`."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def of_text(cls, role: Role, text: str) -> "Message":
        """A message with one text part."""
        return cls(role=role, parts=(Text(text=text),))

    @property
    def text(self) -> str:
        """All text parts, joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def words(self) -> str:
        """All that a model reads as words, what tools were asked and said included, joined by newlines."""
        return "\n".join(_words(part) for part in self.parts)


def _words(part: Part) -> str:
    match part:
        case Text() | ToolResult():
            return part.text
        case ToolCall():
            return part.arguments
        case _:
            return ""
