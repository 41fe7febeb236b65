"""Brave Search on the wire: what is sent to a strict server, and what its failures become."""

from dataclasses import replace

import pytest

from bot.core.errors import SettingsError
from bot.core.ledger import Certainty
from bot.tools._brave import open_brave
from bot.tools._look_up import Failure, Findings, Hit, ServiceFailed, TimeRange, Topic, Wanted
from tests.bot.tools.test_tavily import wanted
from tests.bot.tools.web import REQUEST, supplies
from tests.fakes.brave.server import FakeBrave, quota_used_up, rate_limited
from tests.fakes.found_page import FoundPage
from tests.fakes.script import HttpFault, Silence

RAIN = FoundPage(
    url="https://example.org/rain",
    title="<strong>Rain</strong> &amp; wind",
    snippet="It <strong>rains</strong>: 3 < 5.",
    date="2026-10-31T08:00:00",
)
SUN = FoundPage(url="https://www.example.com/sun", title="Sun", snippet="It shines.")


async def search(fake: FakeBrave, asked: Wanted | None = None, *, key: str | None = None) -> Findings:
    """One search with a client of its own."""
    async with open_brave(supplies(brave=fake, brave_key=key), timeout_s=0.2) as brave:
        return await brave.search(asked or wanted())


async def test_a_plain_search_sends_its_parameters_and_the_key_in_a_header_and_nothing_else() -> None:
    async with FakeBrave(RAIN) as fake:
        await search(fake)

    (request,) = fake.requests
    assert request.path == "/res/v1/web/search"
    assert request.params == {
        "q": "rain in Oslo",
        "count": "5",
        "country": "ALL",
        "safesearch": "moderate",
        "result_filter": "web",
        "text_decorations": "false",
    }
    assert request.headers["x-subscription-token"] == fake.key
    assert request.headers["accept-encoding"] == "gzip"
    assert not {"authorization", "cookie"} & set(request.headers)


async def test_news_are_searched_elsewhere_and_with_less() -> None:
    async with FakeBrave(RAIN) as fake:
        await search(fake, wanted(topic=Topic.NEWS, time_range=TimeRange.DAY, max_results=10))

    (request,) = fake.requests
    assert request.path == "/res/v1/news/search"
    assert request.params == {
        "q": "rain in Oslo",
        "count": "10",
        "country": "ALL",
        "safesearch": "moderate",
        "freshness": "pd",
    }


@pytest.mark.parametrize(
    ("time_range", "freshness"),
    [(TimeRange.DAY, "pd"), (TimeRange.WEEK, "pw"), (TimeRange.MONTH, "pm"), (TimeRange.YEAR, "py")],
)
async def test_a_time_range_is_a_freshness(time_range: TimeRange, freshness: str) -> None:
    async with FakeBrave(RAIN) as fake:
        await search(fake, wanted(time_range=time_range))

    assert fake.requests[0].params["freshness"] == freshness


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        (wanted(include_domains=("a.org",)), "rain in Oslo site:a.org"),
        (wanted(include_domains=("a.org", "b.org")), "rain in Oslo site:a.org OR site:b.org"),
        (wanted(exclude_domains=("a.org", "b.org")), "rain in Oslo NOT site:a.org NOT site:b.org"),
        (wanted(" ".join(["word"] * 60)), " ".join(["word"] * 50)),
        (wanted("x" * 395, include_domains=("a.org",)), "x" * 395),
        (wanted(" ".join(["w"] * 48), include_domains=("a.org", "b.org")), " ".join(["w"] * 48) + " site:a.org"),
    ],
)
async def test_domains_are_operators_as_far_as_there_is_room(asked: Wanted, query: str) -> None:
    async with FakeBrave(RAIN) as fake:
        await search(fake, asked)

    assert fake.requests[0].params["q"] == query


