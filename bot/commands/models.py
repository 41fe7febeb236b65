"""/models: what can be asked now, in pages of eight with buttons to choose one."""

from bot.commands._models import PAGE_SIZE, Rows, describe, is_free, picker
from bot.core.catalogue import Catalogue, ModelInfo
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.formatting import amount, excerpt
from bot.core.inbound import Pressed
from bot.core.ports import Answer, Button
from bot.core.retirement import is_retired

#: What fits a button's 64 bytes besides `models 123 `.
_QUERY_BYTES = 50
_REFRESH = "refresh"


async def _models(invocation: Invocation, desk: Desk) -> Answer:
    page, query = _page_and_query(invocation.options.get("query", ""))
    refresh, query = _refresh_and_query(query)
    catalogue = await desk.directory.catalogue(refresh=refresh)
    found = _search(catalogue, query, desk)
    missing = await _unconfigured(catalogue, invocation, desk)
    if not found:
        return Answer(text=f"{_nothing(query)}{missing}")
    pages = -(-len(found) // PAGE_SIZE)
    page = min(page, pages)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    title = f"**{amount(len(found), 'model')}**" + (f" for “{excerpt(query)}”" if query else "")
    if pages > 1:
        title += f", page {page} of {pages}"
    rows = "\n".join(f"- {describe(model, desk)}" for model in shown)
    more = f"\n`/models {page + 1} {query}".rstrip() + "` shows more." if page < pages else ""
    return Answer(
        text=f"{title}\n\n{rows}\n\n`/model <name>` chooses one.{more}{missing if page == pages else ''}",
        rows=(*picker(shown), *_turn_pages(page, pages, query)),
        replace=isinstance(invocation.inbound.event, Pressed),
    )


def _page_and_query(text: str) -> tuple[int, str]:
    """A number in front is the page, from 1; the rest is searched for."""
    if len(text.encode()) > _QUERY_BYTES:
        raise UsageError("Search for something shorter.")
    first, _, rest = text.partition(" ")
    if first.isascii() and first.isdigit() and len(first) <= 3:
        return max(1, int(first)), rest.strip()
    return 1, text


def _refresh_and_query(text: str) -> tuple[bool, str]:
    """Whether the servers are to be asked again, and what is searched for."""
    first, _, rest = text.partition(" ")
    return (True, rest.strip()) if first.lower() == _REFRESH else (False, text)


def _search(catalogue: Catalogue, query: str, desk: Desk) -> tuple[ModelInfo, ...]:
    today = desk.clock.now().date()
    found = catalogue.search(query, is_free=lambda model: is_free(model, desk))
    return tuple(model for model in found if not is_retired(model, today))


async def _unconfigured(catalogue: Catalogue, invocation: Invocation, desk: Desk) -> str:
    """What an owner could add, in one line."""
    if not catalogue.unconfigured or not await desk.gate.is_owner(invocation.author):
        return ""
    providers = ", ".join(f"{name} ({setting})" for name, setting in catalogue.unconfigured.items())
    return f"\nNot configured: {providers}."


def _turn_pages(page: int, pages: int, query: str) -> Rows:
    turns = (("◀ Back", page - 1), ("More ▶", page + 1))
    buttons = tuple(
        Button(label=label, line=f"models {to} {query}".rstrip()) for label, to in turns if 1 <= to <= pages
    )
    return (buttons,) if buttons else ()


def _nothing(query: str) -> str:
    if query:
        return f"No model fits “{excerpt(query)}”. /models lists all."
    return "No model can be asked now: the operator has to configure a provider."


COMMAND = Command(
    name="models",
    description="What models there are, with price, window, abilities and health",
    handler=_models,
    options=(
        Option(
            name="query",
            description="Words, or vision, tools, free, provider:name …; refresh; a number in front is the page",
            rest=True,
        ),
    ),
    details="Every word has to fit: a part of a name or description, or one of `vision`, `pdf`, `audio`, `tools`, "
    "`json`, `reasoning`, `fast`, `cheap`, `free`, `provider:openai`. `/models refresh` asks the providers again.",
)
