"""What only the Chat Completions wire and its servers do."""

import dataclasses

import pytest
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall, ChoiceDeltaToolCallFunction

from bot.core.events import Finish, FinishReason, UsageReport
from bot.core.message import Message, Role, ToolCall, ToolResult
from bot.providers._tool_calls import ToolCallAssembler
from tests.bot.providers.serving import ADD, BY_NAME, World, reasoning_of, serving, text_of
from tests.fakes.openai import script
from tests.fakes.openai.faults import error_body
from tests.fakes.openai.script import HttpFault, Reply


def fragment(
    index: int = 0, *, call_id: str | None = None, name: str | None = None, arguments: str | None = None
) -> ChoiceDeltaToolCall:
    function = ChoiceDeltaToolCallFunction(name=name, arguments=arguments)
    return ChoiceDeltaToolCall(index=index, id=call_id, function=function, type="function")


async def test_the_system_prompt_is_the_first_message(groq: World) -> None:
    await groq.ask(groq.request("Hi", system="Be brief."))

    assert groq.sent.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


async def test_usage_in_groqs_own_field_is_found(groq: World) -> None:
    groq.fake.dialect = dataclasses.replace(groq.fake.dialect, include_usage=False)
    groq.fake.script(Reply(text="Hi", usage=script.Usage(input_tokens=11, output_tokens=2)))

    events = await groq.ask(groq.request("Hi"))

    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [(usage.input_tokens, usage.output_tokens) for usage in reports] == [(11, 2)]


async def test_a_server_that_cannot_report_usage_is_asked_without_it_from_then_on(compatible: World) -> None:
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


async def test_a_cache_key_is_not_sent_to_servers_that_refuse_it(groq: World) -> None:
    await groq.ask(groq.request("Hi", cache_key="thread-1"))

    assert "prompt_cache_key" not in groq.sent.body


async def test_effort_is_sent_when_the_catalogue_has_one(groq: World) -> None:
    model = dataclasses.replace(groq.case.model, reasoning_effort="low")

    await groq.ask(groq.request("Hi", model=model))

    assert groq.sent.body["reasoning_effort"] == "low"


@pytest.mark.parametrize("name", ["groq", "ollama", "compatible"])
async def test_thinking_inside_the_text_is_taken_for_reasoning(name: str) -> None:
    async with serving(BY_NAME[name]) as world:
        pieces = ("<th", "ink>two ", "and two</", "think>\n\n", "Fo", "ur.")
        world.fake.script(Reply(chunks=pieces))

        events = await world.ask(world.request("Talk"))

    assert (reasoning_of(events), text_of(events)) == ("two and two", "Four.")


async def test_a_text_that_only_looks_like_thinking_comes_whole(compatible: World) -> None:
    compatible.fake.script(Reply(chunks=("<thin", "g> is a tag")))

    events = await compatible.ask(compatible.request("Talk"))

    assert text_of(events) == "<thing> is a tag"


async def test_a_held_back_start_is_shown_when_the_stream_ends(compatible: World) -> None:
    compatible.fake.script(Reply(chunks=("<", "th")))

    events = await compatible.ask(compatible.request("Talk"))

    assert text_of(events) == "<th"


async def test_tool_calls_count_even_when_the_server_says_stop(compatible: World) -> None:
    call = script.ToolCall(name="add", call_id="c1")
    compatible.fake.script(Reply(tool_calls=(call,), finish=script.Finish.STOP))

    events = await compatible.ask(compatible.request("Add", tools=(ADD,)))

    assert events[-1] == Finish(reason=FinishReason.TOOL_CALLS)


async def test_arguments_that_are_no_json_are_not_sent_back(compatible: World) -> None:
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

    async with serving(BY_NAME["ollama"], key="") as world:
        await world.ask(world.request("Hi"))

    assert world.sent.headers["authorization"] == "Bearer none"


async def test_the_window_is_read_from_the_list(compatible: World) -> None:
    models = await compatible.provider.list_models()

    assert [model.window_tokens for model in models or ()] == [8_192]


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
