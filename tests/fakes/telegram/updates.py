"""The queue of updates and getUpdates, after Client::do_get_updates.

Updates stay until a request with a higher offset confirms them. Quirks kept: the same offset again within
0.5 s gets one update only, and within 3 s a short timeout becomes 3 s. Left out: the delay of a second 409.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.telegram.errors import ApiError
from tests.fakes.telegram.model import JsonObject

MAX_POLL_S = 50
_NOT_BY_DEFAULT = frozenset(("chat_member", "message_reaction", "message_reaction_count"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update; `kind` is the name of its field, e.g. `message`."""

    id: int
    kind: str
    value: JsonObject

    def to_wire(self) -> JsonObject:
        """Return the Update object."""
        return {"update_id": self.id, self.kind: self.value}


@dataclass(slots=True)
class _Poller:
    answer: "asyncio.Future[ApiError | None]"


class UpdateQueue:
    """Holds updates until they are confirmed; `confirmed` is what `redeliver` can bring back."""

    def __init__(self, clock: Callable[[], float], *, poll_throttle: bool) -> None:
        self.allowed: tuple[str, ...] = ()
        self.webhook_url = ""
        self.on_wait: Callable[[], None] = lambda: None
        self.confirmed: deque[Update] = deque(maxlen=1000)
        self._clock = clock
        self._throttled = poll_throttle
        self._pending: deque[Update] = deque()
        self._next_id = 700_000_001
        self._poller: _Poller | None = None
        self._previous: tuple[int, float] = (-1, float("-inf"))

    @property
    def pending(self) -> tuple[Update, ...]:
        """Updates that nobody has confirmed."""
        return tuple(self._pending)

    @property
    def is_polled(self) -> bool:
        """Whether a getUpdates waits now."""
        return self._poller is not None

    def put(self, kind: str, value: JsonObject) -> Update | None:
        """Queue an update unless the bot has not allowed its kind; return it."""
        wanted = kind in self.allowed if self.allowed else kind not in _NOT_BY_DEFAULT
        if not wanted:
            return None
        update = Update(id=self._next_id, kind=kind, value=value)
        self._next_id += 1
        self._pending.append(update)
        self._wake(None)
        return update

    def redeliver(self) -> int:
        """Queue all confirmed updates again under their old ids; return how many."""
        count = len(self.confirmed)
        self._pending.extendleft(reversed(self.confirmed))
        self.confirmed.clear()
        self._wake(None)
        return count

    def confirm_before(self, offset: int) -> None:
        """Forget updates with lower ids."""
        while self._pending and self._pending[0].id < offset:
            self.confirmed.append(self._pending.popleft())

    def set_webhook(self, url: str) -> None:
        """Set or (with an empty URL) remove the webhook; a waiting poller gets 409."""
        self.webhook_url = url
        if url:
            self._wake(ApiError(409, "Conflict: terminated by setWebhook request"))

    def close(self) -> None:
        """Let a waiting poller go with an empty answer."""
        self._wake(None)

    async def poll(self, offset: int, limit: int, timeout_s: int) -> list[JsonObject]:
        """Answer getUpdates.

        Raises:
            ApiError: 409, because of a webhook or of a later poller.
        """
        if self.webhook_url:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        limit, timeout_s = self._throttle(offset, limit, timeout_s)
        self._apply_offset(offset)
        if timeout_s and not self._pending:
            await self._wait(timeout_s)
        return [update.to_wire() for update in list(self._pending)[:limit]]

    def _throttle(self, offset: int, limit: int, timeout_s: int) -> tuple[int, int]:
        now = self._clock()
        previous_offset, previous_at = self._previous
        self._previous = (offset, now)
        if not self._throttled or offset != previous_offset:
            return limit, timeout_s
        if now < previous_at + 3.0:
            timeout_s = max(timeout_s, 3)
        return 1 if now < previous_at + 0.5 else limit, timeout_s

    def _apply_offset(self, offset: int) -> None:
        if offset < 0:
            while len(self._pending) > -offset:
                self.confirmed.append(self._pending.popleft())
        elif 0 < offset <= self._next_id:  # a later one is "in the future" for td::TQueue and confirms nothing
            self.confirm_before(offset)

    async def _wait(self, timeout_s: int) -> None:
        self._wake(
            ApiError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        )
        poller = _Poller(asyncio.get_running_loop().create_future())
        self._poller = poller
        self.on_wait()
        try:
            async with asyncio.timeout(timeout_s):
                error = await poller.answer
        except TimeoutError:
            error = None
        finally:
            if self._poller is poller:
                self._poller = None
        if error is not None:
            raise error

    def _wake(self, error: ApiError | None) -> None:
        poller, self._poller = self._poller, None
        if poller is not None and not poller.answer.done():
            poller.answer.set_result(error)
