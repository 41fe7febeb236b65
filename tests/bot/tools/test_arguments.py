"""Argument models become plain schemas, and what does not fit becomes one line that a model can act on."""

import json
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from bot.tools.arguments import Arguments, BadArguments, Words, parsed, schema_of


class _Colour(StrEnum):
    """A class of its own, which pydantic puts under $defs."""

    RED = "red"
    BLUE = "blue"


class _Size(BaseModel):
    title: str
    height: int | None = None


class _Wish(Arguments):
    """A docstring that is not for models."""

    what: str = Field(min_length=1, max_length=10, description="What to buy")
    colour: _Colour = Field(default=_Colour.RED, description="Which colour")
    speed: Literal["slow", "fast"] | None = None
    count: int = Field(default=1, ge=1, le=9)
    shops: Words = Field(default=(), max_length=2)
    size: _Size | None = None

    @field_validator("shops")
    @classmethod
    def _are_open(cls, shops: tuple[str, ...]) -> tuple[str, ...]:
        if "shut" in shops:
            raise ValueError("`shut` is closed today")
        return shops


class _Nothing(Arguments):
    pass


class _Tree(Arguments):
    branches: "tuple[_Tree, ...]" = ()


def test_a_schema_holds_what_a_model_has_to_know_and_no_more() -> None:
    expected = {
        "type": "object",
        "additionalProperties": False,
        "required": ["what"],
        "properties": {
            "what": {"type": "string", "minLength": 1, "maxLength": 10, "description": "What to buy"},
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red", "description": "Which colour"},
            "speed": {"type": "string", "enum": ["slow", "fast"]},
            "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
            "shops": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "default": []},
            "size": {
                "type": "object",
                "required": ["title"],
                "properties": {"title": {"type": "string"}, "height": {"type": "integer"}},
            },
        },
    }

    assert json.loads(json.dumps(schema_of(_Wish))) == expected


def test_a_tool_without_arguments_has_an_empty_schema() -> None:
    assert schema_of(_Nothing) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_model_inside_of_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="contains itself"):
        schema_of(_Tree)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({}, "Wrong arguments: `what` is missing"),
        ({"what": None}, "Wrong arguments: `what` should be a valid string"),
        ({"what": "  "}, "Wrong arguments: `what` should have at least 1 character"),
        ({"what": "tea", "colour": "pink"}, "Wrong arguments: `colour` should be 'red' or 'blue', not 'pink'"),
        ({"what": "tea", "count": 30}, "Wrong arguments: `count` should be less than or equal to 9, not 30"),
        ({"what": "tea", "shops": 5}, "Wrong arguments: `shops` should be a list, not 5"),
        ({"what": "tea", "shops": ["a", 5]}, "Wrong arguments: `shops.1` should be a valid string, not 5"),
        ({"what": "tea", "shops": ["shut"]}, "Wrong arguments: `shops`: `shut` is closed today"),
        (
            {"colour": "pink", "how": "now"},
            "Wrong arguments: `what` is missing; `colour` should be 'red' or 'blue', not 'pink'; "
            "there is no argument `how` (there are: what, colour, speed, count, shops, size)",
        ),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
def test_what_is_wrong_is_said_in_one_line(arguments: dict[str, object], line: str) -> None:
    with pytest.raises(BadArguments) as caught:
        parsed(_Wish, arguments)

    assert str(caught.value) == line


def test_null_is_left_out_and_one_word_is_a_list() -> None:
    wish = parsed(_Wish, {"what": " tea ", "colour": None, "count": "3", "shops": "corner", "size": None})

    assert wish == _Wish(what="tea", count=3, shops=("corner",))


_NAMES = st.sampled_from(["colour", "speed", "count", "shops", "size"]) | st.text(max_size=80)
_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.lists(st.text(max_size=9), max_size=3)


@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_any_arguments_fit_or_are_explained_in_one_short_line(arguments: dict[str, object]) -> None:
    line = _complaint({"what": "tea"} | arguments)

    assert line is None or line.startswith("Wrong arguments: ")
    assert line is None or "\n" not in line
    assert line is None or len(line) <= 401


def _complaint(arguments: dict[str, object]) -> str | None:
    try:
        parsed(_Wish, arguments)
    except BadArguments as error:
        return str(error)
    return None
