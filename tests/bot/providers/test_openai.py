"""What only OpenAI's Responses API does."""

import dataclasses
from datetime import UTC, datetime

import pytest

from bot.catalogue_file import load_catalogue
from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.catalogue_rows import ANY_MODEL
from bot.core.events import Usage, UsageReport
from bot.core.message import Message, Role, Text, ToolCall, ToolResult
from bot.providers.prices import GenaiPrices
from tests.bot.providers.serving import ADD, World, serving, text_of
from tests.bot.providers.serving_openai import OPENAI
from tests.fakes import script
from tests.fakes.openai.server import FakeOpenAI
from tests.fakes.script import Reply

AT = datetime(2026, 11, 20, tzinfo=UTC)


async def test_sealed_reasoning_travels_with_its_call_inside_one_loop(openai: World[FakeOpenAI]) -> None:
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


async def test_parallel_calls_carry_their_reasoning_once(openai: World[FakeOpenAI]) -> None:
    calls = tuple(script.ToolCall(name="add", call_id=f"c{n}") for n in (1, 2))
    openai.fake.script(Reply(reasoning="Hm", tool_calls=calls))

    events = await openai.ask(openai.request("Add", tools=(ADD,)))

    replays = [event.replay is not None for event in events if isinstance(event, ToolCall)]
    assert replays == [True, False]


async def test_reasoning_is_asked_for_only_where_a_model_reasons(openai: World[FakeOpenAI]) -> None:
    plain = ModelInfo(ref=ModelRef("openai", "gpt-4.1-mini"))

    await openai.ask(openai.request("Hi", model=plain))

    assert "include" not in openai.sent.body


async def test_effort_is_sent_when_the_catalogue_has_one(openai: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(openai.case.model, reasoning_effort="low")

    await openai.ask(openai.request("Hi", model=model))

    assert openai.sent.body["reasoning"] == {"effort": "low"}


async def test_a_tiny_limit_is_raised_to_what_the_api_takes(openai: World[FakeOpenAI]) -> None:
    await openai.ask(openai.request("Hi", max_output_tokens=1))

    assert openai.sent.body["max_output_tokens"] == 16


async def test_tools_are_not_strict(openai: World[FakeOpenAI]) -> None:
    await openai.ask(openai.request("Hi", tools=(ADD,)))

    assert [tool["strict"] for tool in openai.sent.body["tools"]] == [False]


@pytest.mark.parametrize("length", [10, 64, 65, 500])
async def test_a_cache_key_fits_and_is_the_same_each_time(openai: World[FakeOpenAI], length: int) -> None:
    key = "k" * length
    await openai.ask(openai.request("Hi", cache_key=key))
    await openai.ask(openai.request("Hi", cache_key=key))

    sent = {request.body["prompt_cache_key"] for request in openai.fake.asked}
    assert len(sent) == 1
    assert len(sent.pop()) <= 64


@pytest.mark.parametrize(
    ("key", "ttl_s", "options"),
    [
        (None, 300, {"mode": "explicit"}),
        ("t", 300, {"mode": "implicit", "ttl": "30m"}),
        ("t", 3_600, {"mode": "implicit", "ttl": "30m"}),
    ],
    ids=["off", "short", "long"],
)
async def test_a_model_with_cache_options_is_told_whether_to_write(
    openai: World[FakeOpenAI], key: str | None, ttl_s: int, options: dict[str, str]
) -> None:
    model = dataclasses.replace(openai.case.model, cache_options=True)

    await openai.ask(openai.request("Hi", model=model, cache_key=key, cache_ttl_s=ttl_s))

    assert openai.sent.body["prompt_cache_options"] == options
    assert ("prompt_cache_key" in openai.sent.body) == (key is not None)


@pytest.mark.parametrize("known", [None, False])
@pytest.mark.parametrize("key", [None, "t"])
async def test_a_model_without_cache_options_is_told_nothing(
    openai: World[FakeOpenAI], known: bool | None, key: str | None
) -> None:
    model = ModelInfo(ref=ModelRef("openai", "gpt-4.1-mini"), cache_options=known)

    await openai.ask(openai.request("Hi", model=model, cache_key=key))

    assert "prompt_cache_options" not in openai.sent.body


def test_the_shipped_models_that_bill_their_cache_writes_can_be_told_not_to_write() -> None:
    """By the price list: older models write for nothing, and refuse to be told."""
    rows = [row for row in load_catalogue(None) if row.ref.provider == "openai" and row.ref.id != ANY_MODEL]
    usage = Usage(input_tokens=2_000, output_tokens=0)
    written = dataclasses.replace(usage, cache_write_tokens=2_000)

    for row in rows:
        plain, dearer = (
            GenaiPrices({"openai": "openai"}).charge(row.ref, used, AT, service_tier=None) for used in (usage, written)
        )
        assert plain is not None
        assert dearer is not None
        assert (dearer.usd > plain.usd) == bool(row.cache_options), row.ref


async def test_with_caching_off_nothing_is_written_and_billed() -> None:
    async with serving(dataclasses.replace(OPENAI, serve=lambda: FakeOpenAI(prefix_cache=True))) as world:
        model = dataclasses.replace(world.case.model, cache_options=True)
        for key in (None, None, "t", "t"):
            await world.ask(world.request("Hi", system="s" * 8_192, model=model, cache_key=key))

    counted = [(bill.cached_tokens, bill.cache_write_tokens) for bill in world.fake.billed]
    assert counted == [(0, 0), (0, 0), (0, 2_048), (2_048, 0)]


async def test_the_usual_tier_is_asked_for_whatever_the_project_has(openai: World[FakeOpenAI]) -> None:
    await openai.ask(openai.request("Hi"))

    assert openai.sent.body["service_tier"] == "default"


async def test_an_answer_of_the_model_goes_back_as_plain_text(openai: World[FakeOpenAI]) -> None:
    said = Message(role=Role.ASSISTANT, parts=(Text(text="I am"), Text(text=""), Text(text="well.")))

    await openai.ask(openai.request("How are you?", said, "Good."))

    assert openai.sent.body["input"][1] == {"role": "assistant", "content": "I am\nwell."}


@pytest.mark.parametrize(
    "replay", ['{"anthropic": [{"type": "thinking"}]}', '["reasoning"]', "no JSON", '{"openai": null}']
)
async def test_reasoning_of_another_provider_stays_at_home(openai: World[FakeOpenAI], replay: str) -> None:
    call = ToolCall(id="c1", name="add", arguments="{}", replay=replay)
    step = (
        Message(role=Role.ASSISTANT, parts=(call,)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="4"),)),
    )

    await openai.ask(openai.request(Message.of_text(Role.USER, "Add"), *step, tools=(ADD,)))

    kinds = [item.get("type", "message") for item in openai.sent.body["input"]]
    assert kinds == ["message", "function_call", "function_call_output"]


