"""One turn's inside: who may ask, which model, which context, what it said and what that cost.

Ends in an `Ending` whatever happens; how that is stored and concluded is the lane's business.
"""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar, assert_never

from bot.core.booking import Account, footer_of
from bot.core.catalogue import ModelInfo
from bot.core.context import Context, Window, build, settle_references
from bot.core.delivery import Delivery
from bot.core.errors import (
    ContextTooLong,
    Fenced,
    ModelNotFound,
    NotAllowed,
    ParleyError,
    TriesExhausted,
    reference_of,
)
from bot.core.events import (
    CallFinished,
    Outcome,
    ReasoningDelta,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from bot.core.gate import Verdict
from bot.core.interrupt import Interrupt
from bot.core.ledger import LedgerRow
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import Author, ChatKind
from bot.core.ports import ChatRequest, Provider, ToolContext
from bot.core.thread_settings import ThreadSettings, resolve
from bot.core.together import both
from bot.core.tokens import estimate_tokens
from bot.core.turn import TurnLoop
from bot.core.turn_record import Claim, Item, ToolStep, TurnRecord

T = TypeVar("T")

MAX_TRIES = 3
#: How much of a tool's result is kept with the turn.
_STEP_CHARS = 4_000
_SHARED_NOTE = "Several people take part in this chat; each of their messages starts with its author's name."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a turn answers. `pops` are the queue items that it takes off, `replaces` the turn that it redoes."""

    uid: str
    items: tuple[Item, ...]
    pops: tuple[str, ...]
    replaces: TurnRecord | None = None
    in_place: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a turn ended. `items` are the question's as they are to be stored; `footer` is shown but not stored."""

    outcome: Outcome
    items: tuple[Item, ...]
    answer: str = ""
    error: ParleyError | None = None
    steps: tuple[ToolStep, ...] = ()
    calls: tuple[LedgerRow, ...] = ()
    model: str | None = None
    from_seq: int = 0
    footer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """All that is known before the model is called."""

    model: ModelInfo
    provider: Provider
    settings: ThreadSettings
    system: str
    history: tuple[TurnRecord, ...]
    items: tuple[Item, ...]


class Answering:
    """Makes the answer of one claim's question and feeds it to its delivery."""

    def __init__(
        self,
        parts: Parts,
        patience: Patience,
        claim: Claim,
        question: Question,
        *,
        interrupt: Interrupt,
        delivery: Delivery,
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._question = question
        self._interrupt = interrupt
        self._delivery = delivery
        self._text: list[str] = []
        self._steps: list[ToolStep] = []
        self._calls: list[LedgerRow] = []
        former = claim.attempt
        self._lost_fence = former.fence if former is not None and former.called else None

    async def run(self) -> Ending:
        """Answer, or say why not. Raises Fenced when the thread has another owner by now."""
        items = self._question.items
        try:
            if self._claim.tries > MAX_TRIES:  # not even what is done at MAX_TRIES came to its end
                raise TriesExhausted(MAX_TRIES)
            plan = await self._prepare()
        except Fenced:
            raise
        except NotAllowed as error:
            return Ending(outcome=Outcome.REFUSED, items=items, error=error)
        except ParleyError as error:
            return Ending(outcome=Outcome.FAILED, items=items, error=error)
        self._interrupt.start()
        return await self._ask(plan)

    async def _prepare(self) -> _Plan:
        claim, place = self._claim, self._claim.place
        author = self._author()
        if await self._persist(lambda: self._parts.gate.check(place, author)) is Verdict.DENIED:
            raise NotAllowed("You are not allowed to use me here any more.")
        keys = place.setting_keys(author.key)
        (history, values), _ = await self._persist(
            lambda: both(
                both(
                    self._parts.history.of(claim),
                    self._parts.settings.load([key for _, key in keys]),
                ),
                self._begin_attempt(),
            )
        )
        settings = resolve(keys, values)
        model = await self._parts.directory.model_for(settings.model)
        provider = self._parts.providers.get(model.ref.provider)
        if provider is None:
            raise ModelNotFound(f"no provider for {model.ref}", provider=model.ref.provider)
        replaced = self._question.replaces
        if replaced is not None:
            history = tuple(turn for turn in history if turn.seq < replaced.seq)
            items = self._question.items
        else:
            items = settle_references(self._question.items, history)
        return _Plan(
            model=model,
            provider=provider,
            settings=settings,
            system=self._system(settings),
            history=history,
            items=items,
        )

    async def _ask(self, plan: _Plan) -> Ending:
        max_output = plan.settings.max_output or self._parts.defaults.max_output_tokens
        window = Window.of(
            limit_tokens=self._parts.context_tokens,
            window_tokens=plan.model.window_tokens,
            max_output_tokens=max_output,
        )
        account = self._account(plan.model)
        ended, context = await self._try(plan, window, account)
        has_history = len(context.messages) > len(plan.items)
        if isinstance(ended.error, ContextTooLong) and not self._text and has_history:
            ended, context = await self._try(plan, window.halved(context.estimated_tokens), account)
        return Ending(
            outcome=ended.outcome,
            items=plan.items,
            answer="".join(self._text).strip(),  # as platforms show it
            error=ended.error,
            steps=tuple(self._steps),
            calls=tuple(self._calls),
            model=str(plan.model.ref),
            # A question that was too long must not take the conversation along with it.
            from_seq=0 if ended.outcome is Outcome.FAILED else context.from_seq,
            footer=footer_of(self._calls) if plan.settings.footer and ended.outcome is Outcome.ANSWERED else None,
        )

    async def _try(self, plan: _Plan, window: Window, account: Account) -> tuple[TurnEnded, Context]:
        replaced = self._question.replaces
        context = build(
            plan.history,
            plan.items,
            system=plan.system,
            window=window,
            estimate=estimate_tokens,
            named=self._named(),
            next_seq=self._claim.next_seq if replaced is None else replaced.seq,
        )
        temperature = plan.settings.temperature
        request = ChatRequest(
            model=plan.model,
            system=plan.system,
            messages=context.messages,
            tools=tuple(tool.spec for tool in self._parts.tools.values()) if plan.model.tools is not False else (),
            max_output_tokens=plan.settings.max_output or self._parts.defaults.max_output_tokens,
            temperature=self._parts.defaults.temperature if temperature is None else temperature,
            cache_key=reference_of(self._claim.thread_key),
        )
        await self._book_lost_call(request, account)
        if self._exhausted:
            return TurnEnded(outcome=Outcome.FAILED, error=TriesExhausted(MAX_TRIES)), context
        return await self._loop(request, plan.provider, account), context

    async def _loop(self, request: ChatRequest, provider: Provider, account: Account) -> TurnEnded:
        loop = TurnLoop(
            provider,
            self._parts.tools,
            context=ToolContext(place=self._claim.place, author=self._author(), turn_uid=self._question.uid),
            interrupt=self._interrupt,
            clock=self._parts.clock,
        )
        async with aclosing(loop.run(request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        self._text.append(event.text)
                        self._delivery.feed(event.text)
                    case ReasoningDelta():
                        pass
                    case ToolStarted():
                        self._delivery.status(f"{event.call.name} …")
                    case ToolFinished():
                        self._steps.append(_step(event))
                    case CallFinished():
                        self._book(event, account)
                    case TurnEnded():
                        return event
                    case _:
                        assert_never(event)
        raise AssertionError("a turn always ends with TurnEnded")

    def _book(self, call: CallFinished, account: Account) -> None:
        now = self._parts.clock.now()
        self._calls.append(account.row(call, fence=self._claim.fence, number=len(self._calls), at=now))

    async def _begin_attempt(self) -> None:
        """Note that a call is about to be made, unless a note of a call that was lost has to be booked first."""
        if self._lost_fence is None and not self._exhausted:
            await self._parts.threads.begin_attempt(self._claim)

    @property
    def _exhausted(self) -> bool:
        return self._claim.tries >= MAX_TRIES

    async def _book_lost_call(self, request: ChatRequest, account: Account) -> None:
        """A former owner called the model and died: that call was billed too."""
        if self._lost_fence is None:
            return
        prompt = "\n".join([request.system, *(message.text for message in request.messages)])
        row = account.lost_row(prompt, fence=self._lost_fence, at=self._parts.clock.now())
        await self._persist(lambda: self._parts.ledger.append([row]))
        self._lost_fence = None
        await self._persist(self._begin_attempt)

    def _account(self, model: ModelInfo) -> Account:
        return Account(
            turn_uid=self._question.uid,
            place=self._claim.place,
            author_key=self._claim.items[0].author_key,
            model=model,
            price=self._parts.price,
        )

    def _author(self) -> Author:
        """Whoever asked for this turn: the writer of the head item (for a retry, the one who pressed it)."""
        head = self._claim.items[0]
        platform, _, author_id = head.author_key.partition(":")
        return Author(platform=platform, id=author_id, name=head.author_name)

    def _named(self) -> bool:
        return self._claim.place.kind is ChatKind.SHARED

    def _system(self, settings: ThreadSettings) -> str:
        prompt = settings.system or self._parts.defaults.system_prompt
        return f"{prompt}\n\n{_SHARED_NOTE}" if self._named() else prompt

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
