"""One turn's inside: who may ask, which model, which context, what it said and what that cost.

Ends in an `Ending` whatever happens; how that is stored and concluded is the lane's business.
"""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.core.asking import MAX_TRIES, Asking, Lesson
from bot.core.booking import Account, cached_row, note_of
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.choosing import Chosen
from bot.core.context import Window, answer_limit
from bot.core.delivery import Delivery
from bot.core.errors import (
    ContextTooLong,
    Fenced,
    LimitReached,
    ModelNotFound,
    NoFittingModel,
    NotAllowed,
    ParleyError,
    ProviderError,
    RequestRejected,
    TriesExhausted,
    TurnTimeout,
    UnreadableFile,
)
from bot.core.events import Outcome, TurnEnded
from bot.core.fallback import moves_on, why
from bot.core.interrupt import Interrupt, StopRequested
from bot.core.ledger import LedgerRow
from bot.core.message import Text
from bot.core.money_stores import CachedAnswer
from bot.core.needs import needs_of
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.planning import Planning
from bot.core.ports import ChatRequest
from bot.core.prompting import Prompt, Prompting
from bot.core.question import Plan, Question
from bot.core.reuse import digest_of
from bot.core.thread_settings import Search
from bot.core.tool_belt import WEB_SEARCH
from bot.core.turn_record import Claim, Item, PassedOver, Route, ToolStep
from bot.core.warm_prompt import Sent

T = TypeVar("T")

