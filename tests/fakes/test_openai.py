"""The OpenAI fake, driven by the real SDK: what it sends, what it refuses, what its faults become."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import openai
import pytest

from tests.fakes.openai.dialect import COMPATIBLE, GROQ, HUGGINGFACE, OLLAMA, OPENAI, Dialect
from tests.fakes.openai.record import Billed
from tests.fakes.openai.script import (
    Finish,
    Reply,
    ToolCall,
    Usage,
)
from tests.fakes.openai.sdk import CLASSIC, LUNA, chat, client_of, responses
from tests.fakes.openai.server import FakeOpenAI

pytestmark = pytest.mark.asyncio
TOOL = {
    "type": "function",
    "name": "look",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


async def test_responses_stream_has_the_real_event_order() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(chunks=("Hel", "lo"), cached_tokens=1))
        events = await responses(client)

    assert [event.type for event in events] == TEXT_EVENTS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    response = events[-1].response
    assert response.output_text == "Hello"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 2)
    assert response.usage.input_tokens_details.cached_tokens == 1
    assert fake.billed == [Billed(model=LUNA, input_tokens=3, cached_tokens=1, output_tokens=2, completed=True)]


async def test_default_reply_echoes_the_last_user_text_on_both_apis() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        whole = await client.responses.create(model=LUNA, input="first", store=False)
        chunks = await chat(client, messages=[{"role": "user", "content": [{"type": "text", "text": "second"}]}])

    assert whole.output_text == "You said: first"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: second"
    assert [request.store for request in fake.requests] == [False, None]


async def test_reasoning_item_and_tool_call_can_be_replayed_with_the_tool_result() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(reasoning="I should look.", tool_calls=(ToolCall(name="look", arguments='{"a": "long"}'),)))
        include = ["reasoning.encrypted_content"]
        events = await responses(client, tools=[TOOL], include=include, reasoning={"summary": "auto"})
        output = [item.model_dump(exclude_none=True) for item in events[-1].response.output]
        result = {"type": "function_call_output", "call_id": output[1]["call_id"], "output": "42"}
        question = {"role": "user", "content": "hello"}
        after = await responses(client, input=[question, *output, result], tools=[TOOL])

    kinds = [event.type for event in events]
    assert kinds.count("response.function_call_arguments.delta") == 2
    assert "response.reasoning_summary_text.delta" in kinds
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    assert output[0]["encrypted_content"].startswith("gAAAA")
    assert events[-1].response.usage.output_tokens_details.reasoning_tokens == 4
    assert after[-1].type == "response.completed"


async def test_refusal_and_incomplete_arrive_as_events() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(refusal="I cannot."), Reply(text="x" * 400), Reply(text="a", finish=Finish.CONTENT_FILTER))
        refused = await responses(client)
        cut = await responses(client, max_output_tokens=16)
        filtered = await responses(client)

    assert refused[-1].response.output[0].content[0].refusal == "I cannot."
    assert cut[-1].type == "response.incomplete"
    assert cut[-1].response.incomplete_details.reason == "max_output_tokens"
    assert cut[-1].response.output_text == "x" * 64
    assert filtered[-1].response.incomplete_details.reason == "content_filter"


async def test_chat_stream_has_role_content_finish_and_usage_chunks() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(chunks=("a", "b"), model_answered="gpt-4.1-mini-2025-04-14"))
        chunks = await chat(client, stream_options={"include_usage": True})

    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert [delta.content for delta in deltas] == ["", "a", "b", None]
    assert deltas[0].role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 1
    assert chunks[0].model == "gpt-4.1-mini-2025-04-14"


async def test_chat_tool_arguments_come_in_fragments_by_index() -> None:
    calls = (ToolCall(name="look", arguments='{"where": "there"}'), ToolCall(name="look"))
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(tool_calls=calls))
        chunks = await chat(client, tools=[CHAT_TOOL])

    pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert "".join(p.function.arguments for p in pieces if p.index == 0) == '{"where": "there"}'
    assert [p.id for p in pieces if p.id] == ["call_1_0", "call_1_1"]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_groq_reports_usage_in_x_groq_and_reasoning_in_its_own_field() -> None:
    async with FakeOpenAI(dialect=GROQ) as fake, client_of(fake) as client:
        fake.script(Reply(text="ok", reasoning="hm"))
        chunks = await chat(client, model=GROQ.models[0].id)

    assert chunks[1].choices[0].delta.model_extra["reasoning"] == "hm"
    assert chunks[-1].model_extra["x_groq"]["usage"]["completion_tokens"] == 2
    assert chunks[-1].usage is None


async def test_a_server_that_ignores_include_usage_sends_none() -> None:
    dialect = replace(COMPATIBLE, include_usage=False)
    async with FakeOpenAI(dialect=dialect) as fake, client_of(fake, "unused") as client:
        fake.script(Reply(text="ok", reasoning="hm"))
        chunks = await chat(client, model="local-model", stream_options={"include_usage": True}, max_tokens=5)

    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert chunks[1].choices[0].delta.model_extra["reasoning_content"] == "hm"
    assert len(fake.billed) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A body the fake must refuse, and the error the SDK then has."""

    id: str
    body: dict[str, Any]
    code: str | None = None
    param: str | None = None
    status: int = 400


