"""/models: what can be asked now, in pages of eight with buttons to choose one."""

from bot.commands._models import PAGE_SIZE, Rows, describe, picker
from bot.core.command import Command, Desk, Invocation, Option
from bot.core.errors import UsageError
from bot.core.formatting import amount, excerpt
from bot.core.inbound import Pressed
from bot.core.ports import Answer, Button

#: What fits a button's 64 bytes besides `models 123 `.
_QUERY_BYTES = 50


async def _models(invocation: Invocation, desk: Desk) -> Answer:
    page, query = _page_and_query(invocation.options.get("query", ""))
    catalogue = await desk.directory.catalogue()
    found = catalogue.search(query)
    if not found:
        return Answer(text=_nothing(query))
    pages = -(-len(found) // PAGE_SIZE)
    page = min(page, pages)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    title = f"**{amount(len(found), 'model')}**" + (f" for “{excerpt(query)}”" if query else "")
    if pages > 1:
        title += f", page {page} of {pages}"
    rows = "\n".join(f"- {describe(model, desk)}" for model in shown)
    more = f"\n`/models {page + 1} {query}".rstrip() + "` shows more." if page < pages else ""
    return Answer(
        text=f"{title}\n\n{rows}\n\n`/model <name>` chooses one.{more}",
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
    description="What models there are, with price, window and abilities",
    handler=_models,
    options=(Option(name="query", description="Words to search for; a number in front is the page", rest=True),),
)
