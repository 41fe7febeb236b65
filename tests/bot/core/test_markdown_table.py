"""Pipe tables as aligned text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.markdown_table import (
    Align,
    Table,
    aligned,
    display_width,
    find_tables,
    growth,
    listed,
    set_tables,
)

PRICES = "| Name | Price |\n|:--|--:|\n| **Foo** | 1 |\n| b\\|c | 200 |"

CELLS = st.text(alphabet=st.sampled_from("ab 漢é👍|`*-:\\"), max_size=12)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=12)


def table_of(rows: list[list[str]]) -> str:
    head, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])


def test_a_table_is_read_without_markup_and_escapes() -> None:
    (table,) = find_tables(f"before\n\n{PRICES}\n\nafter")

    assert table == Table(head=("Name", "Price"), aligns=(Align.LEFT, Align.RIGHT), rows=(("Foo", "1"), ("b|c", "200")))


def test_columns_are_aligned_in_a_code_block() -> None:
    expected = "A\n\n```\nName  Price\n────  ─────\nFoo       1\nb|c     200\n```\n\nB"

    assert set_tables(f"A\n\n{PRICES}\n\nB", width=40) == expected


def test_wide_characters_take_two_columns() -> None:
    (table,) = find_tables("| 漢字 | b |\n|:-:|---|\n| a | 👍 |\n| 日本語 | c |")

    assert aligned(table, width=40) == " 漢字   b\n──────  ──\n  a     👍\n日本語  c"


def test_a_table_that_is_too_wide_becomes_a_list() -> None:
    assert set_tables(PRICES, width=8) == "**Name:** Foo\n**Price:** 1\n\n**Name:** b|c\n**Price:** 200"


def test_short_rows_are_filled_and_long_ones_cut() -> None:
    (table,) = find_tables("a | b\n--|--\n1\\||\n1 | 2 | 3")

    assert table.rows == (("1|", ""), ("1", "2"))


def test_empty_cells_are_left_out_of_a_list() -> None:
    (table,) = find_tables("| a | b |\n|--|--|\n| | 2 |")

    assert listed(table) == "**b:** 2"


def test_what_only_looks_like_a_table_is_left_alone() -> None:
    for text in ("a | b\nc | d", "| a | b |\n|---|", "```\n" + PRICES + "\n```", "- ~~~\n" + PRICES, "text"):
        assert set_tables(text, width=40) == text


def test_a_fence_within_a_longer_fence_does_not_end_it() -> None:
    text = "````md\n```\n" + PRICES + "\n````"

    assert set_tables(text, width=40) == text


def test_display_width_counts_no_marks() -> None:
    assert display_width("e\u0301") == 1
    assert display_width("ﾊﾝ漢") == 4


@given(rows=ROWS, width=st.sampled_from((10, 20, 60)))
@settings(max_examples=200, deadline=None)
def test_no_aligned_line_is_wider_than_asked(rows: list[list[str]], width: int) -> None:
    for table in find_tables(table_of(rows)):
        lines = (aligned(table, width=width) or "").split("\n")
        assert max(map(display_width, lines)) <= width


@given(rows=ROWS, width=st.sampled_from((10, 20, 60)))
@settings(max_examples=200, deadline=None)
def test_growth_is_a_bound_that_never_shrinks_while_rows_are_added(rows: list[list[str]], width: int) -> None:
    most = 0
    for count in range(1, len(rows) + 1):
        text = table_of(rows[:count])
        bound = len(text) + growth(text, width=width)

        assert len(set_tables(text, width=width)) <= bound
        assert bound >= most

        most = bound
