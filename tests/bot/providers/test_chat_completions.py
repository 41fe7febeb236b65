"""What only the Chat Completions wire and its servers do."""

import dataclasses

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.errors import AuthenticationFailed
from bot.core.events import Finish, FinishReason, UsageReport
from bot.core.message import Message, Role, ToolCall, ToolResult
from bot.providers._tool_calls import ToolCallAssembler
from bot.providers.compatible import build
from bot.providers.connection import Connection
from tests.bot.providers.case import Case
from tests.bot.providers.serving import ADD, World, reasoning_of, serving, text_of
from tests.bot.providers.serving_openai import COMPATIBLE, GROQ
from tests.fakes import script
from tests.fakes.clock import ManualClock
from tests.fakes.openai import dialect
from tests.fakes.openai.faults import error_body
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import HttpFault, Reply


def fragment(
    index: int | None = 0, *, call_id: str | None = None, name: str | None = None, arguments: str | None = None
) -> dict[str, object]:
    numbered = {} if index is None else {"index": index}
    return {**numbered, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


async def test_the_system_prompt_is_the_first_message(groq: World[FakeOpenAI]) -> None:
    await groq.ask(groq.request("Hi", system="Be brief."))

    assert groq.sent.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


async def test_usage_in_groqs_own_field_is_found(groq: World[FakeOpenAI]) -> None:
    groq.fake.dialect = dataclasses.replace(groq.fake.dialect, include_usage=False)
    groq.fake.script(Reply(text="Hi", usage=script.Usage(input_tokens=11, output_tokens=2)))

    events = await groq.ask(groq.request("Hi"))

    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [(usage.input_tokens, usage.output_tokens) for usage in reports] == [(11, 2)]


async def test_a_server_that_cannot_report_usage_is_asked_without_it_from_then_on(
    compatible: World[FakeOpenAI],
) -> None:
    body = error_body("Unknown field: stream_options", kind="invalid_request_error")
    compatible.fake.script(HttpFault(status=400, body=body), Reply(text="Hi"), Reply(text="Ho"))

    first = await compatible.ask(compatible.request("Say hi"))
    second = await compatible.ask(compatible.request("Say ho"))

    assert (text_of(first), text_of(second)) == ("Hi", "Ho")
    assert ["stream_options" in request.body for request in compatible.fake.generations] == [
        True,
        False,
        False,
    ]


async def test_a_cache_key_is_not_sent_to_servers_that_refuse_it(groq: World[FakeOpenAI]) -> None:
    await groq.ask(groq.request("Hi", cache_key="thread-1"))

    assert "prompt_cache_key" not in groq.sent.body


async def test_an_effort_of_the_catalogue_is_sent_without_being_asked_for(groq: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(groq.case.model, reasoning_effort="low")

    await groq.ask(groq.request("Hi", model=model))

    assert groq.sent.body["reasoning_effort"] == "low"


@pytest.mark.parametrize("case", [GROQ, COMPATIBLE], ids=str)
async def test_thinking_inside_the_text_is_taken_for_reasoning(case: Case[FakeOpenAI]) -> None:
    async with serving(case) as world:
        pieces = ("<th", "ink>two ", "and two</", "think>\n\n", "Fo", "ur.")
        world.fake.script(Reply(chunks=pieces))

        events = await world.ask(world.request("Talk"))

    assert (reasoning_of(events), text_of(events)) == ("two and two", "Four.")


async def test_a_text_that_only_looks_like_thinking_comes_whole(compatible: World[FakeOpenAI]) -> None:
    compatible.fake.script(Reply(chunks=("<thin", "g> is a tag")))

    events = await compatible.ask(compatible.request("Talk"))

    assert text_of(events) == "<thing> is a tag"


async def test_a_held_back_start_is_shown_when_the_stream_ends(compatible: World[FakeOpenAI]) -> None:
    compatible.fake.script(Reply(chunks=("<", "th")))

    events = await compatible.ask(compatible.request("Talk"))

    assert text_of(events) == "<th"


async def test_tool_calls_count_even_when_the_server_says_stop(compatible: World[FakeOpenAI]) -> None:
    call = script.ToolCall(name="add", call_id="c1")
    compatible.fake.script(Reply(tool_calls=(call,), finish=script.Finish.STOP))

    events = await compatible.ask(compatible.request("Add", tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)


async def test_arguments_that_are_no_json_are_not_sent_back(compatible: World[FakeOpenAI]) -> None:
    messages = (
        Message.of_text(Role.USER, "Add"),
        Message(role=Role.ASSISTANT, parts=(ToolCall(id="c1", name="add", arguments="[1"),)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="no JSON", is_error=True),)),
    )

    await compatible.ask(compatible.request(*messages, tools=(ADD,)))

    *_, asked, answered = compatible.sent.body["messages"]
    assert asked["tool_calls"][0]["function"]["arguments"] == "{}"
    assert answered == {"role": "tool", "tool_call_id": "c1", "content": "Error: no JSON"}


async def test_a_server_without_a_key_gets_none_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")

    async with serving(COMPATIBLE, key="") as world:
        await world.ask(world.request("Hi"))

    assert world.sent.headers["authorization"] == "Bearer none"


async def test_the_window_is_read_from_the_list(compatible: World[FakeOpenAI]) -> None:
    models = await compatible.provider.list_models()

    assert [model.window_tokens for model in models or () if model.ref.id == "local-model"] == [8_192]


def test_fragments_of_one_call_are_joined() -> None:
    calls = ToolCallAssembler()
    for piece in (
        fragment(call_id="a", name="add", arguments=""),
        fragment(arguments='{"a"'),
        fragment(arguments=":1}"),
    ):
        calls.add(piece)

    assert calls.finished() == (ToolCall(id="a", name="add", arguments='{"a":1}'),)


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    calls = ToolCallAssembler()
    calls.add(fragment(0, call_id="a", name="add", arguments="{}"))
    calls.add(fragment(0, call_id="b", name="sub", arguments="{}"))

    assert [(call.id, call.name) for call in calls.finished()] == [("a", "add"), ("b", "sub")]


def test_interleaved_calls_are_told_apart_by_their_index() -> None:
    calls = ToolCallAssembler()
    for piece in (
        fragment(0, name="x"),
        fragment(1, name="y"),
        fragment(0, arguments="0"),
        fragment(1, arguments="1"),
    ):
        calls.add(piece)

    assert [(call.name, call.arguments) for call in calls.finished()] == [("x", "0"), ("y", "1")]


def test_a_call_without_an_id_gets_one_and_without_a_name_is_dropped() -> None:
    calls = ToolCallAssembler()
    calls.add(fragment(0, name="add"))
    calls.add(fragment(1, arguments="{}"))

    assert calls.finished() == (ToolCall(id="call_1", name="add", arguments="{}"),)


def test_a_name_that_is_repeated_in_every_fragment_counts_once() -> None:
    calls = ToolCallAssembler()
    calls.add(fragment(call_id="a", name="add", arguments="{"))
    calls.add(fragment(call_id="a", name="add", arguments="}"))

    assert calls.finished() == (ToolCall(id="a", name="add", arguments="{}"),)


def test_calls_without_any_index_are_told_apart_by_their_place() -> None:
    calls = ToolCallAssembler("call_5")
    for place, name in enumerate(("add", "sub")):
        calls.add(fragment(None, name=name), place)

    assert [(call.id, call.name) for call in calls.finished()] == [("call_5_1", "add"), ("call_5_2", "sub")]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_without_a_list_of_models_cannot_tell(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"detail": "Not Found"}, status=status)

    app = web.Application()
    app.router.add_get("/v1/models", refuse)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1"))
        provider = build(Connection(name="compatible", base_url=url, key=None, clock=ManualClock()))
        models = await provider.list_models()
        await provider.aclose()

    assert models is None


