"""One model's prompt: the files that it can take, recordings in words where it cannot hear, and the request itself.

Knows nothing of permissions, budgets of calls, or what becomes of the answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.core.asking import Asking
from bot.core.caching import plan as plan_caching
from bot.core.catalogue import ModelInfo
from bot.core.context import Context, Window, build, tokens_of_tools
from bot.core.errors import reference_of
from bot.core.files import FileKind
from bot.core.hearing import Hearing
from bot.core.interrupt import Interrupt
from bot.core.message import Message, Text
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import ChatKind
from bot.core.ports import ChatRequest
from bot.core.question import Plan, Question
from bot.core.reading import note_key
from bot.core.receipts import Receipt, receipt_of
from bot.core.request import build_request
from bot.core.showing import Choice, FileKey, Shown, ShownFile, choose_shown, hears, parts_of, sha256s_of
from bot.core.tools import ToolSpec
from bot.core.turn_record import Claim, Item

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is to be asked; `receipt` says what of the question's files it gets."""

    context: Context
    request: ChatRequest
    receipt: Receipt


class Prompting:
    """Makes the prompts of one turn."""

    def __init__(
        self,
        parts: Parts,
        patience: Patience,
        claim: Claim,
        question: Question,
        *,
        asking: Asking,
        interrupt: Interrupt,
    ) -> None:
        self._parts = parts
        self._patience = patience
        self._claim = claim
        self._question = question
        self._asking = asking
        self._interrupt = interrupt
        self._listened = False

    async def heard(self, plan: Plan, model: ModelInfo) -> Plan:
        """The plan with all recordings in words that the model cannot hear, tried once in a turn.

        Raises StopRequested, TurnTimeout.
        """
        notes = [note for item in plan.items for note in item.files]
        unheard = [note for note in notes if note.kind is FileKind.AUDIO and not note.heard]
        if all(hears(model, note) for note in unheard) or self._listened or self._asking.exhausted:
            return plan
        self._listened = True
        items = await self._interrupt.within(self._listen(plan.items))
        self._asking.belt.take(items)
        return replace(plan, items=items)

    async def prompt(
        self, plan: Plan, model: ModelInfo, window: Window, *, looked_up: str | None, with_tools: bool = True
    ) -> Prompt:
        """What to ask this model. `looked_up` is what a search before found, None: there was none."""
        wanted = choose_shown(plan.history, plan.items, model, high_tokens=window.high)
        shown = await self._shown(model, wanted)
        estimate = self._parts.calibration.estimator(model.ref)
        tools = self._tools(plan, model) if with_tools else ()
        replaced = self._question.replaces
        context = build(
            plan.history,
            plan.items,
            system=plan.system,
            window=window,
            estimate=estimate,
            named=self._claim.place.kind is ChatKind.SHARED,
            next_seq=self._claim.next_seq if replaced is None else replaced.seq,
            summary=self._claim.summary,
            shown=shown,
            tools_tokens=tokens_of_tools(tools, estimate),
        )
        if looked_up is not None:
            filling = context.filling
            context = replace(context, filling=replace(filling, newest=filling.newest + estimate(looked_up)))
        return Prompt(
            context=context,
            request=self._request(plan, model, context, tools, looked_up),
            receipt=receipt_of(
                plan.items,
                shown,
                model,
                gone=wanted.keys() - shown.keys(),
                seeing=await self._seeing(plan, model),
            ),
        )

    def _request(
        self, plan: Plan, model: ModelInfo, context: Context, tools: tuple[ToolSpec, ...], looked_up: str | None
    ) -> ChatRequest:
        caching = plan_caching([turn.at for turn in plan.history], self._parts.clock.now())
        lane = reference_of(self._claim.thread_key)
        messages = context.messages
        if looked_up is not None:
            messages = (*messages[:-1], _with_text(messages[-1], looked_up))
        request = build_request(
            model, plan.settings, self._parts.defaults, system=plan.system, messages=messages, lane=lane
        )
        return replace(
            request,
            tools=tools,
            cache_key=lane if caching.enabled else None,
            cache_ttl_s=caching.ttl_s,
        )

    def _tools(self, plan: Plan, model: ModelInfo) -> tuple[ToolSpec, ...]:
        if model.tools is False or model.ref in self._parts.toolless or not plan.tools:
            return ()
        return self._asking.belt.toolbox.specs

    async def _shown(self, model: ModelInfo, wanted: Mapping[FileKey, Choice]) -> Shown:
        """The files that the model gets as they are, with their bytes; those that expired are left out."""
        if not wanted:
            return {}
        sha256s = sha256s_of(model, (choice.note for choice in wanted.values()))
        contents = await self._persist(lambda: self._parts.files.load(sha256s))
        found = {
            key: ShownFile(parts=parts_of(model, choice.note, contents), tokens=choice.tokens)
            for key, choice in wanted.items()
        }
        return {key: file for key, file in found.items() if file.parts}

    async def _seeing(self, plan: Plan, model: ModelInfo) -> ModelInfo | None:
        """The nearest model that sees the pictures that this one does not; None: there are none, or nobody does."""
        pictures = any(note.picture_sha256s for item in plan.items for note in item.files)
        return await plan.choosing.seeing(model) if pictures and model.vision is not True else None

    async def _listen(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        parts, place = self._parts, self._claim.place
        hearing = Hearing(
            parts.transcriber,
            files=parts.files,
            bills=self._asking.bills,
            price=parts.price,
            clock=parts.clock,
            excerpt_tokens=parts.reading.excerpt_tokens,
        )

        async def heard(item: Item) -> Item:
            return await hearing.heard(item, note_key=lambda number: note_key(place, item.attachments[number]))

        return tuple([await heard(item) for item in items])

    async def _persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.persist(operation, place=self._claim.place)


def _with_text(message: Message, text: str) -> Message:
    """The newest message with what was looked up for it; it is not stored with it."""
    return replace(message, parts=(*message.parts, Text(text=text)))
