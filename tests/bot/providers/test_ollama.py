"""What only Ollama's own API does: sizes of contexts, discovery, thinking, calls without ids."""

import asyncio
import dataclasses
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import ContextTooLong, ProviderUnavailable
from bot.core.events import Finish, FinishReason, ReasoningDelta, TextDelta, UsageReport
from bot.core.message import Message, Role, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest
from bot.providers._ollama_alike import OllamaOrAlike
from bot.providers._ollama_answer import AnswerSoFar
from bot.providers._ollama_context import Contexts, looks_cut
from bot.providers._ollama_context import Room as ContextRoom
from bot.providers.connection import Connection
from bot.providers.ollama import _from_wire, build
from tests.bot.providers.serving import ADD, World, reasoning_of, serving, text_of
from tests.bot.providers.serving_ollama import OLLAMA, stream_of
from tests.fakes import script
from tests.fakes.clock import ManualClock
from tests.fakes.ollama.models import MODELS, FakeModel
from tests.fakes.ollama.server import FakeOllama
from tests.fakes.script import Reply

SMALL_WINDOW = ModelInfo(ref=ModelRef("ollama", "llama3.2:latest"), window_tokens=8_192)


def a_provider(fake: FakeOllama, base_url: str | None = None, key: str | None = None) -> OllamaOrAlike:
    secret = None if key is None else SecretStr(key)
    url = base_url or fake.base_url
    return build(Connection(name="ollama", base_url=url, key=secret, clock=ManualClock(), read_timeout_s=0.5))


def num_ctx(world: World[FakeOllama]) -> int:
    return int(world.sent.body["options"]["num_ctx"])


async def test_a_short_prompt_asks_for_a_context_that_also_holds_the_answer(ollama: World[FakeOllama]) -> None:
    await ollama.ask(ollama.request("Hi", max_output_tokens=1_000))
    short = num_ctx(ollama)
    await ollama.ask(ollama.request("Hi", max_output_tokens=20_000))

    assert (short, num_ctx(ollama)) == (4_096, 24_576)


async def test_a_long_prompt_is_read_whole(ollama: World[FakeOllama]) -> None:
    events = await ollama.ask(ollama.request("A long story. " * 4_000, max_output_tokens=500))

    (report,) = [event for event in events if isinstance(event, UsageReport)]
    assert report.usage.input_tokens == 14_000
    assert num_ctx(ollama) >= 14_500


async def test_the_model_is_not_loaded_anew_at_every_turn(ollama: World[FakeOllama]) -> None:
    for words in (6_000, 10, 200, 5_500):
        await ollama.ask(ollama.request("house " * words, max_output_tokens=500))
        await ollama.clock.advance(200)

    assert len(ollama.fake.loads) == 1


async def test_a_large_context_is_given_back_when_nobody_used_it_for_a_while(ollama: World[FakeOllama]) -> None:
    await ollama.ask(ollama.request("house " * 15_000, max_output_tokens=500))
    await ollama.clock.advance(301)
    await ollama.ask(ollama.request("Hi", max_output_tokens=500))

    assert num_ctx(ollama) == 4_096


async def test_the_context_is_never_larger_than_the_models(ollama: World[FakeOllama]) -> None:
    await ollama.ask(ollama.request("word " * 6_000, model=SMALL_WINDOW))

    assert num_ctx(ollama) == 8_192
    assert 0 < ollama.sent.body["options"]["num_predict"] < 8_192


async def test_a_prompt_that_cannot_fit_is_refused_before_the_call(ollama: World[FakeOllama]) -> None:
    _, error = await ollama.ask_until_error(ollama.request("word " * 40_000, model=SMALL_WINDOW))

    assert type(error) is ContextTooLong
    assert ollama.fake.asked == []


