"""Parts of long texts: within their limit, in their order, and without words that are not in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tools._passages import GAP, passages, stretch


@pytest.mark.parametrize(
    ("text", "start", "limit", "end"),
    [
        ("short", 0, 10, 5),
        ("one two three", 0, 9, 7),
        ("one two\nthree four", 0, 9, 7),
        ("oneverylongword", 0, 5, 5),
        ("a bbbbbbbbbbbbbb", 0, 10, 10),
        ("one two three", 8, 10, 13),
        ("one", 5, 10, 3),
        ("one", 0, 0, 0),
    ],
)
def test_a_stretch_ends_after_a_word_where_one_ends_near(text: str, start: int, limit: int, end: int) -> None:
    assert stretch(text, start, limit) == end


def test_passages_come_in_their_order_with_gaps_marked() -> None:
    filler = "Nothing to see in this line at all.\n" * 40
    text = f"{filler}A red boat lies there.\n{filler}A red bicycle stands there.\n{filler}"

    shown = passages(text, "Red boat?", 2_000)

    assert shown is not None
    assert shown.index("red boat") < shown.index("red bicycle")
    assert shown.startswith(f"{GAP}\n")
    assert shown.count(GAP) == 3
    assert shown.endswith(f"\n{GAP}")


def test_the_best_passages_come_first_where_there_is_no_room_for_all() -> None:
    text = ("red " * 140 + "\n") * 3 + "red boat " * 60 + "\n" + ("red " * 140 + "\n") * 3

    shown = passages(text, "red boat", 700)

    assert shown is not None
    assert "boat" in shown


@pytest.mark.parametrize("question", ["", "?", "a b", "yellow"])
def test_without_a_word_of_the_question_there_are_none(question: str) -> None:
    assert passages("A red boat lies there. " * 100, question, 1_000) is None


@given(st.text(alphabet="ab \n\tÄ…", max_size=3_000), st.text(max_size=20), st.integers(0, 2_000))
def test_passages_stay_within_their_limit_and_invent_nothing(text: str, question: str, limit: int) -> None:
    shown = passages(text, question, limit)

    if shown is not None:
        assert len(shown) <= limit
        assert all(piece.strip("\n") in text for piece in shown.split(GAP))
