"""The ports to storage: what the core asks of MongoDB, one Protocol for each kind of thing that is kept.

Every method raises StorageUnavailable when the database does not answer in time. Every write is idempotent, since
one that timed out may still be applied, and durable when it returns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.files import FileNote
from bot.core.inbound import Inbound
from bot.core.ledger import LedgerRow, Spending, SpendingScope
from bot.core.place import Place
from bot.core.turn_record import Claim, Ingested, Item, Summary, TurnRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadState:
    """What is kept of a thread besides its queue: numbers as in Claim, None where there is no such thing."""

    next_seq: int = 0
    from_seq: int = 0
    summary: Summary | None = None
    title: str | None = None
    fresh_seq: int = 0

    @property
    def is_cut(self) -> bool:
        """As in Claim."""
        return self.summary is not None or self.from_seq > self.fresh_seq


class ThreadStore(Protocol):
    """Lanes: the queue, lease and fence of each thread, in one document."""

    async def ingest(self, place: Place, item: Item) -> Ingested:
        """De-duplicate, enqueue and, when no lease is held, claim: one write, durable when it returns.

        A lease of this process that ran out counts as held: its lane may run still. Only the sweep tells.
        """
        ...

    async def begin_attempt(self, claim: Claim) -> None:
        """Note that a provider is about to be called for the head item under this fence. Raises Fenced."""
        ...

    async def begin_send(self, claim: Claim, page: int) -> None:
        """Note that page `page` is about to go out (for platforms that cannot de-duplicate). Raises Fenced."""
        ...

    async def record_message(self, claim: Claim, page: int, message_id: str) -> None:
        """Note the platform's id of page `page` of the answer in the making. Raises Fenced."""
        ...

    async def finish(self, claim: Claim, uids: Collection[str], *, from_seq: int = 0) -> Claim | None:
        """Take `uids` off the queue. Returns the claim with what waits now, or None: the lease is released.

        `from_seq` moves the start of the context forward (never back) for the turns to come.

        Raises:
            Fenced: another owner has the thread.
        """
        ...

    async def hold(self, claim: Claim) -> None:
        """Renew the lease of a claim that may have been lost meanwhile. Raises Fenced when it was."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give the lease back, the queue untouched: the next sweep or start takes it. Never raises Fenced."""
        ...

    async def heartbeat(self, thread_keys: Collection[str]) -> Mapping[str, str]:
        """Renew the leases of these running threads; returns those with a stop request: thread key -> who asked."""
        ...

    async def claim_expired(
        self, limit: int, accounts: Collection[str], running: Collection[str] = ()
    ) -> tuple[Claim, ...]:
        """Take over up to `limit` threads of these `platform:account`: something waits, no lease is live.

        Those that are `running` in this process stay as they are: the next heartbeat renews their leases.
        """
        ...

    async def withdraw(self, thread_key: str, author_key: str | None, running: Collection[str]) -> tuple[Item, ...]:
        """Take the author's waiting items (None: everyone's) off the queue but for `running` uids; returns them."""
        ...

    async def request_stop(self, thread_key: str, by: str) -> bool:
        """Ask the owner of the lease, in whichever process, to stop; False when nothing runs."""
        ...

    async def revise(self, thread_key: str, message_id: str, text: str | None) -> bool:
        """Rewrite a waiting item's text, or drop it (None); False when it is not waiting."""
        ...

    async def start_afresh(self, thread_key: str) -> None:
        """From now on the context begins after what is stored, and without a summary of it."""
        ...

    async def is_joined(self, thread_key: str) -> bool:
        """Whether anything was ever accepted in this thread."""
        ...

    async def state(self, thread_key: str) -> ThreadState:
        """What is kept of a thread besides its queue; that of a new one when it is not known."""
        ...

    async def begin_chore(self, thread_key: str, chore: str, lease_s: float) -> bool:
        """Take up work beside the turns, for `lease_s` at most; False while somebody is at it or nobody knows it."""
        ...

    async def end_chore(self, thread_key: str, chore: str) -> None:
        """The work of that name is done, or given up."""
        ...

    async def set_summary(self, thread_key: str, summary: Summary) -> bool:
        """Let `summary` stand for the turns up to its number: the context begins after them from now on.

        False, and nothing changes, when somebody started afresh behind that number, or another summary stands for as
        much. Where the context was cut behind it meanwhile, it stays cut and the summary counts.
        """
        ...

    async def set_title(self, thread_key: str, title: str, *, replace: bool) -> bool:
        """Note a thread's title; without `replace` only where it has none. False: nothing was noted."""
        ...


