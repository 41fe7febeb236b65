"""Web pages: the words that people see, and no others."""

from __future__ import annotations

import pytest

from bot.attachments._limits import Limits
from bot.attachments._nesting import MAX_DEPTH, too_deep_at
from bot.attachments.html import read
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile


def _read(content: str | bytes, media_type: str = "text/html") -> ReadFile:
    return read(content.encode() if isinstance(content, str) else content, media_type)


def _words(content: str) -> str:
    return "".join(_read(content).pages)


def test_a_page_becomes_readable_text_with_its_title_first() -> None:
    found = _read(
        "<!doctype html><title> My\n page </title><h1>Hello <b>W</b>orld</h1><p>One\n <i>line</i>, <br>and next.</p>"
        "<ul><li>a<li>b<ol><li>x<li>y</ol></ul><pre>def f():\n    return 1</pre>"
    )

    assert found.pages == (
        "# My page\n\n# Hello World\n\nOne line,\nand next.\n\n- a\n- b\n  1. x\n  2. y\n\ndef f():\n    return 1",
    )
    assert (found.kind, found.media_type, found.content, found.unit) == (FileKind.TEXT, "text/html", None, "")
    assert found.remarks == ("16 words",)


def test_the_title_is_not_said_twice() -> None:
    assert _words("<title>Same</title><h1>Same</h1><p>text") == "# Same\n\ntext"


def test_links_keep_addresses_that_can_be_opened() -> None:
    assert (
        _words(
            '<p><a href="https://e.org/a b">there</a>, <a href="/x">near</a>, <a href="javascript:x()">run</a>, '
            '<a href="https://e.org">https://e.org</a>, <a href="https://e.org/i"><img alt="obey"></a>'
        )
        == "there (https://e.org/a b), near, run, https://e.org,"
    )


def test_tables_are_rows_of_cells() -> None:
    table = "<table><tr><th>A<th>B</tr><tr><td><p>1</p><td></tr><tr><td>2<br>3<td><div>4</div></table>"

    assert _words(table) == "A | B\n1 |\n2 3 | 4"


def test_a_table_that_lays_out_a_mail_is_text() -> None:
    mail = "<table><tr><td><table><tr><td><p>Dear all,</p><p>hello</p></table></table>"

    assert _words(mail) == "Dear all,\n\nhello"


_HIDDEN = (
    '<p style="display:none">obey</p>',
    '<p style="DISPLAY : /* x */ None !important">obey</p>',
    '<p style="visibility:hidden">obey</p>',
    '<p style="opacity: 0">obey</p>',
    '<p style="opacity:0.0;color:red">obey</p>',
    '<p style="font-size:0px">obey</p>',
    '<p style="position:absolute;left:-9999px">obey</p>',
    '<p style="text-indent: -10000px">obey</p>',
    "<p hidden>obey</p>",
    "<div hidden><p>obey</p></div>",
    "<template>obey</template>",
    "<dialog>obey</dialog>",
    "<noscript>obey</noscript>",
    "<script>obey</script>",
    "<style>obey{}</style>",
    "<!-- obey -->",
    "<svg><text>obey</text></svg>",
    "<iframe>obey</iframe>",
    '<textarea>obey</textarea><input value="obey"><img alt="obey" title="obey">',
    "<style>.gone{display:none}</style><p class=gone>obey</p>",
    "<style>a,#gone, b.x { color:red; visibility:hidden }</style><p id=gone>obey</p>",
    "<style>@import url(x);@media screen{.a{color:red}}.gone{opacity:0}</style><p class=gone>obey</p>",
)


@pytest.mark.parametrize("hidden", _HIDDEN)
def test_what_people_do_not_see_is_left_out(hidden: str) -> None:
    assert _words(f"<body><p>before</p>{hidden}<p>after</p>") == "before\n\nafter"


@pytest.mark.parametrize(
    "shown",
    [
        '<p style="opacity:0.5">seen</p>',
        '<p style="font-size:0.9em;left:-5px">seen</p>',
        '<p aria-hidden="true">seen</p>',
        "<dialog open>seen</dialog>",
        "<details><summary>seen</summary></details>",
        "<style>@media print{.x{display:none}} .y{display:none}</style><p class=x>seen</p>",
        "<style>/* .x{display:none} */</style><p class=x>seen</p>",
    ],
)
def test_what_people_do_see_is_kept(shown: str) -> None:
    assert _words(f"<body>{shown}") == "seen"


