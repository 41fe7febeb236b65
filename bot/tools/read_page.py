"""`read_page`: the words of pages whose addresses the person or a source gave; no others are ever fetched.

Decides what may be read and how much of it is shown; how a page is read is `_page_reading`'s business.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Self

from pydantic import Field, model_validator

from bot.core.addresses import without_fragment
from bot.core.ports import Clock
from bot.core.tools import Source, ToolContext, ToolOutput, ToolSpec
from bot.tools._citing import HOW_TO_CITE, host_of, one_line, source_line, today
from bot.tools._page_reading import Page, PageReading, Unread
from bot.tools._passages import passages, stretch
from bot.tools._services import open_pages
from bot.tools.arguments import Arguments, BadArguments, Words, parsed, schema_of
from bot.tools.fetching import Fetcher
from bot.tools.supplies import Supplies

#: Words of all pages of one call together, about 6,000 tokens.
_SHOWN_CHARS = 24_000
_MAX_URLS = 5
#: Tavily's deadline, then those for fetching and reading one page: so a slow page does not cost the others.
_TIMEOUT_S = 75.0
_STATUS_CHARS = 70
_URL_SHOWN_CHARS = 200


class ReadArguments(Arguments):
    """The arguments of `read_page`."""

    urls: Words = Field(
        min_length=1,
        max_length=_MAX_URLS,
        description="Complete http(s) addresses from the person or from results, never invented ones",
    )
    query: str = Field(
        default="", max_length=400, description="What you look for; of long pages you get the passages with these words"
    )
    offset: int = Field(
        default=0, ge=0, description="From which character to read on, for one address that was cut before"
    )

    @model_validator(mode="after")
    def _reads_on_in_one(self) -> Self:
        if self.offset and len(self.urls) > 1:
            raise ValueError("`offset` takes one address in `urls`")
        return self


_SPEC = ToolSpec(
    name="read_page",
    description=(
        "Read web pages, PDFs and texts: addresses that the person gave or that web_search found. "
        "Long ones are cut; read on with offset, or name in query what you look for."
    ),
    parameters=schema_of(ReadArguments),
)


class ReadPage:
    """`Tool` over `PageReading`."""

    spec = _SPEC
    reads_only = True
    owners_only = False
    timeout_s = _TIMEOUT_S

    def __init__(self, reading: PageReading, clock: Clock) -> None:
        self._reading = reading
        self._clock = clock

    def status(self, arguments: Mapping[str, object]) -> str:
        try:
            urls = parsed(ReadArguments, arguments).urls
        except BadArguments:
            urls = ()
        hosts = ", ".join(dict.fromkeys(host for url in urls if (host := host_of(url))))
        return f"reading: {one_line(hosts, _STATUS_CHARS)}" if hosts else "reading a page"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        try:
            return self._reading.worst_nano_usd(parsed(ReadArguments, arguments).urls)
        except BadArguments:
            return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            wanted = parsed(ReadArguments, arguments)
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        # A fragment reaches no server, but the scripts of a page that a service reads for us: it may say anything.
        urls = tuple(dict.fromkeys(map(without_fragment, wanted.urls)))
        refused = {url: refusal for url in urls if (refusal := _refusal(url, context)) is not None}
        batch = await self._reading.read([url for url in urls if url not in refused])
        read = {url: page for url, page in batch.pages.items() if isinstance(page, Page)}
        # What nobody gave is not repeated: an answer may link to all that stands in a result.
        unread = {f"the address number {urls.index(url) + 1}": refusal for url, refusal in refused.items()}
        unread |= {url: page.reason for url, page in batch.pages.items() if isinstance(page, Unread)}
        sources = {url: Source(title=page.title, url=url) for url, page in read.items()}
        shares = _shares([max(0, len(page.text) - wanted.offset) for page in read.values()], _SHOWN_CHARS)
        blocks = [
            f"{source_line(context.cite(sources[url]), page.title, url)}\n{_shown(page, wanted, share)}"
            for (url, page), share in zip(read.items(), shares, strict=True)
        ]
        if unread:
            reasons = [f"{one_line(which, _URL_SHOWN_CHARS)}: {reason}" for which, reason in unread.items()]
            blocks.append("\n".join(["Not read:", *reasons]))
        if read:
            blocks = [today(self._clock.now()), *blocks, HOW_TO_CITE]
        return ToolOutput(
            text="\n\n".join(blocks),
            is_error=not read,
            untrusted=bool(batch.pages),
            sources=tuple(sources.values()),
            bill=batch.bill,
        )


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncGenerator[ReadPage, None]:
    """Open the fetcher, and Tavily where it has a key."""
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(aclosing(Fetcher(private_hosts=supplies.private_hosts)))
        reading = PageReading(
            fetcher,
            supplies.reader,
            supplies.clock,
            service=await open_pages(supplies, stack),
            private_hosts=supplies.private_hosts,
        )
        yield ReadPage(reading, supplies.clock)


def _refusal(url: str, context: ToolContext) -> str | None:
    """Why an address may not be read, in words that the model can act on; None: it may."""
    if host_of(url) is None:
        return "this is no complete http(s) address, or it has a password in it"
    if not context.is_known(url):
        return (
            "this address did not come from the person or from a result: search for the page, or ask the person for "
            "the link"
        )
    return None


def _shares(lengths: Sequence[int], limit: int) -> list[int]:
    """How much of each page is shown: equal parts, and what short pages leave over goes to the longer ones."""
    shares = [0] * len(lengths)
    left = limit
    for taken, index in enumerate(sorted(range(len(lengths)), key=lengths.__getitem__)):
        shares[index] = min(lengths[index], left // (len(lengths) - taken))
        left -= shares[index]
    return shares


def _shown(page: Page, wanted: ReadArguments, share: int) -> str:
    """The part of a page that is shown, under a line that says which it is."""
    total = len(page.text)
    start = min(wanted.offset, total)
    remarks = list(page.remarks)
    shown = None
    if wanted.query and not start and share < total:
        shown = passages(page.text, wanted.query, share)
        if shown is not None:
            remarks.append(f"passages with the words of your query, of {total:,} characters; without query you get all")
    if shown is None:
        end = stretch(page.text, start, share)
        shown = page.text[start:end]
        if start or end < total:
            remarks.append(f"characters {start:,} to {end:,} of {total:,}")
        if end < total:
            remarks.append(f"to read on, call read_page with this address and offset {end}")
    told = f"({'; '.join(remarks)})\n" if remarks else ""
    return f"{told}{shown.strip() or 'There is nothing more.'}"
