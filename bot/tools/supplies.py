"""What tools are built from, and how a row of the registry becomes one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module

from pydantic import SecretStr

from bot.core.files import FileReader, FileStore
from bot.core.ports import Clock
from bot.core.stores import TurnStore
from bot.core.tools import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """All that tools may use. `values` are settings by name (`TAVILY_API_KEY`), None: unset.

    `tavily_credit_usd` and `brave_request_usd` are prices in dollars. `private_hosts` (`host` or `host:port`, lower
    case) may be read although their addresses are private.
    """

    values: Mapping[str, str | SecretStr | None]
    tavily_credit_usd: Decimal
    brave_request_usd: Decimal
    private_hosts: frozenset[str]
    reader: FileReader
    files: FileStore
    turns: TurnStore
    clock: Clock

    def secret(self, name: str) -> str | None:
        """A key in clear, None: unset."""
        value = self.values.get(name)
        return value.get_secret_value() if isinstance(value, SecretStr) else value


#: Opens a tool, with whatever clients it needs, and closes them on leaving.
Factory = Callable[[Supplies], AbstractAsyncContextManager[Tool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRow:
    """One tool. `factory` is `module:function` of a Factory; `any_of` are settings of which one must be there."""

    factory: str
    any_of: tuple[str, ...] = ()

    def is_configured(self, values: Mapping[str, object]) -> bool:
        """Whether its settings are there."""
        return not self.any_of or any(values.get(name) for name in self.any_of)

    def load(self) -> Factory:
        """Import the tool's module."""
        module, _, name = self.factory.partition(":")
        factory: Factory = getattr(import_module(module), name)
        return factory