async def test_a_prompt_that_was_underestimated_gets_a_larger_context(ollama: World[FakeOllama]) -> None:
    """Four blanks are a token for the server, and hardly anything for the estimate."""
    events = await ollama.ask(ollama.request(" " * 40_000 + "Hi", max_output_tokens=500))

    (report,) = [event for event in events if isinstance(event, UsageReport)]
    assert report.usage.input_tokens == 10_001
    assert [size for _, size in ollama.fake.loads] == [4_096, 6_144, 12_288]


async def test_a_prompt_that_is_too_long_after_all_is_an_error_and_not_cut(ollama: World[FakeOllama]) -> None:
    _, error = await ollama.ask_until_error(ollama.request(" " * 40_000, model=SMALL_WINDOW))

    assert ollama.sent.body["truncate"] is False
    assert type(error) is ContextTooLong


async def test_a_server_that_cuts_all_the_same_is_told_on_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    case = dataclasses.replace(OLLAMA, serve=lambda: FakeOllama(knows_truncate=False))
    async with serving(case) as world:
        with caplog.at_level(logging.WARNING):
            await world.ask(world.request("Hi"))
            unsuspected = list(caplog.messages)
            # A server with a vocabulary so small that the estimate is far too low.
            await world.ask(world.request("word " * 7_000 + " " * 4_000, model=SMALL_WINDOW))

    assert unsuspected == []
    assert caplog.messages == ["ollama/llama3.2:latest may have cut the prompt: 4098 tokens read"]


@given(
    prompt=st.integers(1, 400_000),
    answer=st.one_of(st.none(), st.integers(1, 60_000)),
    window=st.one_of(st.none(), st.integers(500, 300_000)),
)
def test_there_is_always_room_for_prompt_and_answer_within_the_window(
    prompt: int, answer: int | None, window: int | None
) -> None:
    model = dataclasses.replace(SMALL_WINDOW, window_tokens=window)
    request = ChatRequest(model=model, system="", messages=(), max_output_tokens=answer)
    try:
        room = Contexts().room_for(request, prompt, 0.0)
    except ContextTooLong:
        assert window is not None
        assert prompt >= window
        return

    assert prompt + room.answer_tokens <= room.num_ctx or room.answer_tokens == answer
    assert room.num_ctx <= (window or room.num_ctx)
    assert 1 <= room.answer_tokens <= (answer or room.num_ctx)
    assert prompt < room.num_ctx


@pytest.mark.parametrize(
    ("read", "cut"), [(4_000, False), (8_191, True), (4_098, True), (4_500, False), (9_500, False)]
)
def test_a_cut_shows_in_the_count_of_what_was_read(read: int, cut: bool) -> None:
    room = ContextRoom(num_ctx=8_192, answer_tokens=100)

    assert looks_cut(room, 9_000, read) == cut


async def test_models_are_told_with_all_that_the_server_knows(ollama: World[FakeOllama]) -> None:
    models = {model.ref.id: model for model in await ollama.provider.list_models() or ()}

    assert models["gemma4:12b"] == ModelInfo(
        ref=ModelRef("ollama", "gemma4:12b"),
        name="gemma4:12b",
        description="gemma4, 3.2B parameters, Q4_K_M",
        window_tokens=131_072,
        vision=True,
        tools=True,
        reasoning=False,
        json=True,
    )
    assert models["llama3.2:latest"].name == "llama3.2"
    assert models["llama3.2:latest"].vision is False


async def test_how_much_a_model_thinks_can_be_told_as_the_server_takes_it(ollama: World[FakeOllama]) -> None:
    models = {model.ref.id: model for model in await ollama.provider.list_models() or ()}

    efforts = [(models[name].reasoning, models[name].efforts) for name in ("gpt-oss:20b", "qwen3:8b", "gemma4:12b")]
    assert efforts == [(True, ("low", "medium", "high")), (True, ("none", "default")), (False, ())]


async def test_details_are_asked_for_once_and_a_few_at_a_time(ollama: World[FakeOllama]) -> None:
    ollama.fake.models = tuple(FakeModel(name=f"model:{n}b", digest=f"d{n}") for n in range(20))

    first = await ollama.provider.list_models()
    second = await ollama.provider.list_models()

    assert len(first or ()) == 20
    assert first == second
    assert len(ollama.fake.shows) == 20
    assert 1 < ollama.fake.showing <= 4


