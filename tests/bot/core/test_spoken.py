"""Markdown as words to read out: what is for the eye goes, what is cut is cut where one breathes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.spoken import MAX_CHARACTERS, MAX_TOKENS, cut, spoken
from bot.core.tokens import estimate_tokens

MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# ",
            "**",
            "```py\n",
            "```",
            "\n",
            "| a | b |\n",
            "|--|--|\n",
            "[1]",
            "](",
            "https://x.y/z",
            "<b>",
            "🎉",
            "`",
            "- ",
            "_",
        ]
    )
    | st.text(max_size=12),
    max_size=30,
).map("".join)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("# Title\n\nSome **bold** and _slanted_ `code`.", "Title\nSome bold and slanted code."),
        ("- one\n* two\n  - [x] three\n> four", "one\ntwo\nthree\nfour"),
        ("See [the docs](https://x.y/z?a=1) at https://x.y/z.", "See the docs at."),
        ("Look: ![a cat](http://x/cat.png)", "Look: a cat"),
        ("It rains [1][2]. So [3](https://x.y) it is.", "It rains. So it is."),
        ("Fact [1].\n\nSources:\n[1] Some page https://x.y\n- [2]: another", "Fact."),
        ("Before\n```python\nprint(1)\n```\nafter", "Before\n(code, left out)\nafter"),
        ("```\nalways open", ""),
        ("Hi 👋🏽 there ✅ 👨‍👩‍👧!", "Hi there!"),
        ("a_b_c and 3 * 4 < 20", "a_b_c and 3 * 4 < 20"),
        ("one\n\n---\n\ntwo", "one\ntwo"),
        ("| City | °C |\n|---|---|\n| Bern | **3** |\n| Rome | 12 |", "City Bern, °C 3. City Rome, °C 12."),
        ("a|b\n-|-\n" + "1|2\n" * 5, "a 1, b 2. a 1, b 2. a 1, b 2. (2 more rows, left out.)"),
        ("🎉🎉", ""),
        ("So[3]https://x.y/z.", "So."),
        ("so:https:/**/x.y/z", "so:"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_words_are_kept_and_marks_are_not(markdown: str, words: str) -> None:
    assert spoken(markdown) == words


def test_a_short_text_is_whole() -> None:
    assert cut("One. Two.") == "One. Two."


def test_a_long_text_ends_with_a_sentence() -> None:
    text = cut("A sentence of some words. " * 400)

    assert MAX_CHARACTERS - 30 < len(text) <= MAX_CHARACTERS
    assert text.endswith("words.")


def test_without_sentences_it_ends_with_a_word_and_without_words_anywhere() -> None:
    assert cut("word " * 2_000).endswith("word")
    assert len(cut("x" * 5_000)) == MAX_CHARACTERS


def test_scripts_with_many_tokens_are_cut_by_those() -> None:
    text = cut("雨が降る。" * 1_000)

    assert text.endswith("。")
    assert estimate_tokens(text) <= MAX_TOKENS


@given(MARKDOWN)
def test_nothing_for_the_eye_alone_is_read_out(markdown: str) -> None:
    words = spoken(markdown)

    assert "```" not in words
    assert not re.search(r"https?://\w|🎉", words)
    assert words == words.strip()


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_cut_is_a_beginning_that_fits(text: str, characters: int) -> None:
    piece = cut(text, characters=characters)

    assert text.startswith(piece)
    assert len(piece) <= characters
