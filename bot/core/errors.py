"""Every error of ours, and the only author of error text for users.

ParleyError
├── SettingsError            a setting is wrong; one line each, exit code 2
├── UsageError               a command was written wrongly; its usage line follows
├── NotAllowed               the person may not do this here
├── StorageUnavailable       MongoDB does not answer; retry, nothing is lost
├── Fenced                   another process took the thread over; drop what we hold of it
├── DeliveryError            a platform refused a send or an edit; `kind` tells what to do
├── TurnTimeout              the turn's own deadline passed
├── OutputLimitReached       the answer is as long as it may be
├── ToolRoundsExhausted      the model went on asking for tools
├── TriesExhausted           the turn died with its process too often
├── UnreadableFile           a file is broken, locked, too costly or of a kind that nobody reads
├── NoFittingModel           no model may or can answer this here
├── LimitReached             a limit that people set: it passes by itself
│   ├── BudgetExhausted      the money for this period is spent
│   └── TooFast              more requests or tokens a minute than allowed
└── ProviderError            a model call failed
    ├── AuthenticationFailed key missing, wrong or without permission: the operator must act
    ├── QuotaExhausted       the account has no money or quota left: the operator must act
    ├── ModelNotFound        no such model for this key
    ├── RequestRejected      the provider will never take this request
    │   ├── ContextTooLong   it is too long for the model
    │   └── ContentRefused   the provider's filter or the model declined
    ├── RateLimited          too many requests; later it will pass
    ├── ProviderUnavailable  down, overloaded, unreachable or timed out before the first word
    │   ├── CircuitOpen      it failed so often that it is left alone for a while
    │   └── FirstTokenLate   it was silent too long; another model may answer
    ├── StreamBroken         the stream died or turned to nonsense in the middle
    └── EmptyAnswer          the model finished and said nothing

There is one class per decision that a caller can make. Messages are for the log; what users read is `explain(error)`.
"""

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum


class ParleyError(Exception):
    """Base of all errors that Parley raises on purpose."""


class SettingsError(ParleyError):
    """One or several settings are wrong. `lines` has one sentence for each."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class UsageError(ParleyError):
    """A command was given wrong arguments; the message says which, in words for the user."""


class NotAllowed(ParleyError):
    """The person may not do this here; the message says who may, in words for the user."""


class StorageUnavailable(ParleyError):
    """MongoDB does not answer. Both texts are one line, for the operator; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str = "Check that MongoDB runs and that MONGODB_URI is right.") -> None:
        super().__init__(message)
        self.remedy = remedy


class Fenced(ParleyError):
    """The thread has a newer owner: a late write of ours was refused."""


class TurnTimeout(ParleyError):
    """The turn's deadline passed after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no end after {seconds:.0f} s")
        self.seconds = seconds


class OutputLimitReached(ParleyError):
    """The model stopped because the answer reached the limit of output tokens.

    `by_budget`: a budget had no room for more, so the limit was lower than people set it.
    """

    def __init__(self, *, by_budget: bool = False) -> None:
        super().__init__("the answer reached its limit of tokens" + (", set by a budget" if by_budget else ""))
        self.by_budget = by_budget


class ToolRoundsExhausted(ParleyError):
    """The model asked for tools in more than `rounds` rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__(f"more than {rounds} rounds of tool calls")
        self.rounds = rounds


class TriesExhausted(ParleyError):
    """A turn was begun `tries` times and never came to its end."""

    def __init__(self, tries: int) -> None:
        super().__init__(f"gave up after {tries} tries")
        self.tries = tries


class UnreadableFile(ParleyError):
    """A file cannot be read; the message says why and what to do, in words that follow the file's name and a colon."""


class NoFittingModel(ParleyError):
    """No model may or can answer this here; the message says why and what to do, in words for the user."""


class LimitReached(ParleyError):
    """A limit that an operator set was reached; the message says which and until when, in words for the user."""


class BudgetExhausted(LimitReached):
    """The call might cost more than what is left of a budget."""


class TooFast(LimitReached):
    """More requests or tokens a minute than allowed; free again in `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeliveryKind(StrEnum):
    """What a refused delivery means for the caller."""

    TRANSIENT = "transient"  # try again
    RATE_LIMITED = "rate_limited"  # try again after retry_after_s
    FORBIDDEN = "forbidden"  # blocked, kicked, no permission: give up
    NOT_FOUND = "not_found"  # the message or chat is gone
    INVALID = "invalid"  # the platform does not take this content: send it plain
    UNKNOWN_AFTER_SEND = "unknown_after_send"  # the connection broke; it may have been carried out


class DeliveryError(ParleyError):
    """A platform did not carry out a send, edit or delete. `retry_after_s` is None when the platform named no time."""

    def __init__(self, kind: DeliveryKind, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.retry_after_s = retry_after_s


class ProviderError(ParleyError):
    """A model call failed.

    `provider` is our name of it. `status` is the HTTP status, None where there was no answer. `reference` is the
    provider's request id, None when it gave none. The message never holds a key, a URL or the text of the request.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        reference: str | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status
        self.retry_after_s = retry_after_s
        self.reference = reference


class AuthenticationFailed(ProviderError):
    """The key is missing, wrong, expired or lacks a permission (401, 403)."""


class QuotaExhausted(ProviderError):
    """No money or quota is left on the provider's account (402, or 429 with `insufficient_quota`)."""


