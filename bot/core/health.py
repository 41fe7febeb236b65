"""How each model has been doing lately: its last calls, whether it is left alone for now, and its last error.

Knows what an error says about a model: some are its own failures, some concern the whole provider, and some are the
request's fault and count for nothing. Makes no calls itself.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.core.breaker import FAILURES_TO_OPEN, Breaker
from bot.core.catalogue import ModelRef
from bot.core.errors import (
    AuthenticationFailed,
    CircuitOpen,
    EmptyAnswer,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    StreamBroken,
)
from bot.core.fallback import why
from bot.core.ports import Clock

CALLS_KEPT = 100
#: Names that somebody made up count as well until the provider says no: more are forgotten, longest unused first.
MODELS_KEPT = 256
#: What was a day ago says nothing about now.
_KEPT_S = 86_400.0
#: A failure is recent, and a refused key is taken for refused still, for so long.
RECENT_S = 300.0
#: From this share of failures on a model is degraded; of fewer calls a share says nothing.
DEGRADED_SHARE = 0.2
_CALLS_FOR_SHARE = 10
#: A shorter wait is left to the next call; for a longer one the model is left alone.
_LONG_WAIT_S = 20.0


class Condition(StrEnum):
    """How a model or provider is doing."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNCONFIGURED = "unconfigured"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """The last calls, at most 100. Latencies are those to the first token, in seconds; None: there was none.

    `error_rate` is a share from 0 to 1. `last_error` is for people, without anything secret, None: none so far.
    `open_for_s`: nobody asks it for so long, None: it is asked.
    """

    condition: Condition
    calls: int = 0
    error_rate: float = 0.0
    p50_s: float | None = None
    p95_s: float | None = None
    last_error: str | None = None
    open_for_s: float | None = None


class _Verdict(StrEnum):
    """What the end of a call says."""

    FINE = "fine"
    LIMITED = "limited"
    FAILED = "failed"
    #: The provider does not take the key or has no money left: no model of it would do better.
    LOCKED_OUT = "locked out"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    at_s: float
    verdict: _Verdict
    first_token_s: float | None
    #: Why it failed, for people; None for a call that worked.
    words: str | None


class _Track:
    """What is kept of one model."""

    def __init__(self, clock: Clock) -> None:
        self.breaker = Breaker(clock)
        self.calls: deque[_Call] = deque(maxlen=CALLS_KEPT)
        self.used_s = clock.monotonic()

    @property
    def is_gone(self) -> bool:
        """Whether the provider said at last that it has no such model."""
        return bool(self.calls) and self.calls[-1].verdict is _Verdict.GONE

    def tells_of_now(self, since_s: float) -> bool:
        """Whether it was asked since then, or is left alone now."""
        return self.breaker.open_for_s is not None or self.calls[-1].at_s > since_s

    def condition(self, since_s: float) -> Condition:
        """How it is doing; a call since then is a recent one."""
        recent = [call for call in self.calls if call.at_s > since_s]
        if self.breaker.open_for_s is not None or _is_down(recent):
            return Condition.DOWN
        failing = len(self.calls) >= _CALLS_FOR_SHARE and _error_rate(self.calls) > DEGRADED_SHARE
        failed_lately = any(call.verdict is not _Verdict.FINE for call in recent)
        return Condition.DEGRADED if failing or failed_lately else Condition.HEALTHY


class Health:
    """What calls have told of models. One process's view: every process sees its own calls."""

    def __init__(self, clock: Clock, *, configured: Collection[str] = ()) -> None:
        self._clock = clock
        self._configured = configured
        #: Longest unused first.
        self._tracks: OrderedDict[ModelRef, _Track] = OrderedDict()
        #: Providers that took no call of ours, whatever the model, and until when that is believed.
        self._locked_out: dict[str, tuple[float, str]] = {}

    def of(self, ref: ModelRef) -> HealthReport:
        """How one model is doing; UNCONFIGURED when its provider is not there."""
        track = self._tracks.get(ref)
        return self._report(ref.provider, [] if track is None else [track])

    def of_provider(self, name: str) -> HealthReport:
        """How all models of a provider together are doing: DOWN when all that were asked lately are.

        Names for which it has no model do not count.
        """
        own = [track for ref, track in self._tracks.items() if ref.provider == name]
        return self._report(name, [track for track in own if not track.is_gone])

    def check(self, ref: ModelRef) -> None:
        """Raise CircuitOpen while the model is to be left alone."""
        track = self._tracks.get(ref)
        if track is not None and track.breaker.open_for_s is not None:
            raise _left_alone(ref, track)

    def admit(self, ref: ModelRef) -> int:
        """Begin a call of a model and return its ticket for `record`, which has to follow. Raises CircuitOpen."""
        track = self._track(ref)
        ticket = track.breaker.enter()
        if ticket is None:
            raise _left_alone(ref, track)
        return ticket

    def record(
        self,
        ref: ModelRef,
        *,
        first_token_s: float | None,
        error: ProviderError | None,
        ticket: int | None = None,
    ) -> None:
        """A call ended. `first_token_s` is None when nothing came, `error` when it worked or was given up by us.

        A call with neither, and one whose request was at fault, say nothing about the model. `ticket` is what `admit`
        gave, None: the call was made without it.
        """
        track = self._track(ref)
        breaker = track.breaker
        if ticket is None:
            ticket = breaker.enter()
        verdict = _verdict(error, first_token_s)
        if ticket is not None:
            _tell(breaker, ticket, verdict, error)
        if verdict is None:
            return
        words = None if error is None else why(error)
        now = self._clock.monotonic()
        track.calls.append(_Call(at_s=now, verdict=verdict, first_token_s=first_token_s, words=words))
        if verdict is _Verdict.FINE:
            self._locked_out.pop(ref.provider, None)
        elif verdict is _Verdict.LOCKED_OUT and words is not None:
            self._locked_out[ref.provider] = (now + RECENT_S, words)

    def _track(self, ref: ModelRef) -> _Track:
        """The track of a model that is used now, a new one if need be."""
        track = self._tracks.setdefault(ref, _Track(self._clock))
        self._tracks.move_to_end(ref)
        track.used_s = self._clock.monotonic()
        while len(self._tracks) > MODELS_KEPT or self._oldest_used_s() < track.used_s - _KEPT_S:
            self._tracks.popitem(last=False)
        return track

    def _oldest_used_s(self) -> float:
        return next(iter(self._tracks.values())).used_s

    def _report(self, provider: str, tracks: Sequence[_Track]) -> HealthReport:
        locked_until, locked_words = self._locked_out.get(provider, (-math.inf, None))
        locked = locked_until > self._clock.monotonic()
        calls = sorted((call for track in tracks for call in track.calls), key=lambda call: call.at_s)[-CALLS_KEPT:]
        latencies = sorted(call.first_token_s for call in calls if call.first_token_s is not None)
        open_for_s = [track.breaker.open_for_s for track in tracks]
        shut = [seconds for seconds in open_for_s if seconds is not None]
        return HealthReport(
            condition=self._condition(provider, tracks, locked=locked),
            calls=len(calls),
            error_rate=_error_rate(calls),
            p50_s=_percentile(latencies, 0.50),
            p95_s=_percentile(latencies, 0.95),
            last_error=_last_error(calls) or (locked_words if locked else None),
            open_for_s=min(shut) if shut and len(shut) == len(open_for_s) else None,
        )

    def _condition(self, provider: str, tracks: Sequence[_Track], *, locked: bool) -> Condition:
        if provider not in self._configured:
            return Condition.UNCONFIGURED
        since_s = self._clock.monotonic() - RECENT_S
        conditions = [track.condition(since_s) for track in tracks if track.calls]
        lately = [track.condition(since_s) for track in tracks if track.calls and track.tells_of_now(since_s)]
        if locked or (lately and set(lately) == {Condition.DOWN}):
            return Condition.DOWN
        return Condition.DEGRADED if set(conditions) - {Condition.HEALTHY} else Condition.HEALTHY


