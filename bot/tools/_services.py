"""The services that look things up, opened where there is a key for them.

Their modules are imported only then: an SDK costs time and memory.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib import import_module
from typing import Any, Protocol

from bot.core.tools import ToolBill
from bot.tools._look_up import SearchService
from bot.tools.supplies import Supplies

_TAVILY = "bot.tools._tavily:open_tavily"
_BRAVE = "bot.tools._brave:open_brave"
#: By the setting with the key; the first that is there is asked first.
_SEARCH: Mapping[str, str] = {"TAVILY_API_KEY": _TAVILY, "BRAVE_SEARCH_API_KEY": _BRAVE}


class ExtractedPage(Protocol):
    """The words of a page; `title` is empty where none is known."""

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


class PageService(Protocol):
    """Somebody who reads pages of the web."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def worst_extract_nano_usd(self, pages: int) -> int:
        """What reading so many pages costs at most."""
        ...

    async def extract(self, urls: Sequence[str]) -> tuple[Mapping[str, ExtractedPage], ToolBill | None]:
        """The pages that could be read, by the address that was asked for, and what that costs (None: nothing).

        Raises:
            ServiceFailed: none was read.
        """
        ...


async def open_search(supplies: Supplies, stack: AsyncExitStack) -> tuple[SearchService, ...]:
    """The search services that have a key, in the order in which they are asked."""
    opened: list[SearchService] = []
    for setting, path in _SEARCH.items():
        if supplies.secret(setting):
            opener: Callable[[Supplies], AbstractAsyncContextManager[SearchService]] = _load(path)
            opened.append(await stack.enter_async_context(opener(supplies)))
    return tuple(opened)


async def open_pages(supplies: Supplies, stack: AsyncExitStack) -> PageService | None:
    """Who reads pages for us; None: there is no key, we do it ourselves."""
    if not supplies.secret("TAVILY_API_KEY"):
        return None
    opener: Callable[[Supplies], AbstractAsyncContextManager[PageService]] = _load(_TAVILY)
    return await stack.enter_async_context(opener(supplies))


def _load(path: str) -> Any:
    """What `module:name` stands for; the caller says what that is."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
