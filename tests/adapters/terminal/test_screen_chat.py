"""The chat on a real terminal: a pseudo-terminal stands for the screen and the keyboard."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.person import DEADLINE_S, Person

ROOT = Path(__file__).parents[3]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    program = [sys.executable, "-m", "tests.adapters.terminal.echo_chat", str(tmp_path)]
    person = Person(program, folder=ROOT, environ=os.environ)
    yield person
    person.close()


def test_a_chat_from_welcome_to_leaving(person: Person) -> None:
    person.sees("Parley · demo/echo · /help lists")
    person.sees(">")
    person.type("hello\r")
    person.sees("You said: hello.")
    person.sees(">")
    person.type("/help\r")
    person.sees("ran help")
    person.sees("(Retry: /retry)")
    person.sees(">")
    person.type("\x04")
    person.sees("left well")

    assert person.process.wait(DEADLINE_S) == 0


def test_ctrl_c_stops_the_answer_and_then_leaves(person: Person) -> None:
    person.sees(">")
    person.type("slow please\r")
    person.sees("So slow")
    person.type("\x03")
    person.sees("Stopped.")
    person.sees("(Retry: /retry)")
    person.sees(">")
    person.type("\x03")
    person.sees("left well")

    assert person.process.wait(DEADLINE_S) == 0


def test_what_is_typed_during_an_answer_is_the_next_line(person: Person) -> None:
    person.sees(">")
    person.type("slow\r")
    person.sees("So slow")
    person.type("again\r")
    person.type("\x03")
    person.sees("Stopped.")

    person.sees("You said: again.")


def test_an_answer_that_comes_unasked_makes_room_for_itself_and_keeps_the_half_typed_line(
    person: Person,
) -> None:
    person.sees(">")
    person.type("later\r")
    person.sees("You said: later.")
    person.sees(">")
    person.type("half a")
    person.sees("(to what was left unanswered last time:)")
    person.sees("From before.")
    person.sees("half a")
    person.type(" line\r")

    person.sees("You said: half a line.")


def test_a_file_is_attached_and_what_is_no_file_is_told(person: Person, tmp_path: Path) -> None:
    (tmp_path / "a cat.txt").write_text("x")
    person.sees("/attach asks about a file")
    person.sees(">")
    person.type("/attach nothing.txt\r")
    person.sees("(There is no file nothing.txt.")
    person.sees(">")
    person.type(f'/attach "{tmp_path}/a cat.txt" what is it\r')

    person.sees("You said: what is it.")


def test_history_is_kept_for_the_next_chat(person: Person, tmp_path: Path) -> None:
    person.sees(">")
    person.type("remember me\r")
    person.sees("You said: remember me.")
    person.sees(">")
    person.type("\x04")
    person.sees("left well")

    history = tmp_path / "terminal-history"
    assert "remember me" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