def _left_alone(ref: ModelRef, track: _Track) -> CircuitOpen:
    limited = bool(track.calls) and track.calls[-1].verdict is _Verdict.LIMITED
    seconds = track.breaker.open_for_s
    return CircuitOpen(f"{ref} is left alone", provider=ref.provider, retry_after_s=seconds, limited=limited)


def _verdict(error: ProviderError | None, first_token_s: float | None) -> _Verdict | None:
    """None: the call says nothing about the model."""
    match error:
        case None:
            return None if first_token_s is None else _Verdict.FINE
        case CircuitOpen():
            return None  # it was not called
        case RateLimited():
            return _Verdict.LIMITED
        case AuthenticationFailed() | QuotaExhausted():
            return _Verdict.LOCKED_OUT
        case ModelNotFound():
            return _Verdict.GONE
        case ProviderUnavailable() | StreamBroken() | EmptyAnswer():
            return _Verdict.FAILED
        case _:
            return None


def _tell(breaker: Breaker, ticket: int, verdict: _Verdict | None, error: ProviderError | None) -> None:
    asked_s = error.retry_after_s if verdict is _Verdict.LIMITED and error is not None else None
    if verdict is _Verdict.FINE:
        breaker.succeeded(ticket)
    elif asked_s is not None and asked_s > _LONG_WAIT_S:
        breaker.asked_to_wait(ticket, asked_s)
    elif verdict is None or verdict is _Verdict.GONE or asked_s is not None:
        # A limit that passes in a moment: a burst of these must not shut out everybody for longer.
        breaker.left(ticket)
    else:
        breaker.failed(ticket)


def _is_down(recent: Sequence[_Call]) -> bool:
    """Whether the last calls leave no hope: refused for good at the last one, or failed several times in a row."""
    if recent and recent[-1].verdict in (_Verdict.LOCKED_OUT, _Verdict.GONE):
        return True
    last = recent[-FAILURES_TO_OPEN:]
    return len(last) == FAILURES_TO_OPEN and all(call.verdict is _Verdict.FAILED for call in last)


def _error_rate(calls: Collection[_Call]) -> float:
    return sum(call.verdict is not _Verdict.FINE for call in calls) / len(calls) if calls else 0.0


def _last_error(calls: Iterable[_Call]) -> str | None:
    words = [call.words for call in calls if call.words is not None]
    return words[-1] if words else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that `share` of all do not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
