"""Broken, hostile and wrongly named documents: each costs one clear line or gives what could be read, and no memory."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attachments import docx, epub, pdf, pptx, text, xlsx
from bot.attachments._limits import Limits
from bot.attachments._zip import MAX_ENTRIES
from bot.attachments.html import read as read_html
from bot.core.errors import UnreadableFile
from bot.core.files import ReadFile
from tests.bot.attachments.documents import (
    TickingClock,
    bomb_of,
    docx_of,
    docx_with,
    epub_of,
    pdf_of,
    pptx_of,
    with_declared_size,
    xlsx_of,
    xlsx_with,
    zip_of,
)

Reader = Callable[[bytes, str, Limits], ReadFile]

_OFFICE: tuple[tuple[Reader, bytes], ...] = (
    (docx.read, docx_of(["# Title", "words " * 2_000])),
    (xlsx.read, xlsx_of({"A": [[number, "x"] for number in range(2_000)]})),
    (pptx.read, pptx_of([("Title", ["line"], "notes")])),
    (epub.read, epub_of(["<p>words</p>" * 500])),
)
_ALL: tuple[Reader, ...] = (pdf.read, docx.read, xlsx.read, pptx.read, epub.read, read_html, text.read)
_names = [read.__module__.rpartition(".")[2] for read, _ in _OFFICE]

_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY d SYSTEM "file:///etc/passwd">]>'
_DTD = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'
_W = 'xmlns:w="w"'


@pytest.mark.parametrize(("read", "content"), _OFFICE, ids=_names)
def test_a_file_that_was_cut_off_is_damaged(read: Reader, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"^is damaged or incomplete"):
        read(content[: len(content) // 2], "x", Limits())


@pytest.mark.parametrize(("read", "content"), _OFFICE, ids=_names)
def test_a_file_under_another_kinds_name_is_refused(read: Reader, content: bytes) -> None:
    for other in (pdf_of(["words"]), b"plain words", zip_of({"a.txt": "words"})):
        with pytest.raises(UnreadableFile):
            read(other, "x", Limits())


@pytest.mark.parametrize(("read", "content"), _OFFICE, ids=_names)
def test_a_locked_archive_is_named(read: Reader, content: bytes) -> None:
    changed = bytearray(content)
    at = changed.index(b"PK\x01\x02") + 8
    changed[at] |= 1

    with pytest.raises(UnreadableFile, match=r"^is locked with a password"):
        read(bytes(changed), "x", Limits())


@pytest.mark.parametrize("head", [_LAUGHS, _OUTSIDE, _DTD], ids=["laughs", "outside", "dtd"])
def test_declarations_of_entities_are_refused(head: str) -> None:
    wide = f"{head}<w:document {_W}><w:p/></w:document>".encode("utf-16")

    for read, content in (
        (docx.read, docx_with("<w:p><w:r><w:t>&d;</w:t></w:r></w:p>", head=head)),
        (docx.read, zip_of({"word/document.xml": wide})),
        (xlsx.read, xlsx_with("<sheetData><row><c><v>&d;</v></c></row></sheetData>", head=head)),
        (pptx.read, zip_of({"ppt/presentation.xml": f"{head}<p/>"})),
    ):
        with pytest.raises(UnreadableFile, match=r"^declares entities"):
            read(content, "x", Limits())


def test_a_book_may_name_a_dtd_but_declares_no_entities() -> None:
    book = '<package><item id="c0" href="text/c%200.xhtml" media-type="text/html"/><itemref idref="c0"/>{}</package>'
    named = '<!DOCTYPE package PUBLIC "+//ISBN 0-9673008-1-9//DTD OEB 1.2 Package//EN" "http://127.0.0.1/oeb.dtd">'

    assert epub.read(epub_of(["<p>a</p>"], extra={"OEBPS/book.opf": named + book}), "x").pages == ("a",)
    with pytest.raises(UnreadableFile, match=r"^declares entities"):
        epub.read(epub_of(["<p>a</p>"], extra={"OEBPS/book.opf": _LAUGHS + book.format("&d;")}), "x")


_HEAD = b'<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>begin '
_TAIL = b"</w:t></w:r></w:p></w:body></w:document>"


@pytest.mark.parametrize(
    "filling",
    [b"a" * 1024, b"</w:t></w:r></w:p><w:p><w:r><w:t>", b"<w:x/>" * 64],
    ids=["one-text", "paragraphs", "elements"],
)
def test_a_part_that_unpacks_to_very_much_costs_no_memory(filling: bytes) -> None:
    content = bomb_of("word/document.xml", _HEAD, filling, _TAIL, megabytes=60)
    tracemalloc.start()

    found = docx.read(content, "x", Limits(seconds=1, chars=10_000))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert found.pages[0].startswith("begin")
    assert found.remarks[0].startswith("only the first ")


@pytest.mark.parametrize(
    ("head", "filling"), [(b"<w:x a='", b"a" * 1024), (b"", b"<w:t>"), (b"<!-- ", b"a" * 1024)],
    ids=["attribute", "depth", "comment"],
)  # fmt: skip
def test_what_the_parser_would_have_to_keep_is_refused(head: bytes, filling: bytes) -> None:
    content = bomb_of("word/document.xml", _HEAD + head, filling, _TAIL, megabytes=20)

    with pytest.raises(UnreadableFile, match="made to exhaust memory"):
        docx.read(content, "x", Limits())


def test_a_bomb_that_tells_its_size_is_not_opened() -> None:
    with pytest.raises(UnreadableFile, match=r"^would unpack to 4\.0 GB"):
        docx.read(with_declared_size(docx_with("<w:p/>"), 0xFFFFFFF0), "x", Limits())


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    content = bomb_of("word/document.xml", _HEAD, b"a" * 1024, _TAIL, megabytes=60)
    tracemalloc.start()

    with pytest.raises(UnreadableFile, match=r"^is damaged"):
        docx.read(with_declared_size(content, 1_000), "x", Limits())

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_methods_that_unpack_without_a_limit_are_refused() -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(UnreadableFile, match=r"^is packed in a way"):
            docx.read(zip_of({"word/document.xml": "<w/>"}, method=method), "x", Limits())


def test_an_archive_of_too_many_files_is_refused_before_it_is_opened() -> None:
    with pytest.raises(UnreadableFile, match=r"^is an archive of more than 20,000 files"):
        docx.read(docx_with("<w:p/>") + b"PK\x01\x02" * MAX_ENTRIES, "x", Limits())


def test_archives_inside_are_not_opened() -> None:
    inner = zip_of({"word/document.xml": "<w:document/>"})
    body = "<w:p><w:r><w:t>outer</w:t></w:r></w:p>"
    document = f"<w:document {_W}>{body}</w:document>"

    found = docx.read(zip_of({"word/document.xml": document, "word/embeddings/a.docx": inner}), "x", Limits())

    assert found.pages == ("outer",)


def test_what_stands_before_a_damage_is_kept() -> None:
    found = docx.read(docx_with("<w:p><w:r><w:t>good</w:t></w:r></w:p><w:p></broken>"), "x", Limits())

    assert found.pages == ("good",)
    assert found.remarks == ("1 word", "it is damaged: what comes after these is missing")


def test_rows_before_a_damage_are_kept() -> None:
    found = xlsx.read(xlsx_with("<sheetData><row><c><v>1</v></c></row><row></broken>"), "x", Limits())

    assert found.pages == ("Sheet: One\n1",)
    assert found.remarks == ("1 sheet, 1 row", "it is damaged: some rows are missing")


def test_a_sheet_stops_when_the_time_is_up() -> None:
    content = xlsx_of({"Long": [[number] * 20 for number in range(9_000)], "Never": [[1]]})

    found = xlsx.read(content, "x", Limits(seconds=8, clock=TickingClock(1)))

    assert (len(found.pages), found.total) == (1, 2)
    assert found.remarks[0].startswith("only the first of 2 sheets was read, ")
    assert found.remarks[1] == "not all rows of sheet 1 were read: no time left"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    name: str
    xml: str
    shown: str


@pytest.mark.parametrize(
    "case",
    [
        _Cell(name="no-such-string", xml='<c t="s"><v>-1</v></c>', shown="…"),
        _Cell(name="huge-number", xml="<c><v>1e999</v></c>", shown="inf"),
        _Cell(name="style-of-nowhere", xml='<c s="99999"><v>7</v></c>', shown="7"),
        _Cell(name="not-a-style", xml='<c s="²"><v>7</v></c>', shown="7"),
        _Cell(name="unknown-type", xml='<c t="zz"><v>7</v></c>', shown="7"),
        _Cell(name="nul-column", xml='<c r=""><v>7</v></c>', shown="7"),
    ],
    ids=lambda case: case.name,
)
def test_odd_cells_do_not_cost_the_sheet(case: _Cell) -> None:
    found = xlsx.read(xlsx_with(f'<sheetData><row r="²">{case.xml}</row></sheetData>'), "x", Limits())

    assert found.pages == (f"Sheet: One\n{case.shown}",)


@pytest.mark.parametrize("read", _ALL, ids=lambda read: read.__module__.rpartition(".")[2])
@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=2_000), start=st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>"]))
def test_random_bytes_end_in_words_or_one_clear_line(read: Reader, content: bytes, start: bytes) -> None:
    _ends_well(read, start + content)


@pytest.mark.parametrize(("read", "content"), [*_OFFICE, (pdf.read, pdf_of(["words", "more"]))], ids=[*_names, "pdf"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_few_wrong_bytes_end_in_words_or_one_clear_line(read: Reader, content: bytes, data: st.DataObject) -> None:
    changed = bytearray(content)
    for _ in range(3):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))

    _ends_well(read, bytes(changed))


def _ends_well(read: Reader, content: bytes) -> None:
    lines: tuple[str, ...]
    try:
        found = read(content, "x", Limits(seconds=5))
        lines = found.remarks
        assert all("\0" not in page for page in found.pages)
    except UnreadableFile as refusal:
        lines = (str(refusal),)
    assert lines
    assert all(line and "\n" not in line for line in lines)
