"""Token estimates: cheap, monotone, and for any string."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tokens import estimate_tokens

ANYTHING = st.text(alphabet=st.characters(codec=None), max_size=300)


@given(ANYTHING)
def test_any_text_has_at_least_one_token_and_at_most_two_per_character(text: str) -> None:
    tokens = estimate_tokens(text)

    assert (tokens == 0) == (text == "")
    assert tokens <= 2 * len(text)


@given(ANYTHING, ANYTHING)
def test_joining_texts_never_costs_more_than_both(first: str, second: str) -> None:
    joined = estimate_tokens(first + second)

    apart = estimate_tokens(first) + estimate_tokens(second)
    assert apart - 1 <= joined <= apart


@given(st.lists(st.sampled_from(["a", " ", "7", "\n", "é", "я", "日", "한", "🦜", "\ud800"]), max_size=200))
def test_the_count_is_the_sum_of_what_the_characters_weigh(characters: list[str]) -> None:
    weights = {
        "a": 20,
        " ": 6,
        "7": 50,
        "\n": 50,
        "é": 34,
        "я": 34,
        "日": 68,
        "한": 68,
        "🦜": 160,
        "\ud800": 34,
    }
    hundredths = sum(weights[character] for character in characters)

    assert estimate_tokens("".join(characters)) in (-(-hundredths // 100), -(-hundredths // 100) + 1)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Counted by OpenAI's o200k for texts of a similar kind; the estimate is good to a fifth.
        ("The quick brown fox jumps over the lazy dog. " * 10, 100),
        ("今日は天気がいいので、公園へ散歩に行きました。" * 10, 160),
    ],
)
def test_prose_is_estimated_to_a_fifth(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.2)


@pytest.mark.parametrize("text", ["word " * 20_000, "слово " * 17_000, "日本語" * 34_000, "🦜a" * 50_000])
def test_a_long_text_takes_milliseconds(text: str) -> None:
    started = time.process_time()
    estimate_tokens(text)

    # Ten times what it takes, for slow machines.
    assert time.process_time() - started < 0.1
