"""What may be sent with a provider's key: requests and tokens in any minute, shared fairly among threads.

Whoever has to wait queues in the lane of their thread, and lanes take turns: a thread with a thousand requests delays
another one by one request. Knows neither what is sent nor what comes back. One process's view: where several share a
key, each gets its part in the settings.
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import RateLimited
from bot.core.ports import Clock

PATIENCE_S = 15.0
_WINDOW_S = 60.0
#: Shorter waits are none: sums of floats may leave a remainder that no clock can sleep off.
_TICK_S = 0.001
#: Models whose counts are kept without looking whether they are empty.
_MODELS_KEPT = 64


@dataclass(slots=True)
class _Entry:
    """Something sent: when, how much of its window it takes, and whether that was within the last minute."""

    window: "_Window"
    at_s: float
    amount: int
    counts: bool = True


class _Window:
    """What was sent within the last minute, in requests or in tokens; never more than `limit`.

    What is larger than the limit goes alone, or it would never go.
    """

    def __init__(self, limit: int, *, of_tokens: bool) -> None:
        self.limit = limit
        self.of_tokens = of_tokens
        self._entries: deque[_Entry] = deque()
        self._used = 0

    def free_at_s(self, tokens: int, now_s: float) -> float:
        """When a request of so many tokens fits; minus infinity: now."""
        self._forget(now_s)
        over = self._used + self._amount(tokens) - self.limit
        if over <= 0:
            return -math.inf
        for entry in self._entries:
            over -= entry.amount
            if over <= 0:
                return entry.at_s + _WINDOW_S
        raise AssertionError("an empty window has room")

    def take(self, tokens: int, now_s: float) -> _Entry:
        """Count a request that goes now."""
        entry = _Entry(window=self, at_s=now_s, amount=self._amount(tokens))
        self._entries.append(entry)
        self._used += entry.amount
        return entry

    def correct(self, entry: _Entry, amount: int, now_s: float) -> None:
        """What was counted was really `amount`."""
        self._forget(now_s)
        if entry.counts:
            self._used += amount - entry.amount
            entry.amount = amount

    def is_idle(self, now_s: float) -> bool:
        """Whether forgetting it changes nothing."""
        self._forget(now_s)
        return not self._entries

    def _amount(self, tokens: int) -> int:
        return min(tokens if self.of_tokens else 1, self.limit)

    def _forget(self, now_s: float) -> None:
        while self._entries and self._entries[0].at_s + _WINDOW_S - now_s <= _TICK_S:
            entry = self._entries.popleft()
            entry.counts = False
            self._used -= entry.amount


class _Limits:
    """The windows of one key or one model, at most one of each kind."""

    def __init__(self) -> None:
        self._windows: dict[bool, _Window] = {}

    def set(self, limit: int | None, *, of_tokens: bool) -> None:
        """Take over a limit, which may have changed; what was counted stays. None: no limit."""
        if limit is None:
            self._windows.pop(of_tokens, None)
        elif of_tokens in self._windows:
            self._windows[of_tokens].limit = limit
        else:
            self._windows[of_tokens] = _Window(limit, of_tokens=of_tokens)

    @property
    def windows(self) -> tuple[_Window, ...]:
        """Those that a request has to fit."""
        return tuple(self._windows.values())


class _Waiter:
    """A request that wants to go. `entries` are set once it may."""

    def __init__(self, windows: Sequence[_Window], tokens: int) -> None:
        self.windows = windows
        self.entries: tuple[_Entry, ...] | None = None
        #: Set when it may go, and when it has to look at the time anew.
        self.nudge = asyncio.Event()
        self._tokens = tokens

    def full(self, now_s: float) -> tuple[_Window, ...]:
        """The windows without room for it."""
        return tuple(window for window in self.windows if window.free_at_s(self._tokens, now_s) > now_s)

    def free_at_s(self, now_s: float) -> float:
        """When all of its windows have room, if nobody else takes it; minus infinity: now."""
        return max(window.free_at_s(self._tokens, now_s) for window in self.windows)

    def go(self, now_s: float) -> None:
        """Take the room."""
        self.entries = tuple(window.take(self._tokens, now_s) for window in self.windows)
        self.nudge.set()


class _Queue:
    """The requests of one provider that wait: by lane, first in first out, and the lanes in turn.

    No task of its own serves it: the first in line keeps the time for all, and whoever comes or leaves serves.
    """

    def __init__(self, clock: Clock) -> None:
        self.key = _Limits()
        self._clock = clock
        self._models: dict[ModelRef, _Limits] = {}
        self._lanes: OrderedDict[str, deque[_Waiter]] = OrderedDict()
        self._next_s = math.inf

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._lanes.values()))

    @property
    def models(self) -> int:
        """How many models are counted by themselves."""
        return len(self._models)

    def windows(self, model: ModelInfo) -> tuple[_Window, ...]:
        """The windows that a request to the model has to fit: the key's and its own."""
        if model.requests_per_minute is None and model.tokens_per_minute is None:
            return self.key.windows
        if len(self._models) >= _MODELS_KEPT and not self._lanes:  # who waits holds on to windows, idle or not
            self._drop_idle(self._clock.monotonic())
        own = self._models.setdefault(model.ref, _Limits())
        own.set(model.requests_per_minute, of_tokens=False)
        own.set(model.tokens_per_minute, of_tokens=True)
        return (*self.key.windows, *own.windows)

    def join(self, waiter: _Waiter, lane: str) -> None:
        """Stand in line, and go at once where there is room."""
        self._lanes.setdefault(lane, deque()).append(waiter)
        self.serve()

    def leave(self, waiter: _Waiter, lane: str) -> None:
        """Leave without a trace, also when it was just told to go."""
        if waiter.entries is not None:
            self.correct(waiter.entries, 0)
            return
        self._lanes[lane].remove(waiter)
        if not self._lanes[lane]:
            del self._lanes[lane]
        self.serve()

    def correct(self, entries: Iterable[_Entry], amount: int) -> None:
        """What was counted was really `amount`; there may be room now."""
        now_s = self._clock.monotonic()
        for entry in entries:
            entry.window.correct(entry, amount, now_s)
        self.serve()

    def serve(self) -> None:
        """Let go whoever may, lane by lane.

        A window that is too full for someone is kept for them: those behind, small as they may be, do not use it up
        before there is room. Other windows are open to them.
        """
        now_s = self._clock.monotonic()
        kept: set[_Window] = set()
        self._next_s = math.inf
        again = True
        while again:  # each lane has one turn, and those that could use it come again
            again = False
            for lane in tuple(self._lanes):
                again |= self._serve_first(lane, kept, now_s)
        if self._lanes:
            self._keeper().nudge.set()

    def wake_at_s(self, waiter: _Waiter) -> float:
        """When the waiter has to serve; infinity: somebody else does."""
        return self._next_s if self._lanes and self._keeper() is waiter else math.inf

    def _serve_first(self, lane: str, kept: set[_Window], now_s: float) -> bool:
        """Let the first of a lane go if it may; whether another one of the lane stands behind it."""
        waiter = self._lanes[lane][0]
        if not kept.isdisjoint(waiter.windows):
            return False
        if full := waiter.full(now_s):
            kept.update(full)
            self._next_s = min(self._next_s, waiter.free_at_s(now_s))
            return False
        waiter.go(now_s)
        self._lanes[lane].popleft()
        if not self._lanes[lane]:
            del self._lanes[lane]
            return False
        self._lanes.move_to_end(lane)
        return True

    def _keeper(self) -> _Waiter:
        return next(iter(self._lanes.values()))[0]

    def _drop_idle(self, now_s: float) -> None:
        for ref, limits in tuple(self._models.items()):
            if all(window.is_idle(now_s) for window in limits.windows):
                del self._models[ref]


