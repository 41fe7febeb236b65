"""Plain texts: encodings, tables, and what is no text."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import text
from bot.attachments._cells import date_kind
from bot.attachments._limits import Limits
from bot.attachments._words import clean, tidy, word_count
from bot.attachments.html import read as read_html
from bot.core.errors import UnreadableFile
from bot.core.files import PAGE_BREAK, FileKind, ReadFile


def _read(content: bytes, media_type: str = "text/plain", limits: Limits | None = None) -> ReadFile:
    return text.read(content, media_type, limits or Limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    name: str
    content: bytes
    words: str
    guessed: str | None = None


_RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
_JAPANESE = "いろはにほへと ちりぬるを わかよたれそ つねならむ。" * 4
_ENCODED = (
    _Encoded(name="utf-8", content="naïve – ✓ 😀\r\nnext\rlast".encode(), words="naïve – ✓ 😀\nnext\nlast"),
    _Encoded(name="utf-8-mark", content="\ufeffmark".encode(), words="mark"),
    _Encoded(name="utf-16-mark", content="\ufeffwide é".encode("utf-16-le"), words="wide é"),
    _Encoded(name="utf-16-be-mark", content="\ufeffwide é".encode("utf-16-be"), words="wide é"),
    _Encoded(name="utf-16-without", content="a text é".encode("utf-16-le"), words="a text é"),
    _Encoded(name="utf-16-be-without", content="a text é".encode("utf-16-be"), words="a text é"),
    _Encoded(name="utf-32", content="\ufefffour".encode("utf-32-le"), words="four"),
    _Encoded(name="cp1252", content="caf\xe9 \x96 na\xefve".encode("latin-1"), words="café – naïve", guessed="cp1252"),
    _Encoded(name="cp1251", content=_RUSSIAN.encode("cp1251"), words=_RUSSIAN, guessed="cp1251"),
    _Encoded(name="shift-jis", content=_JAPANESE.encode("cp932"), words=_JAPANESE, guessed="cp932"),
    _Encoded(
        name="declared", content="<?xml version='1.0' encoding='koi8-r'?><a>да</a>".encode("koi8-r"),
        words="<?xml version='1.0' encoding='koi8-r'?><a>да</a>",
    ),
    _Encoded(name="null-bytes", content=b"a longer log\x00 with zeros " * 9, words="a longer log with zeros " * 9),
    _Encoded(name="cut-in-a-character", content="é".encode() * 600 + b"\xc3", words="é" * 600),
)  # fmt: skip


@pytest.mark.parametrize("case", _ENCODED, ids=lambda case: case.name)
def test_text_is_read_in_its_encoding(case: _Encoded) -> None:
    found = _read(case.content)

    assert found.pages == (case.words,)
    assert (f"its encoding is a guess: {case.guessed}" in found.remarks) is (case.guessed is not None)


def test_a_text_stays_as_it_is() -> None:
    code = "def f():\n\n\n\n\n    return 1   \n"

    found = _read(code.encode())

    assert found.pages == (code,)
    assert (found.kind, found.media_type, found.content) == (FileKind.TEXT, "text/plain", None)
    assert (found.unit, found.total, found.remarks) == ("", None, ("6 lines",))


@pytest.mark.parametrize(
    ("content", "media_type", "rows"),
    [
        (b'a,b\n1,"two\nlines"\n\n3,4\n', "text/csv", "3 rows"),
        (b"a;b\n1;2,5\n2;3,5\n", "text/csv", "3 rows"),
        (b"a\tb\n1\t2\n", "text/tab-separated-values", "2 rows"),
        (b"a,b\n" + b"x" * 200_000, "text/csv", "2 rows"),
    ],
)
def test_tables_tell_their_rows(content: bytes, media_type: str, rows: str) -> None:
    assert _read(content, media_type).remarks == (rows,)


def test_one_line_of_ten_megabytes_is_cut_and_said() -> None:
    found = _read(b"x" * 10_000_000)

    assert len(found.pages[0]) == 2_000_000
    assert found.remarks == ("1 line", "only the first 2,000,000 characters were read")


def test_deep_json_is_text() -> None:
    deep = "[" * 100_000 + "]" * 100_000

    assert _read(deep.encode(), "application/json").pages == (deep,)
    assert _read(json.dumps({"a": 1}).encode()).remarks == ("1 line",)


def test_a_text_of_nothing_says_so() -> None:
    assert _read(b" \n\n").remarks == ("nothing in it",)
    assert _read(b"").pages == ()


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        b"\x89PNG\r\n\x1a\n" + bytes(range(128)) * 9,
        b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" * 50,
        b"\x00" * 500,
    ],
    ids=["all-bytes", "picture", "program", "zeros"],
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"^is not a text, nor any kind that I can read$"):
        _read(content)


@given(st.text(st.characters(codec=None)))
def test_cleaned_text_can_be_stored_and_holds_no_page_break(words: str) -> None:
    cleaned = clean(words)

    assert cleaned.encode().decode() == cleaned
    assert not {"\0", "\r", PAGE_BREAK} & set(cleaned)
    assert clean(cleaned) == cleaned


@pytest.mark.timeout(5)
@pytest.mark.parametrize("run", [" ", "!", "\n", "\t!", "[", "/*", "@", "@{", "{", '"', "<", "&"])
def test_no_run_of_characters_takes_long(run: str) -> None:
    long = "a" + run * 200_000 + "b"

    assert tidy(long).startswith("a")
    assert word_count(long) in (1, 2, 200_001)
    assert date_kind(200, long) == ""
    assert read_html(f"<style>{long}</style><p style='{long}'>x".encode(), "text/html").pages
