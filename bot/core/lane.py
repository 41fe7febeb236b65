"""One thread's lane in this process: from a claim, turn after turn, until nothing waits.

Decides what a turn consists of (merging, retries, what a dead owner left) and stores how it ended. What the model
does is `turn`, what users see is `delivery`.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.core.answering import Answering, Ending
from bot.core.asking import MAX_TRIES
from bot.core.chores import TurnDone
from bot.core.command import ANOTHER_MODEL, SEEING_MODEL
from bot.core.delivery import Delivery, Shown
from bot.core.errors import Fenced, StorageUnavailable, TriesExhausted, UnreadableFile, explain, reference_of
from bot.core.events import Outcome
from bot.core.interrupt import Interrupt
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import ChatKind, Place
from bot.core.ports import Button
from bot.core.question import Question
from bot.core.together import both
from bot.core.turn_record import Claim, Item, ItemKind, TurnRecord

T = TypeVar("T")

log = logging.getLogger(__name__)

STOPPED = "Stopped."
#: Discord's limit for what stands on a button.
_LABEL_CHARS = 80
#: From here on a turn is not even shown: nothing may keep a thread from going on.
HOPELESS_TRIES = 2 * MAX_TRIES
#: How long after a claim or a heartbeat nobody else can have taken the thread: a lease less what one call of
#: the store may take.
HELD_S = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The turn that runs now: whose it is, which queue items it answers, and its Stop switch."""

    author_key: str
    uids: tuple[str, ...]
    interrupt: Interrupt


