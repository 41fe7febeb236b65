"""The models that can be asked now: the catalogue's rows and what servers list, kept at most five minutes.

A server that does not answer keeps the list that it gave last. Knows no provider by name.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.catalogue import AUTO, Ambiguous, Catalogue, CostClass, ModelInfo, ModelRef, Unknown
from bot.core.catalogue_rows import CatalogueRow, build_catalogue
from bot.core.errors import ModelNotFound, ParleyError, ProviderUnavailable
from bot.core.list_price import ListPrice, list_price
from bot.core.ports import Clock, Pricer, Provider
from bot.core.retirement import is_retired

log = logging.getLogger(__name__)

MAX_AGE_S = 300.0
#: A little before the lists are too old, so that no message waits for a refresh.
_REFRESH_EVERY_S = 240.0
_LIST_DEADLINE_S = 5.0
#: Whoever asks for fresh lists gets those of so long ago: nobody can flood the providers.
FORCED_EVERY_S = 10.0
#: The alias of a provider's cheapest model.
_CHEAP = "cheap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where models come from.

    `configured` are the providers that the operator set up, in the order in which a default is looked for.
    `sought` may or may not be there: they count once they list a model. `stand_in` counts only while no
    other does. `unconfigured` as in Catalogue.
    """

    configured: Sequence[Provider] = ()
    sought: Sequence[Provider] = ()
    stand_in: Provider | None = None
    unconfigured: Mapping[str, str] = field(default_factory=dict)