async def test_a_model_that_was_pulled_anew_is_asked_about_anew(ollama: World[FakeOllama]) -> None:
    await ollama.provider.list_models()
    ollama.fake.shows.clear()
    first, *others = ollama.fake.models
    ollama.fake.models = (dataclasses.replace(first, digest="new", context_length=262_144), *others)

    models = await ollama.provider.list_models()

    assert ollama.fake.shows == [first.name]
    assert [model.window_tokens for model in models or () if model.ref.id == first.name] == [262_144]


async def test_a_model_that_cannot_be_shown_does_not_hide_the_others(ollama: World[FakeOllama]) -> None:
    ollama.fake.unshowable = frozenset({"llama3.2:latest"})

    models = {model.ref.id: model for model in await ollama.provider.list_models() or ()}
    ollama.fake.unshowable = frozenset()
    again = {model.ref.id: model for model in await ollama.provider.list_models() or ()}

    assert models["llama3.2:latest"].window_tokens is None
    assert models["llama3.2:latest"].description == "llama, 3.2B parameters, Q4_K_M"
    assert models["gemma4:12b"].vision is True
    assert again["llama3.2:latest"].window_tokens == 131_072


async def test_what_an_old_server_does_not_tell_is_unknown(ollama: World[FakeOllama]) -> None:
    ollama.fake.models = tuple(dataclasses.replace(model, capabilities=None) for model in MODELS[:1])

    (model,) = await ollama.provider.list_models() or ()

    assert (model.vision, model.tools, model.reasoning) == (None, None, None)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_have_the_v1_of_the_other_api(path: str) -> None:
    async with FakeOllama() as fake:
        provider = a_provider(fake, fake.base_url.removesuffix("/v1") + path)
        models = await provider.list_models()
        await provider.aclose()

    assert len(models or ()) == 5


async def test_a_key_of_a_proxy_in_front_of_it_is_sent() -> None:
    async with serving(OLLAMA, key="sk-proxy") as world:
        await world.ask(world.request("Hi"))
    async with serving(OLLAMA, key="") as bare:
        await bare.ask(bare.request("Hi"))

    assert world.sent.headers["authorization"] == "Bearer sk-proxy"
    assert "authorization" not in bare.sent.headers


@pytest.mark.parametrize(
    ("efforts", "effort", "expected"),
    [
        (("low", "medium", "high"), "high", "high"),
        (("low", "medium", "high"), None, True),
        (("none", "default"), "none", False),
        (("none", "default"), "default", True),
        (("none", "default"), "high", True),
    ],
)
async def test_thinking_is_switched_or_levelled_as_the_model_takes_it(
    ollama: World[FakeOllama], efforts: tuple[str, ...], effort: str | None, expected: object
) -> None:
    ref = ModelRef("ollama", "qwen3:8b")
    model = dataclasses.replace(SMALL_WINDOW, ref=ref, reasoning=True, efforts=efforts)

    await ollama.ask(ollama.request("Hi", model=model, reasoning_effort=effort))

    assert ollama.sent.body["think"] == expected


async def test_a_model_that_does_not_think_is_not_told_to(ollama: World[FakeOllama]) -> None:
    await ollama.ask(ollama.request("Hi", reasoning_effort="high"))

    assert "think" not in ollama.sent.body


async def test_thinking_inside_the_text_is_taken_for_reasoning(ollama: World[FakeOllama]) -> None:
    ollama.fake.script(Reply(chunks=("<th", "ink>two ", "and two</", "think>\n\n", "Fo", "ur.")))

    events = await ollama.ask(ollama.request("Talk"))

    assert (reasoning_of(events), text_of(events)) == ("two and two", "Four.")


