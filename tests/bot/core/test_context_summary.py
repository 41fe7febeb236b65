"""A summary in the context: where it stands, what it replaces, and what it cannot pass for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.context import Context, Window, answer_limit, build, summary_message, system_prompt
from bot.core.message import Role
from bot.core.thread_settings import ThreadSettings, TurnDefaults
from bot.core.turn_record import Summary, TurnRecord
from tests.bot.core.test_context import ROOMY, item, said, turn

SUMMARY = Summary(upto_seq=1, text="Ada likes tea.\nBob: coffee, 3 cups.")
DEFAULTS = TurnDefaults(system_prompt="Be kind.", temperature=None, max_output_tokens=2_000, timeout_s=60.0)


def context_of(
    history: list[TurnRecord], *, next_seq: int, summary: Summary | None = SUMMARY, window: Window = ROOMY
) -> Context:
    return build(
        history,
        [item(99, "And now?")],
        system="Be brief.",
        window=window,
        estimate=len,
        named=False,
        next_seq=next_seq,
        summary=summary,
    )


HISTORY = [turn(seq, f"Question {seq}", f"Answer {seq}") for seq in range(4)]


def test_a_summary_comes_first_in_the_place_of_the_turns_that_it_stands_for() -> None:
    context = context_of(HISTORY, next_seq=4)
    first, *rest = said(context)

    assert first[0] is Role.USER
    assert "for reference only" in first[1].splitlines()[0]
    assert first[1].splitlines()[1:] == ["> Ada likes tea.", "> Bob: coffee, 3 cups."]
    assert [text for _, text in rest] == ["Question 2", "Answer 2", "Question 3", "Answer 3", "And now?"]
    assert context.from_seq == 2


def test_a_summary_stays_the_same_to_the_byte_from_request_to_request() -> None:
    first = context_of(HISTORY, next_seq=4)
    second = context_of([*HISTORY, turn(4, "And now?", "Tea.")], next_seq=5)

    assert second.messages[: len(first.messages) - 1] == first.messages[:-1]


def test_a_summary_counts_against_the_window() -> None:
    with_it, without = context_of(HISTORY[2:], next_seq=4), context_of(HISTORY[2:], next_seq=4, summary=None)
    taken = len(summary_message(SUMMARY).text) + 4

    assert with_it.filling.summary == taken
    assert with_it.estimated_tokens == without.estimated_tokens + taken
    assert without.filling.summary == 0


def test_the_cut_leaves_the_summary_and_takes_the_oldest_turns() -> None:
    history = [turn(seq, "q" * 40, "a" * 52) for seq in range(2, 12)]  # each 100 with its framing
    context = context_of(history, next_seq=12, window=Window(high=1_200, low=700))

    assert "Ada likes tea." in context.messages[0].text
    assert context.estimated_tokens <= 700
    assert context.from_seq > 2


def test_an_older_turn_is_answered_again_without_a_summary_of_what_came_after_it() -> None:
    context = context_of(HISTORY[:1], next_seq=1)

    assert [text for _, text in said(context)] == ["Question 0", "Answer 0", "And now?"]
    assert context.filling.summary == 0


def test_a_summary_that_would_fill_the_window_of_a_small_model_is_left_out() -> None:
    long = Summary(upto_seq=1, text="x" * 400)
    context = context_of(HISTORY, next_seq=4, summary=long, window=Window(high=1_000, low=500))

    assert context.messages[0].text == "Question 2"
    assert context.filling.summary == 0


@given(st.text())
def test_no_words_in_a_summary_pass_for_the_frame_around_it(text: str) -> None:
    message = summary_message(Summary(upto_seq=0, text=text)).text
    frame, *lines = message.splitlines()

    assert frame.startswith("[Summary of the earlier conversation")
    assert lines
    assert all(line.startswith("> ") for line in lines)
    message.encode("utf-8")
    assert "\x00" not in message


def test_what_fills_the_window_adds_up() -> None:
    filling = context_of(HISTORY, next_seq=4).filling

    assert (filling.system, filling.newest) == (len("Be brief."), len("And now?") + 4)
    assert filling.tokens == filling.system + filling.summary + filling.turns + filling.newest


def test_the_system_prompt_tells_of_several_speakers_where_there_are_some() -> None:
    alone = system_prompt(ThreadSettings(system="Be rude."), DEFAULTS, shared=False)
    together = system_prompt(ThreadSettings(), DEFAULTS, shared=True)

    assert alone == "Be rude."
    assert together.startswith("Be kind.\n\nSeveral people")


@pytest.mark.parametrize(
    ("chosen", "of_model", "expected"),
    [
        pytest.param(None, None, 2_000, id="the default"),
        pytest.param(500, None, 500, id="what was set"),
        pytest.param(5_000, 1_000, 1_000, id="more than the model can"),
    ],
)
def test_the_longest_answer_is_what_was_set_but_no_more_than_the_model_can(
    chosen: int | None, of_model: int | None, expected: int
) -> None:
    model = ModelInfo(ref=ModelRef("p", "m"), max_output_tokens=of_model)

    assert answer_limit(ThreadSettings(max_output=chosen), DEFAULTS, model) == expected
