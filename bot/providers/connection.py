"""What a provider is made of: a row of the registry, and where and with which key it connects.

Knows no provider by name and reads no environment; the values of the settings come in.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.core.ports import Clock, Provider


class Presence(StrEnum):
    """When a provider is there."""

    #: Once the settings of its row are set.
    CONFIGURED = "configured"
    #: Also without settings, when a server is found at its default address.
    SOUGHT = "sought"
    #: Only when there is no other.
    STAND_IN = "stand_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One provider as data; its SDK is imported by `load_factory` alone.

    `factory` is `module:function` of type `Factory`. `*_setting` are names of settings, None where there is
    no such setting; `required` are those that must be set for it to be configured. `prices_as` is its id in
    genai-prices, None when nothing there fits; one that ends in `_` is completed by the part of a model's
    id after the colon.
    """

    name: str
    factory: str
    presence: Presence = Presence.CONFIGURED
    required: tuple[str, ...] = ()
    key_setting: str | None = None
    url_setting: str | None = None
    name_setting: str | None = None
    default_url: str | None = None
    prices_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a provider connects. `name` is the part before the slash in its model names.

    `base_url` None: the API's own address. `key` None: the server wants none. `read_timeout_s` is how long
    the server may be silent before or within an answer.
    """

    name: str
    base_url: str | None
    key: SecretStr | None
    clock: Clock
    read_timeout_s: float = 120.0


Factory = Callable[[Connection], Provider]


def load_factory(row: ProviderRow) -> Factory:
    """Import the provider's module (and with it its SDK, up to a second) and return what builds it."""
    module, _, function = row.factory.partition(":")
    factory: Factory = getattr(import_module(module), function)
    return factory


def connection_for(row: ProviderRow, settings: Mapping[str, str | SecretStr | None], clock: Clock) -> Connection:
    """Read the row's settings by their names, as in the environment (`OPENAI_API_KEY`)."""
    return Connection(
        name=_plain(settings, row.name_setting) or row.name,
        base_url=api_root(_plain(settings, row.url_setting) or row.default_url),
        key=_secret(settings, row.key_setting),
        clock=clock,
    )


def is_configured(row: ProviderRow, settings: Mapping[str, str | SecretStr | None]) -> bool:
    """Whether every required setting is set; False for rows that require none."""
    return bool(row.required) and all(_plain(settings, name) for name in row.required)


def api_root(url: str | None) -> str | None:
    """The address that an SDK takes: a bare host gets the `/v1` below which every OpenAI-shaped API hangs."""
    if url is None:
        return None
    return url.rstrip("/") + ("/v1" if urlsplit(url).path in ("", "/") else "")


async def is_listening(connection: Connection, *, timeout_s: float = 1.0) -> bool:
    """Whether anything accepts connections there: ask before importing an SDK for a sought server."""
    parts = urlsplit(connection.base_url or "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _plain(settings: Mapping[str, str | SecretStr | None], name: str | None) -> str | None:
    value = settings.get(name) if name else None
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return (text or "").strip() or None


def _secret(settings: Mapping[str, str | SecretStr | None], name: str | None) -> SecretStr | None:
    text = _plain(settings, name)
    return None if text is None else SecretStr(text)
