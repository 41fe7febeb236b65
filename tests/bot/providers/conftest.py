"""One world for each provider over the wire."""

import dataclasses
from collections.abc import AsyncIterator

import pytest

from tests.bot.providers.serving import CASES, World, serving
from tests.bot.providers.serving_anthropic import ANTHROPIC
from tests.bot.providers.serving_gemini import GEMINI
from tests.bot.providers.serving_ollama import OLLAMA
from tests.bot.providers.serving_openai import COMPATIBLE, GROQ, OPENAI
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.gemini.server import FakeGemini
from tests.fakes.model_server import ModelServer
from tests.fakes.ollama.server import FakeOllama
from tests.fakes.openai.server import FakeOpenAI


@pytest.fixture(params=CASES, ids=str)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World[ModelServer]]:
    async with serving(request.param) as made:
        yield made


@pytest.fixture
async def openai() -> AsyncIterator[World[FakeOpenAI]]:
    async with serving(OPENAI) as made:
        yield made


@pytest.fixture
async def claude() -> AsyncIterator[World[FakeAnthropic]]:
    async with serving(ANTHROPIC) as made:
        yield made


@pytest.fixture
async def groq() -> AsyncIterator[World[FakeOpenAI]]:
    async with serving(GROQ) as made:
        yield made


@pytest.fixture
async def compatible() -> AsyncIterator[World[FakeOpenAI]]:
    async with serving(COMPATIBLE) as made:
        yield made


@pytest.fixture
async def ollama() -> AsyncIterator[World[FakeOllama]]:
    large = dataclasses.replace(OLLAMA.model, window_tokens=131_072)
    async with serving(dataclasses.replace(OLLAMA, model=large)) as made:
        yield made


@pytest.fixture
async def gemini() -> AsyncIterator[World[FakeGemini]]:
    async with serving(GEMINI) as made:
        yield made
