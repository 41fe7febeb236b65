"""Asking models for one turn: permission before each call, the text to the delivery, every call to its row.

Keeps what was said, done and billed, whichever models it took. Knows nothing of history or of which model is asked.
"""

import math
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar, assert_never

from bot.core.booking import Account
from bot.core.delivery import Delivery
from bot.core.errors import OutputLimitReached, TriesExhausted
from bot.core.events import (
    CallFinished,
    Outcome,
    ReasoningDelta,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEnded,
    Waiting,
)
from bot.core.interrupt import Interrupt
from bot.core.ledger import LedgerRow
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import Author
from bot.core.ports import ChatRequest, Provider, ToolContext
from bot.core.turn import HURRIED, PERSISTENT, TurnLoop, prompt_of
from bot.core.turn_record import Claim, ToolStep

T = TypeVar("T")

MAX_TRIES = 3
#: How much of a tool's result is kept with the turn.
_STEP_CHARS = 4_000


class Asking:
    """One turn's calls. `text`, `steps`, `calls` and `notices` grow while it asks."""

    def __init__(
        self, parts: Parts, patience: Patience, claim: Claim, *, interrupt: Interrupt, delivery: Delivery
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._interrupt = interrupt
        self._delivery = delivery
        former = claim.attempt
        self._lost_fence = former.fence if former is not None and former.called else None
        self._held: str | None = None
        self._capped = False
        self.text: list[str] = []
        self.steps: list[ToolStep] = []
        self.calls: list[LedgerRow] = []
        #: What people should read with the answer, as the purse says.
        self.notices: list[str] = []

    async def begin(self) -> None:
        """Note that a call is about to be made, unless a note of a call that was lost has to be booked first."""
        if self._lost_fence is None and not self._exhausted:
            await self._parts.threads.begin_attempt(self._claim)

    async def ask(
        self, request: ChatRequest, provider: Provider, account: Account, *, prompt_tokens: int, hurried: bool
    ) -> TurnEnded:
        """Run the tool loop with one model. `prompt_tokens` is what the request was estimated at.

        `hurried`: another model can answer, so this one is not waited for long. Raises Fenced.
        """
        if self._exhausted:
            return TurnEnded(outcome=Outcome.FAILED, error=TriesExhausted(MAX_TRIES))
        if hurried:  # one that hangs is left in time to ask the next
            request = replace(request, first_token_s=self._interrupt.left_s / 2)
        began_with = len(request.messages)

        async def permission(asked: ChatRequest) -> ChatRequest:
            return await self._permit(asked, account, prompt_tokens, began_with)

        loop = TurnLoop(
            provider,
            self._parts.tools,
            context=ToolContext(place=self._claim.place, author=self.author, turn_uid=account.turn_uid),
            interrupt=self._interrupt,
            clock=self._parts.clock,
            permission=permission,
            persistence=HURRIED if hurried else PERSISTENT,
        )
        ended = await self._follow(loop, request, account, prompt_tokens)
        await self._release(account)
        return ended

    @property
    def author(self) -> Author:
        """Whoever asked for this turn: the writer of the head item (for a retry, the one who pressed it)."""
        head = self._claim.items[0]
        platform, _, author_id = head.author_key.partition(":")
        return Author(platform=platform, id=author_id, name=head.author_name)

    def give(self, text: str) -> None:
        """Say what needs no call."""
        self.text.append(text)
        self._delivery.feed(text)

    async def _follow(self, loop: TurnLoop, request: ChatRequest, account: Account, prompt_tokens: int) -> TurnEnded:
        first = len(self.calls)
        async with aclosing(loop.run(request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        self.give(event.text)
                    case ReasoningDelta():
                        pass
                    case Waiting():
                        self._delivery.status(f"{event.provider} asks to wait {math.ceil(event.seconds)} s …")
                    case ToolStarted():
                        self._delivery.status(f"{event.call.name} …")
                    case ToolFinished():
                        self.steps.append(_step(event))
                    case CallFinished():
                        if len(self.calls) == first and not request.tools:
                            self._learn(event, account, prompt_tokens)
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

    def _learn(self, call: CallFinished, account: Account, estimated: int) -> None:
        """Hold the estimate of a prompt of words against what the provider counted; tools and files are not in it."""
        if (usage := call.usage) is not None:
            words = usage.input_tokens - usage.image_tokens - usage.audio_tokens
            self._parts.calibration.observe(account.model.ref, estimated=estimated, reported=words)

    async def _permit(self, request: ChatRequest, account: Account, prompt_tokens: int, began_with: int) -> ChatRequest:
        """Hold what the call may cost; what tools said since the first call counts as well."""
        estimate = self._parts.calibration.estimator(request.model.ref)
        added = request.messages[began_with:]
        tokens = prompt_tokens + sum(estimate(message.words) for message in added)
        call_id = account.row_id(fence=self._claim.fence, number=len(self.calls))
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
        self.calls.append(account.row(call, fence=self._claim.fence, number=len(self.calls), at=now))
        self._held = None  # settled with the turn

    async def book_lost_call(self, request: ChatRequest, account: Account) -> None:
        """A former owner called the model and died: that call was billed too, whatever comes of this try."""
        if self._lost_fence is None:
            return
        prompt = prompt_of(request)
        row = account.lost_row(prompt, fence=self._lost_fence, at=self._parts.clock.now())
        await self._persist(lambda: self._parts.ledger.append([row]))
        await self._persist(lambda: self._parts.purse.settle([row]))
        self._lost_fence = None
        await self._persist(self.begin)

    @property
    def _exhausted(self) -> bool:
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
    )
