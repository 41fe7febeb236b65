"""What only Anthropic's Messages API wants to be sent, and what it lists."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.catalogue import ModelInfo
from bot.core.errors import (
    ProviderError,
    ProviderUnavailable,
)
from bot.core.message import Document, Image, Message, Role, ToolCall, ToolResult
from bot.providers.anthropic import build
from bot.providers.connection import Connection
from tests.bot.providers.serving import ADD, World, serving, text_of
from tests.bot.providers.serving_anthropic import ANTHROPIC, HAIKU
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.clock import ManualClock

Claude = World[FakeAnthropic]
SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "minLength": 3},
        "notes": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    },
    "required": ["verdict"],
}
SHAPED = dataclasses.replace(HAIKU, json=True)


async def test_the_key_is_in_the_header_alone(claude: Claude) -> None:
    await claude.ask(claude.request("Hi"))

    headers = dict(claude.sent.headers)
    assert headers.pop("authorization") == f"Bearer {claude.fake.key}"
    assert headers["anthropic-version"] == "2026-10-21"
    assert claude.fake.key not in json.dumps([headers, dict(claude.sent.body)])


async def test_nothing_from_the_environment_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-mine")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-mine")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-mine: yes")

    async with serving(ANTHROPIC) as world:
        events = await world.ask(world.request("Hi"))

    assert text_of(events) == "You said: Hi"
    assert "x-mine" not in world.sent.headers
    assert "mine" not in str(dict(world.sent.headers))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What was asked for, what the model has, and what goes out."""

    asked: int | None
    most: int | None
    expected: int


LIMITS = (
    Limit(asked=100, most=None, expected=100),
    Limit(asked=100, most=64_000, expected=100),
    Limit(asked=500_000, most=128_000, expected=128_000),
    Limit(asked=None, most=128_000, expected=32_000),
    Limit(asked=None, most=4_096, expected=4_096),
    Limit(asked=None, most=None, expected=8_192),
)


@pytest.mark.parametrize("limit", LIMITS, ids=str)
async def test_there_is_always_a_limit_that_the_model_takes(claude: Claude, limit: Limit) -> None:
    model = dataclasses.replace(HAIKU, max_output_tokens=limit.most)

    await claude.ask(claude.request("Hi", model=model, max_output_tokens=limit.asked))

    assert claude.sent.body["max_tokens"] == limit.expected


@pytest.mark.parametrize(("ttl_s", "expected"), [(300, "5m"), (3_600, "1h")])
async def test_a_cached_thread_says_how_long_and_not_whose_it_is(claude: Claude, ttl_s: int, expected: str) -> None:
    await claude.ask(claude.request("Hi", cache_key="thread-1", cache_ttl_s=ttl_s))

    assert claude.sent.body["cache_control"] == {"type": "ephemeral", "ttl": expected}
    assert "metadata" not in claude.sent.body
    assert "thread-1" not in str(claude.sent.body)


async def test_a_schema_is_closed_as_the_api_wants_it(claude: Claude) -> None:
    await claude.ask(claude.request("Hi", model=SHAPED, response_schema=SCHEMA))

    schema: Any = claude.sent.schema
    assert schema["additionalProperties"] is False
    assert schema["properties"]["notes"]["items"]["additionalProperties"] is False
    assert "minLength" not in schema["properties"]["verdict"]
    assert "JSON" not in claude.sent.system


