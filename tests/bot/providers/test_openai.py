"""What only OpenAI's Responses API does."""

import dataclasses

import pytest

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.message import Message, Role, ToolCall, ToolResult
from tests.bot.providers.serving import ADD, BY_NAME, World, serving, text_of
from tests.fakes.openai import script
from tests.fakes.openai.script import Reply


async def test_sealed_reasoning_travels_with_its_call_inside_one_loop(openai: World) -> None:
    first = openai.request("Add", tools=(ADD,))
    openai.fake.script(Reply(reasoning="Hm", tool_calls=(script.ToolCall(name="add", call_id="c1"),)))

    call = next(event for event in await openai.ask(first) if isinstance(event, ToolCall))
    answered = (
        Message(role=Role.ASSISTANT, parts=(call,)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="4"),)),
    )
    await openai.ask(dataclasses.replace(first, messages=(*first.messages, *answered)))

    kinds = [item.get("type", "message") for item in openai.sent.body["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert openai.sent.body["input"][1]["encrypted_content"].startswith("gAAAA")


async def test_parallel_calls_carry_their_reasoning_once(openai: World) -> None:
    calls = tuple(script.ToolCall(name="add", call_id=f"c{n}") for n in (1, 2))
    openai.fake.script(Reply(reasoning="Hm", tool_calls=calls))

    events = await openai.ask(openai.request("Add", tools=(ADD,)))

    replays = [event.replay is not None for event in events if isinstance(event, ToolCall)]
    assert replays == [True, False]


async def test_reasoning_is_asked_for_only_where_a_model_reasons(openai: World) -> None:
    plain = ModelInfo(ref=ModelRef("openai", "gpt-4.1-mini"))

    await openai.ask(openai.request("Hi", model=plain))

    assert "include" not in openai.sent.body


async def test_effort_is_sent_when_the_catalogue_has_one(openai: World) -> None:
    model = dataclasses.replace(openai.case.model, reasoning_effort="low")

    await openai.ask(openai.request("Hi", model=model))

    assert openai.sent.body["reasoning"] == {"effort": "low"}


async def test_a_tiny_limit_is_raised_to_what_the_api_takes(openai: World) -> None:
    await openai.ask(openai.request("Hi", max_output_tokens=1))

    assert openai.sent.body["max_output_tokens"] == 16


async def test_tools_are_not_strict(openai: World) -> None:
    await openai.ask(openai.request("Hi", tools=(ADD,)))

    assert [tool["strict"] for tool in openai.sent.body["tools"]] == [False]


@pytest.mark.parametrize("length", [10, 64, 65, 500])
async def test_a_cache_key_fits_and_is_the_same_each_time(openai: World, length: int) -> None:
    key = "k" * length
    await openai.ask(openai.request("Hi", cache_key=key))
    await openai.ask(openai.request("Hi", cache_key=key))

    sent = {request.body["prompt_cache_key"] for request in openai.fake.generations}
    assert len(sent) == 1
    assert len(sent.pop()) <= 64


async def test_the_system_prompt_goes_as_instructions(openai: World) -> None:
    await openai.ask(openai.request("Hi", system="Be brief."))

    assert openai.sent.body["instructions"] == "Be brief."
    assert [item["role"] for item in openai.sent.body["input"]] == ["user"]


async def test_cache_writes_are_reported(openai: World) -> None:
    usage = script.Usage(input_tokens=100, output_tokens=5, cached_tokens=60, cache_write_tokens=30)
    openai.fake.script(Reply(text="Hi", usage=usage))

    *_, report, _ = await openai.ask(openai.request("Hi"))

    assert (report.usage.cached_tokens, report.usage.cache_write_tokens) == (60, 30)  # type: ignore[union-attr]


async def test_models_that_do_not_chat_are_not_listed(openai: World) -> None:
    ids = (
        "gpt-6-luna",
        "o3",
        "text-embedding-3-large",
        "gpt-image-2",
        "gpt-4o-audio-preview",
        "whisper-1",
        "tts-1",
    )
    openai.fake.models = tuple(dataclasses.replace(openai.fake.models[0], id=model_id) for model_id in ids)

    models = await openai.provider.list_models()

    assert [model.ref.id for model in models or ()] == ["gpt-6-luna", "o3"]


async def test_the_day_of_retirement_is_read_from_the_list(openai: World) -> None:
    models = await openai.provider.list_models()

    retires = {model.ref.id: model.retires for model in models or () if model.retires}
    assert {model: str(day) for model, day in retires.items()} == {"gpt-4.1-mini": "2027-01-14"}


async def test_nothing_from_the_environment_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    async with serving(BY_NAME["openai"]) as world:
        events = await world.ask(world.request("Hi"))

    assert text_of(events) == "You said: Hi"
    assert not {"openai-organization", "openai-project"} & set(world.sent.headers)
