"""A `ThreadStore` in memory: the same lanes as the database's, held to the same contract.

Several stores over one `lanes` mapping are several processes on one database. Time is the clock's, so a test
that owns the clock decides when a lease runs out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.core.clock import SystemClock
from bot.core.errors import Fenced, StorageUnavailable
from bot.core.place import Place
from bot.core.ports import Clock
from bot.core.stores import ThreadState
from bot.core.turn_record import Attempt, Claim, Ingested, Item, ItemKind, Summary

QUEUE_CAP = 50
RING_SIZE = 128


class Outage:
    """Base of the fakes: while `down` is set, every method raises StorageUnavailable and nothing changes."""

    down: bool = False

    def _answer(self) -> None:
        if self.down:
            raise StorageUnavailable("the fake database is down")


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A queue item and its arrival number."""

    item: Item
    arrival: int


@dataclass(slots=True, kw_only=True)
class Lane:
    """All that is known of one thread. `handed` is the highest arrival number that an owner was given."""

    place: Place
    queue: list[Waiting] = field(default_factory=list)
    ring: list[str] = field(default_factory=list)
    owner: str | None = None
    until: float = float("-inf")
    fence: int = 0
    arrivals: int = 0
    handed: int = 0
    next_seq: int = 0
    from_seq: int = 0
    fresh: int = 0
    tries: int = 0
    attempt: Attempt | None = None
    stop: str | None = None
    summary: Summary | None = None
    title: str | None = None
    #: Until when somebody is at a chore, by its name.
    chores: dict[str, float] = field(default_factory=dict)

    @property
    def head(self) -> str | None:
        return self.queue[0].item.uid if self.queue else None

    def claim(self) -> Claim:
        attempt = self.attempt if self.attempt is not None and self.attempt.uid == self.head else None
        return Claim(
            place=self.place,
            fence=self.fence,
            items=tuple(waiting.item for waiting in self.queue),
            next_seq=self.next_seq,
            from_seq=self.from_seq,
            fresh_seq=self.fresh,
            attempt=attempt,
            tries=self.tries,
            summary=self.summary,
            titled=self.title is not None,
        )

    def enqueue(self, item: Item) -> None:
        self.arrivals += 1
        before = [w for w in self.queue if w.arrival <= self.handed or w.item.order <= item.order]
        after = [w for w in self.queue if w.arrival > self.handed and w.item.order > item.order]
        self.queue = [*before, Waiting(item=item, arrival=self.arrivals), *after]
        self.ring = [*self.ring, item.uid][-RING_SIZE:]