class Lane:
    """Runs the turns of one thread in order. `current` is None between turns.

    `afterwards` is called with every turn that was stored and shown, and must not wait.
    """

    def __init__(self, parts: Parts, patience: Patience, afterwards: Callable[[TurnDone], None]) -> None:
        self._parts = parts
        self._patience = patience
        self._afterwards = afterwards
        self.current: Current | None = None
        self._held_until = parts.clock.monotonic() + HELD_S
        self._last_send_tells = False

    def renewed(self, asked_at: float) -> None:
        """A heartbeat of `asked_at` (monotonic) came through; after a longer silence it proves nothing."""
        if asked_at < self._held_until:
            self._held_until = asked_at + HELD_S

    async def run(self, claim: Claim) -> None:
        """Answer what waits until the queue is empty and the lease released. Raises Fenced."""
        following: Claim | None = claim
        while following is not None:
            following = await self._turn(following)

    async def _turn(self, claim: Claim) -> Claim | None:
        items = next_items(claim.items)
        head = items[0]
        self._last_send_tells = False
        self.current = Current(
            author_key=head.author_key,
            uids=tuple(item.uid for item in items),
            interrupt=Interrupt(self._parts.defaults.timeout_s),
        )
        try:
            if claim.tries >= HOPELESS_TRIES:
                return await self._give_up(claim, items)
            if claim.attempt is not None or claim.tries > 0:
                stored = await self._persist(claim, lambda: self._parts.turns.load(head.uid))
                if stored is not None:
                    return await self._conclude_stored(claim, stored, head)
            question = await self._question(claim, items)
            if question is None:
                return await self._persist(claim, lambda: self._parts.threads.finish(claim, [head.uid]))
            return await self._answer(claim, question, self.current.interrupt)
        finally:
            self.current = None

    async def _question(self, claim: Claim, items: Sequence[Item]) -> Question | None:
        """What the head of the queue asks; None for a retry of something that was retried meanwhile."""
        head = items[0]
        pops = tuple(item.uid for item in items)
        if head.kind is ItemKind.MESSAGE:
            return Question(uid=head.uid, items=tuple(items), pops=pops)
        turn = await self._replaced(claim, head)
        if turn is None or turn.superseded_by is not None:
            return None
        return Question(
            uid=head.uid,
            items=turn.items,
            pops=pops,
            replaces=turn,
            in_place=head.replace,
            elsewhere=head.elsewhere,
            seeing=head.seeing,
        )

    async def _replaced(self, claim: Claim, head: Item) -> TurnRecord | None:
        """The turn that a retry answers once more; None for a message."""
        uid = head.retry_of
        return None if uid is None else await self._persist(claim, lambda: self._parts.turns.load(uid))

    async def _answer(self, claim: Claim, question: Question, interrupt: Interrupt) -> Claim | None:
        async with self._delivery(claim, question) as delivery:
            answering = Answering(self._parts, self._patience, claim, question, interrupt=interrupt, delivery=delivery)
            ending = await answering.run()
            record = self._record(claim, question, ending)
            self._last_send_tells = delivery.silent and self._is_one_known_send(claim.place, record)
            _, shown = await both(
                self._persist(claim, lambda: self._store(record, question)),
                delivery.finish(reason=_closing(record), buttons=_buttons(record, ending)),
            )
        following = await self._conclude(claim, record, question.pops, shown, ending.from_seq)
        replaced = question.replaces
        stored = replace(record, calls=(), message_ids=shown.message_ids)
        self._parts.history.add(stored, replaces=replaced.uid if replaced else None)
        if (prompted := ending.prompted) is not None:
            self._afterwards(
                TurnDone(
                    claim=claim,
                    record=stored,
                    author_key=claim.items[0].author_key,
                    model=prompted.model,
                    prompt_tokens=prompted.tokens,
                    window=prompted.window,
                    sent=prompted.sent,
                    aloud=ending.aloud,
                )
            )
        return following

    def _is_one_known_send(self, place: Place, record: TurnRecord) -> bool:
        """Whether a repeated send would find the answer's only message, so that its id need not be noted at once."""
        messenger = self._parts.messengers[place.platform]
        shown = "\n\n".join(text for text in (record.answer, _closing(record)) if text)
        return messenger.capabilities(place).idempotent_send and len(messenger.render(place, shown)) <= 1

    async def _store(self, record: TurnRecord, question: Question) -> None:
        """The turn first names what it cost: a new owner books from it what was not booked yet."""
        turns, ledger = self._parts.turns, self._parts.ledger
        await both(turns.append(record), ledger.append(record.calls))
        if question.replaces is not None:
            await turns.supersede(question.replaces.uid, by=record.uid)

    async def _conclude(
        self, claim: Claim, record: TurnRecord, pops: Sequence[str], shown: Shown, from_seq: int
    ) -> Claim | None:
        if shown.error is not None:
            log.warning("turn %s was stored but not delivered: %s", reference_of(record.uid), shown.error)
        _, (_, following) = await self._persist(
            claim,
            lambda: both(
                # What was held for the calls makes room for what they cost; a hold is settled once, whoever does it.
                self._parts.purse.settle(record.calls),
                both(
                    self._parts.turns.set_messages(record.uid, shown.message_ids),
                    self._parts.threads.finish(claim, pops, from_seq=from_seq),
                ),
            ),
        )
        return following

    async def _conclude_stored(self, claim: Claim, record: TurnRecord, head: Item) -> Claim | None:
        """A former owner stored the turn and died: do what it may not have come to after that."""
        question = Question(
            uid=record.uid,
            items=record.items,
            pops=(record.uid, *(item.uid for item in record.items)),
            replaces=await self._replaced(claim, head),
            in_place=head.replace,
        )
        await self._persist(claim, lambda: self._store(record, question))
        async with self._delivery(claim, question) as delivery:
            if record.answer:
                delivery.feed(record.answer)
            shown = await delivery.finish(reason=_closing(record), buttons=_buttons(record))
        return await self._conclude(claim, record, question.pops, shown, 0)

    async def _give_up(self, claim: Claim, items: Sequence[Item]) -> Claim | None:
        """Even showing that it failed fails each time: the thread goes on without that."""
        head, error = items[0], TriesExhausted(claim.tries)
        log.error("turn %s cannot be shown, it is given up", head.uid)
        question = Question(uid=head.uid, items=tuple(items), pops=tuple(item.uid for item in items))
        record = self._record(claim, question, Ending(outcome=Outcome.FAILED, items=question.items, error=error))
        await self._persist(claim, lambda: self._store(record, question))
        return await self._persist(claim, lambda: self._parts.threads.finish(claim, question.pops))

    def _delivery(self, claim: Claim, question: Question) -> Delivery:
        place, attempt = claim.place, claim.attempt
        messenger = self._parts.messengers[place.platform]
        known = attempt.message_ids if attempt is not None else ()
        if question.in_place and question.replaces is not None:
            known += question.replaces.message_ids[len(known) :]
        return Delivery(
            messenger,
            self._parts.pacers,
            self._parts.clock,
            place=place,
            turn_uid=question.uid,
            reply_to=question.items[-1].message_id if place.kind is ChatKind.SHARED else None,
            known=known,
            resent=attempt is not None
            # Where sends are de-duplicated nobody notes them beforehand.
            and (messenger.capabilities(place).idempotent_send or attempt.sending > len(known)),
            permit=lambda: self._still_ours(claim),
            before_send=lambda page: self._persist(claim, lambda: self._parts.threads.begin_send(claim, page)),
            on_message=lambda page, message_id: self._record_message(claim, page, message_id),
        )

    async def _still_ours(self, claim: Claim) -> None:
        """Ask whose the thread is when this process has slept; while storage is away nobody takes it.

        Raises:
            Fenced: somebody has taken it.
        """
        asked_at = self._parts.clock.monotonic()
        if asked_at >= self._held_until:
            with suppress(StorageUnavailable):
                await self._parts.threads.hold(claim)
                self._held_until = asked_at + HELD_S

    async def _record_message(self, claim: Claim, page: int, message_id: str) -> None:
        if self._last_send_tells:
            return  # `_conclude` stores it in a moment
        with suppress(Fenced):  # the next fenced write ends the turn
            await self._persist(claim, lambda: self._parts.threads.record_message(claim, page, message_id))

    def _record(self, claim: Claim, question: Question, ending: Ending) -> TurnRecord:
        reason = None
        if ending.outcome is Outcome.STOPPED:
            reason = STOPPED
        elif ending.error is not None:
            reference = reference_of(f"{question.uid}~{claim.fence}")
            reason = explain(ending.error, reference=reference).line
            log.warning("turn %s: %s (ref %s): %r", ending.outcome, question.uid, reference, ending.error)
        return TurnRecord(
            uid=question.uid,
            thread_key=claim.thread_key,
            seq=claim.next_seq,
            fence=claim.fence,
            at=self._parts.clock.now(),
            items=ending.items,
            steps=ending.steps,
            answer=ending.answer,
            outcome=ending.outcome,
            reason=reason,
            model=ending.model,
            calls=ending.calls,
            note=ending.note,
            route=ending.route,
        )

    async def _persist(self, claim: Claim, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=claim.place)


