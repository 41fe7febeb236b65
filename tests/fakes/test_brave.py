"""The fake of Brave Search refuses what the reference does not allow, in its error envelope."""

from typing import Any

import aiohttp
import pytest

from tests.fakes.brave.server import FakeBrave
from tests.fakes.found_page import FoundPage

PAGE = FoundPage(url="https://example.org/", title="A page")
OTHER = FoundPage(url="https://example.com/", title="Another page")


async def ask(fake: FakeBrave, path: str, params: dict[str, str], key: str | None = None) -> tuple[int, Any]:
    """The status and body of an answer."""
    headers = {"X-Subscription-Token": key or fake.key}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{fake.url}/{path}/search", params=params, headers=headers) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("web", {}, 422),
        ("web", {"q": ""}, 422),
        ("web", {"q": "x" * 401}, 422),
        ("web", {"q": "x " * 51}, 422),
        ("web", {"q": "x", "query": "x"}, 422),
        ("web", {"q": "x", "count": "21"}, 422),
        ("web", {"q": "x", "count": "0"}, 422),
        ("web", {"q": "x", "freshness": "day"}, 422),
        ("web", {"q": "x", "safesearch": "on"}, 422),
        ("web", {"q": "x", "result_filter": "images"}, 422),
        ("web", {"q": "x", "country": "us"}, 422),
        ("news", {"q": "x", "text_decorations": "false"}, 422),
        ("news", {"q": "x", "result_filter": "web"}, 422),
        ("news", {"q": "x", "count": "50"}, 200),
        ("web", {"q": "x", "freshness": "2026-01-01to2026-02-01"}, 200),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_only_what_the_reference_has_is_taken(path: str, params: dict[str, str], status: int) -> None:
    async with FakeBrave(PAGE) as fake:
        answered, body = await ask(fake, path, params)

    assert answered == status
    assert status == 200 or body["error"]["code"] == "VALIDATION"
    assert fake.charged == (status == 200)


async def test_a_wrong_key_is_a_422() -> None:
    async with FakeBrave(PAGE) as fake:
        status, body = await ask(fake, "web", {"q": "x"}, key="BSA-other")

    assert (status, body["error"]["code"]) == (422, "SUBSCRIPTION_TOKEN_INVALID")


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ("x", [PAGE.url, OTHER.url]),
        ("x site:example.org", [PAGE.url]),
        ("x site:example.org OR site:example.com", [PAGE.url, OTHER.url]),
        ("x NOT site:example.org", [OTHER.url]),
    ],
)
async def test_operators_are_followed(query: str, urls: list[str]) -> None:
    async with FakeBrave(PAGE, OTHER) as fake:
        _, body = await ask(fake, "web", {"q": query})

    assert [result["url"] for result in body["web"]["results"]] == urls
