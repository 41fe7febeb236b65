"""What was said lately in the threads that this process serves, so that it is read once and not for every turn.

Whether what is kept is still all there is, the claim of the thread tells: its next number grows with every turn, in
whichever process. Bounded by size; the threads that were used longest ago go first.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from bot.core.context import MAX_TURNS
from bot.core.stores import TurnStore
from bot.core.turn_record import Claim, TurnRecord

#: All texts that are kept together: about as many bytes, or up to four times that for other scripts.
MAX_CHARS = 8_000_000
#: What a turn takes beside its texts.
TURN_CHARS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """All current turns of a thread from `from_seq` up to, and without, `next_seq`; oldest first."""

    from_seq: int
    next_seq: int
    turns: tuple[TurnRecord, ...]

    @property
    def chars(self) -> int:
        return sum(map(_chars, self.turns)) + TURN_CHARS * len(self.turns)


class History:
    """The stored turns of a thread's context, from memory where that is certain."""

    def __init__(self, turns: TurnStore, *, max_chars: int = MAX_CHARS) -> None:
        self._turns = turns
        self._max_chars = max_chars
        self._chars = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def of(self, claim: Claim) -> tuple[TurnRecord, ...]:
        """The newest turns of the claimed thread's context, at most `MAX_TURNS`, oldest first."""
        kept = self._kept.get(claim.thread_key)
        if kept is None or kept.next_seq != claim.next_seq or kept.from_seq > claim.from_seq:
            turns = await self._turns.recent(claim.thread_key, from_seq=claim.from_seq, limit=MAX_TURNS)
            kept = _Kept(from_seq=claim.from_seq, next_seq=claim.next_seq, turns=turns)
            self._keep(claim.thread_key, kept)
        elif kept.from_seq < claim.from_seq:  # it was cut, summarised or started afresh, and never goes back
            turns = tuple(turn for turn in kept.turns if turn.seq >= claim.from_seq)
            kept = replace(kept, from_seq=claim.from_seq, turns=turns)
            self._keep(claim.thread_key, kept)
        return kept.turns

    def add(self, turn: TurnRecord, *, replaces: str | None = None) -> None:
        """A turn of this process was stored and its thread has gone on; `replaces` is the uid of a superseded one."""
        kept = self._kept.get(turn.thread_key)
        if kept is None:
            return
        self._forget(turn.thread_key)
        if kept.next_seq == turn.seq:
            before = (other for other in kept.turns if other.uid != replaces)
            turns = (*before, turn)[-MAX_TURNS:]
            self._keep(turn.thread_key, _Kept(from_seq=kept.from_seq, next_seq=turn.seq + 1, turns=turns))

    def _keep(self, thread_key: str, kept: _Kept) -> None:
        self._forget(thread_key)
        self._kept[thread_key] = kept
        self._chars += kept.chars
        while self._chars > self._max_chars:
            self._forget(next(iter(self._kept)))

    def _forget(self, thread_key: str) -> None:
        kept = self._kept.pop(thread_key, None)
        if kept is not None:
            self._chars -= kept.chars


def _chars(turn: TurnRecord) -> int:
    asked = sum(len(item.text) + sum(len(note.excerpt) for note in item.files) for item in turn.items)
    return asked + len(turn.answer) + sum(len(step.result) for step in turn.steps)
