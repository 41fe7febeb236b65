"""Kinds are told apart by content; a name decides only between kinds of text."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attachments import KINDS
from bot.attachments.boxes import zip_members
from bot.attachments.refusals import refusal
from tests.bot.attachments import recordings as made
from tests.bot.attachments.pictures import encoded, quarters

_OFFICE = "application/vnd.openxmlformats-officedocument"


def zipped(*members: str, content: bytes = b"x", method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member in members:
            archive.writestr(member, content)
    return out.getvalue()


def _recognised(content: bytes, name: str = "") -> tuple[str, str] | None:
    for kind in KINDS:
        media_type = kind.recognise(content, name)
        if media_type is not None:
            return kind.name, media_type
    return None


_DOCX = zipped("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        pytest.param(("image", "image/jpeg"), encoded(quarters(), "JPEG"), id="JPEG"),
        pytest.param(("image", "image/avif"), encoded(quarters(), "AVIF"), id="AVIF"),
        pytest.param(("image", "image/heic"), b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", id="HEIC"),
        pytest.param(("image", "image/bmp"), encoded(quarters(), "BMP"), id="BMP"),
        pytest.param(("pdf", "application/pdf"), b"\xef\xbb\xbf\r\n%PDF-1.7 ...", id="PDF after a mark and a line"),
        pytest.param(("audio", "audio/ogg"), made.ogg(made.OPUS, 1), id="Ogg"),
        pytest.param(("audio", "audio/mpeg"), made.mp3(2), id="MP3"),
        pytest.param(("audio", "audio/mpeg"), made.id3() + made.mp3(2), id="MP3 with a tag"),
        pytest.param(("audio", "audio/wav"), made.wav(0.1), id="WAV"),
        pytest.param(("audio", "audio/flac"), made.flac(), id="FLAC"),
        pytest.param(("audio", "audio/mp4"), made.mp4(b"soun"), id="MP4 with sound alone"),
        pytest.param(("audio", "audio/mp4"), made.mp4(b"soun", b"vide", brand=b"M4A "), id="M4A with a cover"),
        pytest.param(("audio", "audio/webm"), made.matroska(b"webm", b"A_OPUS"), id="WebM"),
        pytest.param(("audio", "audio/x-matroska"), made.matroska(b"matroska", b"A_AAC"), id="Matroska"),
        pytest.param(("audio", "audio/aac"), made.adts(2), id="AAC"),
        pytest.param(("audio", "audio/amr"), b"#!AMR-WB\n" + bytes(9), id="AMR"),
        pytest.param(("docx", f"{_OFFICE}.wordprocessingml.document"), _DOCX, id="Word"),
        pytest.param(("xlsx", f"{_OFFICE}.spreadsheetml.sheet"), zipped("xl/workbook.xml"), id="Excel"),
        pytest.param(
            ("pptx", f"{_OFFICE}.presentationml.presentation"), zipped("ppt/presentation.xml"), id="PowerPoint"
        ),
        pytest.param(("epub", "application/epub+zip"), zipped("mimetype", "META-INF/container.xml"), id="EPUB"),
        pytest.param(("html", "text/html"), b"<!-- saved --> <!DOCTYPE html><p>x", id="HTML"),
        pytest.param(("html", "text/html"), '\ufeff<html lang="de">'.encode("utf-16-le"), id="HTML in UTF-16"),
        pytest.param(("text", "text/plain"), "Grüße, Welt".encode("latin-1"), id="Latin-1"),
        pytest.param(("text", "text/plain"), "Привет, мир".encode("cp1251"), id="Cyrillic"),
        pytest.param(("text", "text/plain"), "Grüße 😀".encode("utf-16"), id="UTF-16"),
        pytest.param(("text", "text/plain"), "Grüße, Welt".encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param(("text", "text/plain"), "Grüße".encode("utf-32"), id="UTF-32"),
        pytest.param(("text", "text/plain"), b"a log line\0\nand one more\x1b[0m\n", id="text with a null byte"),
        pytest.param(("text", "text/plain"), b"BM is short for bench mark", id="text like a BMP"),
    ],
)
@pytest.mark.parametrize("name", ["", "a.exe", "photo.jpg", "no suffix."])
def test_content_tells_the_kind_whatever_the_name(expected: tuple[str, str], content: bytes, name: str) -> None:
    assert expected == _recognised(content, name)


@pytest.mark.parametrize(
    ("expected", "name", "content"),
    [
        (("text", "text/csv"), "A.CSV", b"a,b\n1,2"),
        (("text", "text/markdown"), "read.me.md", b"<html> is a tag"),
        (("text", "application/json"), "a.json", b"{}"),
        (("text", "text/plain"), "page.php", b"<!doctype html><?php echo 1;"),
        (("html", "text/html"), "a.htm", b"<div>no head</div>"),
        (("text", "text/plain"), "a.html", b"no tag at all"),
        (("text", "text/plain"), "a.py", b"'<div>'"),
    ],
)
def test_a_name_decides_between_kinds_of_text(expected: tuple[str, str], name: str, content: bytes) -> None:
    assert expected == _recognised(content, name)


_ARCHIVE = "is an archive: send the files in it one by one"
_VIDEO = "is a video, which I cannot watch: send pictures of it, or its sound as a recording"
_PICTURE = "is a picture of a kind that I cannot read: send it as JPEG or PNG"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
_TAR = b"a.txt" + bytes(252) + b"ustar\0" + bytes(300)


@pytest.mark.parametrize(
    ("words", "content"),
    [
        pytest.param(_ARCHIVE, zipped("a.txt"), id="ZIP"),
        pytest.param(_ARCHIVE, zipped("inner.docx", content=_DOCX), id="Word file in a ZIP"),
        pytest.param(_ARCHIVE, zipped("a.zip", content=zipped("b.zip", content=zipped("c"))), id="nested archives"),
        pytest.param(_ARCHIVE, zipped("word/document.xml")[:60], id="half a ZIP"),
        pytest.param(_ARCHIVE, b"Rar!\x1a\x07\x01\0", id="RAR"),
        pytest.param(_ARCHIVE, b"7z\xbc\xaf\x27\x1c\0\x04", id="7z"),
        pytest.param(_ARCHIVE, b"\x1f\x8b\x08\0", id="gzip"),
        pytest.param(_ARCHIVE, _TAR, id="tar"),
        pytest.param("is a program, which I do not read", b"\x7fELF\x02\x01\x01" + bytes(40), id="ELF"),
        pytest.param("is a program, which I do not read", b"MZ\x90\0\x03" + bytes(40), id="Windows"),
        pytest.param(_VIDEO, made.mp4(b"soun", b"vide"), id="MP4"),
        pytest.param(_VIDEO, made.matroska(b"webm", b"V_VP9", b"A_OPUS"), id="WebM"),
        pytest.param(_VIDEO, made.ogg(made.THEORA, 1), id="Ogg"),
        pytest.param(_VIDEO, b"RIFF\0\0\0\0AVI LIST" + bytes(40), id="AVI"),
        pytest.param(_VIDEO, (b"\x47" + bytes(187)) * 4, id="MPEG-TS"),
        pytest.param(_PICTURE, b"8BPS\0\x01" + bytes(40), id="PSD"),
        pytest.param(_PICTURE, b"\0\0\x01\0\x01\0\x10\x10" + bytes(40), id="icon"),
        pytest.param(
            "is an old Word file: save it as .docx or PDF", _OLE + "WordDocument".encode("utf-16-le"), id="doc"
        ),
        pytest.param("is an old Excel file: save it as .xlsx or CSV", _OLE + "Workbook".encode("utf-16-le"), id="xls"),
        pytest.param(
            "is an old PowerPoint file: save it as .pptx or PDF",
            _OLE + "PowerPoint Document".encode("utf-16-le"),
            id="ppt",
        ),
        pytest.param(
            "is locked with a password: save it without one",
            _OLE + "EncryptedPackage".encode("utf-16-le"),
            id="locked Word file",
        ),
        pytest.param("is an old Office file: save it in a newer format or as PDF", _OLE, id="other OLE"),
        pytest.param(
            "is an OpenDocument file: save it as .docx, .xlsx, .pptx or PDF",
            zipped("mimetype", content=b"application/vnd.oasis.opendocument.text"),
            id="odt",
        ),
        pytest.param("is an RTF file: save it as .docx or PDF", b"{\\rtf1\\ansi Hello}", id="RTF"),
        pytest.param(
            "is of a kind that I cannot read: I read pictures, PDF, recordings, Word, Excel, PowerPoint, EPUB, "
            "web pages and text",
            bytes(range(256)) * 2,
            id="unknown",
        ),
    ],
)
@pytest.mark.parametrize("name", ["", "letter.docx", "song.mp3"])
def test_what_nobody_reads_is_refused_by_what_it_is(words: str, content: bytes, name: str) -> None:
    assert _recognised(content, name) is None
    assert words == refusal(content, (kind.called for kind in KINDS))


def test_members_come_from_the_directory_of_an_archive() -> None:
    content = zipped("a/b.xml", "c.txt", content=b"x" * 99, method=zipfile.ZIP_DEFLATED)

    assert {"a/b.xml", "c.txt"} == zip_members(content)
    assert zip_members(b"junk before" + content) == frozenset()
    assert zip_members(content.replace(b"PK\x01\x02", b"XX\x01\x02")) == frozenset()


def test_two_frames_of_different_rates_are_no_recording() -> None:
    content = made.mp3(1) + b"\xff\xfb\x94\xc0" + bytes(400)

    assert _recognised(content) is None


_HEADS = (
    b"",
    b"PK\x03\x04",
    b"OggS",
    b"ID3",
    b"\xff\xfb\x90",
    b"\x1aE\xdf\xa3",
    b"RIFF....WAVE",
    b"\xff\xfe",
    b"<html>",
)


@settings(deadline=None)
@given(
    head=st.sampled_from((*_HEADS, b"\0\0\0\x18ftypisom", made.mp4(b"soun")[:200], zipped("a")[:70])),
    tail=st.binary(max_size=300),
    end=st.sampled_from((b"", zipped("a")[-60:], made.mp4(b"soun")[-190:])),
    name=st.text(max_size=12),
)
def test_any_bytes_are_recognised_or_refused_in_words(head: bytes, tail: bytes, end: bytes, name: str) -> None:
    content = head + tail + end
    recognised = _recognised(content, name)

    assert recognised is None or "/" in recognised[1]
    assert 0 < len(refusal(content, ("this", "that"))) < 200