class MemoryThreadStore(Outage):
    """See `bot.core.stores.ThreadStore`; `lanes` is public for assertions."""

    def __init__(
        self,
        owner: str = "this process",
        lease_s: float = 12.0,
        clock: Clock | None = None,
        lanes: dict[str, Lane] | None = None,
    ) -> None:
        self.lanes: dict[str, Lane] = {} if lanes is None else lanes
        self._owner = owner
        self._lease_s = lease_s
        self._clock = SystemClock() if clock is None else clock

    def rival(self, owner: str) -> "MemoryThreadStore":
        """Another process on the same database."""
        return MemoryThreadStore(owner, self._lease_s, self._clock, self.lanes)

    async def ingest(self, place: Place, item: Item) -> Ingested:
        self._answer()
        lane = self.lanes.setdefault(place.thread_key, Lane(place=place))
        lane.place = place
        duplicate = item.uid in lane.ring or any(w.item.uid == item.uid for w in lane.queue)
        full = not duplicate and len(lane.queue) >= QUEUE_CAP
        if not duplicate and not full:
            lane.enqueue(item)
        free = not self._live(lane) and lane.owner != self._owner
        claim = self._claim(lane) if lane.queue and free else None
        return Ingested(claim=claim, duplicate=duplicate, full=full)

    async def begin_attempt(self, claim: Claim) -> None:
        self._note(claim, replace(self._attempt(claim), called=True))

    async def begin_send(self, claim: Claim, page: int) -> None:
        self._note(claim, replace(self._attempt(claim), sending=page + 1))

    async def record_message(self, claim: Claim, page: int, message_id: str) -> None:
        attempt = self._attempt(claim)
        ids = (*attempt.message_ids[:page], message_id, *attempt.message_ids[page + 1 :])
        self._note(claim, replace(attempt, message_ids=ids))

    async def finish(self, claim: Claim, uids: Collection[str], *, from_seq: int = 0) -> Claim | None:
        lane = self._owned(claim)
        head = lane.head
        lane.queue = [w for w in lane.queue if w.item.uid not in uids]
        lane.next_seq = max(lane.next_seq, claim.next_seq + 1)
        lane.from_seq = max(lane.from_seq, from_seq)
        lane.handed = lane.arrivals
        lane.stop = None
        if head != lane.head or head is None:
            lane.attempt, lane.tries = None, 0
        if not lane.queue:
            lane.owner, lane.until = None, float("-inf")
            return None
        lane.owner, lane.until = self._owner, self._now() + self._lease_s
        return lane.claim()

    async def hold(self, claim: Claim) -> None:
        lane = self._owned(claim)
        if lane.owner != self._owner:
            raise Fenced(claim.thread_key)
        lane.until = self._now() + self._lease_s

    async def release(self, claim: Claim) -> None:
        self._answer()
        lane = self.lanes.get(claim.thread_key)
        if lane is not None and lane.fence == claim.fence:
            lane.owner, lane.until = None, float("-inf")

    async def heartbeat(self, thread_keys: Collection[str]) -> Mapping[str, str]:
        self._answer()
        mine = {k: lane for k in thread_keys if (lane := self.lanes.get(k)) and lane.owner == self._owner}
        for lane in mine.values():
            lane.until = self._now() + self._lease_s
        return {key: lane.stop for key, lane in mine.items() if lane.stop is not None}

    async def claim_expired(
        self, limit: int, accounts: Collection[str], running: Collection[str] = ()
    ) -> tuple[Claim, ...]:
        self._answer()
        others = [lane for key, lane in self.lanes.items() if key not in running]
        served = [lane for lane in others if lane.place.account_key in accounts]
        expired = [lane for lane in served if lane.queue and not self._live(lane)]
        return tuple(self._claim(lane) for lane in sorted(expired, key=lambda lane: lane.until)[:limit])

    async def withdraw(self, thread_key: str, author_key: str | None, running: Collection[str]) -> tuple[Item, ...]:
        self._answer()
        lane = self.lanes.get(thread_key)
        queue = [] if lane is None else lane.queue
        gone = [w for w in queue if w.item.uid not in running and author_key in (None, w.item.author_key)]
        if lane is not None:
            lane.queue = [w for w in queue if w not in gone]
        return tuple(w.item for w in gone)

    async def request_stop(self, thread_key: str, by: str) -> bool:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None or not self._live(lane):
            return False
        lane.stop = by
        return True

    async def revise(self, thread_key: str, message_id: str, text: str | None) -> bool:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None:
            return False
        found = [w for w in lane.queue if w.item.message_id == message_id and not self._runs(lane, w)]
        if text is None:
            lane.queue = [w for w in lane.queue if w not in found]
        else:
            for waiting in found:
                waiting.item = replace(waiting.item, text=text)
        return bool(found)

    async def start_afresh(self, thread_key: str) -> None:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is not None:
            lane.from_seq = lane.fresh = lane.next_seq + (1 if lane.queue else 0)
            lane.summary = None

    async def is_joined(self, thread_key: str) -> bool:
        self._answer()
        return thread_key in self.lanes

    async def state(self, thread_key: str) -> ThreadState:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None:
            return ThreadState()
        return ThreadState(
            next_seq=lane.next_seq,
            from_seq=lane.from_seq,
            summary=lane.summary,
            title=lane.title,
            fresh_seq=lane.fresh,
        )

    async def begin_chore(self, thread_key: str, chore: str, lease_s: float) -> bool:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None or lane.chores.get(chore, float("-inf")) >= self._now():
            return False
        lane.chores[chore] = self._now() + lease_s
        return True

    async def end_chore(self, thread_key: str, chore: str) -> None:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is not None:
            lane.chores.pop(chore, None)

    async def set_summary(self, thread_key: str, summary: Summary) -> bool:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None or lane.fresh > summary.upto_seq:
            return False
        if lane.summary not in (None, summary) and lane.summary.upto_seq >= summary.upto_seq:
            return False
        lane.summary, lane.from_seq = summary, max(lane.from_seq, summary.upto_seq + 1)
        return True

    async def set_title(self, thread_key: str, title: str, *, replace: bool) -> bool:
        self._answer()
        lane = self.lanes.get(thread_key)
        if lane is None or not (replace or lane.title in (None, title)):
            return False
        lane.title = title
        return True

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _live(self, lane: Lane) -> bool:
        return lane.until > self._now()

    def _runs(self, lane: Lane, waiting: Waiting) -> bool:
        head = lane.queue[0].item
        handed = waiting.arrival <= lane.handed and waiting.item.author_key == head.author_key
        runs = waiting.item.uid == head.uid or (handed and head.kind is ItemKind.MESSAGE)
        return runs and self._live(lane)

    def _claim(self, lane: Lane) -> Claim:
        lane.tries = lane.tries + 1 if lane.queue[0].arrival <= lane.handed else 0
        lane.owner, lane.until = self._owner, self._now() + self._lease_s
        lane.fence += 1
        lane.handed = lane.arrivals
        return lane.claim()

    def _owned(self, claim: Claim) -> Lane:
        self._answer()
        lane = self.lanes.get(claim.thread_key)
        if lane is None or lane.fence != claim.fence:
            raise Fenced(claim.thread_key)
        return lane

    def _attempt(self, claim: Claim) -> Attempt:
        """The notes on the claim's head item so far, taken over under the claim's fence."""
        noted, uid = self._owned(claim).attempt, claim.items[0].uid
        if noted is None or noted.uid != uid:
            noted = Attempt(uid=uid, fence=0, at=self._clock.now(), called=False, sending=0, message_ids=())
        return replace(noted, fence=claim.fence, at=self._clock.now())

    def _note(self, claim: Claim, attempt: Attempt) -> None:
        self._owned(claim).attempt = attempt
