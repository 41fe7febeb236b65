"""PDF files: the words page by page, for a scan the pictures of its pages, and a copy without encryption where a file
opens without a password.

Scripts, attachments, forms and annotations are not looked at. Knows no model: who takes a PDF as it is gets `content`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from pypdf import PageObject, PasswordType, PdfReader, PdfWriter, apply_configuration
from pypdf.errors import PyPdfError

from bot.attachments._limits import LIMITS, Limits, Meter, extent, first_chars
from bot.attachments._scan import is_wordless, pictures_of
from bot.attachments._words import tidy
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, Picture, ReadFile

#: A file that is decrypted as a whole has at most so many objects: they are all copied in memory.
MAX_COPIED_OBJECTS = 50_000
_LOCKED = "is locked with a password: send it without one"
_DAMAGED = "is damaged or no real PDF: send it again, or print it to a new PDF and send that"
# What one stream may cost, in bytes and in operators; a page with more of them is a drawing. The library's own limits
# fit a server, not a process of a few hundred megabytes. No other program is ever started.
_STREAM_BYTES = 40_000_000
_PAGE_OPERATORS = 600_000
#: A scan: at least this share of the pages that were read has hardly a word.
_SCAN_SHARE = 0.8


class _TimeIsUp(Exception):
    """Raised within a page, whose words would take too long."""


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a PDF; see `bot.attachments.kind.Read`."""
    meter = Meter(limits)
    with _within_bounds():
        reader = _opened(content)
        total = _count(reader)
        pages, unread = _words(reader, min(total, limits.pages), meter)
        scan = _is_scan(pages)
        pictures, pictured = pictures_of(reader, pages, meter) if scan else ((), ())
        remarks = [*_page_remarks(pages, total, unread, meter), *_picture_remarks(pages, pictures, pictured, total)]
        native: bytes | None = content
        if reader.is_encrypted:
            native = _decrypted(reader)
            remarks.append("locked for changes only" if native else "locked for changes: read as words")
    return ReadFile(
        kind=FileKind.PDF,
        media_type=media_type,
        content=native,
        pictures=pictures,
        pages=tuple(pages) if any(pages) else (),
        unit="page",
        total=total,
        remarks=tuple(remarks),
    )


@contextmanager
def _within_bounds() -> Iterator[None]:
    # The library's warnings quote the file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with apply_configuration(
        maximum_declared_stream_length=_STREAM_BYTES,
        array_based_stream_maximum_output_length=_STREAM_BYTES,
        zlib_maximum_output_length=_STREAM_BYTES,
        lzw_maximum_output_length=_STREAM_BYTES,
        run_length_maximum_output_length=_STREAM_BYTES,
        brotli_maximum_output_length=_STREAM_BYTES,
        stream_decoding_work_maximum_length=2 * _STREAM_BYTES,
        stream_parsing_work_maximum_count=_PAGE_OPERATORS,
        xform_maximum_invocations_per_extraction=500,
        jbig2dec_binary=None,
    ):
        yield


def _opened(content: bytes) -> PdfReader:
    try:
        reader = PdfReader(BytesIO(content), xref_stream_maximum_entries=500_000)
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise UnreadableFile(_LOCKED)
    except UnreadableFile:
        raise
    except MemoryError:
        raise
    except Exception as error:  # pypdf raises nearly everything over bytes from strangers
        raise UnreadableFile(_DAMAGED) from error
    return reader


def _count(reader: PdfReader) -> int:
    try:
        total = len(reader.pages)
        if total:
            reader.pages[0]
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise UnreadableFile(_DAMAGED) from error
    if not total:
        raise UnreadableFile("has no pages: " + _DAMAGED)
    return total


def _words(reader: PdfReader, most: int, meter: Meter) -> tuple[list[str], int]:
    """The pages' words as far as the limits allow, and how many pages could not be read."""
    pages: list[str] = []
    unread = 0
    for number in range(most):
        if meter.is_spent:
            break
        try:
            pages.append(meter.take(tidy(_page_words(reader.pages[number], meter))))
        except _TimeIsUp:
            break
        except MemoryError:
            raise
        except Exception:  # one page that pypdf cannot take does not cost the others
            pages.append("")
            unread += 1
        # Decoded streams and fonts would stay for as long as the reader lives.
        if number % 50 == 49:
            reader.resolved_objects.clear()
    return pages, unread


def _page_words(page: PageObject, meter: Meter) -> str:
    def look_at_clock(*_: object) -> None:
        if meter.is_late:
            raise _TimeIsUp

    return page.extract_text(visitor_operand_before=look_at_clock)


def _is_scan(pages: list[str]) -> bool:
    return bool(pages) and sum(map(is_wordless, pages)) >= _SCAN_SHARE * len(pages)


def _page_remarks(pages: list[str], total: int, unread: int, meter: Meter) -> list[str]:
    remarks = [extent(len(pages), total, "page")]
    if meter.was_cut:
        remarks.append(first_chars(meter))
    if unread:
        remarks.append(f"the words of {unread:,} of them could not be read")
    return remarks


def _picture_remarks(
    pages: list[str], pictures: tuple[Picture, ...], pictured: tuple[int, ...], total: int
) -> list[str]:
    empty = pages.count("")
    if not pictured and empty == len(pages):
        return ["no text and no pictures in it that I can read"] if pages else []
    if not pictured:
        return [f"no text on {empty:,} of them"] if empty else []
    amount = "no text in it" if not any(pages) else "hardly any text in it"
    first, last = pictured[0], pictured[-1]
    which = f"page {first}" if first == last else f"pages {first}-{last}"
    return [f"{amount}: a scan; {which} of {total:,} as picture{'s' if len(pictures) > 1 else ''}"]


def _decrypted(reader: PdfReader) -> bytes | None:
    """The same file without encryption; None: that would take too long, or cannot be done."""
    objects = sum(map(len, reader.xref.values())) + len(reader.xref_objStm)
    if objects > MAX_COPIED_OBJECTS:
        return None
    out = BytesIO()
    try:
        PdfWriter(clone_from=reader).write(out)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return out.getvalue()