class ModelNotFound(ProviderError):
    """The provider does not have this model for this key (404)."""


class RequestRejected(ProviderError):
    """The provider will not take this request, now or later (400, 413, 422)."""


class ContextTooLong(RequestRejected):
    """The conversation does not fit the model's window."""


class ContentRefused(RequestRejected):
    """The provider's filter stopped the request or the answer."""


class RateLimited(ProviderError):
    """Too many requests (429); `retry_after_s` when the provider named a time."""


class ProviderUnavailable(ProviderError):
    """Down, overloaded or unreachable before the first word (408, 5xx, 529, connection refused, connect timeout)."""


class CircuitOpen(ProviderUnavailable):
    """Nobody asks the model for `retry_after_s` seconds: it failed so often, or (`limited`) asked for that pause."""

    def __init__(
        self, message: str, *, provider: str, retry_after_s: float | None = None, limited: bool = False
    ) -> None:
        super().__init__(message, provider=provider, retry_after_s=retry_after_s)
        self.limited = limited


class FirstTokenLate(ProviderUnavailable):
    """Nothing came in the time that a model has for its first sign of life."""


class StreamBroken(ProviderError):
    """The stream ended without its end, broke, or held an error in the middle."""


class EmptyAnswer(ProviderError):
    """The model finished without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a user reads: `what` happened, what they can `do`, and a short `reference` to find it in the log."""

    what: str
    do: str
    reference: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return " ".join(part for part in (self.what, self.do, f"(ref {self.reference})") if part)


def reference_of(uid: str) -> str:
    """Six characters by which a user's complaint finds its log line."""
    return hashlib.sha256(uid.encode()).hexdigest()[:6]


def explain(error: BaseException, *, reference: str) -> Explanation:
    """The words for `error`; `reference` is a short id that the log line of the same error carries.

    Never contains a traceback, a key, a URL or the provider's own text. An error that is not ours is told as ours.
    """
    what, do = _words(error)
    return Explanation(what=what, do=do, reference=reference)


_ASK_OPERATOR = "The operator of this bot has to fix that; another model may work: /model."
_RETRY = "Try again with Retry or /retry."


def _words(error: BaseException) -> tuple[str, str]:
    match error:
        case ProviderError():
            return _provider_words(error)
        case UsageError() | NotAllowed() | NoFittingModel() | LimitReached():
            return str(error), ""
        case UnreadableFile():
            return f"I can't read what you sent. {error}", ""
        case StorageUnavailable():
            return (
                "I can't reach my storage right now.",
                "Nothing you sent is lost; I answer when it is back.",
            )
        case TurnTimeout():
            return f"The answer was not finished after {error.seconds:.0f} seconds.", _RETRY
        case OutputLimitReached(by_budget=True):
            return "The budget had no room for a longer answer.", "/budget shows what is left and when it resets."
        case OutputLimitReached():
            return (
                "The answer reached its length limit.",
                "Say “go on”, or raise it with /settings max_output.",
            )
        case ToolRoundsExhausted():
            return f"I stopped after {error.rounds} rounds of look-ups.", _RETRY
        case TriesExhausted():
            return f"I tried to answer this {error.tries} times and was interrupted each time.", _RETRY
        case DeliveryError():
            return "The platform did not take my message.", _RETRY
        case _:
            return "Something went wrong on my side.", _RETRY


def _provider_words(error: ProviderError) -> tuple[str, str]:
    name = error.provider
    match error:
        case AuthenticationFailed():
            return f"{name} did not accept the bot's key.", _ASK_OPERATOR
        case QuotaExhausted():
            return f"The bot's account at {name} has no credit or quota left.", _ASK_OPERATOR
        case ModelNotFound():
            return f"{name} does not offer this model to this bot.", "Pick another one with /model."
        case ContextTooLong():
            return (
                "This conversation is too long for the model.",
                "Start afresh with /new, or send a shorter message.",
            )
        case ContentRefused():
            return f"{name} declined to answer this.", "Rephrase it, or pick another model with /model."
        case RequestRejected():
            return (
                f"{name} could not take this request.",
                "Pick another model with /model, or start afresh with /new.",
            )
        case (
            RateLimited(retry_after_s=float() as seconds) | CircuitOpen(limited=True, retry_after_s=float() as seconds)
        ):
            return f"{name} is limiting this bot's requests.", f"Try again in {_span(seconds)} with /retry."
        case RateLimited():
            return f"{name} is limiting this bot's requests.", "Try again in a minute with Retry or /retry."
        case StreamBroken():
            return f"The connection to {name} broke in the middle of the answer.", _RETRY
        case EmptyAnswer():
            return f"{name} ended without a word.", _RETRY
        case CircuitOpen(retry_after_s=float() as seconds):
            what = f"{name} has been failing and is left alone for a moment."
            return what, f"Try again in {_span(seconds)} with Retry or /retry."
        case FirstTokenLate():
            return f"{name} did not answer in time.", _RETRY
        case _:
            return f"{name} is not reachable right now.", _RETRY


def _span(seconds: float) -> str:
    """A time to wait, in seconds or whole minutes."""
    whole = max(1, math.ceil(seconds))
    if whole == 1:
        return "1 second"
    return f"{whole} seconds" if whole < 120 else f"{math.ceil(whole / 60)} minutes"
