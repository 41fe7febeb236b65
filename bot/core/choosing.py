"""Which model answers a question in one conversation, and which comes after it when it does not.

Follows what people set (`ThreadSettings`) and the operator's defaults. Calls no model and decides nothing about errors.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from bot.core.automatic import Needs, pick
from bot.core.catalogue import AUTO, ModelInfo, ModelRef
from bot.core.context import UNKNOWN_WINDOW_TOKENS
from bot.core.errors import NoFittingModel, ProviderError
from bot.core.fallback import moves_on, why
from bot.core.health import Condition
from bot.core.list_price import ListPrice, above_ceiling, list_price
from bot.core.parts import Parts
from bot.core.retirement import is_retired
from bot.core.thread_settings import ThreadSettings, fallback_names
from bot.core.turn_record import PassedOver


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The model for a question. `asked` is what was chosen by people, `reasons` why it is not just that.

    `passed_over` is the model that was chosen and is not there.
    """

    model: ModelInfo
    asked: str
    reasons: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()


class Choosing:
    """The models of one conversation, in their order."""

    def __init__(self, parts: Parts, settings: ThreadSettings) -> None:
        self._parts = parts
        self._settings = settings
        self._fallback = fallback_names(settings.fallback, parts.defaults.fallback)

    @property
    def has_others(self) -> bool:
        """Whether there is any model to fall back on."""
        return bool(self._fallback)

    def has_others_than(self, tried: Collection[str]) -> bool:
        """Whether the chain names any model that is none of `tried` (`provider/id`)."""
        return any(name not in tried for name in self._fallback)

    async def first(self, needs: Callable[[], Needs]) -> Chosen:
        """The model that was chosen here, or the first of the chain where that one is not there.

        What is needed is only asked for where `auto` chooses.

        Raises:
            NoFittingModel: it is dearer than allowed here, or `auto` finds none.
            ModelNotFound, ProviderUnavailable: see ModelDirectory.
        """
        asked = self._settings.model or self._parts.directory.default_choice
        try:
            return await self._chosen(asked, needs)
        except ProviderError as error:
            other = await self.after([]) if moves_on(error) else None
            if other is None:
                raise
            missing = asked or "the default model"
            passed = (PassedOver(model=missing, why=why(error)),)
            return Chosen(model=other, asked=missing, passed_over=passed)

    async def _chosen(self, asked: str | None, needs: Callable[[], Needs]) -> Chosen:
        directory = self._parts.directory
        if asked == AUTO:
            models = await self._candidates()
            # A conversation that is too long for every model is cut for the one that answers, as anywhere.
            room = max((each.window_tokens or UNKNOWN_WINDOW_TOKENS for each in models), default=0) // 2
            needed = needs()
            chosen = pick(
                replace(needed, prompt_tokens=min(needed.prompt_tokens, room)),
                models,
                price_of=self._price,
                ceiling_usd=self._settings.price_ceiling,
                today=self._parts.clock.now().date(),
            )
            return Chosen(model=chosen.model, asked=AUTO, reasons=chosen.reasons)
        model = await directory.model_for(self._settings.model)
        self._check_price(model)
        return Chosen(model=model, asked=str(model.ref))

    async def after(self, tried: Sequence[str]) -> ModelInfo | None:
        """The next model of the chain that is none of `tried` (`provider/id`) and may answer here; None: no more."""
        for name in self._fallback:
            if name in tried:
                continue
            try:
                model = await self._parts.directory.model_for(name)
                self._check_price(model)
            except (ProviderError, NoFittingModel):
                continue
            if model.ref.provider in self._parts.providers:
                return model
        return None

    async def seeing(self, model: ModelInfo | None) -> ModelInfo | None:
        """The nearest model that sees pictures: of the same provider first, then the cheapest; None: none may answer.

        `model` is the one that does not, None: nobody knows which.
        """
        today = self._parts.clock.now().date()
        catalogue = await self._parts.directory.catalogue()
        able = [
            each
            for each in catalogue.models.values()
            if each.vision is True and not each.gone and not is_retired(each, today) and self._may_answer(each)
        ]

        def distance(other: ModelInfo) -> tuple[bool, bool, int]:
            listed = self._price(other)
            elsewhere = model is None or other.ref.provider != model.ref.provider
            return elsewhere, listed is None, 0 if listed is None else listed.output_nano

        return min(able, key=distance, default=None)

    def _may_answer(self, model: ModelInfo) -> bool:
        above = above_ceiling(model, self._price(model), self._settings.price_ceiling)
        return above is None and model.ref.provider in self._parts.providers

    async def _candidates(self) -> tuple[ModelInfo, ...]:
        catalogue = await self._parts.directory.catalogue()
        named = [ref for name in self._parts.defaults.auto_models if (ref := ModelRef.parse(name)) is not None]
        # One of those named that is not there must not take the others along.
        offered = [info for ref in named if (info := catalogue.info(ref)) is not None]
        today = self._parts.clock.now().date()
        models = offered if named else catalogue.models.values()
        there = [each for each in models if not each.gone and not is_retired(each, today)]
        # One that is left alone for now is the choice only where all are.
        working = [each for each in there if self._parts.health.of(each.ref).condition is not Condition.DOWN]
        return tuple(working or there)

    def _check_price(self, model: ModelInfo) -> None:
        above = above_ceiling(model, self._price(model), self._settings.price_ceiling)
        if above is not None:
            raise NoFittingModel(f"{above} Pick another model with /model, or `auto`.")

    def _price(self, model: ModelInfo) -> ListPrice | None:
        return list_price(model, self._parts.price, self._parts.clock.now())
