"""From typed text, or from a platform's own form, to a command's options."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command import Command, Desk, Invocation, Option
from bot.core.command_line import (
    check_options,
    find_command,
    nearest_command,
    parse_options,
    split_line,
    usage,
)
from bot.core.errors import UsageError
from bot.core.ports import Answer


async def nothing(invocation: Invocation, desk: Desk) -> Answer:
    return Answer(text="")


def command(name: str, *options: Option) -> Command:
    return Command(name=name, description=name.title(), handler=nothing, options=options)


PLAIN = command("plain")
MODEL = command(
    "model",
    Option(name="name", description="The model"),
    Option(name="scope", description="For whom", choices=("thread", "channel")),
)
COST = command(
    "cost",
    Option(name="period", description="Since when", choices=("day", "week")),
    Option(name="scope", description="Whose", choices=("me", "here")),
)
SETTINGS = command(
    "settings",
    Option(name="name", description="Which", choices=("heat",)),
    Option(name="value", description="The value"),
)
PAIR = command("pair", Option(name="code", description="The code", required=True))
SYSTEM = command("system", Option(name="text", description="The prompt", rest=True))
MIXED = command(
    "mixed",
    Option(name="first", description="One word", required=True),
    Option(name="more", description="All else", rest=True),
)
ALL = (PLAIN, MODEL, COST, PAIR, SYSTEM, MIXED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    command: Command
    text: str
    options: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        Typed(command=PLAIN, text=""),
        Typed(command=PLAIN, text="  \n "),
        Typed(command=MODEL, text="gpt", options={"name": "gpt"}),
        Typed(command=MODEL, text="gpt Channel", options={"name": "gpt", "scope": "channel"}),
        Typed(command=MODEL, text='"two words" thread', options={"name": "two words", "scope": "thread"}),
        Typed(command=MODEL, text="“two words” thread", options={"name": "two words", "scope": "thread"}),
        Typed(command=MODEL, text='say"cheese', options={"name": 'say"cheese'}),
        Typed(command=MODEL, text="o'neil", options={"name": "o'neil"}),
        Typed(command=COST, text="WEEK here", options={"period": "week", "scope": "here"}),
        Typed(command=COST, text="here", options={"scope": "here"}),
        Typed(command=SYSTEM, text=' Be "very"\n  brief. ', options={"text": 'Be "very"\n  brief.'}),
        Typed(command=SYSTEM, text='"Quoted" to begin', options={"text": '"Quoted" to begin'}),
        Typed(command=MIXED, text="a b  c", options={"first": "a", "more": "b  c"}),
    ],
    ids=lambda case: f"{case.command.name} {case.text.strip()}",
)
def test_text_becomes_options(case: Typed) -> None:
    assert case.options == parse_options(case.command, case.text)


@pytest.mark.parametrize("typed", ["max_output", "Max-Output", '"max output"'])
def test_a_choice_is_found_however_its_words_are_joined(typed: str) -> None:
    name = Option(name="name", description="Which", choices=("heat", "max_output"))

    assert parse_options(dataclasses.replace(PLAIN, options=(name,)), typed) == {"name": "max_output"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    command: Command
    text: str
    says: str


@pytest.mark.parametrize(
    "case",
    [
        Wrong(command=PLAIN, text="x", says="what to do with `x`"),
        Wrong(command=MODEL, text="a thread c", says="what to do with `c`"),
        Wrong(command=MODEL, text="a everyone", says="`scope` can be `thread`, `channel`, not `everyone`"),
        Wrong(command=COST, text="year", says="`period` can be `day`, `week`, not `year`"),
        Wrong(command=SETTINGS, text="colour red", says="`name` can be `heat`, not `colour`"),
        Wrong(command=COST, text="here day", says="what to do with `day`"),
        Wrong(command=PAIR, text="", says="give `code`: the code"),
        Wrong(command=PAIR, text='""', says="give `code`"),
    ],
    ids=lambda case: f"{case.command.name} {case.text}",
)
def test_wrong_text_is_told_in_words(case: Wrong) -> None:
    with pytest.raises(UsageError, match=case.says):
        parse_options(case.command, case.text)


def test_options_by_name_are_held_to_the_same_declaration() -> None:
    assert check_options(MODEL, {"name": " gpt ", "scope": "CHANNEL"}) == {"name": "gpt", "scope": "channel"}
    assert check_options(MODEL, {"name": "", "scope": "thread"}) == {"scope": "thread"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"colour": "red"}, "no option `colour`"),
        ({"scope": "everyone"}, "`scope` can be"),
    ],
)
def test_wrong_options_by_name_are_refused(options: Mapping[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_options(MODEL, options)


def test_a_missing_required_option_is_refused_by_name_too() -> None:
    with pytest.raises(UsageError, match="`code`"):
        check_options(PAIR, {"code": "  "})


def test_the_usage_line_marks_what_must_be_given() -> None:
    assert [usage(c) for c in ALL] == [
        "/plain",
        "/model [name] [scope]",
        "/cost [period] [scope]",
        "/pair <code>",
        "/system [text]",
        "/mixed <first> [more]",
    ]


@pytest.mark.parametrize("name", ["model", "MODEL", "/model", " /Model "])
def test_a_command_is_found_however_its_name_is_typed(name: str) -> None:
    assert find_command(ALL, name) is MODEL


def test_a_misspelt_name_finds_the_nearest_command_or_none() -> None:
    assert nearest_command(ALL, "/modle") is MODEL
    assert nearest_command(ALL, "sistem") is SYSTEM
    assert nearest_command(ALL, "weather") is None
    assert nearest_command(ALL, "") is None
    assert nearest_command(ALL, "m" * 100_000) is None


@pytest.mark.parametrize(
    ("line", "split"),
    [
        ("model gpt  channel", ("model", "gpt  channel")),
        ("/Model", ("model", "")),
        ("", ("", "")),
        ("system a\nb", ("system", "a\nb")),
        ("system\na b", ("system", "a b")),
    ],
)
def test_a_line_is_a_name_and_the_rest(line: str, split: tuple[str, str]) -> None:
    assert split == split_line(line)


@given(st.sampled_from(ALL), st.text() | st.text(alphabet='ab "“”'))
def test_any_text_is_options_of_the_declaration_or_a_usage_error(command: Command, text: str) -> None:
    try:
        options = parse_options(command, text)
    except UsageError:
        return
    assert options == check_options(command, options)


@given(st.text(alphabet=st.characters(exclude_characters='"“”')).filter(str.strip))
def test_a_quoted_word_arrives_as_it_was_typed(word: str) -> None:
    assert parse_options(MODEL, f'"{word}" thread') == {"name": word.strip(), "scope": "thread"}


@given(st.text().filter(str.strip))
def test_a_rest_arrives_as_it_was_typed(text: str) -> None:
    try:
        assert parse_options(SYSTEM, text) == {"text": text.strip()}
    except UsageError:
        assert text.strip() in ('""', "“”")