class Slot:
    """A request that may go now, and what was counted for it."""

    def __init__(self, queue: _Queue | None = None, entries: tuple[_Entry, ...] = ()) -> None:
        self._queue = queue
        self._entries = entries

    def correct(self, tokens: int) -> None:
        """It really used so many tokens."""
        self._count([entry for entry in self._entries if entry.window.of_tokens], tokens)

    def give_back(self) -> None:
        """It was not sent after all."""
        self._count(self._entries, 0)

    def _count(self, entries: Sequence[_Entry], amount: int) -> None:
        if self._queue is not None and entries:
            self._queue.correct(entries, amount)


class OutgoingLimits:
    """The limits of all providers' keys and models."""

    def __init__(
        self, clock: Clock, *, limits: Iterable[tuple[str, str, int]] = (), patience_s: float = PATIENCE_S
    ) -> None:
        """`limits`: provider, `rpm` or `tpm`, and how many. Nobody waits longer than `patience_s`."""
        self._clock = clock
        self._patience_s = patience_s
        self._queues: dict[str, _Queue] = {}
        for provider, kind, limit in limits:
            self._queue(provider).key.set(limit, of_tokens=kind == "tpm")

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        return sum(queue.waiting for queue in self._queues.values())

    @property
    def models(self) -> int:
        """How many models with limits of their own are counted now."""
        return sum(queue.models for queue in self._queues.values())

    async def acquire(self, model: ModelInfo, *, lane: str, tokens: Callable[[], int]) -> Slot:
        """Wait until a request may be sent, and count it.

        `tokens` estimates what it will use, prompt and answer; it is asked only where there is a limit. Cancelling
        leaves no trace.

        Raises:
            RateLimited: it would wait too long, or did; `retry_after_s` is when there may be room.
        """
        queue = self._queue(model.ref.provider)
        windows = queue.windows(model)
        if not windows:
            return Slot()
        waiter = _Waiter(windows, tokens())
        queue.join(waiter, lane)
        try:
            entries = await self._granted(queue, waiter, model.ref.provider)
        except BaseException:
            queue.leave(waiter, lane)
            raise
        return Slot(queue, entries)

    async def _granted(self, queue: _Queue, waiter: _Waiter, provider: str) -> tuple[_Entry, ...]:
        give_up_s = self._clock.monotonic() + self._patience_s
        while waiter.entries is None:
            now_s = self._clock.monotonic()
            free_at_s = waiter.free_at_s(now_s)
            if queue.wake_at_s(waiter) - now_s <= _TICK_S:
                queue.serve()
            elif now_s >= give_up_s or free_at_s > give_up_s:  # do not wait in vain: another model may answer
                raise RateLimited(
                    "the limit for this key is used up", provider=provider, retry_after_s=max(1.0, free_at_s - now_s)
                )
            else:
                await self._nudged(waiter, min(give_up_s, queue.wake_at_s(waiter)) - now_s)
        return waiter.entries

    async def _nudged(self, waiter: _Waiter, seconds: float) -> None:
        """Wait for the waiter's nudge, or so long."""
        async with asyncio.TaskGroup() as group:
            timer = group.create_task(self._nudge_later(waiter, seconds))
            await waiter.nudge.wait()
            timer.cancel()
        waiter.nudge.clear()

    async def _nudge_later(self, waiter: _Waiter, seconds: float) -> None:
        await self._clock.sleep(seconds)
        waiter.nudge.set()

    def _queue(self, provider: str) -> _Queue:
        return self._queues.setdefault(provider, _Queue(self._clock))
