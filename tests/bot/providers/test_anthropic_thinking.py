"""Thoughts of Claude: they go back inside one tool loop, exactly as they came."""

import dataclasses

import pytest

from bot.core.events import Finish, FinishReason, ProviderEvent
from bot.core.message import Message, Role, Text, ToolCall, ToolResult
from bot.core.ports import ChatRequest
from tests.bot.providers.serving import ADD, World, reasoning_of, text_of
from tests.bot.providers.serving_anthropic import HAIKU
from tests.fakes import script
from tests.fakes.anthropic.answer import REDACT
from tests.fakes.anthropic.server import FakeAnthropic
from tests.fakes.script import Reply

Claude = World[FakeAnthropic]


def calls_of(events: list[ProviderEvent]) -> tuple[ToolCall, ...]:
    return tuple(event for event in events if isinstance(event, ToolCall))


def after(request: ChatRequest, events: list[ProviderEvent], *results: str) -> ChatRequest:
    """The next request of the tool loop, as the core makes it."""
    calls = calls_of(events)
    said = (Text(text=text_of(events)),) if text_of(events) else ()
    answers = tuple(ToolResult(call_id=call.id, text=text) for call, text in zip(calls, results, strict=True))
    step = (Message(role=Role.ASSISTANT, parts=(*said, *calls)), Message(role=Role.TOOL, parts=answers))
    return dataclasses.replace(request, messages=(*request.messages, *step))


def add(call_id: str) -> script.ToolCall:
    return script.ToolCall(name="add", arguments='{"a": 1}', call_id=call_id)


async def test_thoughts_go_back_unchanged_through_every_round_of_one_loop(claude: Claude) -> None:
    claude.fake.script(
        Reply(reasoning="First, two.", text="Let me see.", tool_calls=(add("c1"), add("c2"))),
        Reply(reasoning="Then one.", tool_calls=(add("c3"),)),
        Reply(text="Done."),
    )
    first = claude.request("Add", system="Be brief.", tools=(ADD,))

    events = await claude.ask(first)
    second = after(first, events, "3", "4")
    third = after(second, await claude.ask(second), "5")
    final = await claude.ask(third)

    kinds = [[block["type"] for block in message["content"]] for message in claude.sent.body["messages"]]
    assert text_of(final) == "Done."
    assert kinds == [
        ["text"],
        ["thinking", "text", "tool_use", "tool_use"],
        ["tool_result", "tool_result"],
        ["thinking", "tool_use"],
        ["tool_result"],
    ]
    assert claude.sent.body["messages"][1]["content"][0]["thinking"] == "First, two."


async def test_sealed_thoughts_go_back_as_they_came(claude: Claude) -> None:
    claude.fake.script(Reply(reasoning="Hush.", tool_calls=(add("c1"),)), Reply(text="Done."))
    first = claude.request(f"Add {REDACT}", tools=(ADD,))

    events = await claude.ask(first)
    final = await claude.ask(after(first, events, "3"))

    assert reasoning_of(events) == ""
    assert claude.sent.body["messages"][1]["content"][0]["type"] == "redacted_thinking"
    assert text_of(final) == "Done."


async def test_thoughts_of_parallel_calls_travel_once(claude: Claude) -> None:
    claude.fake.script(Reply(reasoning="Hm", tool_calls=(add("c1"), add("c2"))))

    events = await claude.ask(claude.request("Add", tools=(ADD,)))

    assert [call.replay is not None for call in calls_of(events)] == [True, False]


async def test_a_model_that_did_not_think_has_nothing_to_send_back(claude: Claude) -> None:
    claude.fake.script(Reply(text="Let me see.", tool_calls=(add("c1"),)))

    events = await claude.ask(claude.request("Add", tools=(ADD,)))

    assert [call.replay for call in calls_of(events)] == [None]


@pytest.mark.parametrize("replay", ['[{"type": "reasoning"}]', "not JSON", '{"gemini": "sig"}', "3"])
async def test_what_another_provider_wants_back_stays_at_home(claude: Claude, replay: str) -> None:
    call = ToolCall(id="c1", name="add", arguments="{}", replay=replay)
    messages = (
        Message.of_text(Role.USER, "Add"),
        Message(role=Role.ASSISTANT, parts=(Text(text="Let me see."), call)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="3"),)),
    )

    await claude.ask(claude.request(*messages, tools=(ADD,)))

    kinds = [block["type"] for block in claude.sent.body["messages"][1]["content"]]
    assert kinds == ["text", "tool_use"]


async def test_thoughts_whose_calls_were_changed_are_left_out(claude: Claude) -> None:
    claude.fake.script(Reply(reasoning="Hm", tool_calls=(add("c1"), add("c2"))))
    first = claude.request("Add", tools=(ADD,))

    kept, _ = calls_of(await claude.ask(first))
    step = (
        Message(role=Role.ASSISTANT, parts=(kept,)),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c1", text="3"),)),
    )
    events = await claude.ask(dataclasses.replace(first, messages=(*first.messages, *step)))

    assert events[-1] == Finish(reason=FinishReason.STOP)
    assert [block["type"] for block in claude.sent.body["messages"][1]["content"]] == ["tool_use"]


async def test_a_thoughtful_call_with_broken_arguments_can_still_be_answered(claude: Claude) -> None:
    broken = script.ToolCall(name="add", arguments='{"a": ', call_id="c1")
    claude.fake.script(Reply(reasoning="Hm", tool_calls=(broken,)), Reply(text="Sorry."))
    first = claude.request("Add", tools=(ADD,))

    events = await claude.ask(first)
    final = await claude.ask(after(first, events, "These are no arguments."))

    assert calls_of(events)[0].arguments == '{"a": '
    assert text_of(final) == "Sorry."


async def test_a_model_that_does_not_think_is_not_asked_to(claude: Claude) -> None:
    await claude.ask(claude.request("Hi", model=dataclasses.replace(HAIKU, reasoning=False)))

    assert not {"thinking", "output_config"} & set(claude.sent.body)
