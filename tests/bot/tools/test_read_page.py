"""read_page: which addresses are read, by whom, and what a model gets of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.attachments.reader import SubprocessReader
from bot.core.errors import UnreadableFile
from bot.core.files import FileReader
from bot.core.ledger import Certainty
from bot.core.tools import Source, Tool, ToolOutput
from bot.tools._page_reading import PageReading
from bot.tools._tavily import open_tavily
from bot.tools.fetching import Fetched, Fetcher, FetchRefused
from bot.tools.read_page import ReadPage, build
from tests.bot.tools.web import CREDIT, context, supplies
from tests.fakes.clock import ManualClock
from tests.fakes.found_page import FoundPage
from tests.fakes.reader import ScriptedReader, pdf, picture
from tests.fakes.script import Hold, Reply, Silence
from tests.fakes.tavily.server import FakeTavily, out_of_credits

RAIN = FoundPage(url="https://example.org/rain", title="", words="# Rain in\tOslo\n\n\n\nIt rains.")
SUN = FoundPage(url="https://example.com/sun", title="", words="It shines.")
SNOW = FoundPage(url="https://example.net/snow", title="")


class Shelf(Fetcher):
    """A fetcher that has pages by address, and notes who was asked for."""

    def __init__(self, pages: Mapping[str, bytes | Fetched] | None = None) -> None:
        super().__init__()
        self.pages = dict(pages or {})
        self.asked: list[str] = []
        self.together = 0
        self.gate: asyncio.Barrier | None = None

    async def fetch(self, url: str, *, max_bytes: int, timeout_s: float) -> Fetched:
        self.asked.append(url)
        if self.gate is not None:
            await asyncio.wait_for(self.gate.wait(), 5.0)
        page = self.pages.get(url)
        if page is None:
            raise FetchRefused("the server answered with status 404")
        return Fetched(url=url, media_type="text/html", content=page) if isinstance(page, bytes) else page


@asynccontextmanager
async def reading(
    shelf: Shelf,
    tavily: FakeTavily | None = None,
    *,
    reader: FileReader | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[ReadPage]:
    """The tool with this shelf instead of the web."""
    clock = clock or ManualClock()
    reader = reader or ScriptedReader()
    if tavily is None:
        yield ReadPage(PageReading(shelf, reader, clock), clock)
        return
    async with open_tavily(supplies(tavily), extract_timeout_s=1.0) as service:
        yield ReadPage(PageReading(shelf, reader, clock, service=service), clock)


async def read(tool: ReadPage, *urls: str, **more: object) -> ToolOutput:
    """Read addresses that the person gave."""
    return await tool.run({"urls": list(urls), **more}, context(urls))


async def test_a_model_reads_the_date_then_each_page_under_its_number_then_how_to_cite() -> None:
    async with FakeTavily(RAIN, SUN) as fake, reading(Shelf(), fake) as tool:
        output = await read(tool, RAIN.url, SUN.url)

    assert output.text == (
        "Today is 2026-11-01 (UTC).\n"
        "\n"
        "[1] Rain in Oslo - https://example.org/rain\n"
        "# Rain in\tOslo\n"
        "\n"
        "It rains.\n"
        "\n"
        "[2] example.com - https://example.com/sun\n"
        "It shines.\n"
        "\n"
        "Cite what you use by its number, like [1] or [1][2], and give no links but these."
    )
    assert output.sources == (Source(title="Rain in Oslo", url=RAIN.url), Source(title="example.com", url=SUN.url))
    assert output.untrusted
    assert not output.is_error


async def test_it_is_a_tool_that_reads_and_says_what_it_does() -> None:
    async with build(supplies()) as tool:
        as_tool: Tool = tool

        assert as_tool.spec.name == "read_page"
        assert as_tool.spec.parameters["required"] == ["urls"]
        assert (as_tool.reads_only, as_tool.owners_only) == (True, False)
        assert as_tool.status({"urls": [RAIN.url]}) == "reading: example.org"
        assert as_tool.status({"urls": [RAIN.url, RAIN.url, SUN.url]}) == "reading: example.org, example.com"
        assert as_tool.status({"urls": [5]}) == "reading a page"
        assert as_tool.status({"urls": "?"}) == "reading a page"
        assert as_tool.worst_nano_usd({"urls": [RAIN.url]}) == 0


@pytest.mark.parametrize(("urls", "worst"), [([RAIN.url], CREDIT), ([RAIN.url] * 5, CREDIT), ([], 0)])
async def test_the_worst_is_a_credit_for_five_pages(urls: list[str], worst: int) -> None:
    async with build(supplies(FakeTavily())) as tool:
        assert tool.worst_nano_usd({"urls": urls}) == worst


async def test_an_address_that_nobody_named_is_not_read_and_the_others_are() -> None:
    invented = "https://example.org/?secret=42"
    async with FakeTavily(RAIN) as fake, reading(Shelf(), fake) as tool:
        output = await tool.run({"urls": [invented, RAIN.url]}, context([RAIN.url]))

    assert (
        "Not read:\nthe address number 1: this address did not come from the person or from a result: "
        "search for the page, or ask the person for the link"
    ) in output.text
    assert [source.url for source in output.sources] == [RAIN.url]
    assert [body["urls"] for body in fake.extracts] == [[RAIN.url]]


async def test_where_nothing_may_be_read_nobody_is_asked() -> None:
    shelf = Shelf()
    async with FakeTavily(RAIN) as fake, reading(shelf, fake) as tool:
        output = await tool.run({"urls": [RAIN.url]}, context())

    assert output.is_error
    assert not output.untrusted
    assert output.text.startswith("Not read:\nthe address number 1: this address did not come")
    assert (fake.requests, shelf.asked) == ([], [])


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://example.org/", "javascript:alert(1)", "https://u:p@example.org/", "https://a b/"]
)
async def test_what_is_no_web_address_is_refused_even_when_the_person_wrote_it(url: str) -> None:
    shelf = Shelf()
    async with FakeTavily(RAIN) as fake, reading(shelf, fake) as tool:
        output = await read(tool, url)

    assert output.is_error
    assert "no complete http(s) address" in output.text
    assert (fake.requests, shelf.asked) == ([], [])


@pytest.mark.parametrize(
    "url", ["http://192.168.1.1/admin", "http://localhost/", "http://printer.lan/", "http://0x7f.1/"]
)
async def test_private_addresses_are_told_to_nobody(url: str) -> None:
    shelf = Shelf()
    async with FakeTavily(RAIN) as fake, reading(shelf, fake) as tool:
        output = await read(tool, url)

    assert output.is_error
    assert (fake.requests, shelf.asked) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({}, "Wrong arguments: `urls` is missing"),
        ({"urls": []}, "Wrong arguments: `urls` should have at least 1 item after validation, not 0"),
        (
            {"urls": ["https://a.org/"] * 6},
            "Wrong arguments: `urls` should have at most 5 items after validation, not 6",
        ),
        ({"urls": ["https://a.org/"] * 2, "offset": 5}, "Wrong arguments: `offset` takes one address in `urls`"),
    ],
)
async def test_bad_arguments_are_told(arguments: dict[str, object], line: str) -> None:
    async with reading(Shelf()) as tool:
        output = await tool.run(arguments, context())

    assert (output.text, output.is_error) == (line, True)


async def test_what_tavily_cannot_read_is_fetched_here_and_one_failure_harms_no_other() -> None:
    shelf = Shelf({SNOW.url: b"It snows."})
    async with FakeTavily(RAIN) as fake, reading(shelf, fake) as tool:
        output = await read(tool, "https://example.org/gone", RAIN.url, SNOW.url)

    assert "[1] Rain in Oslo" in output.text
    assert "[2] example.net - https://example.net/snow\nIt snows." in output.text
    assert "Not read:\nhttps://example.org/gone: the server answered with status 404" in output.text
    assert not output.is_error
    assert sorted(shelf.asked) == [SNOW.url, "https://example.org/gone"]


@pytest.mark.parametrize("fault", [out_of_credits(), Silence()], ids=["quota", "timeout"])
async def test_when_tavily_fails_everything_is_fetched_here_and_tavily_left_alone_for_a_while(
    fault: Silence,
) -> None:
    shelf = Shelf({RAIN.url: b"It rains.", SUN.url: b"It shines."})
    clock = ManualClock(auto=False)
    async with FakeTavily(RAIN, SUN, SNOW) as fake, reading(shelf, fake, clock=clock) as tool:
        fake.script(fault)
        first = await read(tool, RAIN.url)
        second = await read(tool, SUN.url)
        await clock.advance(301.0)
        later = await read(tool, RAIN.url)

    assert (first.is_error, second.is_error, later.is_error) == (False, False, False)
    assert (first.bill, second.bill) == (None, None)
    assert later.bill is not None
    assert shelf.asked == [RAIN.url, SUN.url]


async def test_pages_are_fetched_at_once() -> None:
    pages = {f"https://example.org/{number}": b"Words." for number in range(5)}
    shelf = Shelf(pages)
    shelf.gate = asyncio.Barrier(5)
    async with reading(shelf) as tool:
        output = await read(tool, *pages)

    assert len(output.sources) == 5


async def test_a_file_is_read_by_the_reader_with_its_name_and_its_pages_are_numbered() -> None:
    url = "https://example.org/a/report%20one.pdf?download=1"
    reader = ScriptedReader({b"%PDF": pdf("Intro", " ", "End")})
    page = Fetched(url=url, media_type="application/pdf", content=b"%PDF")
    async with reading(Shelf({url: page}), reader=reader) as tool:
        output = await read(tool, url)

    assert reader.read_names == ["report one.pdf"]
    assert f"[1] example.org - {url}\n(3 pages)\n(page 1)\nIntro\n\n(page 3)\nEnd\n" in output.text


@pytest.mark.parametrize("media_type", ["text/html", "application/xhtml+xml"])
@pytest.mark.parametrize("name", ["index.php", "README.md", "", "page.html"])
async def test_what_the_server_calls_a_web_page_is_read_as_one_whatever_its_address_ends_in(
    name: str, media_type: str
) -> None:
    url = f"https://example.org/{name}"
    content = b"<p>Red roses.</p><!-- nobody sees this -->"  # neither its beginning nor its name tell what it is
    page = Fetched(url=url, media_type=media_type, content=content)
    async with reading(Shelf({url: page}), reader=SubprocessReader()) as tool:
        output = await read(tool, url)

    assert "Red roses." in output.text
    assert "nobody sees this" not in output.text


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (UnreadableFile("it is locked with a password"), "it is locked with a password"),
        (picture(), "there are no words in it; 800 x 600 px"),
    ],
)
async def test_what_has_no_words_is_not_read_and_the_reason_told(file: UnreadableFile, reason: str) -> None:
    reader = ScriptedReader({b"file": file})
    async with reading(Shelf({RAIN.url: b"file"}), reader=reader) as tool:
        output = await read(tool, RAIN.url)

    assert output.is_error
    assert output.text == f"Not read:\n{RAIN.url}: {reason}"


async def test_a_page_that_takes_too_long_to_read_harms_no_other() -> None:
    clock = ManualClock()
    stuck = ScriptedReader(gate=asyncio.Event())
    reading_them = PageReading(Shelf({RAIN.url: b"It rains."}), stuck, clock, reading_timeout_s=0.05)
    output = await read(ReadPage(reading_them, clock), RAIN.url, SNOW.url)

    assert f"{RAIN.url}: it takes too long to read" in output.text
    assert f"{SNOW.url}: the server answered with status 404" in output.text


async def test_a_page_that_leads_elsewhere_says_so_and_is_cited_as_it_was_asked_for() -> None:
    elsewhere = Fetched(url="https://example.com/moved", media_type="text/html", content=b"It rains.")
    async with reading(Shelf({RAIN.url: elsewhere})) as tool:
        output = await read(tool, RAIN.url)

    assert (
        "[1] example.org - https://example.org/rain\n(it leads to https://example.com/moved)\nIt rains." in output.text
    )
    assert output.sources == (Source(title="example.org", url=RAIN.url),)


async def test_a_page_is_kept_for_some_minutes_and_paid_once() -> None:
    clock = ManualClock(auto=False)
    async with FakeTavily(RAIN, SUN, reports_usage=False) as fake, reading(Shelf(), fake, clock=clock) as tool:
        first = await read(tool, RAIN.url)
        again = await read(tool, RAIN.url, SUN.url)
        both = await read(tool, SUN.url, RAIN.url)
        await clock.advance(301.0)
        await read(tool, RAIN.url)

    assert [body["urls"] for body in fake.extracts] == [[RAIN.url], [SUN.url], [RAIN.url]]
    assert first.bill is not None
    assert again.bill is not None
    assert (first.bill.cost.nano_usd, first.bill.cost.certainty) == (CREDIT, Certainty.ESTIMATED)
    assert both.bill is None
    assert both.text.index("example.com") < both.text.index("example.org")


async def test_equal_readings_at_once_are_one_call() -> None:
    hold = Hold(0)
    async with FakeTavily(RAIN) as fake, reading(Shelf(), fake) as tool:
        fake.script(Reply(hold=hold))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(tool, RAIN.url)) for _ in range(3)]
            await asyncio.wait_for(hold.reached.wait(), 5.0)
            hold.release()

    assert len(fake.extracts) == 1
    assert [task.result().bill is None for task in tasks].count(False) == 1


async def test_without_a_key_a_page_of_the_operators_own_network_is_fetched_for_real() -> None:
    async with _site() as (host, url), build(supplies(private_hosts=frozenset({host}))) as tool:
        output = await read(tool, url)

    assert f"[1] 127.0.0.1 - {url}\nWelcome." in output.text


async def test_the_operators_own_network_is_never_told_to_tavily() -> None:
    async with (
        _site() as (host, url),
        FakeTavily(RAIN) as fake,
        build(supplies(fake, private_hosts=frozenset({host}))) as tool,
    ):
        output = await read(tool, url, RAIN.url)

    assert [body["urls"] for body in fake.extracts] == [[RAIN.url]]
    assert [source.url for source in output.sources] == [url, RAIN.url]


@asynccontextmanager
async def _site() -> AsyncIterator[tuple[str, str]]:
    """A web site on loopback: its `host:port`, and the address of its page."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="Welcome.")

    app = web.Application()
    app.router.add_get("/page", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host = f"127.0.0.1:{runner.addresses[0][1]}"
        yield host, f"http://{host}/page"
    finally:
        await runner.cleanup()


async def test_a_text_is_read_in_the_encoding_that_the_server_tells() -> None:
    page = Fetched(
        url=RAIN.url, media_type="text/plain", content="Zażółć gęślą jaźń".encode("iso-8859-2"), charset="iso8859-2"
    )
    async with reading(Shelf({RAIN.url: page})) as tool:
        output = await read(tool, RAIN.url)

    assert "Zażółć gęślą jaźń" in output.text
