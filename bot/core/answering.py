"""One turn's inside: who may ask, which model, which context, what it said and what that cost.

Ends in an `Ending` whatever happens; how that is stored and concluded is the lane's business.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.core.asking import MAX_TRIES, Asking
from bot.core.automatic import Needs
from bot.core.booking import Account, cached_row, note_of
from bot.core.caching import plan as plan_caching
from bot.core.catalogue import ModelInfo
from bot.core.choosing import Choosing, Chosen
from bot.core.context import Context, Window, answer_limit, build, settle_references, system_prompt
from bot.core.delivery import Delivery
from bot.core.errors import (
    ContextTooLong,
    Fenced,
    LimitReached,
    ModelNotFound,
    NotAllowed,
    ParleyError,
    TriesExhausted,
    reference_of,
)
from bot.core.events import Outcome, TurnEnded
from bot.core.fallback import moves_on, why
from bot.core.gate import Verdict
from bot.core.interrupt import Interrupt
from bot.core.ledger import LedgerRow
from bot.core.money_stores import CachedAnswer
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import ChatKind
from bot.core.ports import ChatRequest
from bot.core.request import build_request
from bot.core.reuse import digest_of
from bot.core.thread_settings import ThreadSettings, resolve
from bot.core.together import both
from bot.core.tokens import estimate_tokens
from bot.core.turn_record import Claim, Item, PassedOver, Route, ToolStep, TurnRecord
from bot.core.warm_prompt import Sent

T = TypeVar("T")

_ELSEWHERE = "It was asked again, of another model."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a turn answers. `pops` are the queue items that it takes off, `replaces` the turn that it redoes.

    `elsewhere`: not the model of that turn is to answer but the one after it.
    """

    uid: str
    items: tuple[Item, ...]
    pops: tuple[str, ...]
    replaces: TurnRecord | None = None
    in_place: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """The last prompt that was made: for which model, how long it was taken to be, within which window.

    `sent` is None when no model said anything to it.
    """

    model: ModelInfo
    tokens: int
    window: Window
    sent: Sent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a turn ended. `items` are the question's as they are to be stored; `note` is shown at the very end.

    `prompted` is None when no prompt was made. `has_others`: another model could be asked.
    """

    outcome: Outcome
    items: tuple[Item, ...]
    answer: str = ""
    error: ParleyError | None = None
    steps: tuple[ToolStep, ...] = ()
    calls: tuple[LedgerRow, ...] = ()
    model: str | None = None
    from_seq: int = 0
    note: str | None = None
    route: Route | None = None
    prompted: Prompted | None = None
    has_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """All that is known before a model is chosen."""

    settings: ThreadSettings
    choosing: Choosing
    system: str
    history: tuple[TurnRecord, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """One model's try: how it ended, and the context that it got; `sent` is None when it said nothing."""

    ended: TurnEnded
    context: Context
    window: Window
    sent: Sent | None = None
    cached: bool = False


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
        #: A former owner that noted a call had come past the rate limits: the same message is not counted again.
        self._admitted = claim.attempt is not None and claim.attempt.called
        self._asking = Asking(parts, patience, claim, interrupt=interrupt, delivery=delivery)

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
        try:
            chosen = await self._choose(plan)
        except ParleyError as error:
            others = plan.choosing.has_others
            return Ending(outcome=Outcome.FAILED, items=plan.items, error=error, has_others=others)
        return await self._ask(plan, chosen)

    async def _prepare(self) -> _Plan:
        claim, place = self._claim, self._claim.place
        author = self._asking.author
        if await self._persist(lambda: self._parts.gate.check(place, author)) is Verdict.DENIED:
            raise NotAllowed("You are not allowed to use me here any more.")
        keys = place.setting_keys(author.key)
        (history, values), _ = await self._persist(
            lambda: both(
                both(
                    self._parts.history.of(claim),
                    self._parts.settings.load([key for _, key in keys]),
                ),
                self._asking.begin(),
            )
        )
        settings = resolve(keys, values)
        replaced = self._question.replaces
        if replaced is not None:
            history = tuple(turn for turn in history if turn.seq < replaced.seq)
            items = self._question.items
        else:
            items = settle_references(self._question.items, history)
        return _Plan(
            settings=settings,
            choosing=Choosing(self._parts, settings),
            system=system_prompt(settings, self._parts.defaults, shared=self._shared),
            history=history,
            items=items,
        )

    # --- which model ---

    async def _choose(self, plan: _Plan) -> Chosen:
        """The model that is asked first. Raises ParleyError when there is none."""
        replaced = self._question.replaces
        if self._question.elsewhere and replaced is not None:
            model = await plan.choosing.after([] if replaced.model is None else [replaced.model])
            if model is not None:
                return Chosen(model=model, asked=str(model.ref), reasons=(_ELSEWHERE,))
        return await plan.choosing.first(lambda: self._needs(plan))

    def _needs(self, plan: _Plan) -> Needs:
        """What `auto` has to know of the question."""
        texts = [item.text for item in plan.items]
        said = [text for turn in plan.history for text in (turn.answer, *(item.text for item in turn.items))]
        tokens = sum(map(estimate_tokens, (plan.system, *said, *texts)))
        kinds = [attachment.media_type or "" for item in plan.items for attachment in item.attachments]
        return Needs.of(
            texts,
            prompt_tokens=min(self._parts.context_tokens, tokens),
            answer_tokens=plan.settings.max_output or self._parts.defaults.max_output_tokens,
            has_image=any(kind.startswith("image/") for kind in kinds),
            has_pdf="application/pdf" in kinds,
            has_audio=any(kind.startswith("audio/") for kind in kinds),
            needs_tools=bool(self._parts.tools),
        )

    # --- asking ---

    async def _ask(self, plan: _Plan, chosen: Chosen) -> Ending:
        """Ask the model, and where it fails in a way that others may not, those after it."""
        passed = list(chosen.passed_over)
        model = chosen.model
        while True:
            tried = [str(model.ref), *(other.model for other in passed)]
            attempt = await self._ask_model(plan, model, hurried=plan.choosing.has_others_than(tried))
            error = attempt.ended.error
            silent = not "".join(self._asking.text).strip() and not self._asking.steps
            if error is None or not silent or not moves_on(error):
                break
            following = await plan.choosing.after(tried)
            if following is None or not self._interrupt.left_s:
                break
            passed.append(PassedOver(model=str(model.ref), why=why(error)))
            model = following
        return self._ending(plan, chosen, model, tuple(passed), attempt)

    async def _ask_model(self, plan: _Plan, model: ModelInfo, *, hurried: bool) -> _Try:
        """Ask one model; a conversation that it finds too long is sent once more, halved. `hurried` as in Asking."""
        window = Window.of(
            limit_tokens=self._parts.context_tokens,
            window_tokens=model.window_tokens,
            max_output_tokens=answer_limit(plan.settings, self._parts.defaults, model),
        )
        attempt = await self._try(plan, model, window, hurried=hurried)
        has_history = len(attempt.context.messages) > len(plan.items)
        if isinstance(attempt.ended.error, ContextTooLong) and not self._asking.text and has_history:
            halved = window.halved(attempt.context.estimated_tokens)
            attempt = await self._try(plan, model, halved, hurried=hurried)
        return attempt

    async def _try(self, plan: _Plan, model: ModelInfo, window: Window, *, hurried: bool) -> _Try:
        context = self._context(plan, model, window)
        provider = self._parts.providers.get(model.ref.provider)
        if provider is None:
            error = ModelNotFound(f"no provider for {model.ref}", provider=model.ref.provider)
            return _Try(ended=TurnEnded(outcome=Outcome.FAILED, error=error), context=context, window=window)
        request = self._request(plan, model, context)
        await self._asking.book_lost_call(request, self._account(model))
        if await self._give_again(request):
            return _Try(ended=TurnEnded(outcome=Outcome.ANSWERED), context=context, window=window, cached=True)
        tokens, began_at = context.estimated_tokens, self._parts.clock.now()
        try:
            await self._admit(tokens)
        except LimitReached as refusal:
            return _Try(ended=TurnEnded(outcome=Outcome.FAILED, error=refusal), context=context, window=window)
        ended = await self._asking.ask(
            request,
            provider,
            self._account(model),
            prompt_tokens=tokens,
            hurried=hurried,
        )
        await self._keep(request, ended)
        return _Try(ended=ended, context=context, window=window, sent=self._sent(request, began_at))

    def _sent(self, request: ChatRequest, at: datetime) -> Sent | None:
        if not self._asking.text or not self._asking.calls:
            return None
        return Sent(seq=self._claim.next_seq, request=request, usage=self._asking.calls[-1].usage, at=at)

    async def _admit(self, prompt_tokens: int) -> None:
        """Count the turn, however many models it takes, against the rate limits. Raises LimitReached."""
        if not self._admitted:
            author_key, place = self._asking.author.key, self._claim.place
            await self._persist(lambda: self._parts.purse.admit(place, author_key, prompt_tokens=prompt_tokens))
            self._admitted = True

    def _context(self, plan: _Plan, model: ModelInfo, window: Window) -> Context:
        replaced = self._question.replaces
        return build(
            plan.history,
            plan.items,
            system=plan.system,
            window=window,
            estimate=self._parts.calibration.estimator(model.ref),
            named=self._shared,
            next_seq=self._claim.next_seq if replaced is None else replaced.seq,
            summary=self._claim.summary,
        )

    def _request(self, plan: _Plan, model: ModelInfo, context: Context) -> ChatRequest:
        caching = plan_caching([turn.at for turn in plan.history], self._parts.clock.now())
        lane = reference_of(self._claim.thread_key)
        request = build_request(
            model, plan.settings, self._parts.defaults, system=plan.system, messages=context.messages, lane=lane
        )
        return replace(
            request,
            tools=tuple(tool.spec for tool in self._parts.tools.values()) if model.tools is not False else (),
            cache_key=lane if caching.enabled else None,
            cache_ttl_s=caching.ttl_s,
        )

    # --- answers that are given again ---

    async def _give_again(self, request: ChatRequest) -> bool:
        """Answer from the cache; never where somebody asks for another answer to the same question."""
        if not self._parts.defaults.answer_ttl_s or self._question.replaces is not None:
            return False
        kept = await self._persist(lambda: self._parts.answers.load(digest_of(request)))
        if kept is None:
            return False
        self._asking.give(kept.text)
        calls, now = self._asking.calls, self._parts.clock.now()
        calls.append(cached_row(self._account(request.model), fence=self._claim.fence, number=len(calls), at=now))
        return True

    async def _keep(self, request: ChatRequest, ended: TurnEnded) -> None:
        """Keep an answer for the next who asks the same; one for which tools ran may be another tomorrow."""
        ttl_s, asking = self._parts.defaults.answer_ttl_s, self._asking
        if not ttl_s or ended.outcome is not Outcome.ANSWERED or asking.steps:
            return
        answer = CachedAnswer(
            text="".join(asking.text).strip(), model=str(request.model.ref), at=self._parts.clock.now()
        )
        await self._persist(lambda: self._parts.answers.save(digest_of(request), answer, ttl_s))

    # --- the end ---

    def _ending(
        self, plan: _Plan, chosen: Chosen, model: ModelInfo, passed: tuple[PassedOver, ...], attempt: _Try
    ) -> Ending:
        ended, asking = attempt.ended, self._asking
        route = Route(asked=chosen.asked, reasons=chosen.reasons, passed_over=passed, cached=attempt.cached)
        ref, answer = str(model.ref), "".join(asking.text).strip()  # as platforms show it
        note: str | None = "\n".join(asking.notices) or None
        if answer:
            note = note_of(route, ref, asking.calls, notices=asking.notices, footer=plan.settings.footer)
        # A question that was too long must not take the conversation along with it, nor a small model that stands in.
        stays = ended.outcome is Outcome.FAILED or passed or self._question.elsewhere
        return Ending(
            outcome=ended.outcome,
            items=plan.items,
            answer=answer,
            error=ended.error,
            steps=tuple(asking.steps),
            calls=tuple(asking.calls),
            model=ref,
            from_seq=0 if stays else attempt.context.from_seq,
            note=note,
            route=route,
            prompted=Prompted(
                model=model, tokens=attempt.context.estimated_tokens, window=attempt.window, sent=attempt.sent
            ),
            has_others=plan.choosing.has_others,
        )

    def _account(self, model: ModelInfo) -> Account:
        return Account(
            turn_uid=self._question.uid,
            place=self._claim.place,
            author_key=self._asking.author.key,
            model=model,
            price=self._parts.price,
            estimate=self._parts.calibration.estimator(model.ref),
        )

    @property
    def _shared(self) -> bool:
        return self._claim.place.kind is ChatKind.SHARED

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)
