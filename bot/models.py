"""Providers, prices and the directory of models, built from settings: a part of the composition root.

Only what is configured is imported: each SDK costs about half a second and 50 MB.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from bot.catalogue_file import load_catalogue
from bot.catalogue_watch import CatalogueWatch
from bot.core.catalogue import AUTO, ModelInfo, ModelRef
from bot.core.directory import Directory, Sources
from bot.core.errors import SettingsError
from bot.core.guarded import Guarded
from bot.core.health import Health
from bot.core.list_price import list_price
from bot.core.message import Audio, Document, Image
from bot.core.outgoing import OutgoingLimits
from bot.core.ports import ChatRequest, Clock, Pricer, Provider
from bot.core.pricing import PriceSource, Pricing
from bot.core.retirement import is_retired
from bot.providers import PROVIDERS
from bot.providers.connection import (
    Presence,
    connection_for,
    is_configured,
    is_listening,
    load_factory,
)
from bot.settings import Settings

_PRICES = "bot.providers.prices"
_STAND_INS = frozenset(row.name for row in PROVIDERS if row.presence is Presence.STAND_IN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """All that answers, by provider name, and what is known of it. `watch` is to be run beside the bot."""

    providers: Mapping[str, Provider]
    configured: Mapping[str, Provider]
    directory: Directory
    price: Pricer
    health: Health
    watch: CatalogueWatch
    clock: Clock

    def cheaper(self, request: ChatRequest) -> Sequence[ModelInfo]:
        """Models that could answer instead of the request's own, the cheapest first; unknown prices are left out.

        So is the parrot that stands in for a model, and whatever is not known to take the files and tools of the
        request.
        """
        now = self.clock.now()
        models = [
            model
            for model in self.directory.known.models.values()
            if not model.gone
            and not is_retired(model, now.date())
            and model.ref.provider not in _STAND_INS
            and _takes(model, request)
        ]
        priced = [(list_price(model, self.price, now), model) for model in models]
        known = [(price.output_nano, model) for price, model in priced if price is not None]
        return [model for _, model in sorted(known, key=lambda pair: pair[0]) if model.ref != request.model.ref]


def _takes(model: ModelInfo, request: ChatRequest) -> bool:
    kinds = {type(part) for message in request.messages for part in message.parts}
    wanted = (
        (bool(request.tools), model.tools),
        (Image in kinds, model.vision),
        (Document in kinds, model.pdf),
        (Audio in kinds, model.audio),
    )
    return all(able is True for needed, able in wanted if needed)


@asynccontextmanager
async def open_models(settings: Settings, clock: Clock) -> AsyncIterator[Models]:
    """Build every provider that is configured or looked for; they are closed on leaving. Raises SettingsError."""
    own_names = {} if settings.compatible_name is None else {"compatible": settings.compatible_name}
    watch = CatalogueWatch(settings.models_file, partial(load_catalogue, names=own_names), clock=clock)
    rows = watch.load()
    names: set[str] = set()
    health = Health(clock, configured=names)
    async with AsyncExitStack() as stack:
        guard = partial(
            Guarded,
            health=health,
            limits=OutgoingLimits(clock, limits=settings.provider_limits),
            clock=clock,
            first_token_s=settings.first_token_timeout_s,
        )
        sources = await _open_providers(settings, clock, guard, stack)
        standing_in = () if sources.stand_in is None else (sources.stand_in,)
        providers = {each.name: each for each in (*sources.configured, *sources.sought, *standing_in)}
        names.update(providers)
        _check_choices(settings, providers)
        price = Pricing(_price_source(providers))
        directory = Directory(
            rows,
            sources,
            clock=clock,
            default_model=settings.default_model,
            side_model=settings.side_model,
            price=price,
        )
        yield Models(
            providers=providers,
            configured={each.name: each for each in sources.configured},
            directory=directory,
            price=price,
            health=health,
            watch=watch,
            clock=clock,
        )


async def _open_providers(
    settings: Settings, clock: Clock, guard: Callable[[Provider], Provider], stack: AsyncExitStack
) -> Sources:
    """Every provider of the registry that is there, behind its guard; `stack` closes them."""
    values = settings.by_name()
    there: dict[Presence, list[Provider]] = {presence: [] for presence in Presence}
    taken: set[str] = set()
    unconfigured: dict[str, str] = {}
    for row in PROVIDERS:
        connection = connection_for(row, values, clock)
        presence = row.presence
        if is_configured(row, values):
            presence = Presence.CONFIGURED
        elif presence is Presence.CONFIGURED:
            unconfigured[row.name] = row.required[0]
            continue
        elif presence is Presence.SOUGHT and not await is_listening(connection):
            continue
        if connection.name in taken:
            raise SettingsError(f"COMPATIBLE_NAME: another provider is called “{connection.name}” too.")
        taken.add(connection.name)
        provider = guard(load_factory(row)(connection))
        stack.push_async_callback(provider.aclose)
        there[presence].append(provider)
    return Sources(
        configured=tuple(there[Presence.CONFIGURED]),
        sought=tuple(there[Presence.SOUGHT]),
        stand_in=next(iter(there[Presence.STAND_IN]), None),
        unconfigured=unconfigured,
    )


def _check_choices(settings: Settings, providers: Collection[str]) -> None:
    """Another model would answer, perhaps a dear one, where the operator's choice can never be there."""
    names = {row.name for row in PROVIDERS} | {settings.compatible_name}
    lines = [
        f"PROVIDER_LIMITS: there is no provider “{name}”; there is {', '.join(sorted(filter(None, names)))}."
        for name, _, _ in settings.provider_limits
        if name not in names
    ]
    lines += [
        f"{setting} is “{name}”: no provider “{ref.provider}” is configured or running here; "
        f"there is {', '.join(providers)}."
        for setting, name in chosen_models(settings)
        if (ref := ModelRef.parse(name)) is not None and ref.provider not in providers
    ]
    if lines:
        raise SettingsError(*lines)


def chosen_models(settings: Settings) -> Sequence[tuple[str, str]]:
    """The models that settings name, each with the setting: (`DEFAULT_MODEL`, `openai/gpt-6-luna`)."""
    single = (("DEFAULT_MODEL", settings.default_model), ("SIDE_MODEL", settings.side_model))
    several = (("FALLBACK_MODELS", settings.fallback_models), ("AUTO_MODELS", settings.auto_models))
    named = [(setting, name) for setting, name in single if name is not None and name != AUTO]
    return (*named, *((setting, name) for setting, names in several for name in names))


def _price_source(providers: Collection[str]) -> PriceSource | None:
    """The list of prices, which costs 27 MB, if it knows any of the providers."""
    ids = {row.name: row.prices_as for row in PROVIDERS if row.prices_as is not None}
    if ids.keys().isdisjoint(providers):
        return None
    source: PriceSource = import_module(_PRICES).GenaiPrices(ids)
    return source