class Speaker(StrEnum):
    """Whose words of a turn are looked at."""

    ANYONE = "anyone"
    PEOPLE = "people"
    BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnQuery:
    """Which turns of a thread are looked for.

    All `words` stand somewhere in what `speaker` said in one turn, or in the names and beginnings of the files with it,
    each as it is written but for its case; none: every turn fits. `author_key` and `author_name` (a part of it, in any
    case) tell who asked; None: anyone. `since` is included, `before` is not.
    """

    thread_key: str
    words: tuple[str, ...] = ()
    speaker: Speaker = Speaker.ANYONE
    author_key: str | None = None
    author_name: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsFound:
    """Turns without their steps and calls, the newest first. `in_time`: False when the search was given up."""

    turns: tuple[TurnRecord, ...]
    in_time: bool = True


class TurnStore(Protocol):
    """What was said and answered, one document per turn."""

    async def recent(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[TurnRecord, ...]:
        """The newest turns with `seq >= from_seq`, oldest first, superseded ones left out."""
        ...

    async def files(self, thread_key: str, *, from_seq: int, limit: int) -> tuple[FileNote, ...]:
        """What was read of the newest attachments of a thread's turns with `seq >= from_seq`, oldest first."""
        ...

    async def append(self, turn: TurnRecord) -> None:
        """Store a turn under its uid; storing the same uid again changes nothing."""
        ...

    async def set_messages(self, uid: str, message_ids: Sequence[str]) -> None:
        """Note under which message ids the answer is shown."""
        ...

    async def load(self, uid: str) -> TurnRecord | None:
        """One turn by uid."""
        ...

    async def last(self, thread_key: str) -> TurnRecord | None:
        """The newest turn of a thread that is not superseded."""
        ...

    async def supersede(self, uid: str, by: str) -> None:
        """Turn `by` replaces `uid`: it leaves the context and stays stored."""
        ...

    async def search(self, query: TurnQuery) -> TurnsFound:
        """The turns of one thread that fit, within a second.

        Superseded ones are left out, and those from before somebody started afresh: they count no more.
        """
        ...


class Ledger(Protocol):
    """Append-only account of provider calls."""

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        """Book calls; a row whose id is booked already is left as it is."""
        ...

    async def spending(self, scope: SpendingScope, since: datetime | None) -> Spending:
        """Sums by model and by day since the start of a day in UTC (None: all); what `append` booked is in it."""
        ...

    async def rows(self, scope: SpendingScope, since: datetime | None, limit: int) -> tuple[LedgerRow, ...]:
        """Single calls of a scope since a time (None: all), the newest first."""
        ...


class SettingStore(Protocol):
    """Values that people set for a scope. Keys are those of `Place.setting_keys`, names those of `ThreadSettings`."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """All values of each key that has some; one read."""
        ...

    async def set(self, key: str, name: str, value: object | None) -> None:
        """Set one value, or with None remove it."""
        ...


class AccessStore(Protocol):
    """Who may use the bot, and who owns it. Entries are in the notation of ALLOW (`telegram:chat:-100…`)."""

    async def entries(self) -> Mapping[str, str]:
        """Everything allowed at run time: entry -> `owner` or `allowed`."""
        ...

    async def put(self, entry: str, role: str) -> None:
        """Allow an entry, or make a person `owner`."""
        ...

    async def remove(self, entry: str) -> bool:
        """Take an entry back; False when it was not there."""
        ...

    async def first_refusal_today(self, author_key: str, today: str) -> bool:
        """Note that a person was turned away; True once a day (`today` as YYYY-MM-DD)."""
        ...


class InvocationStore(Protocol):
    """Commands in progress, for platforms that would deliver them again or lose them at a restart."""

    async def begin(self, inbound: Inbound) -> bool:
        """Note a command; False when the same uid was noted before."""
        ...

    async def end(self, uid: str) -> None:
        """It was answered."""
        ...

    async def abandoned(self, older_than_s: float, accounts: Collection[str]) -> tuple[Inbound, ...]:
        """Commands to these `platform:account` that were begun and never ended; each once in that time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveChannel:
    """A conversation that the bot takes part in. `last_order` is the `order` of the last event accepted in it."""

    place: Place
    last_order: int


class ActivityStore(Protocol):
    """Where the bot was active, for platforms whose missed messages have to be fetched."""

    async def active(self, account_key: str, since: datetime) -> Sequence[ActiveChannel]:
        """The conversations of a bot account with an event accepted since then, at most 500, the latest first."""
        ...
