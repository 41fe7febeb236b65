"""What a test tells the fake of a model API to answer: Reply, and the three kinds of Fault. No wire words here.

Every fake takes these steps and puts them into the words of its API.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_WORD = re.compile(r"\S+\s*|\s+")


class Finish(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class Breakage(StrEnum):
    """How a stream goes wrong."""

    HANG = "hang"  # nothing more comes, the connection stays open
    RESET = "reset"  # TCP RST
    CUT = "cut"  # the connection closes inside the chunked body
    MALFORMED = "malformed"  # an event whose data is not JSON
    ERROR = "error"  # the API's own error event
    NESTED_ERROR = "nested_error"  # OpenAI's Responses: {"type": "error", "error": {...}}; elsewhere as `error`
    FAILED = "failed"  # OpenAI's Responses: response.failed; elsewhere as `error`
    NO_FINAL = "no_final"  # ends politely, without the final event


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function call by the model; `arguments` is JSON text (or not); `call_id` None: automatic."""

    name: str
    arguments: str = "{}"
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts as Parley counts: `input_tokens` is all of the prompt, `output_tokens` all that was generated.

    A fake whose API counts otherwise converts them; a count that its API does not have is not reported.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    image_tokens: int = 0
    audio_tokens: int = 0
    audio_output_tokens: int = 0


class Hold:
    """A gate in a stream: closes after `after_chunks` chunks (0: before the first byte) until `release()`."""

    def __init__(self, after_chunks: int) -> None:
        self.after_chunks = after_chunks
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the stream go on."""
        self._released.set()

    async def pause(self) -> None:
        """Wait at the gate (called by the fake)."""
        self.reached.set()
        await self._released.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: reasoning, then text or refusal, then tool calls.

    `chunks` replaces the automatic split of `text` by words. `usage` None: counted as characters / 4.
    `cached_tokens` None: the prefix cache decides, or 0. `finish` None: stop or tool_calls as fits.
    `no_usage`: never reported (still billed). `model_answered` None: the model asked for. `searches` are look-ups
    on the web that the provider made by itself. `service_tier` None: the API's usual. Nothing at all makes an empty
    answer.
    """

    text: str = ""
    chunks: tuple[str, ...] | None = None
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish | None = None
    first_token_delay_s: float = 0.0
    chunk_interval_s: float = 0.0
    usage: Usage | None = None
    cached_tokens: int | None = None
    no_usage: bool = False
    model_answered: str | None = None
    searches: int = 0
    service_tier: str | None = None
    hold: Hold | None = None

    @property
    def pieces(self) -> tuple[str, ...]:
        """The visible text as it is streamed: `chunks`, else word by word."""
        return words(self.text) if self.chunks is None else self.chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFault:
    """A complete HTTP answer that is not a success; `body` is JSON when a mapping, raw when text."""

    status: int
    body: Mapping[str, object] | str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """The request is read and nothing is ever sent, not even headers; the client's read timeout ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A reply that breaks after `after_chunks` chunks (None: instead of the final event).

    `code` is the API's word for what went wrong, where its error events have one.
    """

    how: Breakage
    after_chunks: int | None = None
    reply: Reply = Reply(text="one two three four five six")
    code: str = "server_error"
    message: str = "The server had an error while processing your request. Sorry about that!"


def words(text: str) -> tuple[str, ...]:
    """A text in pieces, each a word and the space after it."""
    return tuple(_WORD.findall(text))


Fault = HttpFault | Silence | Broken
Step = Reply | Fault
