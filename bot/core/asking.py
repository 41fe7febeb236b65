"""Asking models for one turn: permission before each call, the text to the delivery, every call to its row.

Keeps what was said, done and billed, whichever models it took. Knows nothing of history or of which model is asked.
"""

import json
import math
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from bot.core.bills import Bills
from bot.core.booking import Account
from bot.core.context import Filling
from bot.core.delivery import Delivery
from bot.core.errors import OutputLimitReached, TriesExhausted
from bot.core.events import (
    CallFinished,
    Outcome,
    ReasoningDelta,
    TextDelta,
    ToolFinished,
    ToolsStarted,
    TurnEnded,
    Waiting,
)
from bot.core.interrupt import Interrupt
from bot.core.ledger import CallKind, LedgerRow
from bot.core.links import LinkGate
from bot.core.message import ToolCall
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import Author
from bot.core.ports import ChatRequest, Provider
from bot.core.tool_belt import WEB_SEARCH, ToolBelt
from bot.core.turn import HURRIED, PERSISTENT, TurnLoop, prompt_of
from bot.core.turn_record import Claim, ToolStep

T = TypeVar("T")

MAX_TRIES = 3
#: How much of a tool's result is kept with the turn.
_STEP_CHARS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A prompt of words, as it was estimated: what they take, and what the description of tools does."""

    words_tokens: int
    tools_tokens: int

    @classmethod
    def of(cls, filling: Filling) -> "Lesson | None":
        """None: files, or tools that outweigh the words, would pass for an error of the estimate."""
        if filling.files or filling.tools > filling.words:
            return None
        return cls(words_tokens=filling.words, tools_tokens=filling.tools)


class Asking:
    """One turn's calls. `text`, `steps`, `calls` and `notices` grow while it asks; `belt` is to be set before."""

    belt: ToolBelt

    def __init__(
        self,
        parts: Parts,
        patience: Patience,
        claim: Claim,
        *,
        turn_uid: str,
        interrupt: Interrupt,
        delivery: Delivery,
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._interrupt = interrupt
        self._delivery = delivery
        former = claim.attempt
        self._lost_fence = former.fence if former is not None and former.called else None
        self._begun = False
        self._settled = 0
        self._held: str | None = None
        self._capped = False
        self.text: list[str] = []
        self.steps: list[ToolStep] = []
        self.calls: list[LedgerRow] = []
        #: What people should read with the answer, as the purse says.
        self.notices: list[str] = []
        self._links: LinkGate | None = None
        self.bills = Bills(parts, patience, claim, turn_uid=turn_uid, author_key=self.author.key, rows=self.calls)

    async def begin(self) -> None:
        """Note that a call is about to be made, once; not while the note of a call that was lost has to be booked."""
        if self._lost_fence is None and not self.exhausted and not self._begun:
            await self._parts.threads.begin_attempt(self._claim)
            self._begun = True

    async def ask(
        self,
        request: ChatRequest,
        provider: Provider,
        account: Account,
        *,
        prompt_tokens: int,
        files_tokens: int,
        hurried: bool,
        lesson: Lesson | None,
    ) -> TurnEnded:
        """Run the tool loop with one model. `prompt_tokens` is what the request was estimated at, its files included.

        `hurried`: another model can answer, so this one is not waited for long. `lesson` is
        what the first call's usage can teach, None: nothing. Raises Fenced.
        """
        if self.exhausted:
            return TurnEnded(outcome=Outcome.FAILED, error=TriesExhausted(MAX_TRIES))
        await self._persist(self.begin)
        if hurried:  # one that hangs is left in time to ask the next
            request = replace(request, first_token_s=self._interrupt.left_s / 2)
        began_with = len(request.messages)

        async def permission(asked: ChatRequest) -> ChatRequest:
            return await self._permit(asked, account, prompt_tokens, began_with)

        loop = TurnLoop(
            provider,
            self.belt.toolbox,
            interrupt=self._interrupt,
            clock=self._parts.clock,
            permission=permission,
            persistence=HURRIED if hurried else PERSISTENT,
            tool_rounds=self._parts.defaults.tool_rounds,
            files_tokens=files_tokens,
        )
        ended = await self._follow(loop, request, account, lesson)
        self._flush()
        self._note_unfinished()
        await self._release(account)
        return ended

    async def look_up(self, query: str) -> str | None:
        """Search the web before a model is asked; what it is to be told of that. None: there is no search here.

        Raises StopRequested or TurnTimeout.
        """
        if not self.belt.can_search:
            return None
        call = ToolCall(id="lookup", name=WEB_SEARCH, arguments=json.dumps({"query": query}, ensure_ascii=False))
        self._delivery.status(self.belt.status([call]))
        try:
            (finished,) = await self._interrupt.within(self.belt.toolbox.run([call]))
        finally:
            self._note_unfinished()
        self._note(finished)
        return finished.result.text

    @property
    def author(self) -> Author:
        """Whoever asked for this turn: the writer of the head item (for a retry, the one who pressed it)."""
        head = self._claim.items[0]
        platform, _, author_id = head.author_key.partition(":")
        return Author(platform=platform, id=author_id, name=head.author_name)

    def give(self, text: str) -> None:
        """Say what needs no call."""
        if text:
            self.text.append(text)
            self._delivery.feed(text)

    def _say(self, text: str) -> None:
        """What a model says; where it has read text from outside, without links that nobody vouches for."""
        if self._links is None and self.belt.toolbox.tainted:
            self._links = LinkGate(self.belt.linkable)
        self.give(text if self._links is None else self._links.feed(text))

    def _flush(self) -> None:
        if self._links is not None:
            self.give(self._links.flush())

    def _note_unfinished(self) -> None:
        """What tools had done by the time that others of their round were broken off."""
        for finished in self.belt.toolbox.unfinished:
            self._note(finished)
        self.belt.toolbox.unfinished = []

    def _note(self, finished: ToolFinished) -> None:
        self.belt.note(finished)
        self.steps.append(_step(finished))

    async def _follow(self, loop: TurnLoop, request: ChatRequest, account: Account, lesson: Lesson | None) -> TurnEnded:
        """Take in what happens."""
        async with aclosing(loop.run(request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        self._say(event.text)
                    case ReasoningDelta():
                        pass
                    case Waiting():
                        self._delivery.status(f"{event.provider} asks to wait {math.ceil(event.seconds)} s …")
                    case ToolsStarted():
                        self._flush()
                        self._delivery.status(self.belt.status(event.calls))
                    case ToolFinished():
                        self._note(event)
                    case CallFinished():
                        if lesson is not None:
                            self._learn(event, account, lesson)
                        lesson = None
                        self._book(event, account)
                    case TurnEnded():
                        return self._told_why(event)
                    case _:
                        assert_never(event)
        raise AssertionError("a turn always ends with TurnEnded")

    def _told_why(self, ended: TurnEnded) -> TurnEnded:
        """A limit that a budget set is none that people could raise."""
        if self._capped and isinstance(ended.error, OutputLimitReached):
            return replace(ended, error=OutputLimitReached(by_budget=True))
        return ended

    def _learn(self, call: CallFinished, account: Account, lesson: Lesson) -> None:
        """Hold the estimate of a prompt's words against what the provider counted."""
        if (usage := call.usage) is not None:
            words = usage.input_tokens - usage.image_tokens - usage.audio_tokens - lesson.tools_tokens
            self._parts.calibration.observe(account.model.ref, estimated=lesson.words_tokens, reported=words)

    async def _permit(self, request: ChatRequest, account: Account, prompt_tokens: int, began_with: int) -> ChatRequest:
        """Hold what the call may cost; what tools said since the first call counts as well.

        What was held for the calls before it makes room first: a turn must not run out of budget against itself.
        """
        if unsettled := self.calls[self._settled :]:
            await self.bills.settle(unsettled)
            self._settled += len(unsettled)
        estimate = self._parts.calibration.estimator(request.model.ref)
        added = request.messages[began_with:]
        tokens = prompt_tokens + sum(estimate(message.words) for message in added)
        call_id = account.row_id(fence=self._claim.fence, number=self._answers)
        permit = await self._persist(
            lambda: self._parts.purse.reserve(
                call_id, request, prompt_tokens=tokens, place=account.place, author_key=account.author_key
            )
        )
        self._held, self._capped = call_id, permit.capped
        if permit.notice is not None:
            self.notices.append(permit.notice)
        return permit.request

    async def _release(self, account: Account) -> None:
        """A call that nobody bills leaves no row; the next one has the same id, perhaps another price."""
        held, self._held = self._held, None
        if held is not None:
            await self._persist(
                lambda: self._parts.purse.release(held, place=account.place, author_key=account.author_key)
            )

    def _book(self, call: CallFinished, account: Account) -> None:
        now = self._parts.clock.now()
        self.calls.append(account.row(call, fence=self._claim.fence, number=self._answers, at=now))
        self._held = None  # settled with the turn

    async def book_lost_call(self, request: ChatRequest, account: Account, *, files_tokens: int) -> None:
        """A former owner called the model and died: that call was billed too, whatever comes of this try."""
        if self._lost_fence is None:
            return
        prompt = prompt_of(request)
        row = account.lost_row(prompt, files_tokens=files_tokens, fence=self._lost_fence, at=self._parts.clock.now())
        await self._persist(lambda: self._parts.ledger.append([row]))
        await self._persist(lambda: self._parts.purse.settle([row]))
        self._lost_fence = None

    @property
    def answers(self) -> list[LedgerRow]:
        """The rows of model calls among all."""
        return [row for row in self.calls if row.kind is CallKind.ANSWER]

    @property
    def _answers(self) -> int:
        """How many model calls there were: rows are numbered by them."""
        return len(self.answers)

    @property
    def exhausted(self) -> bool:
        """Whether the turn died too often with its process: nothing is done for it any more."""
        return self._claim.tries >= MAX_TRIES

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)


def _step(event: ToolFinished) -> ToolStep:
    return ToolStep(
        name=event.call.name,
        arguments=event.call.arguments,
        result=event.result.text[:_STEP_CHARS],
        is_error=event.result.is_error,
        duration_s=event.duration_s,
        nano_usd=event.nano_usd,
        urls=event.urls,
    )
