"""`web_search`: pages and news of the web, numbered so that an answer can cite them.

Asks the search services that have a key in their order, the next one when one fails. What was found is kept for some
minutes, for all threads. Knows no service's wire.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.core.errors import SettingsError
from bot.core.ports import Clock
from bot.core.tools import Source, ToolContext, ToolOutput, ToolSpec
from bot.tools._citing import HOW_TO_CITE, one_line, source_line, today
from bot.tools._look_up import Depth, Findings, SearchService, ServiceFailed, Wanted
from bot.tools._recent import Recent, Shared
from bot.tools._rests import Rests
from bot.tools._search_arguments import SearchArguments, wanted_of
from bot.tools._services import open_search
from bot.tools._sifting import day_of, sift
from bot.tools.arguments import BadArguments, parsed, schema_of
from bot.tools.supplies import Supplies

_SPEC = ToolSpec(
    name="web_search",
    description=(
        "Search the web. For what is new, changes or has to be exact: news, prices, releases, people in office, "
        "opening times, sources for a claim. Gives numbered sources with excerpts; use read_page for a whole page."
    ),
    parameters=schema_of(SearchArguments),
)
#: Both services one after the other, within their own deadlines.
_TIMEOUT_S = 30.0
_KEPT_S = 300.0
_KEPT = 200
_STATUS_CHARS = 70
_ANSWER_CHARS = 1_500
_SNIPPET_CHARS: Mapping[Depth, int] = {Depth.BASIC: 600, Depth.ADVANCED: 1_600}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Who found what, and why the one that is asked first did not (None: it is that one)."""

    findings: Findings
    service: str
    instead_of: ServiceFailed | None


class _NobodyAnswered(Exception):
    """Every service failed."""

    def __init__(self, failures: Iterable[ServiceFailed]) -> None:
        self.failures = tuple(failures)
        super().__init__("; ".join(map(str, self.failures)))


class WebSearch:
    """`Tool` over at least one search service."""

    spec = _SPEC
    reads_only = True
    owners_only = False
    timeout_s = _TIMEOUT_S

    def __init__(self, services: tuple[SearchService, ...], clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._recent: Recent[Wanted, _Found] = Recent(clock, size=_KEPT, ttl_s=_KEPT_S)
        self._shared: Shared[Wanted, _Found] = Shared()
        self._rests = Rests(clock)

    def status(self, arguments: Mapping[str, object]) -> str:
        query = arguments.get("query")
        return f"searching: {one_line(query, _STATUS_CHARS)}" if isinstance(query, str) else "searching the web"

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        """All services together: one that did not answer in time may still charge for it."""
        try:
            wanted = wanted_of(parsed(SearchArguments, arguments))
        except BadArguments:
            return 0
        return sum(service.worst_nano_usd(wanted) for service in self._services)

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        try:
            wanted = wanted_of(parsed(SearchArguments, arguments))
        except BadArguments as error:
            return ToolOutput(text=str(error), is_error=True)
        if (found := self._recent.get(wanted)) is not None:
            return self._output(wanted, found, context, billed=False)
        try:
            found, is_ours = await self._shared.run(wanted, lambda: self._look_up(wanted))
        except _NobodyAnswered as error:
            return ToolOutput(text=_apology(error.failures), is_error=True)
        return self._output(wanted, found, context, billed=is_ours)

    async def _look_up(self, wanted: Wanted) -> _Found:
        first = self._services[0].name
        instead_of = self._rests.why(first)
        failures: list[ServiceFailed] = []
        for service in sorted(self._services, key=lambda service: self._rests.why(service.name) is not None):
            try:
                findings = await service.search(wanted)
            except ServiceFailed as error:
                self._rests.begin(error)
                failures.append(error)
                instead_of = error if service.name == first else instead_of
            else:
                self._rests.end(service.name)
                found = _Found(
                    findings=findings, service=service.name, instead_of=None if service.name == first else instead_of
                )
                self._recent.put(wanted, found)
                return found
        raise _NobodyAnswered(failures)

    def _output(self, wanted: Wanted, found: _Found, context: ToolContext, *, billed: bool) -> ToolOutput:
        hits = sift(found.findings.hits, wanted)
        sources = tuple(Source(title=hit.title, url=hit.url) for hit in hits)
        blocks = [today(self._clock.now())]
        if found.instead_of is not None:
            blocks.append(f"{found.service} answered, because {found.instead_of.in_words()}.")
        if found.findings.answer:
            answer = one_line(found.findings.answer, _ANSWER_CHARS)
            blocks.append(f"A summary by {found.service}, not a source by itself: {answer}")
        for hit, source in zip(hits, sources, strict=True):
            day = day_of(hit.date or "")
            line = source_line(context.cite(source), hit.title, hit.url, *((day,) if day else ()))
            blocks.append(f"{line}\n{one_line(hit.snippet, _SNIPPET_CHARS[wanted.depth])}".rstrip())
        blocks.append(
            HOW_TO_CITE if hits else "No pages were found. Try other or fewer words, a longer time range, no domains."
        )
        return ToolOutput(
            text="\n\n".join(blocks),
            untrusted=True,
            sources=sources,
            bill=found.findings.bill if billed else None,
        )


@asynccontextmanager
async def build(supplies: Supplies) -> AsyncGenerator[WebSearch, None]:
    """Open the search services that have a key.

    Raises:
        SettingsError: none has.
    """
    async with AsyncExitStack() as stack:
        services = await open_search(supplies, stack)
        if not services:
            raise SettingsError("web_search needs TAVILY_API_KEY or BRAVE_SEARCH_API_KEY.")
        yield WebSearch(services, supplies.clock)


def _apology(failures: Iterable[ServiceFailed]) -> str:
    reasons = "; ".join(failure.in_words() for failure in failures)
    return (
        f"The search failed: {reasons}. If a new search makes no sense, answer from what you know "
        "and say that you could not look it up."
    )
