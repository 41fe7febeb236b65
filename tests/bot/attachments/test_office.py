"""Word, Excel and PowerPoint files: the words as people see them, readable as Markdown."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import openpyxl
import pytest
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import CALENDAR_MAC_1904, from_excel

from bot.attachments import docx, pptx, xlsx
from bot.attachments._cells import EPOCH_1900, EPOCH_1904, column, date_kind, number_text
from bot.attachments._limits import Limits
from bot.core.files import FileKind, ReadFile
from tests.bot.attachments.documents import (
    docx_of,
    docx_with,
    pptx_of,
    relations,
    word_part,
    xlsx_of,
    xlsx_with,
    zip_of,
)

_TYPE = "application/vnd.openxmlformats-officedocument"


def _docx(content: bytes, limits: Limits | None = None) -> ReadFile:
    return docx.read(content, f"{_TYPE}.wordprocessingml.document", limits or Limits())


def _xlsx(content: bytes, limits: Limits | None = None) -> ReadFile:
    return xlsx.read(content, f"{_TYPE}.spreadsheetml.sheet", limits or Limits())


def _pptx(content: bytes, limits: Limits | None = None) -> ReadFile:
    return pptx.read(content, f"{_TYPE}.presentationml.presentation", limits or Limits())


def _run(text: str, marks: str = "") -> str:
    return f'<w:r><w:rPr>{marks}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def _words(body: str) -> str:
    found = _docx(docx_with(body))
    return found.pages[0] if found.pages else ""


def test_a_word_document_becomes_markdown() -> None:
    table = [["Name", "Price"], ["A|B", "3 €"], ["", "two\nlines"]]
    content = docx_of(["# Report", "Intro.", "## Part", "- first", "- second", "1. one", "1. two", table, "End."])

    found = _docx(content)

    assert found.pages == (
        "# Report\n\nIntro.\n\n## Part\n\n- first\n- second\n1. one\n2. two\n\n"
        "| Name | Price |\n|---|---|\n| A\\|B | 3 € |\n|  | two lines |\n\nEnd.",
    )
    assert (found.kind, found.content, found.unit, found.total) == (FileKind.TEXT, None, "", None)
    assert found.remarks == ("16 words",)


def test_tracked_changes_are_read_as_accepted_and_comments_are_not_read() -> None:
    body = (
        f"<w:p>{_run('We pay ')}<w:del><w:r><w:delText>ten</w:delText></w:r></w:del><w:ins>{_run('twenty')}</w:ins>"
        f"<w:moveFrom>{_run('moved')}</w:moveFrom>{_run(' euros')}<w:r><w:commentReference w:id='1'/></w:r></w:p>"
    )
    comments = word_part("comments", f"<w:comment w:id='1'><w:p>{_run('Never!')}</w:p></w:comment>")

    found = _docx(docx_with(body, {"word/comments.xml": comments}))

    assert found.pages == ("We pay twenty euros",)


def test_hidden_text_is_left_out() -> None:
    hidden, shown = _run("obey me", "<w:vanish/>"), _run("seen", '<w:vanish w:val="0"/>')

    assert _words(f"<w:p>{_run('a ')}{hidden}{shown}</w:p>") == "a seen"


def test_text_boxes_and_content_controls_are_read_once() -> None:
    box = f"<w:txbxContent><w:p>{_run('boxed')}</w:p></w:txbxContent>"
    body = (
        f'<w:p><w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>'
        f"</mc:AlternateContent></w:r>{_run('around')}</w:p><w:sdt><w:sdtContent><w:p>{_run('chosen')}</w:p>"
        "</w:sdtContent></w:sdt>"
    )

    assert _words(body) == "boxed\n\naround\n\nchosen"


def test_a_field_shows_its_result_and_not_its_command() -> None:
    command = "<w:r><w:instrText>PAGE \\* MERGEFORMAT</w:instrText></w:r>"

    assert _words(f"<w:p>{command}{_run('Page 3')}</w:p>") == "Page 3"


def test_tables_inside_of_cells_and_joined_cells_stay_in_their_columns() -> None:
    def cell(words: str, span: int = 1) -> str:
        return f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/></w:tcPr><w:p>{_run(words)}</w:p></w:tc>'

    inner = f"<w:tc><w:tbl><w:tr>{cell('x')}{cell('y')}</w:tr></w:tbl></w:tc>"
    first = f"<w:tr>{cell('wide', 2)}{cell('c')}</w:tr>"
    second = f"<w:tr>{cell('')}{inner}{cell('d')}</w:tr>"

    assert _words(f"<w:tbl>{first}{second}</w:tbl>") == "| wide |  | c |\n|---|---|---|\n|  | x; y | d |"


def test_links_footnotes_headers_and_footers_are_read() -> None:
    link = f"<w:hyperlink r:id='rId1'>{_run('our page')}</w:hyperlink>"
    note = '<w:r><w:footnoteReference w:id="7"/></w:r>'
    separator = f'<w:footnote w:type="separator" w:id="0"><w:p>{_run("-")}</w:p></w:footnote>'
    margin = f"<w:p>{_run('Confidential')}</w:p>"
    parts = {
        "word/_rels/document.xml.rels": relations(("rId1", "hyperlink", "https://example.org/a", True)),
        "word/footnotes.xml": word_part(
            "footnotes", f"{separator}<w:footnote w:id='7'><w:p>{_run('See page 3.')}</w:p></w:footnote>"
        ),
        "word/header1.xml": word_part("hdr", margin),
        "word/header2.xml": word_part("hdr", margin),
        "word/footer1.xml": word_part("ftr", f"<w:p>{_run('ACME')}</w:p>"),
    }

    found = _docx(docx_with(f"<w:p>{_run('Read ')}{link}{note}.</w:p>", parts))

    assert found.pages == ("Confidential\n\nRead our page (https://example.org/a)[^1]\n\n[^1]: See page 3.\n\nACME",)


def test_headings_are_known_by_their_level_and_by_styles_that_build_on_them() -> None:
    styles = word_part(
        "styles",
        '<w:style w:styleId="b1"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Mine"><w:name w:val="My own"/><w:basedOn w:val="b1"/></w:style>'
        '<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>',
    )
    body = "".join(
        f"<w:p><w:pPr>{mark}</w:pPr>{_run(text)}</w:p>"
        for mark, text in (
            ('<w:pStyle w:val="Mine"/>', "by style"),
            ('<w:outlineLvl w:val="2"/>', "by level"),
            ('<w:pStyle w:val="Loop"/>', "plain"),
        )
    )

    found = _docx(docx_with(body, {"word/styles.xml": styles}))

    assert found.pages == ("## by style\n\n### by level\n\nplain",)


def test_a_document_without_words_says_so() -> None:
    found = _docx(docx_with("<w:p/>"))

    assert (found.pages, found.remarks) == ((), ("no text in it",))


def test_a_long_document_is_cut_at_the_limit() -> None:
    found = _docx(docx_of(["word " * 100] * 100), Limits(chars=1_000))

    assert len(found.pages[0]) == 1_000
    assert found.remarks == ("only the first 1,000 characters were read",)


def test_each_sheet_is_a_page_of_rows() -> None:
    when = datetime(2024, 2, 29, 13, 5, tzinfo=UTC).replace(tzinfo=None)
    content = xlsx_of(
        {
            "Data": [["id", "day", None], [1, date(2024, 2, 3), True], [], [], [0.1 + 0.2, when, "a\nb"]],
            "Secret": [["x"]],
        },
        hidden=["Secret"],
    )

    found = _xlsx(content)

    assert found.pages == (
        "Sheet: Data\nid | day\n1 | 2024-02-03 | TRUE\n\n0.3 | 2024-02-29 13:05:00 | a b",
        "Sheet: Secret (hidden)\nx",
    )
    assert (found.kind, found.unit, found.total) == (FileKind.TEXT, "sheet", 2)
    assert found.remarks == ("2 sheets, 4 rows",)


def test_formulas_show_the_value_that_was_stored() -> None:
    cells = '<c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>"a"</f><v>a</v></c><c r="C1" t="e"><v>#REF!</v></c>'

    found = _xlsx(xlsx_with(f'<sheetData><row r="1">{cells}</row></sheetData>'))

    assert found.pages == ("Sheet: One\n2 | a | #REF!",)


def test_strings_come_without_their_pronunciation() -> None:
    strings = "<si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></si>"
    inline = '<c r="B1" t="inlineStr"><is><t>in line</t></is></c><c t="s"><v>99</v></c>'
    row = f'<row><c r="A1" t="s"><v>0</v></c>{inline}</row>'

    found = _xlsx(xlsx_with(f"<sheetData>{row}</sheetData>", strings=strings))

    assert found.pages == ("Sheet: One\n東京 | in line | …",)


def test_a_sheet_that_claims_to_be_giant_is_as_large_as_its_cells() -> None:
    sheet = (
        '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>'
        '<row r="1048576"><c r="B1048576"><v>3</v></c></row></sheetData>'
    )

    found = _xlsx(xlsx_with(sheet))

    assert found.pages == ("Sheet: One\n1\n\n | 3",)
    assert found.remarks == ("1 sheet, 2 rows", "only the first 1,000 columns were read")


def test_a_long_sheet_says_where_it_was_cut() -> None:
    found = _xlsx(xlsx_of({"A": [[number] for number in range(20_000)], "B": [[1]]}), Limits(chars=100))

    assert len(found.pages) == 1
    assert found.remarks == (
        "only the first of 2 sheets was read, 55 rows",
        "not all rows of sheet 1 were read: only the first 100 characters were read",
    )


def test_an_empty_workbook_says_so() -> None:
    found = _xlsx(xlsx_of({"A": [], "B": []}))

    assert (found.pages, found.remarks) == ((), ("nothing in its 2 sheets",))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    value: str
    code: str
    shown: str


@pytest.mark.parametrize(
    "case",
    [
        _Number(value="45325", code="dd.mm.yyyy", shown="2024-02-03"),
        _Number(value="45325.5", code="yyyy-mm-dd hh:mm", shown="2024-02-03 12:00:00"),
        _Number(value="0.25", code="h:mm AM/PM", shown="06:00:00"),
        _Number(value="1.5", code="[h]:mm:ss", shown="1 day, 12:00:00"),
        _Number(value="45325", code='#,##0.00 "days"', shown="45325"),
        _Number(value="45325", code="[Red]0.0", shown="45325"),
        _Number(value="45325", code="General", shown="45325"),
        _Number(value="1", code="yyyy-mm-dd", shown="1900-01-01"),
        _Number(value="1E+20", code="yyyy", shown="1E+20"),
        _Number(value="1.1000000000000001", code="0.0", shown="1.1"),
        _Number(value="12345678901234567890", code="0", shown="12345678901234567890"),
        _Number(value="not a number", code="0", shown="not a number"),
    ],
    ids=lambda case: f"{case.value}-{case.code}",
)
def test_numbers_are_shown_by_their_format(case: _Number) -> None:
    assert number_text(case.value, date_kind(200, case.code), EPOCH_1900) == case.shown


def test_dates_are_those_that_openpyxl_reads() -> None:
    for serial in (1.0, 59.0, 61.0, 100.25, 45_325.0, 45_325.75, 73_050.5):
        for epoch in (EPOCH_1900, EPOCH_1904):
            moment = from_excel(serial, epoch)

            assert isinstance(moment, datetime)
            assert number_text(str(serial), "date", epoch) in (moment.isoformat(" "), moment.date().isoformat())


def test_built_in_formats_are_dates_where_openpyxl_has_them_so() -> None:
    for number, code in BUILTIN_FORMATS.items():
        assert bool(date_kind(number, None)) == is_date_format(code), number


def test_columns_are_counted_as_openpyxl_counts_them() -> None:
    for letters in ("A", "Z", "AA", "AZ", "XFD"):
        assert column(f"{letters}12") == column_index_from_string(letters) - 1
    assert column("12") is None


def test_times_of_day_and_spans_are_read_from_a_real_workbook() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([time(6, 30), timedelta(hours=30), date(1904, 1, 2)])
    book.epoch = CALENDAR_MAC_1904

    out = io.BytesIO()
    book.save(out)

    assert _xlsx(out.getvalue()).pages == ("Sheet: Sheet\n06:30:00 | 1 day, 6:00:00 | 1904-01-02",)


def test_each_slide_is_a_page_with_title_text_table_and_notes() -> None:
    content = pptx_of(
        [("Plan", ["one", "two"], "say hello"), ("Figures", ["below"], "")], table=[["a", "b"], ["1", "2"]]
    )

    found = _pptx(content)

    assert found.pages == (
        "# Plan\none\ntwo\n\nNotes: say hello",
        "# Figures\nbelow\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    )
    assert (found.kind, found.unit, found.total, found.remarks) == (FileKind.TEXT, "slide", 2, ("2 slides",))


_SLIDE = (
    '<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r" show="0"><p:cSld><p:spTree>'
    '<p:sp><p:nvSpPr><p:cNvPr id="1" hidden="1"/></p:nvSpPr><a:p><a:r><a:t>obey me</a:t></a:r></a:p></p:sp>'
    '<p:sp><p:nvPr><p:ph type="sldNum"/></p:nvPr><a:p><a:fld><a:t>12</a:t></a:fld></a:p></p:sp>'
    '<p:grpSp><p:sp><a:p><a:pPr lvl="1"/><a:r><a:rPr><a:hlinkClick r:id="rId1"/></a:rPr><a:t>deep</a:t></a:r></a:p>'
    "</p:sp></p:grpSp></p:spTree></p:cSld></p:sld>"
)


def test_hidden_shapes_are_left_out_and_hidden_slides_named() -> None:
    drawing = '<d:dataModel xmlns:d="d" xmlns:a="a"><d:t><a:p><a:r><a:t>Step one</a:t></a:r></a:p></d:t></d:dataModel>'
    content = zip_of(
        {
            "ppt/presentation.xml": '<p:presentation xmlns:p="p" xmlns:r="r"><p:sldId id="256" r:id="rId9"/>'
            "</p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(("rId9", "slide", "slides/slide1.xml", False)),
            "ppt/slides/slide1.xml": _SLIDE,
            "ppt/slides/_rels/slide1.xml.rels": relations(
                ("rId1", "hyperlink", "https://example.org", True), ("rId2", "diagramData", "../d/data1.xml", False)
            ),
            "ppt/d/data1.xml": drawing,
        }
    )

    found = _pptx(content)

    assert found.pages == ("# Slide 1 (hidden)\n  - deep (https://example.org)\nStep one",)


def test_slides_after_the_limit_are_counted() -> None:
    found = _pptx(pptx_of([("One", [], ""), ("Two", [], ""), ("Three", [], "")]), Limits(pages=2))

    assert found.pages == ("# One", "# Two")
    assert found.remarks == ("only the first 2 of 3 slides were read",)


def test_slides_of_pictures_only_say_so() -> None:
    found = _pptx(pptx_of([("", [], "")]))

    assert (found.pages, found.remarks) == ((), ("1 slide", "no text on them: pictures only"))
