"""What tests of the tools for the web share: supplies for them, and a turn that one runs in."""

from collections.abc import Collection
from decimal import Decimal

from pydantic import SecretStr

from bot.core.files import FileReader
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Clock
from bot.core.tools import Source, ToolContext
from bot.tools.supplies import Supplies
from tests.fakes.brave.server import FakeBrave
from tests.fakes.clock import ManualClock
from tests.fakes.files import MemoryFiles
from tests.fakes.reader import ScriptedReader
from tests.fakes.stores import MemoryTurnStore
from tests.fakes.tavily.server import FakeTavily

CREDIT_USD = Decimal("0.008")
REQUEST_USD = Decimal("0.005")
CREDIT = 8_000_000
REQUEST = 5_000_000


def supplies(
    tavily: FakeTavily | None = None,
    brave: FakeBrave | None = None,
    *,
    tavily_key: str | None = None,
    brave_key: str | None = None,
    clock: Clock | None = None,
    reader: FileReader | None = None,
    private_hosts: frozenset[str] = frozenset(),
) -> Supplies:
    """Keys and addresses of the services that run; `..._key` is another one than theirs."""
    values: dict[str, str | SecretStr | None] = {"TAVILY_API_KEY": None, "BRAVE_SEARCH_API_KEY": None}
    if tavily is not None:
        values |= {"TAVILY_API_KEY": SecretStr(tavily_key or tavily.key), "TAVILY_BASE_URL": tavily.origin}
    if brave is not None:
        values |= {"BRAVE_SEARCH_API_KEY": SecretStr(brave_key or brave.key), "BRAVE_SEARCH_BASE_URL": brave.url}
    return Supplies(
        values=values,
        tavily_credit_usd=CREDIT_USD,
        brave_request_usd=REQUEST_USD,
        private_hosts=private_hosts,
        reader=reader or ScriptedReader(),
        files=MemoryFiles(),
        turns=MemoryTurnStore(),
        clock=clock or ManualClock(),
    )


def context(known: Collection[str] = ()) -> ToolContext:
    """A turn in which `known` addresses were named; sources are numbered as they are cited, each once."""
    numbers: dict[str, int] = {}

    def cite(source: Source) -> int:
        return numbers.setdefault(source.url, len(numbers) + 1)

    return ToolContext(
        place=Place(platform="terminal", account="bot", chat="1", kind=ChatKind.PRIVATE),
        author=Author(platform="terminal", id="1", name="Ada"),
        turn_uid="turn-1",
        cite=cite,
        is_known=lambda url: url in known,
    )