async def test_a_result_goes_back_under_the_name_of_its_tool(ollama: World[FakeOllama]) -> None:
    call = ToolCall(id="c1", name="add", arguments='{"a": 1}')
    said = (
        Message.of_text(Role.USER, "Add"),
        Message(role=Role.ASSISTANT, parts=(Text(text="Let me see."), call)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="no", is_error=True),)),
    )

    await ollama.ask(ollama.request(*said, tools=(ADD,)))

    assert ollama.sent.body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}],
        },
        {"role": "tool", "content": "Error: no", "tool_call_id": "c1", "tool_name": "add"},
    ]


async def test_calls_of_an_old_server_get_ids() -> None:
    case = dataclasses.replace(OLLAMA, serve=lambda: FakeOllama(calls_have_ids=False))
    async with serving(case) as world:
        world.fake.script(Reply(tool_calls=(script.ToolCall(name="add"), script.ToolCall(name="add"))))
        events = await world.ask(world.request("Add", tools=(ADD,)))

    assert [event.id for event in events if isinstance(event, ToolCall)] == ["call_1_1", "call_1_2"]
    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)


async def test_json_is_asked_for_in_words_too(ollama: World[FakeOllama]) -> None:
    """Held to a grammar without a word of it, small models write blanks until they are stopped."""
    await ollama.ask(ollama.request("Hi", model=dataclasses.replace(SMALL_WINDOW, json=True), json=True))

    assert ollama.sent.body["format"] == "json"
    assert "JSON" in ollama.sent.system


async def test_a_line_longer_than_any_buffer_is_read(ollama: World[FakeOllama]) -> None:
    arguments = '{"text": "' + "x" * 300_000 + '"}'
    ollama.fake.script(Reply(tool_calls=(script.ToolCall(name="add", arguments=arguments),)))

    events = await ollama.ask(ollama.request("Add", tools=(ADD,)))

    assert [event.arguments for event in events if isinstance(event, ToolCall)] == [arguments]


async def test_a_server_that_does_not_hang_up_after_the_end_is_left() -> None:
    async def endless() -> AsyncGenerator[dict[str, Any], None]:
        yield {"message": {"role": "assistant", "content": "Hello"}, "done": False}
        yield {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        await asyncio.Event().wait()

    async with asyncio.timeout(5), aclosing(_from_wire(endless(), AnswerSoFar(1), "ollama")) as events:
        taken = [event async for event in events]

    assert taken == [TextDelta(text="Hello"), Finish(reason=FinishReason.STOP)]


async def test_an_answer_in_one_line_without_a_line_break_is_read(ollama: World[FakeOllama]) -> None:
    line = '{"model": "m", "message": {"role": "assistant", "content": "Hi", "thinking": "Hm"}, "done": true}'
    ollama.fake.script(dataclasses.replace(stream_of(""), body=line))

    events = await ollama.ask(ollama.request("Talk"))

    assert events == [ReasoningDelta(text="Hm"), TextDelta(text="Hi"), Finish(reason=FinishReason.STOP)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<html>Log in</html>", None),
        ("[1]", None),
        ("null", None),
        ('{"models": 5}', None),
        ("{}", []),
        ('{"models": null}', []),
        ('{"models": [3, {"x": 1}, {"name": 5}, {"name": "m:1b", "details": 7}]}', ["m:1b"]),
    ],
)
async def test_an_odd_list_of_models_is_read_as_far_as_it_makes_sense(body: str, expected: list[str] | None) -> None:
    async def models(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/tags", models)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1"))
        provider = build(Connection(name="ollama", base_url=url, key=None, clock=ManualClock()))
        try:
            listed = [model.ref.id for model in await provider.list_models() or ()]
        except ProviderUnavailable:
            listed = None
        await provider.aclose()

    assert listed == expected


async def test_closing_what_was_never_used_is_fine() -> None:
    async with FakeOllama() as fake:
        provider = a_provider(fake)
        await provider.aclose()

    assert fake.asked == []


def test_it_needs_no_sdk() -> None:
    code = "import sys, bot.providers.ollama; print([name for name in ('openai', 'httpx2') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert shown.stdout.strip() == "[]"
