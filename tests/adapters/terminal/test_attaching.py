"""`/attach`: which words are files, which are the question, and what is said when there is no file."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from adapters.terminal.attaching import asks_how, last_path, parse, read
from adapters.terminal.prompt import CommandCompleter
from bot.core.errors import DeliveryError, DeliveryKind, UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which is the person's home as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.png", "b.pdf", "my photo.jpg", "it's.txt"):
        (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "notes").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def asked(line: str) -> tuple[list[str], str]:
    attached = parse(line)
    assert attached is not None
    return [ref.name for ref in attached.files], attached.text


@pytest.mark.parametrize(
    ("line", "names", "text"),
    [
        ("/attach a.png", ["a.png"], ""),
        ("/attach a.png what is this?", ["a.png"], "what is this?"),
        ("  /ATTACH\ta.png\n b.pdf  what   differs? ", ["a.png", "b.pdf"], "what   differs?"),
        ("/attach a.png a.png b.pdf", ["a.png", "a.png", "b.pdf"], ""),
        ('/attach "my photo.jpg" who is it?', ["my photo.jpg"], "who is it?"),
        ("/attach 'my photo.jpg' who?", ["my photo.jpg"], "who?"),
        ("/attach “my photo.jpg” who?", ["my photo.jpg"], "who?"),
        (r"/attach my\ photo.jpg who?", ["my photo.jpg"], "who?"),
        ("/attach my photo.jpg who?", ["my photo.jpg"], "who?"),
        ("/attach ~/a.png ./b.pdf", ["a.png", "b.pdf"], ""),
        ('/attach "~/my photo.jpg"', ["my photo.jpg"], ""),
        ("/attach it's.txt it's what?", ["it's.txt"], "it's what?"),
        ("/attach a.png notes b.pdf", ["a.png"], "notes b.pdf"),
        ('/attach a.png "b.pdf" "what?"', ["a.png", "b.pdf"], '"what?"'),
        ("/attach a.png line one\nline two", ["a.png"], "line one\nline two"),
    ],
)
def test_words_are_files_until_the_first_that_is_none(folder: Path, line: str, names: list[str], text: str) -> None:
    assert asked(line) == (names, text)


@pytest.mark.parametrize("line", ["hello", "/attachments", "attach a.png", "/help", "/etc/hosts", ""])
def test_other_lines_are_not_for_it(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/attach", "Which file?"),
        ("/attach nothing.png what is it", "There is no file nothing.png."),
        ('/attach "no photo.jpg" what', "There is no file no photo.jpg."),
        ("/attach notes what is in it", "notes is a folder."),
        ("/attach pipe", "pipe cannot be read"),
        ("/attach " + "x" * 5_000, "There is no file xxx"),
        ("/attach a\0b", "There is no file a\0b"),
    ],
)
def test_what_is_no_file_says_why_and_what_to_do(folder: Path, line: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line)

    assert str(caught.value).startswith(why)


def test_a_file_that_belongs_to_somebody_else_is_not_attached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, who can read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(UsageError, match="cannot be read"):
        parse("/attach a.png")


def test_a_file_is_told_with_its_type_and_size_and_each_version_has_an_id(folder: Path) -> None:
    first, same = parse("/attach a.png"), parse("/attach ./a.png")
    (folder / "a.png").write_bytes(b"other")
    later = parse("/attach a.png")

    assert first is not None
    assert later is not None
    assert (first.files[0].media_type, first.files[0].size_bytes) == ("image/png", 3)
    assert first == same
    assert first.files[0].id != later.files[0].id
    assert read(later.files[0].id, 5) == b"other"


def test_a_file_is_read_up_to_a_size_as_long_as_it_is_there(folder: Path) -> None:
    attached = parse('/attach "my photo.jpg"')
    assert attached is not None
    (ref,) = attached.files

    assert read(ref.id, 3) == b"abc"
    with pytest.raises(DeliveryError) as large:
        read(ref.id, 2)
    (folder / "my photo.jpg").unlink()
    with pytest.raises(DeliveryError) as gone:
        read(ref.id, 3)
    os.mkfifo(folder / "my photo.jpg")
    with pytest.raises(DeliveryError) as pipe:
        read(ref.id, 3)

    kinds = [caught.value.kind for caught in (large, gone, pipe)]
    assert kinds == [DeliveryKind.INVALID, DeliveryKind.NOT_FOUND, DeliveryKind.NOT_FOUND]


@given(st.text(max_size=60))
def test_any_line_is_files_and_a_question_or_says_why_not(rest: str) -> None:
    attached = None
    with contextlib.suppress(UsageError):
        attached = parse(f"/attach {rest}")

    assert attached is None or (attached.files and rest.endswith(attached.text.rstrip()))


@given(st.text(max_size=60))
def test_nothing_that_is_typed_breaks_the_completion(rest: str) -> None:
    path, _ = last_path(rest)

    assert len(path) <= len(rest)


@pytest.mark.parametrize(
    ("line", "asks"), [("/help attach", True), (" /HELP  /attach ", True), ("/help", False), ("/help attached", False)]
)
def test_its_own_help_is_known(line: str, asks: bool) -> None:
    assert asks_how(line) is asks


# --- completion ---


def completed(typed: str, *, asked_for: bool = False) -> list[str]:
    """The lines that the completions make of what was typed."""
    event = CompleteEvent(completion_requested=asked_for, text_inserted=not asked_for)
    found = CommandCompleter(()).get_completions(Document(typed), event)
    return sorted(typed[: len(typed) + each.start_position] + each.text for each in found)


def test_tab_completes_the_name_and_the_paths(folder: Path) -> None:
    (folder / "notes" / "x.txt").write_text("x")

    assert completed("/at") == ["/attach"]
    assert completed("/attach a") == ["/attach a.png"]
    assert completed("/attach a.png b") == ["/attach a.png b.pdf"]
    assert completed("/attach ~/m") == [r"/attach ~/my\ photo.jpg"]
    assert completed(r"/attach my\ p") == [r"/attach my\ photo.jpg"]
    assert completed('/attach "my') == ['/attach "my photo.jpg']
    assert completed("/attach notes/") == ["/attach notes/x.txt"]


def test_a_whole_folder_is_listed_only_on_demand(folder: Path) -> None:
    assert completed("/attach a.png ") == []
    assert "/attach b.pdf" in completed("/attach ", asked_for=True)