async def test_arguments_that_are_no_json_go_back_as_none(openai: World[FakeOpenAI]) -> None:
    call = ToolCall(id="c1", name="add", arguments='{"a": ')
    step = (
        Message(role=Role.ASSISTANT, parts=(call,)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="No JSON.", is_error=True),)),
    )

    await openai.ask(openai.request(Message.of_text(Role.USER, "Add"), *step, tools=(ADD,)))

    assert openai.sent.body["input"][1]["arguments"] == "{}"


async def test_the_system_prompt_goes_as_instructions(openai: World[FakeOpenAI]) -> None:
    await openai.ask(openai.request("Hi", system="Be brief."))

    assert openai.sent.body["instructions"] == "Be brief."
    assert [item["role"] for item in openai.sent.body["input"]] == ["user"]


async def test_cache_writes_are_reported(openai: World[FakeOpenAI]) -> None:
    usage = script.Usage(input_tokens=100, output_tokens=5, cached_tokens=60, cache_write_tokens=30)
    openai.fake.script(Reply(text="Hi", usage=usage))

    *_, report, _ = await openai.ask(openai.request("Hi"))

    assert isinstance(report, UsageReport)
    assert (report.usage.cached_tokens, report.usage.cache_write_tokens) == (60, 30)


async def test_models_that_do_not_chat_are_not_listed(openai: World[FakeOpenAI]) -> None:
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


async def test_the_day_of_retirement_is_read_from_the_list(openai: World[FakeOpenAI]) -> None:
    models = await openai.provider.list_models()

    retires = {model.ref.id: model.retires for model in models or () if model.retires}
    assert {model: str(day) for model, day in retires.items()} == {"gpt-4.1-mini": "2027-01-14"}


async def test_nothing_from_the_environment_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    async with serving(OPENAI) as world:
        events = await world.ask(world.request("Hi"))

    assert text_of(events) == "You said: Hi"
    assert not {"openai-organization", "openai-project"} & set(world.sent.headers)


async def test_json_is_asked_for_in_the_input_where_the_api_looks_for_the_word(openai: World[FakeOpenAI]) -> None:
    model = dataclasses.replace(openai.case.model, json=True)

    await openai.ask(openai.request("Hi", system="Be brief.", model=model, json=True))

    assert openai.sent.body["text"] == {"format": {"type": "json_object"}}
    assert [item["role"] for item in openai.sent.body["input"]] == ["developer", "user"]
    assert openai.sent.body["instructions"] == "Be brief."


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, False),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": ["a"],
                "additionalProperties": False,
            },
            True,
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "object"}}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "object", "properties": {"b": {}}}, {"type": "null"}]}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
        ),
    ],
    ids=["open", "closed", "open in a list", "open in a choice"],
)
async def test_a_schema_is_strict_where_it_says_all_that_an_object_holds(
    openai: World[FakeOpenAI], schema: dict[str, object], strict: bool
) -> None:
    model = dataclasses.replace(openai.case.model, json=True)

    await openai.ask(openai.request("Hi", model=model, response_schema=schema))

    form = openai.sent.body["text"]["format"]
    assert form == {"type": "json_schema", "name": "answer", "schema": schema, "strict": strict}


@pytest.mark.parametrize(("said", "told"), [("default", None), ("auto", None), (None, None), ("flex", "flex")])
async def test_a_tier_that_costs_something_else_is_reported(
    openai: World[FakeOpenAI], said: str | None, told: str | None
) -> None:
    openai.fake.script(Reply(text="Hi", service_tier=said))

    *_, report, _ = await openai.ask(openai.request("Hi"))

    assert isinstance(report, UsageReport)
    assert report.service_tier == told


async def test_searches_on_the_web_are_counted_and_opened_pages_are_not(openai: World[FakeOpenAI]) -> None:
    openai.fake.script(Reply(text="Hi", searches=2))

    *_, report, _ = await openai.ask(openai.request("Hi"))

    assert isinstance(report, UsageReport)
    assert report.usage.searches == 2
