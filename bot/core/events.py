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
    """Tokens of one call as the provider reported them, in one convention for all providers.

    `input_tokens` counts the whole prompt, `cached_tokens` and `cache_write_tokens` are parts of it. `output_tokens`
    counts everything generated, `reasoning_tokens` is a part of it.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


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
    """What the call used, at most once; `model` is the id that answered, None when the provider does not say."""

    usage: Usage
    model: str | None = None


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
class ToolStarted:
    """A tool begins to run."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool gave its result, an error included."""

    call: ToolCall
    result: ToolResult
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished:
    """One provider call is over, however it ended; there is one for each call, so that each is booked.

    `usage` is None when the provider reported none (the ledger then estimates). `first_token_s` is None when nothing
    came. `input_text` and `output_text` are what to estimate from, empty where usage was reported.
    """

    usage: Usage | None
    model_answered: str | None
    first_token_s: float | None
    duration_s: float
    completed: bool
    input_text: str = field(repr=False)
    output_text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The last event of every turn. `error` is set for `FAILED` and `PARTIAL`, else None."""

    outcome: Outcome
    error: ParleyError | None = None


TurnEvent = TextDelta | ReasoningDelta | ToolStarted | ToolFinished | CallFinished | TurnEnded
