"""The Anthropic fake, driven by the real SDK: what it sends, what it refuses, what its faults become."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.fakes.anthropic import faults
from tests.fakes.anthropic.check_messages import MAX_IMAGE_BYTES
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.script import Breakage, Broken, Finish, HttpFault, Reply, Silence, ToolCall

HI = {"role": "user", "content": "Hi"}
TOOL = {"name": "look", "description": "Look", "input_schema": {"type": "object"}}
LEAST: Mapping[str, Any] = {"model": "claude-haiku-5-5", "max_tokens": 1_000, "messages": [HI]}
THINKING = {"type": "adaptive", "display": "summarized"}


def client_of(fake: FakeAnthropic, timeout_s: float = 5.0) -> AsyncAnthropic:
    """The real SDK, pointed at the fake, without its own retries."""
    url = fake.base_url.removesuffix("/v1")
    return AsyncAnthropic(base_url=url, api_key=fake.key, max_retries=0, timeout=timeout_s)


async def post(client: AsyncAnthropic, body: Mapping[str, Any]) -> Any:
    """A call with this very body."""
    return await client.post("/v1/messages", cast_to=object, body=dict(body))


async def events_of(client: AsyncAnthropic, **body: Any) -> list[Any]:
    """Every event of a streamed call."""
    async with await client.messages.create(stream=True, **(dict(LEAST) | body)) as stream:
        return [event async for event in stream]


async def test_a_stream_has_the_real_order_of_events() -> None:
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(Reply(reasoning="Hm", text="Let me", tool_calls=(ToolCall(name="look"),)))
        events = await events_of(client, tools=[TOOL], thinking=THINKING)

    block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    assert [event.type for event in events] == ["message_start", *block * 3, "message_delta", "message_stop"]
    assert events[-2].delta.stop_reason == "tool_use"


async def test_the_sdk_puts_the_stream_together_as_the_whole_answer() -> None:
    reply = Reply(reasoning="Hm", text="Let me see.", tool_calls=(ToolCall(name="look", arguments='{"a": 1}'),))
    body: dict[str, Any] = {**LEAST, "tools": [TOOL], "thinking": THINKING}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(reply, reply)
        async with client.messages.stream(**body) as stream:
            streamed = await stream.get_final_message()
        whole = await client.messages.create(**body)

    kinds = ["thinking", "text", "tool_use"]
    assert [block.type for block in streamed.content] == [block.type for block in whole.content] == kinds
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    first, second = fake.billed
    assert first == second


async def test_thoughts_are_shown_to_those_alone_who_ask() -> None:
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(*[Reply(reasoning="Hm", text="Yes")] * 3)
        shown = await post(client, {**LEAST, "thinking": THINKING})
        hidden = await post(client, {**LEAST, "thinking": {"type": "adaptive"}})
        none = await post(client, LEAST)

    assert [each["content"][0].get("thinking") for each in (shown, hidden, none)] == ["Hm", "", None]
    assert hidden["content"][0]["signature"]


def said(role: str, *blocks: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(call_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "look", "input": {}} | fields


def result(call_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id} | fields


def image(data: str, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


PNG = base64.b64encode(b"\x89PNG....").decode()
FORGED = {"type": "thinking", "thinking": "Hm", "signature": "Eqforged"}
SHAPE = {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}

#: What is refused: a word of the answer, and the body's odd part.
REFUSED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "temperature": ("temperature: Extra inputs are not permitted", {"temperature": 1.0}),
    "unknown": ("store: Extra inputs", {"store": False}),
    "no limit": ("max_tokens: Field required", {"max_tokens": None}),
    "limit of nothing": ("greater than or equal to 1", {"max_tokens": 0}),
    "limit of the model": ("128001 > 128000", {"max_tokens": 128_001}),
    "budget": ("thinking.type.enabled", {"thinking": {"type": "enabled", "budget_tokens": 2_000}}),
    "effort": ("output_config.effort", {"output_config": {"effort": "minimal"}}),
    "effort of another model": ("does not support effort", {"output_config": {"effort": "max"}}),
    "open schema": ("additionalProperties", {"output_config": {"format": SHAPE}}),
    "ttl": ("ttl: Input should be", {"cache_control": {"type": "ephemeral", "ttl": "12h"}}),
    "address": ("email", {"metadata": {"user_id": "someone@example.org"}}),
    "forced tool": ("forcing a tool", {"tools": [TOOL], "tool_choice": {"type": "any"}}),
    "tool twice": ("must be unique", {"tools": [TOOL, TOOL]}),
    "tool name": ("should match pattern", {"tools": [TOOL | {"name": "look up"}]}),
    "no message": ("at least one message", {"messages": []}),
    "role": ("Input should be 'user' or 'assistant'", {"messages": [{"role": "tool", "content": "x"}]}),
    "assistant first": ("first message", {"messages": [said("assistant", text("Hi")), HI]}),
    "prefill": ("prefill", {"messages": [HI, said("assistant", text("I"))]}),
    "empty message": ("non-empty content", {"messages": [{"role": "user", "content": ""}]}),
    "empty text": ("non-empty", {"messages": [said("user", text(""))]}),
    "white space": ("non-whitespace", {"messages": [said("user", text(" "))]}),
    "user calls": ("does not match", {"messages": [said("user", use("c1"))]}),
    "assistant shows": ("does not match", {"messages": [HI, said("assistant", image(PNG)), HI]}),
    "field of a block": ("Extra inputs", {"messages": [said("user", text("Hi") | {"citations": []})]}),
    "input no object": ("dictionary", {"messages": [HI, said("assistant", use("c1", input="x")), HI]}),
    "call without result": ("without `tool_result`", {"messages": [HI, said("assistant", use("c1")), HI]}),
    "result without call": ("unexpected `tool_use_id`", {"messages": [said("user", result("c1"))]}),
    "result of another": (
        "unexpected `tool_use_id`",
        {"messages": [HI, said("assistant", use("c1")), said("user", result("c1"), result("c2"))]},
    ),
    "result twice": (
        "single result",
        {"messages": [HI, said("assistant", use("c1")), said("user", result("c1"), result("c1"))]},
    ),
    "result after words": (
        "before other content",
        {"messages": [HI, said("assistant", use("c1")), said("user", text("So"), result("c1"))]},
    ),
    "results apart": (
        "without `tool_result`",
        {
            "messages": [
                HI,
                said("assistant", use("c1"), use("c2")),
                said("user", result("c1")),
                said("user", result("c2")),
            ]
        },
    ),
    "wordless failure": (
        "cannot be empty if `is_error`",
        {"messages": [HI, said("assistant", use("c1")), said("user", result("c1", content="", is_error=True))]},
    ),
    "media type": ("media_type", {"messages": [said("user", image(PNG, "image/bmp"))]}),
    "another type": ("does not appear", {"messages": [said("user", image(PNG, "image/jpeg"))]}),
    "no base64": ("Invalid base64", {"messages": [said("user", image("#"))]}),
    "huge image": ("exceeds 5 MB", {"messages": [said("user", image("A" * (MAX_IMAGE_BYTES + 4)))]}),
    "forged thought": (
        "Invalid `signature`",
        {"messages": [HI, said("assistant", FORGED, use("c1")), said("user", result("c1"))]},
    ),
    "old thought": ("an earlier turn", {"messages": [HI, said("assistant", FORGED, text("Yes")), HI]}),
}


@pytest.mark.parametrize(("words", "odd"), REFUSED.values(), ids=REFUSED)
async def test_what_the_api_refuses_is_refused(words: str, odd: Mapping[str, Any]) -> None:
    body = {name: value for name, value in {**LEAST, **odd}.items() if value is not None}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await post(client, body)

    assert words in str(caught.value.api_message)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id
    assert fake.billed == []


@pytest.mark.parametrize("changed", ["thought", "prompt", "tools"])
async def test_a_thought_comes_back_unchanged_or_not_at_all(changed: str) -> None:
    body = {**LEAST, "tools": [TOOL], "thinking": THINKING}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(Reply(reasoning="Hm", tool_calls=(ToolCall(name="look", call_id="c1"),)))
        content = (await post(client, body))["content"]
        step = [said("assistant", *content), said("user", result("c1"))]
        fine = await post(client, {**body, "messages": [HI, *step]})
        odd = {
            "thought": {"messages": [HI, said("assistant", content[0] | {"thinking": "Ha"}, content[1]), step[1]]},
            "prompt": {"messages": [said("user", text("Ho")), *step]},
            "tools": {"messages": [HI, *step], "tools": [TOOL | {"description": "Peek"}]},
        }
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
            await post(client, {**body, **odd[changed]})

    assert fine["stop_reason"] == "end_turn"


async def test_the_thoughts_of_another_model_are_passed_over() -> None:
    body = {**LEAST, "tools": [TOOL], "thinking": THINKING}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(Reply(reasoning="Hm", tool_calls=(ToolCall(name="look", call_id="c1"),)))
        content = (await post(client, body))["content"]
        messages = [said("user", text("Ho")), said("assistant", *content), said("user", result("c1"))]
        other = await post(client, {**body, "messages": messages, "model": "claude-sonnet-5-5"})

    assert other["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"authorization": ""}, 401), ({"authorization": "Bearer x"}, 401), ({"x-api-key": "x"}, 401), ({}, 200)],
)
async def test_a_key_is_wanted_in_either_header(headers: dict[str, str], status: int) -> None:
    async with FakeAnthropic() as fake, httpx2.AsyncClient() as client:
        given = {"authorization": f"Bearer {fake.key}", "anthropic-version": "2026-10-21"} | headers
        response = await client.post(f"{fake.base_url}/messages", headers=given, json=dict(LEAST))

    assert response.status_code == status


async def test_a_version_is_wanted() -> None:
    async with FakeAnthropic() as fake, httpx2.AsyncClient() as client:
        headers = {"x-api-key": fake.key}
        response = await client.post(f"{fake.base_url}/messages", headers=headers, json=dict(LEAST))

    assert (response.status_code, "anthropic-version" in response.text) == (400, True)


async def test_a_body_of_33_megabytes_is_too_large() -> None:
    async with FakeAnthropic() as fake, client_of(fake) as client:
        with pytest.raises(anthropic.ContentTooLargeError):
            await post(client, {**LEAST, "messages": [{"role": "user", "content": "x" * 33 * 1024 * 1024}]})


# --- the cache -------------------------------------------------------------------------------------------------------


async def test_what_is_cached_grows_old_unless_it_is_used() -> None:
    seconds = 0.0
    body = {**LEAST, "messages": [said("user", text("word " * 2_000))], "cache_control": {"type": "ephemeral"}}
    reads = []
    async with FakeAnthropic(clock=lambda: seconds) as fake, client_of(fake) as client:
        for wait_s in (0, 299, 299, 301):
            seconds += wait_s
            reads.append((await post(client, body))["usage"]["cache_read_input_tokens"] > 0)

    assert reads == [False, True, True, False]


async def test_without_a_mark_or_below_the_floor_nothing_is_cached() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        for _ in range(2):
            await post(client, {**LEAST, "messages": [said("user", text("word " * 2_000))]})
            await post(client, {**LEAST, **mark})

    counts = {(bill.usage.cached_tokens, bill.usage.cache_write_tokens) for bill in fake.billed}
    assert counts == {(0, 0)}


async def test_another_system_prompt_is_another_prefix() -> None:
    body = {**LEAST, "messages": [said("user", text("word " * 2_000))], "cache_control": {"type": "ephemeral"}}
    async with FakeAnthropic() as fake, client_of(fake) as client:
        await post(client, {**body, "system": "Be brief."})
        second = await post(client, {**body, "system": "Be kind."})

    assert second["usage"]["cache_read_input_tokens"] == 0


# --- faults ----------------------------------------------------------------------------------------------------------

FAULTS: Mapping[type[Exception], HttpFault] = {
    anthropic.BadRequestError: faults.TOO_LONG,
    anthropic.AuthenticationError: faults.UNAUTHORIZED,
    anthropic.PermissionDeniedError: faults.FORBIDDEN,
    anthropic.NotFoundError: faults.NOT_FOUND,
    anthropic.ConflictError: faults.CONFLICT,
    anthropic.ContentTooLargeError: faults.TOO_LARGE,
    anthropic.RateLimitError: faults.RATE_LIMITED,
    anthropic.EnforcedSpendLimitReachedError: faults.SPENT,
    anthropic.RampLimitExceededError: faults.RAMP,
    anthropic.InternalServerError: faults.SERVER_ERROR,
    anthropic.OverloadedError: faults.OVERLOADED,
}


@pytest.mark.parametrize(("kind", "fault"), FAULTS.items(), ids=lambda each: getattr(each, "__name__", ""))
async def test_every_http_fault_raises_its_sdk_error(kind: type[Exception], fault: HttpFault) -> None:
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(fault)
        with pytest.raises(anthropic.APIStatusError) as caught:
            await events_of(client)

    assert type(caught.value) is kind
    assert fake.billed == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """A breakage and what the SDK raises; None means nothing is raised."""

    how: Breakage
    raises: type[BaseException] | None


BREAKS = (
    Breaks(how=Breakage.HANG, raises=httpx2.ReadTimeout),
    Breaks(how=Breakage.RESET, raises=httpx2.ReadError),
    Breaks(how=Breakage.CUT, raises=httpx2.RemoteProtocolError),
    Breaks(how=Breakage.MALFORMED, raises=json.JSONDecodeError),
    Breaks(how=Breakage.ERROR, raises=anthropic.APIStatusError),
    Breaks(how=Breakage.NO_FINAL, raises=None),
)


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.how)
async def test_every_breakage_surfaces_as_stated_after_two_chunks(case: Breaks) -> None:
    seen: list[str] = []
    raised: Exception | None = None
    async with FakeAnthropic() as fake, client_of(fake, timeout_s=0.3) as client:
        fake.script(Broken(how=case.how, code="overloaded_error", after_chunks=2))
        try:
            async with await client.messages.create(stream=True, **LEAST) as stream:
                async for event in stream:
                    seen += [event.delta.text] if event.type == "content_block_delta" else []
        except Exception as error:  # the test states its exact type
            raised = error
        await fake.wait_for(lambda: len(fake.billed) == 1)

    assert type(raised) is (type(None) if case.raises is None else case.raises)
    assert "".join(seen) == "one two "
    assert (fake.billed[0].completed, fake.billed[0].usage.output_tokens) == (False, 2)


async def test_silence_is_a_timeout_and_a_client_that_left() -> None:
    async with FakeAnthropic() as fake, client_of(fake, timeout_s=0.2) as client:
        fake.script(Silence())
        with pytest.raises(anthropic.APITimeoutError):
            await events_of(client)
        await fake.wait_for(lambda: fake.left_early == 1)

    assert fake.billed == []


async def test_a_refusal_says_why() -> None:
    async with FakeAnthropic() as fake, client_of(fake) as client:
        fake.script(Reply(text="I think", finish=Finish.CONTENT_FILTER))
        *_, end, _ = await events_of(client)

    assert (end.delta.stop_reason, end.delta.stop_details.category) == ("refusal", "cyber")
