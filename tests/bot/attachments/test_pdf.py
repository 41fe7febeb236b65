"""PDF files: words by page, scans as pictures, locked and broken ones."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass

import pytest
from PIL import Image
from pypdf import PdfReader

from bot.attachments import pdf
from bot.attachments._limits import Limits
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile
from tests.bot.attachments.documents import TickingClock, encrypted_pdf, pdf_from, pdf_of, pdf_stream, scanned_pdf

_PDF = "application/pdf"
_PROSE = "A page with so many words that nobody would take it for a scan."


def _read(content: bytes, limits: Limits | None = None) -> ReadFile:
    return pdf.read(content, _PDF, limits or Limits())


def test_words_come_page_by_page_and_the_file_goes_along() -> None:
    content = pdf_of([f"{_PROSE}\nSecond line (in brackets).", "caf\xe9 \x93quoted\x94"])

    found = _read(content)

    assert found.pages == (f"{_PROSE}\nSecond line (in brackets).", "café “quoted”")
    assert (found.kind, found.media_type, found.content) == (FileKind.PDF, _PDF, content)
    assert (found.unit, found.total, found.remarks, found.pictures) == ("page", 2, ("2 pages",), ())


def test_a_page_without_words_keeps_its_place() -> None:
    found = _read(pdf_of([_PROSE, "", _PROSE]))

    assert found.pages == (_PROSE, "", _PROSE)
    assert found.remarks == ("3 pages", "no text on 1 of them")


def test_a_page_of_few_words_is_no_scan_when_it_has_no_picture() -> None:
    found = _read(pdf_of(["Title", "Two"]))

    assert (found.pages, found.remarks) == (("Title", "Two"), ("2 pages",))


def test_an_empty_pdf_says_so() -> None:
    found = _read(pdf_of(["", ""]))

    assert (found.pages, found.pictures) == ((), ())
    assert found.remarks == ("2 pages", "no text and no pictures in it that I can read")


def test_only_the_first_pages_of_a_long_file_are_read() -> None:
    found = _read(pdf_of(["x"] * 10_000), Limits(pages=3, seconds=60))

    assert found.pages == ("x", "x", "x")
    assert found.total == 10_000
    assert found.remarks == ("only the first 3 of 10,000 pages were read",)


def test_what_was_read_when_the_time_is_up_is_kept() -> None:
    found = _read(pdf_of([_PROSE] * 50), Limits(seconds=30, clock=TickingClock(1)))

    assert 0 < len(found.pages) < 50
    assert set(found.pages) == {_PROSE}
    assert found.remarks == (f"only the first {len(found.pages)} of 50 pages were read",)


def test_a_first_page_that_takes_too_long_costs_only_the_words() -> None:
    content = pdf_of([_PROSE])

    found = _read(content, Limits(seconds=1.5, clock=TickingClock(1)))

    assert (found.pages, found.content) == ((), content)
    assert found.remarks == ("none of its 1 page could be read in time",)


def test_words_stop_at_the_limit_of_characters() -> None:
    found = _read(pdf_of([_PROSE, _PROSE, _PROSE]), Limits(chars=100))

    assert found.pages == (_PROSE, _PROSE[: 100 - len(_PROSE)])
    assert found.remarks == ("only the first 2 of 3 pages were read", "only the first 100 characters were read")


def test_the_first_pages_of_a_scan_become_pictures() -> None:
    found = _read(scanned_pdf(12))

    assert [(picture.media_type, picture.width, picture.height) for picture in found.pictures] == [
        ("image/jpeg", 600, 800)
    ] * 10
    assert (found.pages, found.total) == ((), 12)
    assert found.remarks == ("12 pages", "no text in it: a scan; pages 1-10 of 12 as pictures")


def test_a_stamp_on_each_page_does_not_hide_a_scan() -> None:
    found = _read(scanned_pdf(1, words="Scanned with a phone"))

    assert len(found.pictures) == 1
    assert found.pages == ("Scanned with a phone",)
    assert found.remarks == ("1 page", "hardly any text in it: a scan; page 1 of 1 as picture")


def test_a_scan_with_words_behind_it_is_read_as_words() -> None:
    found = _read(scanned_pdf(1, words=_PROSE))

    assert (found.pages, found.pictures) == ((_PROSE,), ())


@pytest.mark.parametrize(("rotation", "bar"), [(90, (790, 300)), (180, (300, 790)), (270, (10, 300))])
def test_a_scan_that_lies_on_its_side_is_turned(rotation: int, bar: tuple[int, int]) -> None:
    picture = _read(scanned_pdf(1, rotation=rotation)).pictures[0]

    shown = Image.open(io.BytesIO(picture.content)).convert("L")

    assert shown.getpixel(bar) == pytest.approx(0, abs=40)


def test_a_logo_is_not_taken_for_a_page() -> None:
    found = _read(scanned_pdf(1, size=(100, 80)))

    assert found.pictures == ()
    assert found.remarks == ("1 page", "no text and no pictures in it that I can read")


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
def test_a_file_that_opens_without_a_password_goes_along_decrypted(algorithm: str) -> None:
    content = encrypted_pdf([_PROSE], algorithm=algorithm)

    found = _read(content)

    assert found.pages == (_PROSE,)
    assert found.remarks == ("1 page", "locked for changes only")
    assert found.content is not None
    copy = PdfReader(io.BytesIO(found.content))
    assert not copy.is_encrypted
    assert copy.pages[0].extract_text().strip() == _PROSE


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_password_is_asked_for(algorithm: str) -> None:
    with pytest.raises(UnreadableFile, match=r"^is locked with a password: send it without one$"):
        _read(encrypted_pdf([_PROSE], password="hush", algorithm=algorithm))


def test_scripts_and_attachments_are_not_read() -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    script = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>"

    found = _read(pdf_from([catalogue, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, script]))

    assert found.pages == ()


def _stream_bomb() -> bytes:
    squeezed = zlib.compress(b"(x) Tj " * 30_000_000, 1)
    return pdf_stream(squeezed, entries="/Filter /FlateDecode")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    name: str
    content: bytes


_ROOT = b"<< /Type /Catalog /Pages 2 0 R >>"
_BROKEN = (
    _Broken(name="header-only", content=b"%PDF-1.7\n"),
    _Broken(name="rubbish", content=b"%PDF-1.7\n" + bytes(range(256)) * 40),
    _Broken(name="a-third-of-it", content=pdf_of([_PROSE] * 9)[:500]),
    _Broken(name="without-its-end", content=pdf_of([_PROSE, _PROSE])[:-200]),
    _Broken(name="no-pages", content=pdf_of([])),
    _Broken(name="page-tree-in-a-circle", content=pdf_from([_ROOT, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"])),
    _Broken(
        name="page-tree-in-a-wide-circle",
        content=pdf_from(
            [
                _ROOT,
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>",
            ]
        ),
    ),
    _Broken(name="circle-after-good-pages", content=pdf_of([_PROSE], tail="2 0 R")),
    _Broken(name="root-is-itself", content=pdf_from([b"1 0 R"])),
    _Broken(
        name="tree-of-ten-billion-pages",
        content=pdf_from(
            [
                _ROOT,
                *(
                    b"<< /Type /Pages /Kids [%s] /Count 1 >>" % (b"%d 0 R " % (number + 1) * 100)
                    for number in range(2, 7)
                ),
                b"<< /Type /Page /MediaBox [0 0 9 9] >>",
            ]
        ),
    ),
)


@pytest.mark.parametrize("case", _BROKEN, ids=lambda case: case.name)
def test_a_broken_file_costs_one_clear_line(case: _Broken) -> None:
    with pytest.raises(UnreadableFile, match="damaged or no real PDF"):
        _read(case.content)


def test_a_page_that_is_a_bomb_does_not_cost_the_others() -> None:
    pages = b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>"
    good = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /Font << /F 6 0 R >> >> /Contents 7 0 R >>"
    bad = good.replace(b"7 0 R", b"5 0 R")
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    words = pdf_stream(f"BT /F 9 Tf ({_PROSE}) Tj ET".encode())

    found = _read(pdf_from([_ROOT, pages, bad, good, _stream_bomb(), font, words]))

    assert found.pages == ("", _PROSE)
    assert "the words of 1 of them could not be read" in found.remarks
