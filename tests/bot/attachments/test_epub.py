"""E-books: chapters in reading order."""

from __future__ import annotations

import pytest

from bot.attachments import epub
from bot.attachments._limits import Limits
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile
from tests.bot.attachments.documents import epub_of, zip_of


def _read(content: bytes, limits: Limits | None = None) -> ReadFile:
    return epub.read(content, "application/epub+zip", limits or Limits())


def test_chapters_are_pages_in_reading_order() -> None:
    found = _read(epub_of(["<h1>One</h1><p>Once &#38; ever.</p>", "<p>Two</p><aside>a note</aside>", "<img src='x'/>"]))

    assert found.pages == ("# One\n\nOnce & ever.", "Two\n\na note", "")
    assert (found.kind, found.unit, found.total, found.content) == (FileKind.TEXT, "chapter", 3, None)
    assert found.remarks == ("3 chapters",)


def test_chapters_after_the_limit_are_counted() -> None:
    found = _read(epub_of(["<p>a</p>", "<p>b</p>", "<p>c</p>"]), Limits(pages=1))

    assert found.pages == ("a",)
    assert found.remarks == ("only the first of 3 chapters was read",)


def test_a_long_book_is_cut_at_the_limit() -> None:
    found = _read(epub_of(["<p>abc</p>", "<p>defgh</p>", "<p>i</p>"]), Limits(chars=5))

    assert found.pages == ("abc", "de")
    assert found.remarks == ("only the first 2 of 3 chapters were read", "only the first 5 characters were read")


def test_a_book_without_a_reading_order_is_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"^has no reading order"):
        _read(epub_of(["<p>a</p>"], spine=False))
    with pytest.raises(UnreadableFile, match=r"^has no reading order"):
        _read(zip_of({"META-INF/container.xml": "<container/>"}))


def test_a_book_of_pictures_only_is_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"^has no text in it$"):
        _read(epub_of(["<img src='a'/>"]))


def test_copy_protection_is_named_and_hidden_fonts_are_none() -> None:
    def locked(part: str) -> dict[str, str]:
        return {"META-INF/encryption.xml": f'<e xmlns:c="c"><c:CipherReference URI="{part}"/></e>'}

    assert _read(epub_of(["<p>a</p>"], extra=locked("OEBPS/font.otf"))).pages == ("a",)
    with pytest.raises(UnreadableFile, match=r"^is locked by copy protection"):
        _read(epub_of(["<p>a</p>"], extra=locked("OEBPS/text/c%200.xhtml")))


def test_parts_outside_of_the_archive_cannot_be_named() -> None:
    book = (
        '<package><item id="a" href="../../../etc/passwd" media-type="text/html"/><spine><itemref idref="a"/></spine>'
        "</package>"
    )

    with pytest.raises(UnreadableFile, match=r"^has no reading order"):
        _read(epub_of([], extra={"OEBPS/book.opf": book}))
