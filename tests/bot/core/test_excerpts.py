"""What of a long text stands in a prompt."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.excerpts import take
from bot.core.tokens import estimate_tokens


def taken(pages: list[str], unit: str, limit: int) -> tuple[str, str | None]:
    excerpt = take(pages, unit, limit_tokens=limit, estimate=estimate_tokens)
    return excerpt.text, excerpt.remark


def test_a_text_that_fits_is_there_whole_with_its_pages_numbered() -> None:
    assert taken(["One.", "Two."], "page", 100) == ("[page 1]\nOne.\n\n[page 2]\nTwo.", None)
    assert taken(["One."], "", 100) == ("One.", None)


def test_of_a_long_one_whole_pages_are_taken() -> None:
    pages = ["word " * 50] * 10

    text, remark = taken(pages, "page", 100)

    assert text.count("[page ") == 2
    assert remark == "the first 2 pages of 10 given to the model at once"


def test_a_long_page_is_cut_at_the_end_of_a_line() -> None:
    text, remark = taken(["a line of words\n" * 1_000], "", 100)

    assert text.endswith("a line of words")
    assert remark is not None
    assert "of 16,000 characters" in remark


@given(st.lists(st.text(max_size=200), max_size=8), st.sampled_from(["", "page"]), st.integers(1, 200))
def test_it_never_takes_more_than_it_may(pages: list[str], unit: str, limit: int) -> None:
    excerpt = take(pages, unit, limit_tokens=limit, estimate=estimate_tokens)

    assert len(excerpt.text) <= 1 or estimate_tokens(excerpt.text) <= limit + 8
    assert (excerpt.remark is None) == (len(excerpt.text) == len(taken(pages, unit, 10**9)[0]))
