"""What is done for a thread beside its turns: the summary of its oldest part, and its title.

One of each at a time for a thread, in whichever process: a lease on the thread's document tells. What is worth doing,
and the words for it, are `compaction`'s and `titles`' business.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.calibration import Calibration
from bot.core.catalogue import ModelInfo
from bot.core.compaction import (
    DUE_SHARE,
    DUE_TURNS,
    beside_tokens,
    clean_summary,
    said_tokens,
    split,
    summary_request,
    summary_tokens,
    tokens_of,
)
from bot.core.context import MAX_TURNS, Window
from bot.core.errors import (
    BudgetExhausted,
    DeliveryError,
    EmptyAnswer,
    OutputLimitReached,
    ParleyError,
    RequestRejected,
    StorageUnavailable,
    ToolRoundsExhausted,
    UsageError,
)
from bot.core.events import Outcome
from bot.core.ledger import CallKind, LedgerRow
from bot.core.place import ChatKind, Place
from bot.core.ports import ChatRequest, Messenger, ModelDirectory
from bot.core.side_call import Reply, SideCalls
from bot.core.stores import ThreadStore, TurnStore
from bot.core.titles import TITLE_WORDS, clean_title, title_request
from bot.core.turn_record import Claim, Summary, TurnRecord
from bot.core.warm_prompt import Sent, WarmPrompts, continued_request

log = logging.getLogger(__name__)

_SUMMARY, _TITLE = "summary", "title"
_SUMMARY_TIMEOUT_S, _TITLE_TIMEOUT_S = 120.0, 30.0
#: A chore's lease outlives its call and the patience with storage after it.
_LEASE_MARGIN_S = 60.0
#: A thread whose first turns failed may still get a title by itself; an old one is left as people know it.
_TITLE_TURNS = 3
#: /title looks at so many of the newest turns.
_TITLE_HISTORY = 6
_NOTHING_YET = (
    "There is nothing here to summarise yet: the two newest exchanges always stay word for word, and what was said "
    "before them is too short."
)
#: What may be wrong with a prompt that was continued, and not with its words as a text: where the model called a tool,
#: thought too long or said nothing, where the prompt did not fit or more had to be reserved than a budget leaves.
_CONTINUED_WRONGLY = (BudgetExhausted, EmptyAnswer, OutputLimitReached, RequestRejected, ToolRoundsExhausted)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDone:
    """A turn that was stored and shown. `prompt_tokens` is what its conversation was estimated at, within `window`.

    `sent` is that prompt, None: no model was asked, or it said nothing. `aloud`: the answer is to be read out.
    """

    claim: Claim
    record: TurnRecord
    author_key: str
    model: ModelInfo
    prompt_tokens: int
    window: Window
    sent: Sent | None = None
    aloud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What a summary did: tokens of what was said before and after, and how many more turns it stands for now.

    `rows` are the calls that it took.
    """

    before_tokens: int
    after_tokens: int
    turns: int
    rows: tuple[LedgerRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """For whom and for which conversation something is done; `model` is the one that answers there."""

    place: Place
    author_key: str
    uid: str
    model: ModelInfo

    @property
    def named(self) -> bool:
        return self.place.kind is ChatKind.SHARED


class Chores:
    """Summaries and titles."""

    def __init__(
        self,
        *,
        threads: ThreadStore,
        turns: TurnStore,
        side: SideCalls,
        directory: ModelDirectory,
        calibration: Calibration,
        messengers: Mapping[str, Messenger],
        titles: bool,
    ) -> None:
        self._threads = threads
        self._turns = turns
        self._side = side
        self._directory = directory
        self._calibration = calibration
        self._messengers = messengers
        self._titles = titles
        self._warm = WarmPrompts()

    async def after_turn(self, done: TurnDone) -> None:
        """Do what the thread needs now, in the background: never raises for what a provider or storage does."""
        self._warm.remember(done.claim.thread_key, done.sent)
        for name, work in ((_TITLE, self._title_early), (_SUMMARY, self._summarise_early)):
            try:
                await work(done)
            except ParleyError as error:
                log.warning("no %s for thread %s: %s", name, done.claim.thread_key, error)

    async def compact(
        self, place: Place, author_key: str, *, uid: str, model: ModelInfo, window: Window, now: datetime
    ) -> Compaction:
        """Summarise all but the newest turns at once; `now` tells whether a cache may still know the last prompt.

        Raises:
            UsageError: there is nothing worth a summary, or somebody is at it; in words for the user.
            ParleyError: the model that writes summaries failed.
        """
        job = _Job(place=place, author_key=author_key, uid=uid, model=model)
        async with self._chore(job, _SUMMARY, _SUMMARY_TIMEOUT_S) as ours:
            if not ours:
                raise await self._taken(job, "A summary is being written right now; try again in a minute.")
            done = await self._summarise(job, window, None, self._warm.of(place.thread_key, now))
        if done is None:
            raise UsageError(_NOTHING_YET)
        return done

    async def title(self, place: Place, author_key: str, *, uid: str, model: ModelInfo) -> str:
        """Think of a title for what was said and note it, in the place of an older one. Raises as `compact`."""
        job = _Job(place=place, author_key=author_key, uid=uid, model=model)
        async with self._chore(job, _TITLE, _TITLE_TIMEOUT_S) as ours:
            if not ours:
                raise await self._taken(job, "A title is being thought of right now; try again in a minute.")
            state = await self._threads.state(place.thread_key)
            turns = await self._turns.recent(place.thread_key, from_seq=state.from_seq, limit=_TITLE_HISTORY)
            if not turns and state.summary is None:
                raise UsageError("There is nothing here yet to think of a title for.")
            title = await self._think(job, state.summary, turns)
            await self._threads.set_title(place.thread_key, title, replace=True)
        return title

    # --- titles ---

    async def _title_early(self, done: TurnDone) -> None:
        """Once, after the first answer in a thread of its own, where a title is shown."""
        claim, record = done.claim, done.record
        wanted = self._titles and claim.place.thread is not None and not claim.titled
        if not wanted or record.outcome is not Outcome.ANSWERED or record.seq >= _TITLE_TURNS:
            return
        job = _job_after(done, _TITLE)
        async with self._chore(job, _TITLE, _TITLE_TIMEOUT_S) as ours:
            if not ours or (await self._threads.state(claim.thread_key)).title is not None:
                return
            title = await self._think(job, None, (record,))
            noted = await self._threads.set_title(claim.thread_key, title, replace=False)
        if noted:
            await self._rename(claim.place, title)

    async def _think(self, job: _Job, summary: Summary | None, turns: Sequence[TurnRecord]) -> str:
        request = title_request(self._directory.cheap_for(job.model), summary, turns, named=job.named)
        reply = await self._ask(job, request, CallKind.TITLE, _TITLE_TIMEOUT_S)
        title = clean_title(reply.text, words=TITLE_WORDS)
        if not title:
            raise UsageError("The model thought of no title. Try again, or choose one: `/title <text>`.")
        return title

    async def _rename(self, place: Place, title: str) -> None:
        messenger = self._messengers[place.platform]
        if messenger.capabilities(place).titles:
            try:
                await messenger.rename(place, title)
            except DeliveryError as error:
                log.info("thread %s keeps its name: %s", place.thread_key, error)

    # --- summaries ---

    async def _summarise_early(self, done: TurnDone) -> None:
        """Before the window is full, so that the summary is there when it would be cut."""
        claim, record, window = done.claim, done.record, done.window
        full = done.prompt_tokens >= DUE_SHARE * window.high
        if not full and record.seq - claim.from_seq < DUE_TURNS:
            return
        job = _job_after(done, _SUMMARY)
        async with self._chore(job, _SUMMARY, _SUMMARY_TIMEOUT_S) as ours:
            if ours:
                await self._summarise(job, window, done, done.sent)

    async def _summarise(
        self, job: _Job, window: Window, done: TurnDone | None, sent: Sent | None
    ) -> Compaction | None:
        """Let a summary stand for all but the newest turns, or after `done` for what is above the low-water mark.

        `sent` is a prompt that a cache may know, None: there is none. None: that is not worth it.
        """
        key, estimate = job.place.thread_key, self._calibration.estimator(job.model.ref)
        limit_tokens = summary_tokens(window)
        keep_tokens, worth_tokens = 0, limit_tokens // 2
        state = await self._threads.state(key)
        turns = await self._turns.recent(key, from_seq=state.from_seq, limit=MAX_TURNS)
        if done is not None:
            before = [turn for turn in turns if turn.seq <= done.record.seq]
            if not before or state.summary != done.claim.summary:
                return None  # its prompt was another conversation's than this: a later turn tells how full it is now
            beside = beside_tokens(done.prompt_tokens, state.summary, before, estimate=estimate, named=job.named)
            keep_tokens, worth_tokens = window.low - limit_tokens - beside, 2 * limit_tokens
        oldest = split(turns, keep_tokens=keep_tokens, estimate=estimate, named=job.named)
        oldest_tokens = said_tokens(oldest, estimate=estimate, named=job.named)
        if not oldest or oldest_tokens < worth_tokens:
            return None
        limit_tokens = min(limit_tokens, oldest_tokens // 2 + tokens_of(state.summary, estimate))
        continued = continued_request(
            sent,
            state.summary,
            turns,
            oldest,
            model=self._directory.cheap_for(job.model),
            answer_tokens=limit_tokens,
            oldest_tokens=oldest_tokens,
            named=job.named,
        )
        summary, taken, rows = await self._write(job, state.summary, oldest, limit_tokens, continued)
        before_tokens, after_tokens = (
            tokens_of(kept, estimate) + said_tokens(words, estimate=estimate, named=job.named)
            for kept, words in ((state.summary, turns), (summary, turns[taken:]))
        )
        if after_tokens >= before_tokens:
            raise UsageError("The summary came out longer than what it would stand for, so it was not used.")
        if not await self._threads.set_summary(key, summary):
            raise UsageError("Meanwhile what was summarised left the conversation, so the summary was not used.")
        return Compaction(before_tokens=before_tokens, after_tokens=after_tokens, turns=taken, rows=rows)

    async def _write(
        self,
        job: _Job,
        former: Summary | None,
        oldest: Sequence[TurnRecord],
        limit_tokens: int,
        continued: ChatRequest | None,
    ) -> tuple[Summary, int, tuple[LedgerRow, ...]]:
        """The new summary, how many of the oldest turns it stands for, and the calls."""
        model = self._directory.cheap_for(job.model)
        estimate = self._calibration.estimator(model.ref)
        wasted: tuple[LedgerRow, ...] = ()
        taken = len(oldest)
        reply = None if continued is None else await self._try(job, continued, CallKind.SUMMARY, _SUMMARY_TIMEOUT_S)
        if reply is not None and isinstance(reply.error, _CONTINUED_WRONGLY):
            log.info("thread %s is summarised as a text: %s", job.place.thread_key, reply.error)
            wasted, reply = _rows(reply), None
            job = replace(job, uid=f"{job.uid}~text")
        if reply is None:
            request, taken = summary_request(
                model, former, oldest, answer_tokens=limit_tokens, estimate=estimate, named=job.named
            )
            reply = await self._try(job, request, CallKind.SUMMARY, _SUMMARY_TIMEOUT_S)
        if reply.error is not None:
            raise reply.error
        text = clean_summary(reply.text, limit_tokens=limit_tokens, estimate=estimate)
        return Summary(upto_seq=oldest[taken - 1].seq, text=text), taken, (*wasted, *_rows(reply))

    # --- both ---

    async def _ask(self, job: _Job, request: ChatRequest, kind: CallKind, timeout_s: float) -> Reply:
        """A reply with a text. Raises ParleyError."""
        reply = await self._try(job, request, kind, timeout_s)
        if reply.error is not None:
            raise reply.error
        return reply

    async def _try(self, job: _Job, request: ChatRequest, kind: CallKind, timeout_s: float) -> Reply:
        """What came of it; a text that was cut at its end is no error."""
        reply = await self._side.ask(
            request, uid=job.uid, kind=kind, place=job.place, author_key=job.author_key, timeout_s=timeout_s
        )
        if reply.notice is not None:
            await self._pass_on(job, reply.notice)
        cut = isinstance(reply.error, OutputLimitReached) and reply.text.strip()
        return replace(reply, error=None) if cut else reply

    async def _pass_on(self, job: _Job, notice: str) -> None:
        """People are told once that a budget nears its end, whichever call it was that found out."""
        messenger = self._messengers[job.place.platform]
        try:
            for page in messenger.render(job.place, notice):
                await messenger.send(job.place, page, key=f"{job.uid}:notice")
        except DeliveryError as error:
            log.warning("a notice was not delivered: %s", error)

    @asynccontextmanager
    async def _chore(self, job: _Job, name: str, timeout_s: float) -> AsyncIterator[bool]:
        """Be the one who is at it; False: somebody else is, or nobody knows the thread."""
        key = job.place.thread_key
        ours = await self._threads.begin_chore(key, name, timeout_s + _LEASE_MARGIN_S)
        try:
            yield ours
        finally:
            if ours:
                try:
                    await self._threads.end_chore(key, name)
                except StorageUnavailable as error:
                    log.warning("nobody takes up the %s of thread %s for a while: %s", name, key, error)

    async def _taken(self, job: _Job, busy: str) -> UsageError:
        known = await self._threads.is_joined(job.place.thread_key)
        return UsageError(busy if known else "Nothing was said here yet.")


def _rows(reply: Reply) -> tuple[LedgerRow, ...]:
    return () if reply.row is None else (reply.row,)


def _job_after(done: TurnDone, name: str) -> _Job:
    """A chore that nobody asked for; whoever wrote the turn that made it due pays. Each try has a uid of its own."""
    claim = done.claim
    return _Job(
        place=claim.place,
        author_key=done.author_key,
        uid=f"{claim.thread_key}~{name}~{done.record.seq}",
        model=done.model,
    )
