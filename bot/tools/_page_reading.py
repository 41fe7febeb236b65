"""How pages of the web become words: by a service that reads them, else fetched and read here.

Strangers' bytes go to the `FileReader` as they came. Pages are kept for some minutes, for all threads.
"""

import asyncio
import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from bot.core.errors import UnreadableFile
from bot.core.files import FileReader, ReadFile
from bot.core.ports import Clock
from bot.core.tools import ToolBill
from bot.tools._citing import one_line, title_of
from bot.tools._look_up import ServiceFailed
from bot.tools._recent import Recent, Shared
from bot.tools._rests import Rests
from bot.tools._services import PageService
from bot.tools._targets import target_of
from bot.tools.fetching import Fetched, Fetcher, FetchRefused

_KEPT_S = 300.0
_KEPT = 32
_MAX_BYTES = 10_000_000
_FETCH_TIMEOUT_S = 15.0
#: What is kept of a page; nobody reads on for longer than this.
_PAGE_CHARS = 100_000
_URL_CHARS = 200
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_WEB_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_HEADING = re.compile(r"\A\s*#{1,2} +(\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The words of a page and its title, from outside both. `remarks` are ours: `12 pages`."""

    title: str
    text: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A page that was not read; `reason` is for people and models."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What came of some addresses, and what reading them costs now (None: nothing)."""

    pages: Mapping[str, Page | Unread]
    bill: ToolBill | None = None


class PageReading:
    """Reads pages; `service` None: we do it all. `private_hosts` as in `Fetcher`.

    `reading_timeout_s` is for making words of one page that was fetched, the wait for a free reader included.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        reader: FileReader,
        clock: Clock,
        *,
        service: PageService | None = None,
        private_hosts: frozenset[str] = frozenset(),
        reading_timeout_s: float = 30.0,
    ) -> None:
        self._fetcher = fetcher
        self._reader = reader
        self._service = service
        self._private_hosts = private_hosts
        self._reading_timeout_s = reading_timeout_s
        self._rests = Rests(clock)
        self._recent: Recent[str, Page] = Recent(clock, size=_KEPT, ttl_s=_KEPT_S)
        self._shared: Shared[frozenset[str], Batch] = Shared()

    def worst_nano_usd(self, urls: Sequence[str]) -> int:
        """What reading them costs at most."""
        return self._service.worst_extract_nano_usd(len(urls)) if self._service else 0

    async def read(self, urls: Sequence[str]) -> Batch:
        """Read all of them at once; one that fails does not harm the others."""
        kept = {url: page for url in urls if (page := self._recent.get(url)) is not None}
        missing = [url for url in urls if url not in kept]
        if not missing:
            return Batch(pages=kept)
        batch, is_ours = await self._shared.run(frozenset(missing), lambda: self._read(missing))
        pages = {**kept, **batch.pages}
        return Batch(pages={url: pages[url] for url in urls}, bill=batch.bill if is_ours else None)

    async def _read(self, urls: Sequence[str]) -> Batch:
        refused, private, public = self._sorted(urls)
        async with asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(self._fetch(url)) for url in private}
            pages, bill = await self._extract(public)
            tasks |= {url: group.create_task(self._fetch(url)) for url in public if url not in pages}
        read: dict[str, Page | Unread] = {**refused, **pages, **{url: task.result() for url, task in tasks.items()}}
        for url, page in read.items():
            if isinstance(page, Page):
                self._recent.put(url, page)
        return Batch(pages={url: read[url] for url in urls}, bill=bill)

    def _sorted(self, urls: Sequence[str]) -> tuple[dict[str, Unread], list[str], list[str]]:
        """What nobody reads, what only we can reach and nobody else hears of, and what a service may read."""
        refused: dict[str, Unread] = {}
        private: list[str] = []
        public: list[str] = []
        for url in urls:
            try:
                target = target_of(url, self._private_hosts)
            except FetchRefused as error:
                refused[url] = Unread(reason=str(error))
            else:
                (private if target.is_private else public).append(url)
        return refused, private, public

    async def _extract(self, urls: Sequence[str]) -> tuple[Mapping[str, Page], ToolBill | None]:
        if self._service is None or not urls or self._rests.why(self._service.name):
            return {}, None
        try:
            extracts, bill = await self._service.extract(urls)
        except ServiceFailed as error:
            self._rests.begin(error)
            return {}, None
        self._rests.end(self._service.name)
        return {url: _page(url, each.text, title=each.title) for url, each in extracts.items()}, bill

    async def _fetch(self, url: str) -> Page | Unread:
        try:
            fetched = await self._fetcher.fetch(url, max_bytes=_MAX_BYTES, timeout_s=_FETCH_TIMEOUT_S)
            async with asyncio.timeout(self._reading_timeout_s):
                name = _name_of(url, fetched.media_type)
                file = await self._reader.read(name, fetched.media_type, await asyncio.to_thread(_in_utf8, fetched))
        except (FetchRefused, UnreadableFile) as error:
            return Unread(reason=str(error))
        except TimeoutError:
            return Unread(reason="it takes too long to read")
        text = _text_of(file)
        if not text.strip():
            return Unread(reason="; ".join(("there are no words in it", *file.remarks)))
        moved = (
            (f"it leads to {one_line(fetched.url, _URL_CHARS)}",)
            if urlsplit(fetched.url).netloc != urlsplit(url).netloc
            else ()
        )
        return _page(url, text, remarks=(*moved, *file.remarks))


def _in_utf8(fetched: Fetched) -> bytes:
    """A text whose encoding the server tells, so that nobody has to guess: the mark outdoes what the page says."""
    content, charset = fetched.content, fetched.charset
    is_text = fetched.media_type.startswith("text/") or fetched.media_type == "application/xhtml+xml"
    if (
        charset in (None, "utf-8")
        or not is_text
        or content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    ):
        return content
    try:
        return codecs.BOM_UTF8 + content.decode(charset or "utf-8", "replace").encode()
    except (LookupError, ValueError):  # a codec that makes no text
        return content


def _page(url: str, text: str, *, title: str = "", remarks: tuple[str, ...] = ()) -> Page:
    text = _BLANK_LINES.sub("\n\n", text[: 4 * _PAGE_CHARS]).strip()
    heading = _HEADING.match(text)
    title = title_of(title or (heading[1] if heading else ""), url)
    if len(text) > _PAGE_CHARS:
        text = text[:_PAGE_CHARS]
        remarks = (*remarks, f"only its first {_PAGE_CHARS:,} characters can be read")
    return Page(title=title, text=text, remarks=remarks)


def _text_of(file: ReadFile) -> str:
    """All words; where there are pages, each under its number."""
    if not file.unit:
        return "\n\n".join(file.pages)
    return "\n\n".join(f"({file.unit} {number})\n{page}" for number, page in enumerate(file.pages, 1) if page.strip())


def _name_of(url: str, media_type: str) -> str:
    """A file name as a hint for who reads it: `report.pdf`.

    What a server calls a web page is one, although its address may end like a source (`index.php`, `README.md`) and it
    may begin with any tag.
    """
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return f"{name or 'page'}.html" if media_type in _WEB_PAGES else name
