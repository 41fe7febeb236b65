"""The fake of Tavily refuses what the reference does not allow, in Tavily's words."""

from typing import Any

import aiohttp
import pytest

from tests.fakes.found_page import FoundPage
from tests.fakes.tavily.server import FakeTavily

PAGE = FoundPage(url="https://example.org/", title="A page", words="Words.")


async def ask(fake: FakeTavily, path: str, body: object, key: str | None = None) -> tuple[int, Any]:
    """The status and body of an answer."""
    headers = {"Authorization": f"Bearer {key or fake.key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.origin}{path}", json=body, headers=headers) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/search", [], 422),
        ("/search", {}, 422),
        ("/search", {"query": " "}, 400),
        ("/search", {"query": "x" * 401}, 400),
        ("/search", {"query": "x", "days": 3}, 422),
        ("/search", {"query": "x", "api_key": "k"}, 422),
        ("/search", {"query": "x", "topic": "sports"}, 400),
        ("/search", {"query": "x", "search_depth": "deep"}, 400),
        ("/search", {"query": "x", "time_range": "hour"}, 400),
        ("/search", {"query": "x", "max_results": 21}, 400),
        ("/search", {"query": "x", "max_results": True}, 400),
        ("/search", {"query": "x", "include_domains": "a.org"}, 400),
        ("/search", {"query": "x", "exclude_domains": ["a.org"] * 151}, 400),
        ("/search", {"query": "x", "include_answer": 1}, 400),
        ("/search", {"query": "x", "chunks_per_source": 2}, 400),
        ("/extract", {}, 422),
        ("/extract", {"urls": []}, 400),
        ("/extract", {"urls": ["example.org"]}, 400),
        ("/extract", {"urls": [PAGE.url] * 21}, 400),
        ("/extract", {"urls": [PAGE.url], "timeout": 0.5}, 400),
        ("/extract", {"urls": [PAGE.url], "extract_depth": "deep"}, 400),
        ("/extract", {"urls": [PAGE.url], "chunks_per_source": 2}, 400),
        ("/search", {"query": "x"}, 200),
        ("/extract", {"urls": PAGE.url}, 200),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_only_what_the_reference_has_is_taken(path: str, body: object, status: int) -> None:
    async with FakeTavily(PAGE) as fake:
        answered, words = await ask(fake, path, body)

    assert answered == status
    assert status == 200 or isinstance(words["detail"]["error"], str)


async def test_a_wrong_key_is_refused_and_answers_and_credits_come_only_when_asked_for() -> None:
    async with FakeTavily(PAGE) as fake:
        fake.answer = "Yes."
        refused, _ = await ask(fake, "/search", {"query": "x"}, key="tvly-other")
        _, plain = await ask(fake, "/search", {"query": "x"})
        _, full = await ask(fake, "/search", {"query": "x", "include_answer": True, "include_usage": True})

    assert refused == 401
    assert (plain["answer"], "usage" in plain) == (None, False)
    assert (full["answer"], full["usage"]) == ("Yes.", {"credits": 1})
    assert fake.credits == 2