OPEN: tuple[Mapping[str, object], ...] = (
    {"type": "object"},
    {"type": "object", "properties": {"any": {"type": "object"}}},
    {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
    {"type": "object", "properties": {"a": {}}},
    {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": {"type": "string"}},
)


@pytest.mark.parametrize("schema", OPEN, ids=str)
async def test_a_schema_that_the_api_cannot_hold_to_is_asked_for_in_words(
    claude: Claude, schema: Mapping[str, object]
) -> None:
    await claude.ask(claude.request("Hi", model=SHAPED, response_schema=schema))

    assert "output_config" not in claude.sent.body
    assert json.dumps(schema) in claude.sent.system


async def test_json_of_any_form_is_asked_for_in_words(claude: Claude) -> None:
    await claude.ask(claude.request("Hi", model=SHAPED, json=True))

    assert "output_config" not in claude.sent.body
    assert "JSON object" in claude.sent.system


async def test_effort_and_schema_share_one_place(claude: Claude) -> None:
    model = dataclasses.replace(SHAPED, efforts=("low", "high"))

    await claude.ask(claude.request("Hi", model=model, reasoning_effort="high", response_schema=SCHEMA))

    assert set(claude.sent.body["output_config"]) == {"effort", "format"}


async def test_sampling_goes_to_a_server_whose_models_take_it(claude: Claude) -> None:
    """Not Anthropic's own: that is what it answers."""
    model = dataclasses.replace(HAIKU, temperature=True)

    _, error = await claude.ask_until_error(claude.request("Hi", model=model, temperature=0.3, top_p=0.4))

    assert (claude.sent.temperature, claude.sent.top_p) == (0.3, 0.4)
    assert isinstance(error, ProviderError)


@pytest.mark.parametrize(
    "part",
    [
        Image(content=b"BM", media_type="image/bmp"),
        Document(content=b"a,b", media_type="text/csv", name="a.csv"),
    ],
    ids=["bmp", "csv"],
)
async def test_a_file_that_the_api_does_not_take_is_told_as_unreadable(claude: Claude, part: Image | Document) -> None:
    await claude.ask(claude.request(Message(role=Role.USER, parts=(part,))))

    assert f"cannot read: {part.media_type}" in claude.sent.said[0].text
    assert claude.sent.said[0].files == ()


async def test_files_in_the_history_do_not_wedge_a_model_that_is_blind(claude: Claude) -> None:
    image = Image(content=b"\x89PNG", media_type="image/png")
    pdf = Document(content=b"%PDF", media_type="application/pdf", name="a.pdf")
    model = dataclasses.replace(ANTHROPIC.small, vision=False, pdf=False)

    await claude.ask(claude.request(Message(role=Role.USER, parts=(image, pdf)), "What was it?", model=model))

    assert [said.files for said in claude.sent.said] == [(), ()]


async def test_a_pdf_keeps_its_name(claude: Claude) -> None:
    pdf = Document(content=b"%PDF", media_type="application/pdf", name="bill.pdf")

    await claude.ask(claude.request(Message(role=Role.USER, parts=(pdf,))))

    assert claude.sent.body["messages"][0]["content"][0]["title"] == "bill.pdf"


async def test_results_in_several_messages_go_back_in_one(claude: Claude) -> None:
    calls = tuple(ToolCall(id=f"c{n}", name="add", arguments="{}") for n in (1, 2))
    results = (ToolResult(call_id="c1", text="3"), ToolResult(call_id="c2", text="no", is_error=True))
    told = (Message(role=Role.TOOL, parts=(result,)) for result in results)
    messages = (Message.of_text(Role.USER, "Add"), Message(role=Role.ASSISTANT, parts=calls), *told)

    await claude.ask(claude.request(*messages, tools=(ADD,)))

    assert claude.sent.body["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "3"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": True},
    ]


async def test_a_message_of_white_space_alone_is_left_out(claude: Claude) -> None:
    events = await claude.ask(claude.request("Hi", Message.of_text(Role.ASSISTANT, " \n"), "Still there?"))

    assert text_of(events) == "You said: Still there?"
    assert [said.role for said in claude.sent.said] == ["user", "user"]


async def test_a_listed_model_brings_what_the_api_knows_of_it(claude: Claude) -> None:
    listed = {model.ref.id: model for model in await claude.provider.list_models() or ()}

    assert listed["claude-haiku-5-5"] == ModelInfo(
        ref=HAIKU.ref,
        name="Claude Haiku 5.5",
        window_tokens=1_000_000,
        max_output_tokens=128_000,
        vision=True,
        pdf=True,
        tools=True,
        json=True,
        temperature=False,
        reasoning=True,
        efforts=("low", "medium", "high"),
    )
    old = listed["claude-haiku-4-5"]
    assert (old.reasoning, old.efforts, str(old.retires)) == (False, (), "2027-02-01")


async def test_every_page_of_the_list_is_read() -> None:
    case = dataclasses.replace(ANTHROPIC, serve=lambda: FakeAnthropic(page_limit=2))
    async with serving(case) as world:
        models = await world.provider.list_models()

    assert frozenset(model.ref.id for model in models or ()) == case.listed


ODD_LISTS: Mapping[str, list[str] | None] = {
    "<html>Log in</html>": None,
    "[1]": None,
    "null": None,
    "{}": [],
    '{"data": null}': [],
    '{"data": [3, {"x": 1}, {"id": 5}, {"id": "claude-x", "retires_at": 7, "capabilities": 3}]}': ["claude-x"],
    '{"data": [{"id": "claude-x", "max_tokens": "many", "capabilities": {"effort": [1]}}]}': ["claude-x"],
}


@pytest.mark.parametrize(("body", "expected"), ODD_LISTS.items(), ids=ODD_LISTS)
async def test_an_odd_list_of_models_is_read_as_far_as_it_makes_sense(body: str, expected: list[str] | None) -> None:
    async def models(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/v1/models", models)
    async with TestServer(app) as server:
        connection = Connection(
            name="anthropic", base_url=str(server.make_url("/v1")), key=None, clock=ManualClock(), read_timeout_s=1.0
        )
        provider = build(connection)
        try:
            listed = [model.ref.id for model in await provider.list_models() or ()]
        except ProviderUnavailable:
            listed = None
        await provider.aclose()

    assert listed == expected