async def test_a_list_that_is_forbidden_is_an_error() -> None:
    async with FakeOpenAI(dialect=dataclasses.replace(dialect.COMPATIBLE, needs_key=True)) as fake:
        provider = build(Connection(name="compatible", base_url=fake.url, key=None, clock=ManualClock()))
        with pytest.raises(AuthenticationFailed):
            await provider.list_models()
        await provider.aclose()


SCHEMA = {"type": "object", "properties": {"verdict": {"type": "string"}}}


async def test_groq_is_asked_for_a_schema_in_words(groq: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(groq.case.model, json=True)

    await groq.ask(groq.request("Hi", model=model, response_schema=SCHEMA))

    assert groq.sent.body["response_format"] == {"type": "json_object"}
    assert "verdict" in groq.sent.system


async def test_groq_is_asked_for_json_in_words_while_it_has_tools(groq: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(groq.case.model, json=True)

    await groq.ask(groq.request("Hi", model=model, json=True, tools=(ADD,)))

    assert "response_format" not in groq.sent.body
    assert "JSON" in groq.sent.system


async def test_a_schema_goes_out_as_one_where_the_server_takes_it(compatible: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(compatible.case.model, json=True)

    await compatible.ask(compatible.request("Hi", model=model, response_schema=SCHEMA))

    form = {"name": "answer", "schema": SCHEMA, "strict": False}
    assert compatible.sent.body["response_format"] == {"type": "json_schema", "json_schema": form}
    assert compatible.sent.system == ""


@pytest.mark.parametrize(("model_id", "effort"), [("openai/gpt-oss-120b", "high"), ("qwen/qwen3.8-27b", "none")])
async def test_groqs_models_take_their_own_efforts_only(groq: World[FakeOpenAI], model_id: str, effort: str) -> None:
    efforts = ("low", "medium", "high") if effort == "high" else ("none", "default")
    model = ModelInfo(ref=ModelRef("groq", model_id), efforts=efforts)

    await groq.ask(groq.request("Hi", model=model, reasoning_effort=effort))
    wished = groq.sent.effort
    await groq.ask(groq.request("Hi", model=model, reasoning_effort="xhigh"))

    assert (wished, groq.sent.effort) == (effort, None)


async def test_every_kind_of_token_is_reported(compatible: World[FakeOpenAI]) -> None:
    usage = script.Usage(
        input_tokens=100,
        output_tokens=50,
        cached_tokens=10,
        cache_write_tokens=20,
        image_tokens=30,
        audio_tokens=5,
        reasoning_tokens=7,
        audio_output_tokens=9,
    )
    compatible.fake.script(Reply(text="Hi", usage=usage, service_tier="priority"))

    events = await compatible.ask(compatible.request("Hi"))

    (report,) = [event for event in events if isinstance(event, UsageReport)]
    expected = {field.name: getattr(usage, field.name) for field in dataclasses.fields(usage)}
    assert {name: getattr(report.usage, name) for name in expected} == expected
    assert report.service_tier == "priority"


async def test_groqs_usual_tier_is_none(groq: World[FakeOpenAI]) -> None:
    groq.fake.script(Reply(text="Hi", service_tier="on_demand"))

    events = await groq.ask(groq.request("Hi"))

    assert [event.service_tier for event in events if isinstance(event, UsageReport)] == [None]
