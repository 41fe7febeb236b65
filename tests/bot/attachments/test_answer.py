"""A worker's answer is taken only when every field of it can be true."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attachments.answer import GaveUp, decode
from bot.attachments.frames import LENGTH_BYTES, Nonsense, Received, TooMuch, pack
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, Picture, ReadFile
from tests.bot.attachments.pictures import encoded, quarters

_PNG = encoded(quarters(), "PNG")
_PICTURE = {"media_type": "image/png", "width": 80, "height": 40}
_FILE: dict[str, Any] = {
    "kind": "text",
    "media_type": "text/plain",
    "pictures": [],
    "unit": "page",
    "total": 2,
    "duration_s": None,
    "content": None,
    "remarks": ["2 pages"],
}


def _decode(parts: tuple[bytes, ...] = (), **changed: object) -> ReadFile:
    return decode({"file": {**_FILE, **changed}}, parts, b"sent")


def test_an_answer_becomes_a_file() -> None:
    expected = ReadFile(
        kind=FileKind.PDF,
        media_type="application/pdf",
        content=b"sent",
        pictures=(Picture(content=_PNG, media_type="image/png", width=80, height=40),),
        pages=("one", "zwei ä"),
        unit="page",
        total=2,
        duration_s=1.5,
        remarks=("2 pages",),
    )
    parts = (_PNG, b"one", "zwei ä".encode())
    fields = {"kind": "pdf", "media_type": "application/pdf", "content": "sent", "duration_s": 1.5}

    assert expected == _decode(parts, **fields, pictures=[_PICTURE])


def test_an_unlocked_copy_of_a_pdf_comes_after_its_pages() -> None:
    file = _decode((b"one", b"%PDF-1.7 copy"), kind="pdf", content="copy")

    assert (file.content, file.pages) == (b"%PDF-1.7 copy", ("one",))


def test_a_copy_that_nobody_can_keep_is_left_out() -> None:
    assert _decode((b"%PDF-" + bytes(15_000_000),), kind="pdf", content="copy").content is None


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "program"},
        {"kind": "nothing"},
        {"kind": 1},
        {"kind": "text", "content": "sent"},
        {"kind": "image", "content": "copy"},
        {"kind": "pdf", "content": "copy"},
        {"kind": "pdf", "content": 1},
        {"media_type": "text/html; charset=x"},
        {"media_type": "a/b/c"},
        {"media_type": "a/" + "b" * 200},
        {"media_type": None},
        {"pictures": [_PICTURE] * 3},
        {"pictures": "none"},
        {"pictures": [{**_PICTURE, "media_type": "image/jpeg"}]},
        {"pictures": [{**_PICTURE, "media_type": "image/svg+xml"}]},
        {"pictures": [{**_PICTURE, "width": 0}]},
        {"pictures": [{**_PICTURE, "height": 10**9}]},
        {"pictures": [{**_PICTURE, "height": "40"}]},
        {"pictures": [7]},
        {"unit": 3},
        {"total": -1},
        {"total": 10**12},
        {"total": True},
        {"total": 1.5},
        {"remarks": "2 pages"},
        {"remarks": ["x"] * 17},
        {"remarks": [None]},
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_true_is_nonsense(changed: Mapping[str, Any]) -> None:
    with pytest.raises(Nonsense):
        _decode((_PNG,), **changed)


def test_a_page_that_is_no_text_is_nonsense() -> None:
    with pytest.raises(Nonsense):
        _decode((b"\xff\xfe",))


@pytest.mark.parametrize("duration", [-1, 0, math.nan, math.inf, 10**9, 10**999, "3", True, [1]], ids=range(9))
def test_a_length_that_cannot_be_is_unknown(duration: object) -> None:
    assert _decode(duration_s=duration).duration_s is None


def test_remarks_are_single_lines_of_printable_characters() -> None:
    assert _decode(remarks=["a\n\n b\u202e\x1b c"]).remarks == ("a b c",)


def test_pages_have_no_page_break_inside() -> None:
    assert _decode((b"a\fb",)).pages == ("a\nb",)


def test_reasons_become_errors() -> None:
    with pytest.raises(UnreadableFile, match=r"^is locked$"):
        decode({"unreadable": "is\nlocked"}, (), b"")
    with pytest.raises(UnreadableFile, match=r"^needs more memory"):
        decode({"no_memory": True}, (), b"")
    with pytest.raises(GaveUp) as caught:
        decode({"broke": "ValueError at x.py:3"}, (), b"")
    assert caught.value.where == "ValueError at x.py:3"


@pytest.mark.parametrize(
    "header", [{}, {"file": []}, {"file": {}}, {"no_memory": False}, {"unreadable": None}], ids=str
)
def test_neither_a_file_nor_a_reason_is_nonsense(header: Mapping[str, object]) -> None:
    with pytest.raises(Nonsense):
        decode(header, (), b"")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(_FILE)), inner, max_size=7),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    changed=st.dictionaries(st.sampled_from(sorted(_FILE)), _JSON), parts=st.lists(st.binary(max_size=9), max_size=3)
)
def test_whatever_a_worker_says_is_a_file_or_nonsense(changed: dict[str, object], parts: list[bytes]) -> None:
    try:
        file = _decode(tuple(parts), **changed)
    except Nonsense:
        return
    assert len(file.pictures) + len(file.pages) <= len(parts)


def test_what_was_packed_comes_out_however_it_is_cut() -> None:
    parts = (b"one", b"", b"three" * 100)
    sent = pack({"a": 1}, parts) + b"".join(parts)
    for step in (1, 7, len(sent)):
        received = Received(1_000)
        done = [received.feed(sent[at : at + step]) for at in range(0, len(sent), step)]

        assert ([False] * (len(done) - 1) + [True], parts) == (done, received.parts())
        assert received.header["a"] == 1


def _framed(header: bytes) -> bytes:
    return len(header).to_bytes(LENGTH_BYTES) + header


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff",
        _framed(b"{"),
        _framed(b"[]"),
        _framed(b"{}"),
        _framed(b"\xff"),
        _framed(b"[" * 200_000),
        _framed(b'{"sizes": [-1]}'),
        _framed(b'{"sizes": [true]}'),
        _framed(b'{"sizes": [1e3]}'),
        _framed(b'{"sizes": 3}'),
        _framed(b'{"sizes": [' + b"9" * 5_000 + b"]}"),
        _framed(b'{"sizes": [1]}') + b"xx",
    ],
)
def test_what_is_not_framed_is_nonsense(sent: bytes) -> None:
    with pytest.raises(Nonsense):
        Received(1_000).feed(sent)


def test_more_than_is_taken_is_refused_when_it_is_announced() -> None:
    with pytest.raises(TooMuch):
        Received(1_000).feed(_framed(b'{"sizes": [600, 600]}'))
