"""Tavily on the wire: the real SDK against a strict server, what it sends, and what its failures become."""

import json
from dataclasses import replace

import pytest

from bot.core.errors import SettingsError
from bot.core.ledger import Billed, Certainty, Rate
from bot.tools._look_up import Depth, Failure, Findings, Hit, ServiceFailed, TimeRange, Topic, Wanted
from bot.tools._tavily import Extract, open_tavily
from tests.bot.tools.web import CREDIT, supplies
from tests.fakes.found_page import FoundPage
from tests.fakes.script import HttpFault, Silence
from tests.fakes.tavily.server import (
    FakeTavily,
    out_of_credits,
    over_pay_as_you_go,
    server_error,
    too_many_requests,
)

RAIN = FoundPage(
    url="https://example.org/rain", title="Rain", snippet="It rains.", date="2026-10-31", words="# Rain\n\nIt rains."
)
SUN = FoundPage(url="https://example.com/sun", title="Sun", snippet="It shines.")


def wanted(
    query: str = "rain in Oslo",
    *,
    topic: Topic = Topic.GENERAL,
    time_range: TimeRange | None = None,
    include_domains: tuple[str, ...] = (),
    exclude_domains: tuple[str, ...] = (),
    depth: Depth = Depth.BASIC,
    max_results: int = 5,
) -> Wanted:
    """A search with what Tavily takes for granted."""
    return Wanted(
        query=query,
        topic=topic,
        time_range=time_range,
        include_domains=include_domains,
        exclude_domains=exclude_domains,
        depth=depth,
        max_results=max_results,
    )


async def search(fake: FakeTavily, asked: Wanted | None = None, *, key: str | None = None) -> Findings:
    """One search with a client of its own."""
    async with open_tavily(supplies(fake, tavily_key=key), search_timeout_s=0.2) as tavily:
        return await tavily.search(asked or wanted())


async def test_a_plain_search_sends_its_fields_and_the_key_in_a_header_and_nothing_else() -> None:
    async with FakeTavily(RAIN) as fake:
        await search(fake)

    (request,) = fake.requests
    assert request.body == {
        "query": "rain in Oslo",
        "search_depth": "basic",
        "topic": "general",
        "max_results": 5,
        "include_answer": True,
        "include_usage": True,
    }
    assert request.headers["authorization"] == f"Bearer {fake.key}"
    sent = {name for name in request.headers if name.startswith("x-")}
    assert sent == set()


async def test_projects_and_organisations_are_not_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVILY_PROJECT", "of-somebody")
    monkeypatch.setenv("TAVILY_ORG_ID", "of-somebody")
    async with FakeTavily(RAIN) as fake:
        await search(fake)

    assert "of-somebody" not in json.dumps(dict(fake.requests[0].headers))


async def test_every_argument_reaches_its_field() -> None:
    asked = wanted(
        topic=Topic.NEWS,
        time_range=TimeRange.WEEK,
        include_domains=("example.com", "example.org"),
        exclude_domains=("example.net",),
        depth=Depth.ADVANCED,
        max_results=10,
    )
    async with FakeTavily(RAIN) as fake:
        await search(fake, asked)

    (body,) = fake.searches
    assert body == {
        "query": "rain in Oslo",
        "search_depth": "advanced",
        "topic": "news",
        "time_range": "week",
        "max_results": 10,
        "include_domains": ["example.com", "example.org"],
        "exclude_domains": ["example.net"],
        "include_answer": True,
        "include_usage": True,
    }


async def test_findings_are_what_was_found_and_what_it_costs() -> None:
    async with FakeTavily(RAIN, SUN) as fake:
        fake.answer = "Yes."
        findings = await search(fake)

    assert findings.answer == "Yes."
    assert findings.hits == (
        Hit(title="Rain", url=RAIN.url, snippet="It rains.", date="2026-10-31"),
        Hit(title="Sun", url=SUN.url, snippet="It shines."),
    )
    assert findings.bill.service == "tavily/search"
    assert findings.bill.usage.credits == 1
    assert findings.bill.cost.nano_usd == CREDIT
    assert findings.bill.cost.certainty is Certainty.EXACT
    assert findings.bill.cost.source == "TAVILY_CREDIT_USD"
    assert findings.bill.cost.rates == (Rate(billed=Billed.CREDIT, nano_usd=CREDIT),)


@pytest.mark.parametrize(
    ("depth", "reports", "cost"),
    [
        (Depth.BASIC, True, (CREDIT, Certainty.EXACT)),
        (Depth.ADVANCED, True, (2 * CREDIT, Certainty.EXACT)),
        (Depth.BASIC, False, (CREDIT, Certainty.ESTIMATED)),
        (Depth.ADVANCED, False, (2 * CREDIT, Certainty.ESTIMATED)),
    ],
)
async def test_credits_are_exact_where_they_are_reported(
    depth: Depth, reports: bool, cost: tuple[int, Certainty]
) -> None:
    async with FakeTavily(RAIN, reports_usage=reports) as fake:
        bill = (await search(fake, wanted(depth=depth))).bill

    assert (bill.cost.nano_usd, bill.cost.certainty) == cost


@pytest.mark.parametrize("credits_", [-1, 1.5, True, "2", None, float("inf"), 10**9])
async def test_credits_that_make_no_sense_are_not_taken_for_reported(credits_: object) -> None:
    body: dict[str, object] = {"results": [], "usage": {"credits": credits_}}
    async with FakeTavily() as fake:
        fake.script(HttpFault(status=200, body=body))
        bill = (await search(fake)).bill

    assert (bill.cost.nano_usd, bill.cost.certainty) == (CREDIT, Certainty.ESTIMATED)