RESPONSES_REFUSALS = (
    Refusal(id="model", body={"model": "gpt-3"}, code="model_not_found", param="model", status=404),
    Refusal(id="unknown", body={"extra_body": {"topp": 1}}, code="unknown_parameter", param="topp"),
    Refusal(id="chat-name", body={"extra_body": {"max_tokens": 50}}, param="max_tokens"),
    Refusal(id="minimum", body={"max_output_tokens": 15}, code="integer_below_min_value"),
    Refusal(id="sampling", body={"temperature": 1}, code="unsupported_parameter", param="temperature"),
    Refusal(id="range", body={"model": CLASSIC, "temperature": 3}, code="decimal_above_max_value"),
    Refusal(id="effort", body={"reasoning": {"effort": "minimal"}}, code="unsupported_value"),
    Refusal(id="no-effort", body={"model": CLASSIC, "reasoning": {"effort": "low"}}, param="reasoning.effort"),
    Refusal(id="cache-key", body={"prompt_cache_key": "k" * 65}, code="string_above_max_length"),
    Refusal(id="role", body={"input": [{"role": "tool", "content": "x"}]}, param="input[0].role"),
    Refusal(id="empty", body={"input": [{"role": "user", "content": ""}]}, param="input[0].content"),
    Refusal(
        id="assistant-part",
        body={"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
        code="invalid_value",
        param="input[0].content[0].type",
    ),
    Refusal(
        id="orphan-output",
        body={"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]},
        param="input",
    ),
    Refusal(
        id="unanswered-call",
        body={"input": [{"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}]},
        param="input",
    ),
    Refusal(
        id="reasoning-not-stored",
        body={"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
        status=404,
    ),
    Refusal(id="window", body={"model": "tiny", "input": "x" * 1_700}, code="context_length_exceeded"),
)
CALLING = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
}
USER = {"role": "user", "content": "x"}
CHAT_REFUSALS = (
    Refusal(id="max-tokens", body={"model": LUNA, "max_tokens": 50}, code="unsupported_parameter"),
    Refusal(id="tools", body={"model": LUNA, "tools": [CHAT_TOOL]}, param="reasoning_effort"),
    Refusal(id="tool-shape", body={"tools": [TOOL]}, param="tools[0].function.name"),
    Refusal(id="unanswered", body={"messages": [USER, CALLING, USER]}, param="messages.[2].role"),
    Refusal(
        id="orphan",
        body={"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]},
        param="messages.[0].role",
    ),
    Refusal(id="empty", body={"messages": [{"role": "user", "content": ""}]}, param="messages[0].content"),
    Refusal(id="part", body={"messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]}),
)


@pytest.mark.parametrize("case", RESPONSES_REFUSALS, ids=lambda case: case.id)
async def test_responses_refuses(case: Refusal) -> None:
    await _assert_refused(case, responses)


@pytest.mark.parametrize("case", CHAT_REFUSALS, ids=lambda case: case.id)
async def test_chat_refuses(case: Refusal) -> None:
    await _assert_refused(case, chat)


async def _assert_refused(case: Refusal, call: Callable[..., Any]) -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await call(client, **case.body)

    assert caught.value.status_code == case.status
    assert case.code in (None, caught.value.code)
    assert case.param in (None, caught.value.param)
    assert (len(fake.requests), fake.billed) == (1, [])


async def test_tools_on_a_reasoning_model_pass_with_effort_none() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        chunks = await chat(client, model=LUNA, tools=[CHAT_TOOL], reasoning_effort="none", temperature=0.5)

    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_a_wrong_key_is_refused_without_consuming_the_script() -> None:
    async with FakeOpenAI() as fake, client_of(fake, "sk-wrong") as client:
        fake.script(Reply(text="x"))
        with pytest.raises(openai.AuthenticationError) as caught:
            await responses(client)

        assert (caught.value.code, fake.pending) == ("invalid_api_key", 1)


async def test_rules_go_before_the_script_and_usage_can_be_overridden_or_withheld() -> None:
    usage = Usage(input_tokens=900, output_tokens=50, cached_tokens=800, reasoning_tokens=40)
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.when("weather", Reply(text="rain", usage=usage))
        fake.script(Reply(text="scripted", no_usage=True))
        ruled = await responses(client, input="the weather?")
        scripted = await responses(client)

    assert ruled[-1].response.usage.input_tokens_details.cached_tokens == 800
    assert scripted[-1].response.output_text == "scripted"
    assert scripted[-1].response.usage is None
    assert fake.billed[0].output_tokens == 50


async def test_an_empty_answer_completes_without_output() -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        fake.script(Reply(), Reply())
        events = await responses(client)
        chunks = await chat(client)

    assert events[-1].response.output == []
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ""


async def test_prefix_cache_counts_a_stable_prefix_in_steps() -> None:
    async with FakeOpenAI(prefix_cache=True) as fake, client_of(fake) as client:
        await responses(client, instructions="s" * 6_000, input="one")
        await responses(client, instructions="s" * 6_000, input="two")

    assert [bill.cached_tokens for bill in fake.billed] == [0, 1_408]


async def test_what_new_models_write_to_their_cache_is_billed() -> None:
    async with FakeOpenAI(prefix_cache=True) as fake, client_of(fake) as client:
        for model in (LUNA, LUNA, "gpt-4.1-mini"):
            await responses(client, model=model, instructions="s" * 8_192, input="one")

    counted = [(bill.cached_tokens, bill.cache_write_tokens) for bill in fake.billed]
    assert counted == [(0, 2_048), (2_048, 0), (0, 0)]


async def test_the_explicit_mode_without_breakpoints_neither_writes_nor_reads() -> None:
    options = {"mode": "explicit"}
    marked = {"type": "input_text", "text": "one", "prompt_cache_breakpoint": {"type": "breakpoint"}}
    async with FakeOpenAI(prefix_cache=True) as fake, client_of(fake) as client:
        for said in ("one", "one", [{"role": "user", "content": [marked]}]):
            await responses(client, instructions="s" * 8_192, input=said, prompt_cache_options=options)

    counted = [(bill.cached_tokens, bill.cache_write_tokens) for bill in fake.billed]
    assert counted == [(0, 0), (0, 0), (0, 2_048)]


@pytest.mark.parametrize(
    ("model", "options", "code"),
    [
        ("gpt-4.1-mini", {"mode": "explicit"}, "unsupported_parameter"),
        ("gpt-6-luna", {"mode": "off"}, "invalid_value"),
        ("gpt-6-luna", {"ttl": "5m"}, "invalid_value"),
        ("gpt-6-luna", {"life": "30m"}, "unknown_parameter"),
    ],
)
async def test_cache_options_are_refused_by_old_models_and_in_other_words(
    model: str, options: dict[str, str], code: str
) -> None:
    async with FakeOpenAI() as fake, client_of(fake) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await responses(client, model=model, prompt_cache_options=options)

    assert caught.value.code == code


@pytest.mark.parametrize("dialect", [OPENAI, GROQ, HUGGINGFACE, OLLAMA, COMPATIBLE], ids=lambda d: d.name)
async def test_model_list_in_every_dialect(dialect: Dialect) -> None:
    async with FakeOpenAI(dialect=dialect) as fake, client_of(fake) as client:
        page = await client.models.list()
        one = await client.models.retrieve(dialect.models[0].id)

    assert [model.id for model in page.data] == [model.id for model in dialect.models]
    assert [m.shutdown_date for m in page.data] == [m.shutdown_date for m in dialect.models]
    assert one.id == dialect.models[0].id


async def test_ollama_truncates_a_long_prompt_silently_and_vllm_says_so_in_words() -> None:
    long = [{"role": "user", "content": "x" * 40_000}]
    async with FakeOpenAI(dialect=OLLAMA) as fake, client_of(fake) as client:
        await chat(client, model="llama3.2:latest", messages=long)
    async with FakeOpenAI(dialect=COMPATIBLE) as other, client_of(other) as client:
        with pytest.raises(openai.BadRequestError, match="maximum context length") as caught:
            await chat(client, model="local-model", messages=long)

    assert fake.billed[0].input_tokens == 4_096
    assert caught.value.code is None
