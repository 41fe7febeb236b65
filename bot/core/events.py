"""What happens while an answer is made: events of one provider call, and of a whole turn."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.errors import ParleyError
from bot.core.message import ToolCall, ToolResult


class FinishReason(StrEnum):
    """Why a provider ended its stream by itself."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call used as the provider reported it, in one convention for all providers. Never negative.

    `input_tokens` counts the whole prompt: `cached_tokens`, `cache_write_tokens`, `image_tokens` and `audio_tokens`
    are parts of it, `cache_write_1h_tokens` is the part of `cache_write_tokens` that is kept for an hour.
    `output_tokens` counts everything generated: `reasoning_tokens` and `audio_output_tokens` are parts of it.
    `audio_s` are seconds of sound where the provider bills by time, `searches` its own look-ups on the web, `credits`
    what a tool's service counts instead of tokens.
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
    audio_s: float = 0.0
    searches: int = 0
    credits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """More of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta:
    """More of the model's reasoning; shown to nobody, it proves that the model is alive."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What the call used; `model` is the id that answered, None when the provider does not say.

    `service_tier` is the provider's word for the tier that served it (`default`, `flex`, `priority`), None: the usual.
    `partial`: told before the first word. The prompt's part is final; what the answer uses from there on is not in it.
    """

    usage: Usage
    model: str | None = None
    service_tier: str | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The last event of a stream that came to its own end."""

    reason: FinishReason


ProviderEvent = TextDelta | ReasoningDelta | ToolCall | UsageReport | Finish


class Outcome(StrEnum):
    """How an accepted message ended."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsStarted:
    """Tools begin to run."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool gave its result, an error included; `nano_usd` and `urls` as in ToolStep."""

    call: ToolCall
    result: ToolResult
    duration_s: float
    nano_usd: int | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """One provider call is over, however it ended; there is one for each call, so that each is booked.

    `usage` is None when the provider reported none (the ledger then estimates); `partial`: the text of the answer is
    not in it. `first_token_s` is None when nothing came. `input_text` and `output_text` are what to estimate from,
    empty where usage was reported; `files_tokens` is what the request's files are taken to cost besides, then.
    """

    usage: Usage | None
    model_answered: str | None
    first_token_s: float | None
    duration_s: float
    completed: bool
    input_text: str = field(repr=False)
    output_text: str = field(repr=False)
    service_tier: str | None = None
    partial: bool = False
    files_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The last event of every turn. `error` is set for `FAILED` and `PARTIAL`, else None."""

    outcome: Outcome
    error: ParleyError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The provider asks for a pause of `seconds`, after which the call is made again."""

    provider: str
    seconds: float


TurnEvent = TextDelta | ReasoningDelta | Waiting | ToolsStarted | ToolFinished | CallFinished | TurnEnded
