"""Providers, prices and the directory of models, built from settings: a part of the composition root.

Only what is configured is imported: each SDK costs about half a second and 50 MB.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

from bot.catalogue_file import load_catalogue
from bot.core.catalogue import ModelRef
from bot.core.directory import Directory, Sources
from bot.core.errors import SettingsError
from bot.core.ports import Clock, Pricer, Provider
from bot.core.pricing import PriceSource, Pricing
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """All that answers, by provider name, and what is known of it."""

    providers: Mapping[str, Provider]
    configured: Mapping[str, Provider]
    directory: Directory
    price: Pricer


@asynccontextmanager
async def open_models(settings: Settings, clock: Clock) -> AsyncIterator[Models]:
    """Build every provider that is configured or looked for; they are closed on leaving. Raises SettingsError."""
    rows = load_catalogue(settings.models_file)
    values = settings.by_name()
    async with AsyncExitStack() as stack:
        configured: dict[str, Provider] = {}
        sought: dict[str, Provider] = {}
        stand_ins: dict[str, Provider] = {}
        for row in PROVIDERS:
            connection = connection_for(row, values, clock)
            if is_configured(row, values):
                group = configured
            elif row.presence is Presence.SOUGHT and await is_listening(connection):
                group = sought
            elif row.presence is Presence.STAND_IN:
                group = stand_ins
            else:
                continue
            if connection.name in {**configured, **sought, **stand_ins}:
                raise SettingsError(f"COMPATIBLE_NAME: another provider is called “{connection.name}” too.")
            provider = load_factory(row)(connection)
            stack.push_async_callback(provider.aclose)
            group[provider.name] = provider
        sources = Sources(
            configured=tuple(configured.values()),
            sought=tuple(sought.values()),
            stand_in=next(iter(stand_ins.values()), None),
        )
        providers = {**configured, **sought, **stand_ins}
        _check_default(settings.default_model, providers)
        yield Models(
            providers=providers,
            configured=configured,
            directory=Directory(rows, sources, clock=clock, default_model=settings.default_model),
            price=Pricing(_price_source(providers)),
        )


def _check_default(default_model: str | None, providers: Collection[str]) -> None:
    """Another model would answer, perhaps a dear one, where the operator's choice can never be there."""
    wanted = None if default_model is None else ModelRef.parse(default_model)
    if wanted is None or wanted.provider in providers:
        return
    raise SettingsError(
        f"DEFAULT_MODEL is “{wanted}”: no provider “{wanted.provider}” is configured or running here; "
        f"there is {', '.join(providers)}."
    )


def _price_source(providers: Collection[str]) -> PriceSource | None:
    """The list of prices, which costs 27 MB, if it knows any of the providers."""
    ids = {row.name: row.prices_as for row in PROVIDERS if row.prices_as is not None}
    if ids.keys().isdisjoint(providers):
        return None
    source: PriceSource = import_module(_PRICES).GenaiPrices(ids)
    return source
