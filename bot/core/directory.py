"""The models that can be asked now: the catalogue's rows and what servers list, kept at most five minutes.

A server that does not answer keeps the list that it gave last. Knows no provider by name.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.catalogue import Ambiguous, Catalogue, ModelInfo, ModelRef, Unknown
from bot.core.catalogue_rows import CatalogueRow, build_catalogue
from bot.core.errors import ModelNotFound, ParleyError, ProviderUnavailable
from bot.core.ports import Clock, Provider

log = logging.getLogger(__name__)

MAX_AGE_S = 300.0
#: A little before the lists are too old, so that no message waits for a refresh.
_REFRESH_EVERY_S = 240.0
_LIST_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where models come from.

    `configured` are the providers that the operator set up, in the order in which a default is looked for.
    `sought` may or may not be there: they count once they list a model. `stand_in` counts only while no
    other does.
    """

    configured: Sequence[Provider] = ()
    sought: Sequence[Provider] = ()
    stand_in: Provider | None = None


class Directory:
    """`ModelDirectory` over rows and providers; `default_model` is as people write it, None: look for one."""

    def __init__(
        self,
        rows: Sequence[CatalogueRow],
        sources: Sources,
        *,
        clock: Clock,
        default_model: str | None = None,
        list_deadline_s: float = _LIST_DEADLINE_S,
    ) -> None:
        self._rows = tuple(rows)
        self._sources = sources
        self._clock = clock
        self._default_model = default_model
        self._list_deadline_s = list_deadline_s
        self._listed: dict[str, tuple[ModelInfo, ...]] = {}
        self._failed: set[str] = set()
        self._catalogue = self._first_catalogue()
        self._loaded_at: float | None = None
        self._refreshes = 0
        self._refreshing = asyncio.Lock()

    async def catalogue(self, *, refresh: bool = False) -> Catalogue:
        """As in the port. While one caller refreshes, others get the last catalogue if there is one."""
        if not refresh and self._serves():
            return self._catalogue
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
            raise ModelNotFound("no provider offers a model", provider=self._names())
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

    async def run(self) -> None:
        """Refresh now and again until cancelled."""
        while True:
            await self.catalogue(refresh=True)
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
        found = self._default_in(await self.catalogue(refresh=self._loaded_at is not None))
        if found is not None:
            return found
        if self._failed:
            raise ProviderUnavailable("it does not list its models", provider=min(self._failed))
        raise ModelNotFound("no provider offers a model", provider=self._names())

    def _serves(self) -> bool:
        """Whether what is known will do without asking anybody."""
        if self._loaded_at is None:
            return False
        return self._refreshing.locked() or self._clock.monotonic() - self._loaded_at < MAX_AGE_S

    async def _refresh(self) -> None:
        started = self._clock.monotonic()
        self._failed.clear()
        async with asyncio.TaskGroup() as group:
            for provider in (*self._sources.configured, *self._sources.sought):
                group.create_task(self._list(provider))
        self._catalogue = build_catalogue(self._rows, self._listed, self._present())
        self._loaded_at = started
        self._refreshes += 1
        if self._refreshes == 1:
            self._check_default()

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

    def _check_default(self) -> None:
        wanted = self._default_model
        if wanted is not None and isinstance(self._catalogue.resolve(wanted), Unknown):
            log.warning("the default model %s is not known", wanted)

    def _first_catalogue(self) -> Catalogue:
        """What the rows say, before any server was asked; nothing while that cannot tell who is there."""
        unsure = not self._sources.configured and self._sources.sought
        return Catalogue() if unsure else build_catalogue(self._rows, {}, self._present())

    def _names(self) -> str:
        return ", ".join(self._catalogue.providers) or "no provider"

    def _present(self) -> tuple[str, ...]:
        sources = self._sources
        found = (provider for provider in sources.sought if self._listed.get(provider.name))
        names = tuple(provider.name for provider in (*sources.configured, *found))
        return names if names or sources.stand_in is None else (sources.stand_in.name,)