def test_menus_and_footers_are_left_out_unless_there_is_nothing_else() -> None:
    furniture = "<nav>Home</nav><aside>Ads</aside><footer>2026</footer><div role=navigation>More</div>"

    assert _words(f"<body>{furniture}<p>News</p>") == "News"
    assert _words(f"<body>{furniture}") == "Home\nAds\n2026\nMore"


def test_the_main_part_stands_for_the_page_when_it_has_most_of_its_words() -> None:
    story = "<h1>Story</h1><p>" + "word " * 50

    assert _words(f"<div>teaser</div><main>{story}</main><div>teaser</div>").startswith("# Story")
    assert _words(f"<div>teaser</div><article>{story}</article><article>other</article>").startswith("# Story")
    assert _words(f"<main>tiny</main><div>{story}</div>").startswith("tiny")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("<meta charset='windows-1251'><p>Привет".encode("cp1251"), "text/html"),
        ("<p>Привет".encode("cp1251"), "text/html; charset=windows-1251"),
        ("<meta http-equiv=Content-Type content='text/html; charset=koi8-r'><p>Привет".encode("koi8-r"), "text/html"),
        ("\ufeff<p>Привет".encode("utf-16-le"), "text/html"),
        ("<meta charset=latin1><p>Привет".encode(), "text/html"),
        ("<meta charset=nonsense><p>Привет".encode(), "text/html"),
    ],
)
def test_a_page_is_read_in_its_charset(content: bytes, media_type: str) -> None:
    found = _read(content, media_type)

    assert (found.pages, found.media_type) == (("Привет",), "text/html")


def test_a_codec_that_is_no_charset_is_not_used() -> None:
    assert _read(b"<meta charset=rot13><p>caf\xe9").pages == ("café",)
    assert _read(b"<meta charset=utf-7><p>caf\xe9 +ADw-").pages == ("café +ADw-",)


def test_a_page_that_scripts_would_fill_says_so() -> None:
    found = _read("<div id=app></div><script>render()</script>")

    assert (found.pages, found.remarks) == ((), ("no text in it without scripts",))


def test_a_page_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="not a web page"):
        _read(bytes(range(256)) * 20)


def test_a_long_page_is_cut_at_the_limit() -> None:
    found = read(b"<p>word</p>" * 1_000, "text/html", Limits(chars=100))

    assert found.pages[0].startswith("word\n\nword")
    assert len(found.pages[0]) <= 100
    assert found.remarks == ("only the first 100 characters were read",)


def test_a_page_of_a_hundred_thousand_nested_elements_is_read_to_a_depth() -> None:
    found = _read("<p>first</p>" + "<div>" * 100_000 + "last")

    assert found.pages == ("first",)
    assert found.remarks == ("1 word", "it is too deep or too long: only the first part was read")


@pytest.mark.parametrize(
    "markup",
    [
        "<div a='</div>'>" * 1_000,
        "<div </div>" * 1_000,
        "<!--><div>" * 1_000,
        "<!-- </div> --!><div>" * 1_000,
        "<DIV><Span></Span>" * 1_000,
        "<script><div></SCRIPT>" + "<div>" * 1_000,
    ],
)
def test_depth_is_seen_through_tricks(markup: str) -> None:
    assert too_deep_at(markup) is not None


@pytest.mark.parametrize(
    "markup",
    [
        "<div><p>text</div>" * 5_000,
        "<ul><li>a<li>b</ul>" * 5_000,
        "<p>one<br><img src=x><hr>" * 5_000,
        "<script>'<div>'</script>" * 5_000,
        "<div>" * MAX_DEPTH,
        "<script>" * 100_000,
        '<div a="' * 100_000,
    ],
)
def test_ordinary_and_sloppy_pages_are_not_too_deep(markup: str) -> None:
    assert too_deep_at(markup) is None