_ELSEWHERE = "It was asked again, of another model."
_SEEING = "It was asked again, of a model that sees pictures."
#: Searches take no longer questions.
QUERY_CHARS = 400
_SEARCH_OFF = "Searching the web is switched off here: see /settings search and /tools."
NO_SEARCH = "Searching the web is not set up here: the operator has to set TAVILY_API_KEY or BRAVE_SEARCH_API_KEY."


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """The last prompt that was made: for which model, how long its conversation was taken to be, within which window.

    `sent` is None when no model said anything to it.
    """

    model: ModelInfo
    tokens: int
    window: Window
    sent: Sent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a turn ended. `items` are the question's as they are to be stored; `note` is shown at the very end.

    `prompted` is None when no prompt was made. `has_others`: another model could be asked. `seeing` is one that sees
    what this one did not, None: nothing was left unseen, or nobody sees it. `aloud`: the answer is to be read out.
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
    seeing: ModelInfo | None = None
    aloud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """One model's try: how it ended, and what it was asked; `sent` is None when it said nothing."""

    ended: TurnEnded
    plan: Plan
    prompt: Prompt
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
        #: How many steps there were before any model was asked.
        self._looked_up = 0
        self._asking = Asking(parts, patience, claim, turn_uid=question.uid, interrupt=interrupt, delivery=delivery)
        self._planning = Planning(
            parts, patience, claim, question, asking=self._asking, interrupt=interrupt, delivery=delivery
        )
        self._prompting = Prompting(parts, patience, claim, question, asking=self._asking, interrupt=interrupt)

    async def run(self) -> Ending:
        """Answer, or say why not. Raises Fenced when the thread has another owner by now."""
        items = self._question.items
        try:
            if self._claim.tries > MAX_TRIES:  # not even what is done at MAX_TRIES came to its end
                raise TriesExhausted(MAX_TRIES)
            plan = await self._planning.plan()
        except Fenced:
            raise
        except NotAllowed as error:
            return Ending(outcome=Outcome.REFUSED, items=items, error=error)
        except ParleyError as error:
            return self._broken_off(items, error)
        try:
            chosen = await self._choose(plan)
            return await self._ask(plan, chosen)
        except (StopRequested, TurnTimeout, NoFittingModel, ProviderError) as error:
            return replace(self._broken_off(plan.items, error), has_others=plan.choosing.has_others)

    def _broken_off(self, items: tuple[Item, ...], error: ParleyError) -> Ending:
        """It came to no answer, but something may have been looked up or transcribed by then."""
        asking = self._asking
        stopped = isinstance(error, StopRequested)
        return Ending(
            outcome=Outcome.STOPPED if stopped else Outcome.FAILED,
            items=items,
            error=None if stopped else error,
            steps=tuple(asking.steps),
            calls=tuple(asking.calls),
        )

    # --- which model ---

    async def _choose(self, plan: Plan) -> Chosen:
        """The model that is asked first. Raises NoFittingModel or ProviderError when there is none."""
        replaced = self._question.replaces
        if replaced is not None and (self._question.elsewhere or self._question.seeing):
            model = await self._other(plan, replaced.model)
            if model is not None:
                reason = _SEEING if self._question.seeing else _ELSEWHERE
                return Chosen(model=model, asked=str(model.ref), reasons=(reason,))
        needs = functools.partial(needs_of, plan, self._parts)
        try:
            return await plan.choosing.first(needs)
        except NoFittingModel:
            asked = needs()
            if not (asked.has_image or asked.has_audio or asked.needs_tools):
                raise
        # What was said is answered all the same; the receipt tells what was not seen.
        try:
            return await plan.choosing.first(lambda: replace(asked, needs_tools=False))
        except NoFittingModel:
            blind = replace(asked, needs_tools=False, has_image=False, has_audio=False)
            return await plan.choosing.first(lambda: blind)

    async def _other(self, plan: Plan, before: str | None) -> ModelInfo | None:
        """The model that is to answer instead of the one before, None: there is no such."""
        if self._question.seeing:
            ref = None if before is None else ModelRef.parse(before)
            return await plan.choosing.seeing(None if ref is None else ModelInfo(ref=ref))
        return await plan.choosing.after([] if before is None else [before])

    # --- asking ---

    async def _ask(self, plan: Plan, chosen: Chosen) -> Ending:
        """Ask the model, and where it fails in a way that others may not, those after it."""
        plan = await self._prompting.heard(plan, chosen.model)
        looked_up = await self._look_up(plan)
        passed = list(chosen.passed_over)
        model = chosen.model
        while True:
            tried = [str(model.ref), *(other.model for other in passed)]
            hurried = plan.choosing.has_others_than(tried)
            attempt = await self._ask_model(plan, model, looked_up, hurried=hurried)
            plan, error = attempt.plan, attempt.ended.error
            if error is None or not self._is_silent or not moves_on(error):
                break
            following = await plan.choosing.after(tried)
            if following is None or not self._interrupt.left_s:
                break
            passed.append(PassedOver(model=str(model.ref), why=why(error)))
            model = following
        return self._ending(chosen, model, tuple(passed), attempt)

    async def _look_up(self, plan: Plan) -> str | None:
        """What a search finds that people asked for, before any model is asked; None: they did not."""
        always = plan.settings.search is Search.ALWAYS
        query = "\n".join(_said(item) for item in plan.items if always or item.search).strip()
        if not query or self._asking.exhausted:
            return None
        found = await self._asking.look_up(query[:QUERY_CHARS])
        self._looked_up = len(self._asking.steps)
        if found is None:
            self._asking.notices.append(_SEARCH_OFF if WEB_SEARCH in self._parts.tools else NO_SEARCH)
        return found

    async def _ask_model(self, plan: Plan, model: ModelInfo, looked_up: str | None, *, hurried: bool) -> _Try:
        """Ask one model; a conversation that it finds too long is sent once more, halved. `hurried` as in Asking."""
        window = Window.of(
            limit_tokens=self._parts.context_tokens,
            window_tokens=model.window_tokens,
            max_output_tokens=answer_limit(plan.settings, self._parts.defaults, model),
        )
        plan = await self._prompting.heard(plan, model)
        prompt = await self._prompting.prompt(plan, model, window, looked_up=looked_up)
        attempt = await self._try(plan, prompt, window, hurried=hurried)
        if not self._is_silent:
            return attempt
        error, request = attempt.ended.error, prompt.request
        if isinstance(error, ContextTooLong):
            halved = window.halved(prompt.context.estimated_tokens)
            shorter = await self._prompting.prompt(plan, model, halved, looked_up=looked_up)
            if shorter.request.messages != request.messages:
                return await self._try(plan, shorter, halved, hurried=hurried)
        elif type(error) is RequestRejected and request.tools and model.tools is None:
            plain = await self._prompting.prompt(plan, model, window, looked_up=looked_up, with_tools=False)
            again = await self._try(plan, plain, window, hurried=hurried)
            if type(again.ended.error) is not RequestRejected:
                self._parts.toolless.add(model.ref)  # nobody knew whether it takes any
            return again
        return attempt

    @property
    def _is_silent(self) -> bool:
        """Whether no model has said or done anything yet."""
        return not "".join(self._asking.text).strip() and len(self._asking.steps) == self._looked_up

    async def _try(self, plan: Plan, prompt: Prompt, window: Window, *, hurried: bool) -> _Try:
        request, context = prompt.request, prompt.context
        model, files_tokens = request.model, context.filling.files
        attempt = _Try(ended=TurnEnded(outcome=Outcome.ANSWERED), plan=plan, prompt=prompt, window=window)
        await self._asking.book_lost_call(request, self._account(model), files_tokens=files_tokens)
        provider = self._parts.providers.get(model.ref.provider)
        if provider is None:
            return _failed(attempt, ModelNotFound(f"no provider for {model.ref}", provider=model.ref.provider))
        if prompt.receipt.is_all and prompt.receipt.nothing_read and not self._asking.exhausted:
            return _failed(attempt, UnreadableFile(prompt.receipt.text))
        if await self._give_again(request):
            return replace(attempt, cached=True)
        tokens, began_at = context.estimated_tokens, self._parts.clock.now()
        try:
            await self._admit(tokens)
        except LimitReached as refusal:
            return _failed(attempt, refusal)
        ended = await self._asking.ask(
            request,
            provider,
            self._account(model),
            prompt_tokens=tokens,
            files_tokens=files_tokens,
            hurried=hurried,
            lesson=None if self._looked_up else Lesson.of(context.filling),
        )
        await self._keep(request, ended)
        return replace(attempt, ended=ended, sent=self._sent(request, began_at))

    def _sent(self, request: ChatRequest, at: datetime) -> Sent | None:
        """The prompt, for a summary that continues it; with files it is not worth its memory."""
        words_only = all(isinstance(part, Text) for message in request.messages for part in message.parts)
        if not self._asking.text or not self._asking.answers or not words_only:
            return None
        return Sent(seq=self._claim.next_seq, request=request, usage=self._asking.answers[-1].usage, at=at)

    async def _admit(self, prompt_tokens: int) -> None:
        """Count the turn, however many models it takes, against the rate limits. Raises LimitReached."""
        if not self._admitted:
            author_key, place = self._asking.author.key, self._claim.place
            await self._persist(lambda: self._parts.purse.admit(place, author_key, prompt_tokens=prompt_tokens))
            self._admitted = True

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

    def _ending(self, chosen: Chosen, model: ModelInfo, passed: tuple[PassedOver, ...], attempt: _Try) -> Ending:
        ended, asking, plan, prompt = attempt.ended, self._asking, attempt.plan, attempt.prompt
        sources = "" if attempt.cached else asking.belt.citations.closing("".join(asking.text))
        if not plan.settings.json:
            asking.give(sources)
        elif sources:
            asking.notices.append(sources.strip())
        route = Route(asked=chosen.asked, reasons=chosen.reasons, passed_over=passed, cached=attempt.cached)
        ref, answer = str(model.ref), "".join(asking.text).strip()  # as platforms show it
        receipts = () if isinstance(ended.error, UnreadableFile) or not prompt.receipt.text else (prompt.receipt.text,)
        note: str | None = "\n".join((*receipts, *asking.notices)) or None
        if answer:
            note = note_of(
                route, ref, asking.calls, receipts=receipts, notices=asking.notices, footer=plan.settings.footer
            )
        # A question that was too long must not take the conversation along with it, nor a small model that stands in.
        stays = ended.outcome is Outcome.FAILED or passed or self._question.elsewhere or self._question.seeing
        return Ending(
            outcome=ended.outcome,
            items=plan.items,
            answer=answer,
            error=ended.error,
            steps=tuple(asking.steps),
            calls=tuple(asking.calls),
            model=ref,
            from_seq=0 if stays else prompt.context.from_seq,
            note=note,
            route=route,
            prompted=Prompted(
                model=model, tokens=prompt.context.filling.conversation, window=attempt.window, sent=attempt.sent
            ),
            has_others=plan.choosing.has_others,
            seeing=prompt.receipt.seeing,
            aloud=plan.settings.voice and bool(answer),
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

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)


def _failed(attempt: _Try, error: ParleyError) -> _Try:
    return replace(attempt, ended=TurnEnded(outcome=Outcome.FAILED, error=error))


def _said(item: Item) -> str:
    """What somebody says with a message, also aloud."""
    return "\n".join(filter(None, (item.text.strip(), *(note.excerpt for note in item.files if note.spoken))))
