"""One command from name to answer: who may run it, and what wrong use is answered with."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.core.command import Command, Desk, Invocation, Option, Privilege
from bot.core.command_runner import called, open_to_strangers
from bot.core.errors import NotAllowed, StorageUnavailable, UsageError
from bot.core.inbound import Inbound, Said
from bot.core.place import Addressed, Author
from bot.core.ports import Answer
from tests.fakes.desk import ANN, CHANNEL, OWNER, PRIVATE, STRANGER, Counter


async def echo(invocation: Invocation, desk: Desk) -> Answer:
    return Answer(text=f"got {dict(invocation.options)}")


async def misused(invocation: Invocation, desk: Desk) -> Answer:
    raise UsageError("Not like this.")


async def forbidden(invocation: Invocation, desk: Desk) -> Answer:
    raise NotAllowed("Not you.")


async def broken(invocation: Invocation, desk: Desk) -> Answer:
    raise StorageUnavailable("away")


WORD = Option(name="word", description="A word")
COMMANDS = (
    Command(name="echo", description="Echo", handler=echo, options=(WORD,)),
    Command(name="hello", description="Hello", handler=echo, privilege=Privilege.STRANGER),
    Command(name="rule", description="Rule", handler=echo, privilege=Privilege.OWNER),
    Command(name="misused", description="Misused", handler=misused, options=(WORD,)),
    Command(name="forbidden", description="Forbidden", handler=forbidden),
    Command(name="broken", description="Broken", handler=broken),
)


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS)


async def test_typed_and_slash_commands_reach_the_handler_alike(counter: Counter) -> None:
    assert (await counter.type("/echo hi")).text == "got {'word': 'hi'}"
    assert (await counter.slash("echo", {"word": "hi"})).text == "got {'word': 'hi'}"
    assert (await counter.press("echo hi")).text == "got {'word': 'hi'}"
    assert (await counter.slash("echo")).text == "got {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    name: str
    author: Author
    runs: bool


@pytest.mark.parametrize(
    "case",
    [
        Run(name="hello", author=STRANGER, runs=True),
        Run(name="echo", author=STRANGER, runs=False),
        Run(name="rule", author=STRANGER, runs=False),
        Run(name="hello", author=ANN, runs=True),
        Run(name="echo", author=ANN, runs=True),
        Run(name="rule", author=ANN, runs=False),
        Run(name="rule", author=OWNER, runs=True),
    ],
    ids=lambda case: f"{case.author.name} {case.name}",
)
async def test_who_may_run_what(counter: Counter, case: Run) -> None:
    answer = await counter.type(f"/{case.name}", author=case.author)

    assert case.runs is (answer.text == "got {}")


@pytest.mark.parametrize(("name", "is_open"), [("hello", True), ("/HELLO", True), ("echo", False), ("nope", False)])
def test_only_commands_for_strangers_are_open_to_them(name: str, is_open: bool) -> None:
    assert is_open is open_to_strangers(COMMANDS, name)


async def test_wrong_arguments_get_the_usage_line(counter: Counter) -> None:
    assert (await counter.type("/echo a b")).text.endswith("Usage: `/echo [word]`")
    assert (await counter.type("/misused")).text == "Not like this.\n\nUsage: `/misused [word]`"


async def test_what_someone_may_not_do_is_told(counter: Counter) -> None:
    assert (await counter.type("/forbidden")).text == "Not you."


async def test_other_errors_are_the_callers(counter: Counter) -> None:
    with pytest.raises(StorageUnavailable):
        await counter.type("/broken")


async def test_a_typo_gets_the_nearest_name(counter: Counter) -> None:
    assert "Did you mean /echo?" in (await counter.type("/ecko")).text
    assert "Did you mean /echo?" in (await counter.type("/ecko", place=CHANNEL)).text


async def test_an_unknown_name_gets_help_in_private_and_silence_among_other_bots(counter: Counter) -> None:
    assert "/help" in (await counter.type("/zzzz", place=PRIVATE)).text
    assert (await counter.type("/zzzz", place=CHANNEL)).text == ""
    assert "/help" in (await counter.press("zzzz", place=CHANNEL)).text


def test_only_commands_and_buttons_call_something() -> None:
    said = Said(text="/echo hi", message_id="1", addressed=Addressed.PRIVATE)
    inbound = Inbound(uid="x:1", place=PRIVATE, author=ANN, at=datetime(2026, 1, 1, tzinfo=UTC), order=1, event=said)

    with pytest.raises(ValueError, match="Said"):
        called(inbound)
