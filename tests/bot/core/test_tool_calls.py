"""What a model wrote as the arguments of a call, which may be anything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.message import ToolCall

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=9), each, max_size=3),
)


def parsed(arguments: str) -> dict[str, Any] | None:
    return ToolCall(id="c1", name="add", arguments=arguments).parsed


@given(JSON)
def test_an_object_is_read_as_it_is_and_nothing_else_is(value: Any) -> None:
    assert parsed(json.dumps(value)) == (value if isinstance(value, dict) else None)


@given(st.text())
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    assert isinstance(parsed(text), dict | None)


@pytest.mark.parametrize("arguments", ['{"a": NaN}', '{"a": -Infinity}', '{"a": ', '{"a":' * 200_000])
def test_what_no_server_would_take_back_is_no_object(arguments: str) -> None:
    assert parsed(arguments) is None


def test_a_call_without_arguments_has_an_empty_object() -> None:
    assert parsed("") == {}
