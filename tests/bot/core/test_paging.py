"""Pages of Markdown: within the limit, nothing lost, unchanged by what comes later, each readable alone."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.paging import Measure, Piece, closing, paginate
from bot.core.ports import PageStart

START = PageStart()


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pages_of(markdown: str, limit: int = 300, measure: Measure = len) -> tuple[Piece, ...]:
    return paginate(markdown, START, limit=limit, measure=measure)


def squash(text: str) -> str:
    return re.sub(r"\s", "", text)


TOKENS = (
    *(
        "word ",
        "x" * 40,
        "שלום ",
        "é",
        ". ",
        "! ",
        "\n",
        "\n\n",
        "\n",
        " ",
        "\t",
        "# Heading\n",
        "- item\n",
        "1. ",
    ),
    *("**", "`", "``", "__", "[label](", "http://example.org)", "<br>", "\r\n", "\\"),
    *("```", "```python\n", "\n```\n", "~~~\n", "    ```js\n", "- ```\n", "> ```\n", "> quote\n", "``````\n"),
    *("| a | b |\n", "|---|---|\n", "| 1 |", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "e\u0301", "漢字", "\ud83d"),
)
MARKDOWN = st.lists(st.sampled_from(TOKENS) | st.text(max_size=30), max_size=300).map("".join)
LIMITS = st.sampled_from((300, 301, 350, 777))
MEASURES = st.sampled_from((len, utf16))


@given(markdown=MARKDOWN, limit=LIMITS, measure=MEASURES)
@settings(max_examples=300, deadline=None)
def test_every_page_of_any_text_is_within_the_limit_and_closes_its_fences(
    markdown: str, limit: int, measure: Measure
) -> None:
    for page in pages_of(markdown, limit, measure):
        assert 0 < measure(page.text) <= limit
        assert page.text.strip()
        assert closing(page.text) == ""


@given(markdown=MARKDOWN, limit=LIMITS)
@settings(max_examples=300, deadline=None)
def test_nothing_of_any_text_is_lost_and_its_order_is_kept(markdown: str, limit: int) -> None:
    begin = 0
    for page in pages_of(markdown, limit):
        source = squash(markdown[begin : page.end.offset])
        begin = page.end.offset

        assert source in squash(page.text) or source.lstrip(">`~") in squash(page.text)

    # A fence's end may be all that remains: its page has closed it already.
    assert squash(markdown[begin:]).strip(">`~") == ""


@given(markdown=MARKDOWN, limit=LIMITS, measure=MEASURES, step=st.sampled_from((1, 2, 7, 50)))
@settings(max_examples=150, deadline=None)
def test_full_pages_of_any_text_stay_the_same_when_it_grows(
    markdown: str, limit: int, measure: Measure, step: int
) -> None:
    full: tuple[Piece, ...] = ()
    for length in range(max(0, len(markdown) - 400 * step), len(markdown) + 1, step):
        pages = pages_of(markdown[:length], limit, measure)

        assert pages[: len(full)] == full

        full = pages[:-1]


@pytest.mark.parametrize(
    "markdown",
    [
        *("```\n" + "x\n" * count + "```\nafter\n" + "y\n" * 200 for count in range(140, 155)),
        *("x" * shift + " word" * 56 + " ```code``` " + "word " * 40 for shift in range(20)),
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100 + "after\n" * 100,
        *("~" * 12 + "\n" + "x\n" * count + "~" * 12 + "\n" + "after\n" * 60 for count in range(130, 145)),
        "- ~~~~\n" + "x\n" * 300,
        "👩‍👩‍👧‍👦🇩🇪e\u0301" * 60,
    ],
)
def test_full_pages_stay_the_same_while_a_text_grows_by_single_characters(markdown: str) -> None:
    full: tuple[Piece, ...] = ()
    for length in range(len(markdown) + 1):
        pages = pages_of(markdown[:length])

        assert pages[: len(full)] == full

        full = pages[:-1]


@given(markdown=MARKDOWN, limit=LIMITS)
@settings(max_examples=100, deadline=None)
def test_paging_from_the_end_of_any_page_gives_the_pages_after_it(markdown: str, limit: int) -> None:
    pages = pages_of(markdown, limit)
    for number, page in enumerate(pages[:-1], 1):
        assert paginate(markdown, page.end, limit=limit, measure=len) == pages[number:]


@given(markdown=MARKDOWN)
@settings(max_examples=50, deadline=None)
def test_pages_are_within_the_limit_even_by_a_measure_that_shrinks(markdown: str) -> None:
    def measure(text: str) -> int:
        return 2 * len(re.sub(r"\*\*|`", "", text))

    for page in pages_of(markdown, 600, measure):
        assert measure(page.text) <= 600


@pytest.mark.parametrize("blank", ["", "\n", "  \n\t\n", "\n" * 1_000])
def test_blank_text_has_no_pages(blank: str) -> None:
    assert pages_of(blank) == ()


def test_a_text_that_fits_is_one_page_as_it_is() -> None:
    (page,) = pages_of("\n\nHello **you**.\n")

    assert page == Piece(text="Hello **you**.", end=PageStart(offset=17))


def test_a_page_ends_between_paragraphs_rather_than_lines() -> None:
    first, second = "a" * 99 + "\n" + "b" * 99, "c" * 49 + "\n" + "d" * 149

    assert [page.text for page in pages_of(f"{first}\n\n{second}")] == [first, second]


def test_a_page_ends_between_lines_when_its_paragraph_is_long() -> None:
    lines = [f"line {number} " + "x" * 40 for number in range(20)]
    pages = pages_of("\n".join(lines))

    assert "\n".join(page.text for page in pages) == "\n".join(lines)


def test_a_page_ends_after_a_sentence_when_there_are_no_lines() -> None:
    pages = pages_of("This is one sentence of many. " * 30)

    assert len(pages) > 1
    assert all(page.text.endswith("many.") for page in pages)


def test_a_page_ends_between_words_when_there_are_no_sentences() -> None:
    pages = pages_of("word " * 200)

    assert all(set(page.text.split()) == {"word"} for page in pages)


def test_inline_markup_stays_on_one_page() -> None:
    pages = pages_of("x " * 130 + "**" + "bold words " * 10 + "**" + " y" * 100)

    assert all(page.text.count("**") % 2 == 0 for page in pages)


def test_a_heading_goes_with_its_text() -> None:
    pages = pages_of("x" * 270 + "\n\n## Heading\n\n" + "y" * 100)

    assert [page.text for page in pages] == ["x" * 270, "## Heading\n\n" + "y" * 100]


@pytest.mark.parametrize(
    ("opening", "reopened", "closed"),
    [
        ("```python", "```python", "```"),
        ("~~~", "~~~", "~~~"),
        ("`````md", "`````md", "`````"),
        ("  ```js", "  ```js", "  ```"),
        ("- ```js", "  ```js", "  ```"),
        ("> ```js", "> ```js", "> ```"),
    ],
    ids=["language", "tildes", "longer", "indented", "list", "quote"],
)
def test_a_fence_is_closed_and_reopened_with_its_language_and_indentation(
    opening: str, reopened: str, closed: str
) -> None:
    lead = re.match(r"[ >]*", reopened)
    assert lead is not None
    code = [f"{lead[0]}line {number}" for number in range(120)]
    pages = pages_of("\n".join(["Look:", "", opening, *code, closed, "", "Done."]))

    assert pages[0].text.startswith(f"Look:\n\n{opening}\n")
    assert len(pages) > 2
    for page, following in pairwise(pages):
        assert page.text.endswith(f"\n{closed}")
        assert following.text.startswith(f"{reopened}\n")
        assert page.end.reopen == f"{reopened}\n"
    assert [line for page in pages for line in page.text.split("\n") if line in code] == code


def test_a_fence_deep_in_a_list_is_reopened_at_the_margin() -> None:
    code = "\n".join(f"      line {number}" for number in range(40))
    pages = pages_of(f"- one\n  - two\n\n      ```py\n{code}\n      ```\n\n  after")

    assert pages[1].text.startswith("```py\nline ")
    assert pages[-1].text.endswith("```\n\n  after")


def test_a_page_does_not_begin_with_an_empty_fence() -> None:
    for length in range(200, 300):
        pages = pages_of(f"```py\n{'x' * length}\n```\n\n" + "after " * 60)
        assert not any(re.match(r"```(py)?\n```", page.text) for page in pages)


def test_a_table_repeats_its_head_on_every_page() -> None:
    head = "| name | value |\n|------|-------|\n"
    rows = [f"| row {number} | {number} |" for number in range(60)]
    pages = pages_of(head + "\n".join(rows) + "\n\nafter")

    assert len(pages) > 3
    assert all(page.text.startswith(head) for page in pages)
    assert [line for page in pages for line in page.text.split("\n") if line in rows] == rows


def test_a_table_is_never_cut_within_its_head() -> None:
    for length in range(200, 300):
        for page in pages_of("x" * length + "\n| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 30):
            assert page.text.count("| a | b |\n|---|---|\n| 1 | 2 |") == ("| 1 | 2 |" in page.text)


def test_text_after_a_table_has_no_head_above_it() -> None:
    for length in range(20, 40):
        for gap in ("", "\n"):
            pages = pages_of("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * length + gap + "after " * 40)
            assert pages[-1].text.startswith(("after", "| a | b |\n|---|---|\n| 1"))


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "❤\ufe0f"], ids=ascii)
def test_a_cut_spares_what_is_shown_as_one_character(cluster: str) -> None:
    for shift in range(len(cluster)):
        pages = pages_of("x" * shift + cluster * 200)

        assert all(set(page.text.replace(cluster, "")) <= {"x"} for page in pages)


def test_right_to_left_text_keeps_its_order() -> None:
    text = "שלום עולם. " * 100

    assert squash("".join(page.text for page in pages_of(text))) == squash(text)


@pytest.mark.parametrize(
    "block",
    [
        "A sentence of ordinary length, as models write them. " * 6 + "\n\n```py\nx = 1\n```\n\n",
        "```python\n" + "    value = compute(other, things)  # why\n" * 400 + "```\n",
        "x" * 1_000,
        "👩‍👩‍👧‍👦" * 100,
    ],
    ids=["prose", "code", "one line", "emoji"],
)
def test_a_hundred_thousand_characters_are_paged_in_no_time(block: str) -> None:
    text = block * (100_000 // len(block))
    began = time.process_time()
    pages = pages_of(text, 2_000)
    taken_s = time.process_time() - began

    assert len(pages) >= 40
    assert taken_s < 0.1


def test_closing_is_what_an_open_fence_needs() -> None:
    assert closing("text\n\n  ```py\ncode") == "\n  ```"
    assert closing("text\n```\ncode\n```\nmore ```inline```") == ""