def next_items(waiting: Sequence[Item]) -> tuple[Item, ...]:
    """What one turn answers: the head of the queue with all waiting messages of its author, or a retry alone."""
    head = waiting[0]
    if head.kind is ItemKind.RETRY:
        return (head,)
    return tuple(item for item in waiting if item.kind is ItemKind.MESSAGE and item.author_key == head.author_key)


async def store_withdrawn(parts: Parts, place: Place, items: Sequence[Item]) -> None:
    """Waiting messages that Stop took off the queue end as stopped turns.

    They never had a place in the order of answered turns: their `seq` is below zero, where no context looks.
    """
    for item in items:
        await parts.turns.append(
            TurnRecord(
                uid=item.uid,
                thread_key=place.thread_key,
                seq=-item.order - 1,
                fence=0,
                at=parts.clock.now(),
                items=(item,),
                steps=(),
                answer="",
                outcome=Outcome.STOPPED,
                reason=STOPPED,
                model=None,
            )
        )


def _closing(record: TurnRecord) -> str | None:
    """What stands under the answer, or alone: why it is not whole, then the note."""
    return "\n".join(line for line in (record.reason, record.note) if line) or None


def _buttons(record: TurnRecord, ending: Ending | None = None) -> tuple[Button, ...]:
    """What may be done about an answer that is not whole; `ending` tells which other models could be asked."""
    seeing = ending.seeing if ending is not None else None
    see = (
        ()
        if seeing is None
        else (
            Button(
                label=f"Ask {seeing.name or seeing.ref.id}"[:_LABEL_CHARS], line=f"retry {record.uid} {SEEING_MODEL}"
            ),
        )
    )
    if record.outcome is Outcome.ANSWERED or record.outcome is Outcome.REFUSED:
        return see
    if ending is not None and isinstance(ending.error, UnreadableFile) and not _may_be_read(record):
        return see
    retry = Button(label="Retry", line=f"retry {record.uid}")
    if ending is None or not ending.has_others or record.outcome is Outcome.STOPPED:
        return (retry, *see)
    return (retry, *see, Button(label="Retry with another model", line=f"retry {record.uid} {ANOTHER_MODEL}"))


def _may_be_read(record: TurnRecord) -> bool:
    """Whether any of its files could not be read for a reason that may pass."""
    return any(note.again for item in record.items for note in item.files)
