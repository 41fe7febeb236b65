"""What is stored of a turn, and what waits in a thread's queue.

Values only; how they become documents is the storage's business.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.events import Outcome
from bot.core.files import FileNote
from bot.core.inbound import Inbound, Quoted
from bot.core.ledger import LedgerRow
from bot.core.message import AttachmentRef
from bot.core.place import Place


class ItemKind(StrEnum):
    """What a queue item asks for."""

    MESSAGE = "message"
    #: Answer the turn `retry_of` once more.
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One accepted message that waits for its turn, or is part of one.

    `uid` and `order` are those of the Inbound. `message_id` is the platform's id of the message, to reply to it.
    `retry_of` is a turn's uid, `replace` tells to show the new answer in the old one's messages. `files` is what was
    read from the `attachments`, in their order; empty as long as nobody looked.
    """

    uid: str
    kind: ItemKind
    author_key: str
    author_name: str
    text: str
    message_id: str | None
    at: datetime
    order: int
    quoted: Quoted | None = None
    starter: Quoted | None = None
    attachments: tuple[AttachmentRef, ...] = ()
    retry_of: str | None = None
    replace: bool = False
    #: Answer with the model that comes after the one that failed.
    elsewhere: bool = False
    #: Answer with a model that sees, nearest to the one that did not.
    seeing: bool = False
    #: Look its text up on the web before the model is asked.
    search: bool = False
    files: tuple[FileNote, ...] = ()

    @classmethod
    def of(cls, inbound: Inbound, kind: ItemKind, *, text: str, message_id: str | None) -> "Item":
        """The item of an event: who, where in the order, and when are the event's."""
        return cls(
            uid=inbound.uid,
            kind=kind,
            author_key=inbound.author.key,
            author_name=inbound.author.name,
            text=text,
            message_id=message_id,
            at=inbound.at,
            order=inbound.order,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the model is told of the turns up to and including number `upto_seq` instead of their words."""

    upto_seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What an owner noted about its work on the head item, for the one who may have to take over.

    `fence` is that owner's. `called`: a provider may have been called. `sending`: so many messages of the answer may
    have gone out, 0 also where sends are de-duplicated. `message_ids` are those known to be out, in order.
    """

    uid: str
    fence: int
    at: datetime
    called: bool
    sending: int
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A thread that this process owns until its lease runs out.

    `fence` grows with every change of owner. `items` is the whole queue, oldest first, never empty. `next_seq` is the
    number of the next turn, `from_seq` the first turn that belongs to the context. `attempt` is what was noted for the
    head item by a former owner, None at a first try. `tries` counts claims of the head item that did not finish.
    `summary` stands for the turns before the context, None: there is none. `titled`: the thread has a title.
    `fresh_seq` is the first turn since somebody started afresh, 0: nobody ever did.
    """

    place: Place
    fence: int
    items: tuple[Item, ...]
    next_seq: int
    from_seq: int
    attempt: Attempt | None
    tries: int
    summary: Summary | None = None
    titled: bool = False
    fresh_seq: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether something of the conversation is not in the context word for word any more."""
        return self.summary is not None or self.from_seq > self.fresh_seq

    @property
    def thread_key(self) -> str:
        return self.place.thread_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What `ingest` did. `claim` is set when this process now owns the thread and must run it.

    `duplicate`: the uid was known already, nothing was enqueued. `full`: the queue is at its cap, nothing was
    enqueued.
    """

    claim: Claim | None
    duplicate: bool = False
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """One tool call of a turn, with all about it. `result` may be shortened.

    `nano_usd` is what a service asks for it, None: nothing, or nobody knows (its ledger row says which).
    `urls` are the addresses that its result vouches for.
    """

    name: str
    arguments: str
    result: str
    is_error: bool
    duration_s: float
    nano_usd: int | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A model that was to answer and did not; `why` is for people."""

    model: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a turn came to its model. `asked` is what was chosen: `provider/id`, or `auto`.

    `reasons` say, for people, why this model and not the one that is set; `passed_over` are the models that were tried
    before the one that answered, in order. `cached`: the answer is from the response cache.
    """

    asked: str
    reasons: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """A turn as stored: the question, the answer exactly as shown, and how it ended.

    `uid` is that of its first item. `answer` is the model's Markdown, without a reason line; empty when nothing was
    shown. `reason` is the line shown with a partial or failed answer, None otherwise. `note` is what is shown after
    that, or under an answer that is whole (its footer), None: nothing. `model` is `provider/id` as asked, None when
    none was; `route` tells how it was chosen, None for turns that never came to that. `superseded_by` is the uid of
    the turn that replaces it in the context. `calls` are the ledger rows of the turn: stored with it in one write, so
    that whoever takes over can book what was not booked yet; `TurnStore.recent` leaves them out.
    """

    uid: str
    thread_key: str
    seq: int
    fence: int
    at: datetime
    items: tuple[Item, ...]
    steps: tuple[ToolStep, ...]
    answer: str
    outcome: Outcome
    reason: str | None
    model: str | None
    message_ids: tuple[str, ...] = ()
    superseded_by: str | None = None
    calls: tuple[LedgerRow, ...] = ()
    note: str | None = None
    route: Route | None = None
