"""web_search: what models read of a search, which service answers, what is paid, and what is kept."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import format_datetime

import pytest

from bot.core.errors import SettingsError
from bot.core.tools import Source, Tool
from bot.tools._brave import open_brave
from bot.tools._tavily import open_tavily
from bot.tools.web_search import WebSearch, build
from tests.bot.tools.web import CREDIT, REQUEST, context, supplies
from tests.fakes.brave.server import FakeBrave, rate_limited
from tests.fakes.clock import START, ManualClock
from tests.fakes.found_page import FoundPage
from tests.fakes.script import Hold, HttpFault, Reply, Silence
from tests.fakes.tavily.server import FakeTavily, out_of_credits, server_error, too_many_requests

RAIN = FoundPage(
    url="https://example.org/rain", title="Rain\nin  Oslo", snippet="It\n\nrains.", date=format_datetime(START)
)
SUN = FoundPage(url="https://example.com/sun?a=1", title="", snippet="It shines.")
BRAVE_RAIN = FoundPage(url="https://example.net/rain", title="Rain elsewhere", snippet="It pours.", date="2026-10-30")
ASKED = {"query": "rain in Oslo"}


@asynccontextmanager
async def impatient(tavily: FakeTavily, brave: FakeBrave, clock: ManualClock) -> AsyncIterator[WebSearch]:
    """Both services, with deadlines that tests can wait for."""
    both = supplies(tavily, brave)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_tavily(both, search_timeout_s=0.1))
        second = await stack.enter_async_context(open_brave(both, timeout_s=0.1))
        yield WebSearch((first, second), clock)


async def test_a_model_reads_the_date_then_numbered_sources_then_how_to_cite() -> None:
    async with FakeTavily(RAIN, SUN) as fake, build(supplies(fake)) as tool:
        fake.answer = "It rains."
        output = await tool.run(ASKED, context())

    assert output.text == (
        "Today is 2026-11-01 (UTC).\n"
        "\n"
        "A summary by Tavily, not a source by itself: It rains.\n"
        "\n"
        "[1] Rain in Oslo - https://example.org/rain - 2026-11-01\n"
        "It rains.\n"
        "\n"
        "[2] example.com - https://example.com/sun?a=1\n"
        "It shines.\n"
        "\n"
        "Cite what you use by its number, like [1] or [1][2], and give no links but these."
    )
    assert output.sources == (
        Source(title="Rain in Oslo", url="https://example.org/rain"),
        Source(title="example.com", url="https://example.com/sun?a=1"),
    )
    assert output.untrusted
    assert not output.is_error


async def test_numbers_are_those_of_the_answer() -> None:
    here = context()
    here.cite(Source(title="Sun", url=SUN.url))
    async with FakeTavily(RAIN, SUN) as fake, build(supplies(fake)) as tool:
        output = await tool.run(ASKED, here)

    assert "[2] Rain in Oslo" in output.text
    assert "[1] example.com" in output.text


async def test_it_is_a_tool_that_reads_and_says_what_it_does() -> None:
    async with FakeTavily() as fake, build(supplies(fake)) as tool:
        as_tool: Tool = tool

        assert as_tool.spec.name == "web_search"
        assert as_tool.spec.parameters["required"] == ["query"]
        assert (as_tool.reads_only, as_tool.owners_only) == (True, False)
        assert as_tool.status(ASKED) == "searching: rain in Oslo"
        assert as_tool.status({"query": "a\nb " * 100}).endswith("…")
        assert "\n" not in as_tool.status({"query": "a\nb"})
        assert len(as_tool.status({"query": "a" * 1_000})) <= 90
        assert as_tool.status({"query": 5}) == "searching the web"


@pytest.mark.parametrize(
    ("tavily", "brave", "depth", "worst"),
    [
        (True, False, "basic", CREDIT),
        (True, False, "advanced", 2 * CREDIT),
        (False, True, "advanced", REQUEST),
        (True, True, "advanced", 2 * CREDIT + REQUEST),
        (True, True, "deepest", 0),
    ],
)
async def test_the_worst_is_what_all_services_ask_together(tavily: bool, brave: bool, depth: str, worst: int) -> None:
    configured = supplies(FakeTavily() if tavily else None, FakeBrave() if brave else None)
    async with build(configured) as tool:
        assert tool.worst_nano_usd({"query": "rain", "depth": depth}) == worst


async def test_bad_arguments_are_told_and_nobody_is_asked() -> None:
    async with FakeTavily(RAIN) as fake, build(supplies(fake)) as tool:
        output = await tool.run({"query": "x" * 401, "include_domains": ["not a domain"]}, context())

    assert output.is_error
    assert output.text == (
        "Wrong arguments: `query` should have at most 400 characters; "
        "`include_domains`: `not a domain` is no domain like example.org"
    )
    assert fake.requests == []


async def test_nothing_found_is_no_error_and_is_paid() -> None:
    async with FakeTavily() as fake, build(supplies(fake)) as tool:
        output = await tool.run(ASKED, context())

    assert not output.is_error
    assert output.text.endswith("No pages were found. Try other or fewer words, a longer time range, no domains.")
    assert output.sources == ()
    assert output.bill is not None


async def test_only_web_addresses_are_kept_each_once_and_short() -> None:
    bad = ["javascript:alert(1)", "ftp://example.org/", "https://a b.org/", "https://u:p@example.org/", "//x.org", ""]
    bad += ["https://example.org/" + "x" * 2_000, "https://example.org:port/", "https://exa<b>mple.org/"]
    pages = [FoundPage(url=url, title="Bad") for url in bad]
    twice = FoundPage(url="https://example.org/rain#later", title="Again")
    long = FoundPage(url="https://example.org/long", title="t" * 500, snippet="s " * 5_000)
    async with FakeTavily(*pages, RAIN, twice, long) as fake, build(supplies(fake)) as tool:
        output = await tool.run(ASKED | {"max_results": 10}, context())

    assert [source.url for source in output.sources] == ["https://example.org/rain"]

    async with FakeTavily(RAIN, twice, long) as fake, build(supplies(fake)) as tool:
        output = await tool.run(ASKED, context())

    assert [source.url for source in output.sources] == ["https://example.org/rain", "https://example.org/long"]
    assert len(output.sources[1].title) == 150
    assert len(output.text) < 1_500


async def test_domains_hold_whatever_the_service_finds() -> None:
    found = [{"url": url, "title": "T", "content": ""} for url in ("https://sub.a.org/", "https://xa.org/", RAIN.url)]
    async with FakeTavily() as fake, build(supplies(fake)) as tool:
        fake.script(HttpFault(status=200, body={"results": found}))
        included = await tool.run(ASKED | {"include_domains": "https://www.A.org/page"}, context())
        fake.script(HttpFault(status=200, body={"results": found}))
        excluded = await tool.run(ASKED | {"exclude_domains": ["a.org"]}, context())

    assert fake.searches[0]["include_domains"] == ["a.org"]
    assert [source.url for source in included.sources] == ["https://sub.a.org/"]
    assert [source.url for source in excluded.sources] == ["https://xa.org/", RAIN.url]


async def test_brave_answers_where_only_it_has_a_key() -> None:
    async with FakeBrave(BRAVE_RAIN) as fake, build(supplies(brave=fake)) as tool:
        output = await tool.run(ASKED, context())

    assert "[1] Rain elsewhere - https://example.net/rain - 2026-10-30\nIt pours." in output.text
    assert "because" not in output.text
    assert output.bill is not None
    assert output.bill.service == "brave/search"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (too_many_requests(12), "Tavily gets too many requests; try again in 12 s"),
        (out_of_credits(), "Tavily has no credits left, until its operator tops it up"),
        (server_error(), "Tavily is down or cannot be reached"),
        (Silence(), "Tavily did not answer in time"),
        (
            HttpFault(status=401, body={"detail": {"error": "Unauthorized"}}),
            "Tavily refuses the bot's key, which its operator has to correct",
        ),
    ],
    ids=["rate", "quota", "down", "timeout", "key"],
)
async def test_brave_stands_in_when_tavily_fails_and_the_output_says_so(
    fault: HttpFault | Silence, reason: str
) -> None:
    async with (
        FakeTavily(RAIN) as tavily,
        FakeBrave(BRAVE_RAIN) as brave,
        impatient(tavily, brave, ManualClock()) as tool,
    ):
        tavily.script(fault)
        output = await tool.run(ASKED, context())

    assert f"Brave Search answered, because {reason}." in output.text
    assert [source.url for source in output.sources] == [BRAVE_RAIN.url]
    assert output.bill is not None
    assert (output.bill.service, output.bill.cost.nano_usd) == ("brave/search", REQUEST)


async def test_a_service_that_failed_is_asked_last_for_a_while() -> None:
    clock = ManualClock(auto=False)
    async with FakeTavily(RAIN) as tavily, FakeBrave(BRAVE_RAIN) as brave, impatient(tavily, brave, clock) as tool:
        tavily.script(too_many_requests(12))
        await tool.run(ASKED, context())
        soon = await tool.run({"query": "second"}, context())
        brave.script(rate_limited())
        last_resort = await tool.run({"query": "third"}, context())
        await clock.advance(12.0)
        later = await tool.run({"query": "fourth"}, context())

    assert "Brave Search answered, because Tavily gets too many requests" in soon.text
    assert "because" not in last_resort.text
    assert [body["query"] for body in tavily.searches] == ["rain in Oslo", "third", "fourth"]
    assert "because" not in later.text


async def test_when_nobody_answers_the_model_learns_why_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeTavily() as tavily, FakeBrave() as brave, build(supplies(tavily, brave)) as tool:
        tavily.script(out_of_credits())
        brave.script(rate_limited())
        with caplog.at_level(logging.INFO):
            output = await tool.run(ASKED, context())

    assert output.is_error
    assert output.text == (
        "The search failed: Tavily has no credits left, until its operator tops it up; "
        "Brave Search gets too many requests; try again in 1 s. If a new search makes no sense, "
        "answer from what you know and say that you could not look it up."
    )
    assert output.bill is None
    assert [record.getMessage() for record in caplog.records if record.name.startswith("bot.")] == [
        "a look-up failed: Tavily: quota",
        "a look-up failed: Brave Search: rate",
    ]


async def test_keys_and_queries_are_not_logged_and_keys_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeTavily() as tavily, FakeBrave() as brave:
        wrong = supplies(tavily, brave, tavily_key="tvly-wrong-secret", brave_key="BSA-wrong-secret")
        async with build(wrong) as tool:
            with caplog.at_level(logging.DEBUG, logger="bot"):
                output = await tool.run(ASKED, context())

    assert output.is_error
    assert "secret" not in output.text + caplog.text
    assert "Oslo" not in caplog.text


async def test_what_was_found_is_kept_for_some_minutes_for_everybody_and_paid_once() -> None:
    clock = ManualClock(auto=False)
    async with FakeTavily(RAIN) as fake, build(supplies(fake, clock=clock)) as tool:
        first = await tool.run(ASKED, context())
        again = await tool.run(ASKED | {"query": " rain  in Oslo ", "topic": "general", "time_range": None}, context())
        other = await tool.run(ASKED | {"max_results": 4}, context())
        await clock.advance(301.0)
        later = await tool.run(ASKED, context())

    assert again.text == first.text
    assert [output.bill is None for output in (first, again, other, later)] == [False, True, False, False]
    assert len(fake.searches) == 3
    assert fake.credits == 3


async def test_equal_searches_at_once_are_one_call() -> None:
    hold = Hold(0)
    async with FakeTavily(RAIN) as fake, build(supplies(fake)) as tool:
        fake.script(Reply(hold=hold))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(tool.run(ASKED, context())) for _ in range(3)]
            await asyncio.wait_for(hold.reached.wait(), 5.0)
            hold.release()

    outputs = [task.result() for task in tasks]
    assert len(fake.searches) == 1
    assert [output.bill is None for output in outputs].count(False) == 1
    assert {output.text for output in outputs} == {outputs[0].text}


async def test_a_failure_is_not_kept() -> None:
    async with FakeTavily(RAIN) as fake, build(supplies(fake)) as tool:
        fake.script(server_error())
        failed = await tool.run(ASKED, context())
        found = await tool.run(ASKED, context())

    assert failed.is_error
    assert [source.url for source in found.sources] == [RAIN.url]


async def test_without_any_key_it_does_not_run() -> None:
    with pytest.raises(SettingsError, match="TAVILY_API_KEY or BRAVE_SEARCH_API_KEY"):
        async with build(supplies()):
            pytest.fail("it was opened")


def test_the_sdk_is_imported_only_where_tavily_has_a_key() -> None:
    script = "import sys, bot.tools.web_search, bot.tools.read_page; print('tavily' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
