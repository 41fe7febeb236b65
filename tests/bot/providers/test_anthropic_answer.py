"""An answer of Anthropic's, put together from whatever a server may send."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import TextDelta
from bot.core.message import Message, Role, ToolCall
from bot.providers._anthropic_answer import AnswerSoFar, replayed
from bot.providers._anthropic_client import WIRE_ERRORS

WORDS = st.sampled_from(
    ["type", "index", "delta", "usage", "message", "content_block", "text", "tool_use", "text_delta", "thinking"]
)
KINDS = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | WORDS,
    lambda each: st.lists(each, max_size=2) | st.dictionaries(WORDS, each, max_size=3),
    max_leaves=6,
)
EVENTS = JSON | st.builds(lambda kind, rest: {**rest, "type": kind}, KINDS, st.dictionaries(WORDS, JSON, max_size=3))


@given(st.lists(EVENTS, max_size=5))
def test_events_of_any_shape_are_read_or_raise_what_the_provider_expects(events: list[Any]) -> None:
    answer = AnswerSoFar()
    try:
        for event in events:
            answer.take(event)
        answer.calls()
    except WIRE_ERRORS:
        return
    assert not answer.ended


def deltas(*pieces: str) -> list[dict[str, Any]]:
    opened = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    texts = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}} for p in pieces]
    return [opened, *texts]


@given(st.lists(st.text(max_size=5), max_size=5))
def test_no_word_is_lost_and_no_delta_is_empty(pieces: list[str]) -> None:
    answer = AnswerSoFar()
    taken = [answer.take(event) for event in deltas(*pieces)]

    texts = [delta.text for delta in taken if isinstance(delta, TextDelta)]
    assert "".join(texts) == "".join(pieces)
    assert all(texts)
    assert answer.spoken == bool("".join(pieces).strip())


@given(st.text() | JSON.map(json.dumps))
def test_a_replay_of_any_kind_is_ours_or_nothing(replay: str) -> None:
    message = Message(role=Role.ASSISTANT, parts=(ToolCall(id="c1", name="add", arguments="{}", replay=replay),))

    assert replayed(message) is None
