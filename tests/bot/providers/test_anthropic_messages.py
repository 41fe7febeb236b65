"""Messages for Anthropic, whatever people, models and tools have written in them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.message import Message, Role, Text, ToolCall, ToolResult
from bot.providers._anthropic_messages import messages_to_wire
from tests.fakes.anthropic.check_messages import check_messages
from tests.fakes.anthropic.models import MODELS

MODEL = ModelInfo(ref=ModelRef("anthropic", "claude-haiku-5-5"))
TEXTS = st.text(max_size=20)
JSON = st.recursive(st.none() | st.integers() | TEXTS, lambda each: st.lists(each) | st.dictionaries(TEXTS, each))


@st.composite
def loops(draw: st.DrawFn) -> tuple[Message, ...]:
    """A question, some rounds of tool calls with their results, and what was said in between."""
    messages = [Message(role=Role.USER, parts=(Text(text="Hi"), Text(text=draw(TEXTS))))]
    for number in range(draw(st.integers(0, 3))):
        ids = [f"c{number}_{place}" for place in range(draw(st.integers(1, 3)))]
        calls = (ToolCall(id=each, name="add", arguments=draw(TEXTS), replay=draw(st.none() | TEXTS)) for each in ids)
        results = (ToolResult(call_id=each, text=draw(TEXTS), is_error=draw(st.booleans())) for each in ids)
        messages.append(Message(role=Role.ASSISTANT, parts=(Text(text=draw(TEXTS)), *calls)))
        messages += [Message(role=Role.TOOL, parts=(result,)) for result in results]
    return tuple(messages)


@given(loops())
def test_whatever_was_said_the_api_takes_it(messages: tuple[Message, ...]) -> None:
    check_messages({"messages": messages_to_wire(messages, MODEL)}, MODELS[0])


def test_a_message_without_a_word_is_not_left_out_and_the_answer_before_it_not_the_last() -> None:
    messages = (
        Message.of_text(Role.USER, "Hi"),
        Message.of_text(Role.ASSISTANT, "Hello"),
        Message.of_text(Role.USER, " "),
    )

    wired = messages_to_wire(messages, MODEL)

    assert [each["role"] for each in wired] == ["user", "assistant", "user"]
    check_messages({"messages": wired}, MODELS[0])


@given(JSON)
def test_arguments_that_are_an_object_arrive_as_they_are(value: Any) -> None:
    call = ToolCall(id="c1", name="add", arguments=json.dumps(value))

    (wired,) = messages_to_wire((Message(role=Role.ASSISTANT, parts=(call,)),), MODEL)

    expected = value if isinstance(value, dict) else {}
    assert wired["content"][0]["input"] == expected
