"""Real documents of every kind, made in memory by the libraries that people's programs resemble, and broken ones.

Each maker returns the file's bytes. What is written by hand here is what no library would write.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import docx
import openpyxl
import pptx
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter

Cell = str | int | float | bool | date | datetime | None

_CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_RELATED = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


class TickingClock:
    """A clock that goes on by `step_s` whenever somebody looks at it."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._now_s = 0.0

    def __call__(self) -> float:
        self._now_s += self._step_s
        return self._now_s


def pdf_of(pages: Sequence[str], *, tail: str = "") -> bytes:
    """A PDF with the words of each page (Latin-1, lines by `\\n`); `tail` is a page tree's wrong last kid."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids} {tail}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, words in enumerate(pages):
        resources = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * index} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} >>".encode())
        objects.append(pdf_stream(_shown(words)))
    return pdf_from(objects)


def pdf_from(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def pdf_stream(content: bytes, *, entries: str = "") -> bytes:
    """A stream object with further `entries` in its dictionary."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries.encode(), content)


def scanned_pdf(count: int, *, words: str = "", rotation: int = 0, size: tuple[int, int] = (600, 800)) -> bytes:
    """A PDF whose pages are pictures: page 3 shows its number and a bar at the top; `words` stand on each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for number in range(1, count + 1):
        first = len(objects) + 1
        kids.append(f"{first} 0 R")
        resources = f"/Resources << /XObject << /Im0 {first + 1} 0 R >> /Font << /F1 {first + 3} 0 R >> >>"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate {rotation} {resources}"
        width, height = size
        picture = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB"
        objects += [
            f"{page} /Contents {first + 2} 0 R >>".encode(),
            pdf_stream(jpeg_of(f"{number}", size), entries=f"{picture} /BitsPerComponent 8 /Filter /DCTDecode"),
            pdf_stream(b"q 600 0 0 800 0 0 cm /Im0 Do Q\n" + _shown(words)),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {count} >>".encode()
    return pdf_from(objects)


def jpeg_of(words: str, size: tuple[int, int]) -> bytes:
    """A white picture with a black bar along its top, and words under it."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, size[0], size[1] // 10), fill="black")
    pen.text((20, size[1] // 2), words, fill="black")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def encrypted_pdf(pages: Sequence[str], *, password: str = "", algorithm: str = "AES-256") -> bytes:
    """A locked PDF; without a user's password it opens everywhere. `algorithm` is pypdf's word: RC4-128, AES-256."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of(pages))))
    writer.encrypt(password, owner_password="of the owner", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx_of(blocks: Iterable[str | Sequence[Sequence[str]]]) -> bytes:
    """A Word document: `# ` makes a heading, `- ` and `1. ` list items, rows of cells a table."""
    document = docx.Document()
    for block in blocks:
        if not isinstance(block, str):
            table = document.add_table(rows=len(block), cols=len(block[0]))
            for row, cells in zip(table.rows, block, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        elif block.startswith("#"):
            marks, _, text = block.partition(" ")
            document.add_heading(text, level=len(marks))
        elif block.startswith("- "):
            document.add_paragraph(block[2:], style="List Bullet")
        elif block.startswith("1. "):
            document.add_paragraph(block[3:], style="List Number")
        else:
            document.add_paragraph(block)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def docx_with(body: str, parts: Mapping[str, str] | None = None, *, head: str = "") -> bytes:
    """A Word document whose body is this XML (prefixes w and r), with further parts; `head` stands before its root."""
    document = f"{head}<w:document {_WORD} {_RELATED}><w:body>{body}</w:body></w:document>"
    return zip_of({"word/document.xml": document, **(parts or {})})


def word_part(root: str, body: str) -> str:
    """A further part of a Word document: `root` is its element without the prefix."""
    return f"<w:{root} {_WORD} {_RELATED}>{body}</w:{root}>"


def relations(*targets: tuple[str, str, str, bool]) -> str:
    """A part's relations: id, the last word of the type, target, and whether that is outside of the file."""
    rows = "".join(
        f'<Relationship Id="{key}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
        f'Target="{target}"{" TargetMode=" + chr(34) + "External" + chr(34) if outside else ""}/>'
        for key, kind, target, outside in targets
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def xlsx_of(sheets: Mapping[str, Sequence[Sequence[Cell]]], *, hidden: Iterable[str] = ()) -> bytes:
    """A workbook; sheets by name, rows of cells."""
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx_with(sheet: str, *, strings: str = "", head: str = "") -> bytes:
    """A workbook of one sheet with this XML, written by hand; `head` stands before its root."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return zip_of(
        {
            "xl/workbook.xml": f'<workbook {main} {_RELATED}><sheet name="One" r:id="rId1"/></workbook>',
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml", False), ("rId2", "sharedStrings", "/xl/s.xml", False)
            ),
            "xl/s.xml": f"<sst {main}>{strings}</sst>",
            "xl/worksheets/sheet1.xml": f"{head}<worksheet {main}>{sheet}</worksheet>",
        }
    )


def pptx_of(slides: Sequence[tuple[str, Sequence[str], str]], *, table: Sequence[Sequence[str]] = ()) -> bytes:
    """A presentation; slides as title, lines and notes, with a table on the last one."""
    deck = pptx.Presentation()
    for title, lines, notes in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    if table:
        shape = deck.slides[len(slides) - 1].shapes.add_table(len(table), len(table[0]), 0, 0, 4_000_000, 1_000_000)
        for row, cells in enumerate(table):
            for column, text in enumerate(cells):
                shape.table.cell(row, column).text = text
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def epub_of(chapters: Sequence[str], *, spine: bool = True, extra: Mapping[str, str] | None = None) -> bytes:
    """An e-book; chapters are the insides of <body>."""
    items = "".join(
        f'<item id="c{n}" href="text/c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters))) if spine else ""
    head = (
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>'
    )
    pages = {f"OEBPS/text/c {n}.xhtml": f"{head}<body>{chapter}</body></html>" for n, chapter in enumerate(chapters)}
    book = f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{order}</spine></package>'
    parts = {"mimetype": "application/epub+zip", "META-INF/container.xml": _CONTAINER, "OEBPS/book.opf": book}
    return zip_of({**parts, **pages, **(extra or {})})


def zip_of(parts: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb_of(name: str, head: bytes, filling: bytes, tail: bytes, *, megabytes: int) -> bytes:
    """An archive with one part that unpacks to so many megabytes of `filling`, between `head` and `tail`."""
    block = filling * (1024 * 1024 // len(filling))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open(name, "w") as part:
        part.write(head)
        for _ in range(megabytes):
            part.write(block)
        part.write(tail)
    return out.getvalue()


def with_declared_size(archive: bytes, size: int) -> bytes:
    """The same archive of one part, whose directory and header tell another unpacked size (32 bits)."""
    changed = bytearray(archive)
    for sign, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = changed.index(sign) + offset
        changed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(changed)


def _shown(words: str) -> bytes:
    lines = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in words.split("\n")]
    shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
    return f"BT /F1 11 Tf 50 780 Td {shown}ET".encode("latin-1")
