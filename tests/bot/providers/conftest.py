"""One world for each provider over the wire."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.providers.serving import BY_NAME, CASES, World, serving


@pytest.fixture(params=CASES, ids=str)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with serving(request.param) as made:
        yield made


@pytest.fixture
async def openai() -> AsyncIterator[World]:
    async with serving(BY_NAME["openai"]) as made:
        yield made


@pytest.fixture
async def groq() -> AsyncIterator[World]:
    async with serving(BY_NAME["groq"]) as made:
        yield made


@pytest.fixture
async def compatible() -> AsyncIterator[World]:
    async with serving(BY_NAME["compatible"]) as made:
        yield made