@pytest.mark.parametrize(
    ("fault", "failure", "retry_after_s"),
    [
        (too_many_requests(12), Failure.RATE, 12.0),
        (too_many_requests(), Failure.RATE, None),
        (out_of_credits(), Failure.QUOTA, None),
        (over_pay_as_you_go(), Failure.QUOTA, None),
        (HttpFault(status=403, body={"detail": {"error": "Forbidden"}}), Failure.KEY, None),
        (HttpFault(status=400, body={"detail": {"error": "Invalid topic."}}), Failure.REJECTED, None),
        (HttpFault(status=422, body={"detail": [{"msg": "no"}]}), Failure.REJECTED, None),
        (server_error(), Failure.DOWN, None),
        (HttpFault(status=502, body="<html>Bad gateway</html>"), Failure.DOWN, None),
        (HttpFault(status=302, body="", headers={"Location": "http://127.0.0.1:9/"}), Failure.DOWN, None),
        (HttpFault(status=204, body=""), Failure.DOWN, None),
        (HttpFault(status=200, body="not JSON"), Failure.DOWN, None),
        (HttpFault(status=200, body="[1, 2]"), Failure.DOWN, None),
        (HttpFault(status=200, body="null"), Failure.DOWN, None),
        (Silence(), Failure.TIMEOUT, None),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, HttpFault) else None,
)
async def test_what_goes_wrong_is_told_by_what_can_be_done_about_it(
    fault: HttpFault | Silence, failure: Failure, retry_after_s: float | None
) -> None:
    async with FakeTavily(RAIN) as fake:
        fake.script(fault)
        with pytest.raises(ServiceFailed) as caught:
            await search(fake)

    assert (caught.value.failure, caught.value.retry_after_s) == (failure, retry_after_s)
    assert len(fake.requests) == 1


async def test_a_wrong_key_is_the_operators_business_and_is_never_shown() -> None:
    async with FakeTavily(RAIN) as fake:
        with pytest.raises(ServiceFailed) as caught:
            await search(fake, key="tvly-wrong-secret")

    assert caught.value.failure is Failure.KEY
    assert "secret" not in f"{caught.value!r} {caught.value.in_words()} {caught.value.__cause__!r}"


async def test_nobody_there_is_down() -> None:
    async with FakeTavily(RAIN) as fake, fake.down():
        with pytest.raises(ServiceFailed) as caught:
            await search(fake)

    assert caught.value.failure is Failure.DOWN


async def test_results_of_another_shape_are_left_out() -> None:
    sound = {"url": "https://example.org/", "title": "Sound", "content": None, "published_date": 5}
    body: dict[str, object] = {"results": ["?", None, {"url": 5}, sound], "answer": ["?"]}
    async with FakeTavily() as fake:
        fake.script(HttpFault(status=200, body=body))
        findings = await search(fake)

    assert findings.hits == (
        Hit(title="", url="", snippet=""),
        Hit(title="Sound", url="https://example.org/", snippet=""),
    )
    assert findings.answer is None


async def test_pages_are_read_in_one_request() -> None:
    urls = [RAIN.url, SUN.url]
    async with FakeTavily(RAIN, SUN) as fake, open_tavily(supplies(fake)) as tavily:
        read, bill = await tavily.extract(urls)

    assert fake.extracts == [
        {"urls": urls, "extract_depth": "basic", "format": "markdown", "timeout": 20.0, "include_usage": True}
    ]
    assert read == {RAIN.url: Extract(title="", text="# Rain\n\nIt rains.")}
    assert bill is not None
    assert bill.service == "tavily/extract"


@pytest.mark.parametrize(
    ("reports", "costs"),
    [
        (True, [(0, Certainty.EXACT), (0, Certainty.EXACT), (CREDIT, Certainty.EXACT)]),
        (False, [(CREDIT, Certainty.ESTIMATED)] * 3),
    ],
)
async def test_five_pages_are_a_credit(reports: bool, costs: list[tuple[int, Certainty]]) -> None:
    pages = [FoundPage(url=f"https://example.org/{number}", title="", words="Words.") for number in range(2)]
    bills = []
    async with FakeTavily(*pages, reports_usage=reports) as fake, open_tavily(supplies(fake)) as tavily:
        for _ in range(3):
            _, bill = await tavily.extract([page.url for page in pages])
            assert bill is not None
            bills.append((bill.cost.nano_usd, bill.cost.certainty))

    assert bills == costs


async def test_where_nothing_was_read_nothing_is_paid() -> None:
    async with FakeTavily(SUN) as fake, open_tavily(supplies(fake)) as tavily:
        assert await tavily.extract([SUN.url]) == ({}, None)


async def test_an_address_comes_back_as_it_was_asked_for() -> None:
    asked = "https://example.org/rain#today"
    body: dict[str, object] = {
        "results": [
            {"url": "https://example.org/rain/", "raw_content": "It rains.", "title": "Rain"},
            {"url": "https://example.org/never-asked", "raw_content": "It snows."},
            {"url": asked, "raw_content": None},
        ]
    }
    async with FakeTavily() as fake, open_tavily(supplies(fake)) as tavily:
        fake.script(HttpFault(status=200, body=body))
        read, _ = await tavily.extract([asked])

    assert read == {asked: Extract(title="Rain", text="It rains.")}


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_without_a_key_it_is_not_opened_and_the_public_mode_never_used(key: str | None) -> None:
    async with FakeTavily(RAIN) as fake:
        known = supplies(fake)
        without = replace(known, values={**known.values, "TAVILY_API_KEY": key})
        with pytest.raises(SettingsError, match="TAVILY_API_KEY"):
            async with open_tavily(without):
                pytest.fail("it was opened")

    assert fake.requests == []
