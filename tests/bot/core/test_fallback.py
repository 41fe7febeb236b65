"""Who answers when a model does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import (
    AuthenticationFailed,
    BudgetExhausted,
    CircuitOpen,
    ContentRefused,
    ContextTooLong,
    EmptyAnswer,
    FirstTokenLate,
    ModelNotFound,
    ParleyError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
    TooFast,
    TurnTimeout,
    UsageError,
)
from bot.core.fallback import MAX_FALLBACKS, moves_on, parse_fallback, show_fallback, why
from bot.core.interrupt import StopRequested


@pytest.mark.parametrize(
    "kind",
    [
        AuthenticationFailed,
        CircuitOpen,
        EmptyAnswer,
        FirstTokenLate,
        ModelNotFound,
        ProviderUnavailable,
        QuotaExhausted,
        RateLimited,
        StreamBroken,
    ],
)
def test_errors_of_the_provider_move_on(kind: type[ProviderUnavailable]) -> None:
    assert moves_on(kind("it failed", provider="openai"))


@pytest.mark.parametrize(
    "error",
    [
        ContentRefused("no", provider="openai"),
        ContextTooLong("no", provider="openai"),
        RequestRejected("no", provider="openai"),
        BudgetExhausted("no"),
        TooFast("no", retry_after_s=3.0),
        StopRequested(),
        TurnTimeout(300.0),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_another_model_would_not_mend_does_not_move_on(error: ParleyError) -> None:
    assert not moves_on(error)


def test_why_is_a_few_words_without_the_providers_text() -> None:
    error = ProviderUnavailable("HTTP 503 at https://api/?key=sk-12345678", provider="openai")

    assert why(error) == "openai is not reachable right now"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/x, anthropic/y", ("openai/x", "anthropic/y")),
        (" OpenAI/x,openai/x, ", ("openai/x",)),
        ("`ollama/qwen3:8b`", ("ollama/qwen3:8b",)),
        ("huggingface/openai/gpt-oss:groq", ("huggingface/openai/gpt-oss:groq",)),
        ("off", ()),
        (" OFF ", ()),
    ],
)
def test_a_chain_is_read_from_names_between_commas(text: str, expected: tuple[str, ...]) -> None:
    assert parse_fallback(text) == expected


@pytest.mark.parametrize("text", ["", ",", "gpt", "openai/", "openai/x anthropic/y", "off, openai/x", "auto"])
def test_a_chain_in_another_form_is_told_the_right_one(text: str) -> None:
    with pytest.raises(UsageError, match="provider/model"):
        parse_fallback(text)


def test_a_chain_that_no_turn_would_finish_is_refused() -> None:
    with pytest.raises(UsageError, match=str(MAX_FALLBACKS)):
        parse_fallback(", ".join(f"openai/{number}" for number in range(MAX_FALLBACKS + 1)))


NAMES = ["openai/a", "anthropic/b", "gemini/c", "x", " ", "off"]


@given(st.text(max_size=100) | st.lists(st.sampled_from(NAMES), max_size=9).map(",".join))
def test_what_was_read_is_shown_as_it_is_read_again(text: str) -> None:
    try:
        read = parse_fallback(text)
    except UsageError:
        return

    assert parse_fallback(show_fallback(read)) == read
