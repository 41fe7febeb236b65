"""Ollama's address with a server behind it that speaks only the OpenAI-shaped API, or half of each."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ModelNotFound
from bot.core.events import ProviderEvent, TextDelta
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest, Provider
from bot.providers.connection import Connection
from bot.providers.ollama import build
from tests.fakes.clock import ManualClock
from tests.fakes.openai import dialect
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import Reply

MODEL = ModelInfo(ref=ModelRef("ollama", "local-model"))
REQUEST = ChatRequest(model=MODEL, system="", messages=(Message.of_text(Role.USER, "Talk"),))


@asynccontextmanager
async def provider_at(url: str) -> AsyncIterator[Provider]:
    provider = build(Connection(name="ollama", base_url=url, key=None, clock=ManualClock(), read_timeout_s=0.5))
    try:
        yield provider
    finally:
        await provider.aclose()


async def answer(provider: Provider) -> list[ProviderEvent]:
    async with aclosing(provider.stream(REQUEST)) as events:
        return [event async for event in events]


async def test_a_server_without_ollamas_api_answers_by_the_other_one(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeOpenAI(dialect=dialect.COMPATIBLE) as fake, provider_at(fake.base_url) as provider:
        with caplog.at_level(logging.WARNING, logger="bot.providers"):
            for _ in range(2):
                fake.script(Reply(chunks=("Hel", "lo.")))
                events = await answer(provider)

        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello."
        assert [record.message for record in caplog.records] == [
            "ollama has no /api/chat: it may cut long prompts without a word"
        ]


async def test_it_lists_its_models_by_the_other_one_as_well() -> None:
    async with FakeOpenAI(dialect=dialect.COMPATIBLE) as fake, provider_at(fake.base_url) as provider:
        models = await provider.list_models()

    assert models is not None
    assert [str(model.ref) for model in models] == ["ollama/local-model"]


async def test_ollamas_lists_count_where_only_its_answers_are_missing() -> None:
    async def tags(request: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": "qwen:latest", "digest": "d1"}]})

    async def show(request: web.Request) -> web.Response:
        info = {"general.architecture": "qwen", "qwen.context_length": 4_096}
        return web.json_response({"model_info": info, "capabilities": ["completion", "vision"]})

    app = web.Application()
    app.add_routes([web.get("/api/tags", tags), web.post("/api/show", show)])
    async with TestServer(app) as server, provider_at(str(server.make_url("/v1"))) as provider:
        models = await provider.list_models()

    assert models is not None
    assert [(model.ref.id, model.window_tokens, model.vision) for model in models] == [("qwen:latest", 4_096, True)]


async def test_a_model_that_ollama_itself_lacks_is_not_asked_for_elsewhere() -> None:
    async def chat(request: web.Request) -> web.Response:
        return web.json_response({"error": 'model "local-model" not found, try pulling it first'}, status=404)

    app = web.Application()
    app.add_routes([web.post("/api/chat", chat)])
    async with TestServer(app) as server, provider_at(str(server.make_url(""))) as provider:
        with pytest.raises(ModelNotFound):
            await answer(provider)