@pytest.mark.parametrize("topic", [Topic.GENERAL, Topic.NEWS])
async def test_findings_are_plain_words_and_cost_a_request(topic: Topic) -> None:
    async with FakeBrave(RAIN, SUN) as fake:
        findings = await search(fake, wanted(topic=topic))

    assert findings.answer is None
    assert findings.hits == (
        Hit(title="Rain & wind", url=RAIN.url, snippet="It rains: 3 < 5.", date="2026-10-31T08:00:00"),
        Hit(title="Sun", url=SUN.url, snippet="It shines."),
    )
    assert findings.bill.service == "brave/search"
    assert findings.bill.usage.credits == 1
    assert (findings.bill.cost.nano_usd, findings.bill.cost.certainty) == (REQUEST, Certainty.ESTIMATED)


async def test_an_answer_without_hits_is_an_answer() -> None:
    async with FakeBrave() as fake:
        assert (await search(fake)).hits == ()


@pytest.mark.parametrize(
    ("fault", "failure", "retry_after_s"),
    [
        (rate_limited(), Failure.RATE, 1.0),
        (rate_limited(remaining="0, 0", reset="1, 3600"), Failure.RATE, 3600.0),
        (rate_limited(remaining="?", reset=""), Failure.RATE, None),
        (quota_used_up(), Failure.QUOTA, None),
        (
            HttpFault(
                status=404, body={"type": "ErrorResponse", "errors": [{"code": "SUBSCRIPTION_NOT_FOUND"}], "time": 1}
            ),
            Failure.KEY,
            None,
        ),
        (HttpFault(status=401, body="Unauthorized"), Failure.KEY, None),
        (HttpFault(status=422, body={"error": {"code": "VALIDATION"}}), Failure.REJECTED, None),
        (HttpFault(status=503, body="<html>"), Failure.DOWN, None),
        (HttpFault(status=302, body="", headers={"Location": "/res/v1/news/search"}), Failure.DOWN, None),
        (HttpFault(status=200, body="not JSON"), Failure.DOWN, None),
        (HttpFault(status=200, body="[" * 100_000), Failure.DOWN, None),
        (HttpFault(status=200, body=f'"{"x" * 4_000_001}"'), Failure.DOWN, None),
        (Silence(), Failure.TIMEOUT, None),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, HttpFault) else None,
)
async def test_what_goes_wrong_is_told_by_what_can_be_done_about_it(
    fault: HttpFault | Silence, failure: Failure, retry_after_s: float | None
) -> None:
    async with FakeBrave(RAIN) as fake:
        fake.script(fault)
        with pytest.raises(ServiceFailed) as caught:
            await search(fake)

    assert caught.value.failure is failure
    if failure is Failure.RATE:
        assert caught.value.retry_after_s == retry_after_s
    assert len(fake.requests) == 1


async def test_a_wrong_key_is_the_operators_business_and_is_never_shown() -> None:
    async with FakeBrave(RAIN) as fake:
        with pytest.raises(ServiceFailed) as caught:
            await search(fake, key="BSA-wrong-secret")

    assert caught.value.failure is Failure.KEY
    assert "secret" not in f"{caught.value!r} {caught.value.in_words()} {caught.value.__cause__!r}"


async def test_nobody_there_is_down() -> None:
    async with FakeBrave(RAIN) as fake, fake.down():
        with pytest.raises(ServiceFailed) as caught:
            await search(fake)

    assert caught.value.failure is Failure.DOWN


async def test_an_address_without_a_path_gets_that_of_the_api() -> None:
    async with FakeBrave(RAIN) as fake:
        known = supplies(brave=fake)
        bare = replace(known, values={**known.values, "BRAVE_SEARCH_BASE_URL": f"{fake.origin}/"})
        async with open_brave(bare) as brave:
            await brave.search(wanted())

    assert fake.requests[0].path == "/res/v1/web/search"


async def test_without_a_key_it_is_not_opened() -> None:
    with pytest.raises(SettingsError, match="BRAVE_SEARCH_API_KEY"):
        async with open_brave(supplies()):
            pytest.fail("it was opened")