class Directory:
    """`ModelDirectory` over rows and providers.

    `default_model` is as people write it, `auto`, or None: look for one. `side_model` is what titles and summaries are
    written with (`provider/id`), None: the cheapest by `price`, which may be None where nobody asks for that.
    """

    def __init__(
        self,
        rows: Sequence[CatalogueRow],
        sources: Sources,
        *,
        clock: Clock,
        default_model: str | None = None,
        side_model: str | None = None,
        price: Pricer | None = None,
        list_deadline_s: float = _LIST_DEADLINE_S,
    ) -> None:
        self._rows = tuple(rows)
        self._sources = sources
        self._clock = clock
        self._default_choice = default_model
        # `auto` falls back on the catalogue's own default.
        self._default_model = None if default_model == AUTO else default_model
        self._side_model = None if side_model is None else ModelRef.parse(side_model)
        self._price = price
        self._list_deadline_s = list_deadline_s
        self._listed: dict[str, tuple[ModelInfo, ...]] = {}
        self._failed: set[str] = set()
        self._listless: set[str] = set()
        self._catalogue = self._first_catalogue()
        self._loaded_at: float | None = None
        self._refreshes = 0
        self._refreshing = asyncio.Lock()

    @property
    def default_choice(self) -> str | None:
        """As in the port."""
        return self._default_choice

    @property
    def known(self) -> Catalogue:
        """What is known now, without asking anybody."""
        return self._catalogue

    def set_rows(self, rows: Sequence[CatalogueRow]) -> None:
        """Take other rows from now on; what servers listed stays."""
        self._rows = tuple(rows)
        self._catalogue = self._first_catalogue() if self._loaded_at is None else self._built()

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        """As in the port. While one caller refreshes, others get the last catalogue if there is one.

        `refresh` asks the servers again unless that was done in the last ten seconds.
        """
        if self._serves(FORCED_EVERY_S if refresh else MAX_AGE_S) and not (refresh and self._refreshing.locked()):
            return self._catalogue
        return await self._refreshed()

    async def _refreshed(self) -> Catalogue:
        before = self._refreshes
        async with self._refreshing:
            # Somebody else may have done it while this one waited for its turn.
            if self._refreshes == before:
                await self._refresh()
        return self._catalogue

    async def default(self) -> ModelInfo:
        """As in the port, after discovery."""
        found = self._default_in(await self.catalogue())
        if found is None:
            raise self._nothing_offered()
        return found

    async def model_for(self, chosen: str | None) -> ModelInfo:
        """As in the port. Raises ProviderUnavailable when no model is known because servers do not answer."""
        if chosen is None:
            return self._default_at_hand() or await self._default_found()
        ref = ModelRef.parse(chosen)
        if ref is None:
            raise ModelNotFound("the name of the model is not of the form provider/id", provider=self._names())
        known = self._catalogue.info(ref) or (await self.catalogue()).info(ref)
        if known is None:
            raise ModelNotFound("its provider is not configured", provider=ref.provider)
        return known

    def cheap_for(self, model: ModelInfo) -> ModelInfo:
        """As in the port. Of models that cost the same `model` itself is taken: a server at home has it loaded."""
        chosen = None if self._side_model is None else self._catalogue.info(self._side_model)
        if chosen is not None:
            return chosen
        today = self._clock.now().date()
        priced = [
            (price, info)
            for info in (model, *self._catalogue.models.values())
            if info.ref.provider == model.ref.provider
            and (info.cost is CostClass.CHEAP or _CHEAP in info.aliases or info.ref == model.ref)
            and not info.gone
            and not is_retired(info, today)
            and (price := self._list_price(info)) is not None
        ]
        return min(priced, key=lambda pair: pair[0].input_nano + pair[0].output_nano)[1] if priced else model

    async def run(self) -> None:
        """Refresh now and again until cancelled."""
        while True:
            await self._refreshed()
            await self._clock.sleep(_REFRESH_EVERY_S)

    def _default_in(self, catalogue: Catalogue) -> ModelInfo | None:
        match None if self._default_model is None else catalogue.resolve(self._default_model):
            case ModelInfo() as model:
                return model
            case Ambiguous(candidates=candidates):
                return candidates[0]
            case Unknown() | None:
                return catalogue.default()

    def _default_at_hand(self) -> ModelInfo | None:
        """The default as far as it is certain without asking any server."""
        if self._loaded_at is not None:
            return self._default_in(self._catalogue)
        if self._default_model is not None:
            ref = ModelRef.parse(self._default_model)
            return None if ref is None else self._catalogue.info(ref)
        first, configured = self._catalogue.default(), self._sources.configured
        # A server that comes first and has no rows may still list the model that is the default.
        certain = first is not None and (not configured or first.ref.provider == configured[0].name)
        return first if certain else None

    async def _default_found(self) -> ModelInfo:
        """The default when a server has to be asked for it, whatever it answered a minute ago."""
        found = self._default_in(await self._refreshed())
        if found is not None:
            return found
        if self._failed:
            raise ProviderUnavailable("it does not list its models", provider=min(self._failed))
        raise self._nothing_offered()

    def _nothing_offered(self) -> ModelNotFound:
        if self._listless:
            name = min(self._listless)
            return ModelNotFound(f"it cannot list its models: set DEFAULT_MODEL={name}/<model>", provider=name)
        return ModelNotFound("no provider offers a model", provider=self._names())

    def _list_price(self, model: ModelInfo) -> ListPrice | None:
        return None if self._price is None else list_price(model, self._price, self._clock.now())

    def _serves(self, max_age_s: float) -> bool:
        """Whether what is known will do without asking anybody."""
        if self._loaded_at is None:
            return False
        return self._refreshing.locked() or self._clock.monotonic() - self._loaded_at < max_age_s

    async def _refresh(self) -> None:
        started = self._clock.monotonic()
        self._failed.clear()
        async with asyncio.TaskGroup() as group:
            for provider in (*self._sources.configured, *self._sources.sought):
                group.create_task(self._list(provider))
        self._catalogue = self._built()
        self._loaded_at = started
        self._refreshes += 1
        if self._refreshes == 1:
            self._check_choices()

    async def _list(self, provider: Provider) -> None:
        """Take in what one server lists; whatever it does instead, its last list stays."""
        try:
            async with asyncio.timeout(self._list_deadline_s):
                models = await provider.list_models()
        except (ParleyError, TimeoutError) as error:
            self._failed.add(provider.name)
            # A server that is only sought is allowed to be missing.
            level = logging.DEBUG if provider in self._sources.sought else logging.WARNING
            why = str(error) or "no answer in time"
            log.log(level, "%s does not list its models: %s", provider.name, why)
        except Exception:
            self._failed.add(provider.name)
            log.exception("%s lists its models in a form that nobody foresaw", provider.name)
        else:
            self._listed.update({} if models is None else {provider.name: models})
            (self._listless.add if models is None else self._listless.discard)(provider.name)

    def _check_choices(self) -> None:
        wanted = self._default_model
        if wanted is not None and isinstance(self._catalogue.resolve(wanted), Unknown):
            log.warning("the default model %s is not known", wanted)
        if self._side_model is not None and self._catalogue.info(self._side_model) is None:
            log.warning("SIDE_MODEL %s is not known: its provider is not configured", self._side_model)

    def _first_catalogue(self) -> Catalogue:
        """What the rows say, before any server was asked; nothing while that cannot tell who is there."""
        unsure = not self._sources.configured and self._sources.sought
        return Catalogue(unconfigured=self._sources.unconfigured) if unsure else self._built()

    def _built(self) -> Catalogue:
        return build_catalogue(self._rows, self._listed, self._present(), self._sources.unconfigured)

    def _names(self) -> str:
        return ", ".join(self._catalogue.providers) or "no provider"

    def _present(self) -> tuple[str, ...]:
        sources = self._sources
        found = (provider for provider in sources.sought if self._listed.get(provider.name))
        names = tuple(provider.name for provider in (*sources.configured, *found))
        return names if names or sources.stand_in is None else (sources.stand_in.name,)
