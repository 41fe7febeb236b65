"""Thinking is split off an answer, however the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import ReasoningDelta, TextDelta
from bot.providers._think import ThinkSplitter

PLAIN = st.text(alphabet="ab<>/think \n", max_size=30)


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)] + splitter.flush()
    assert all(event.text for event in events)
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    return thought, "".join(event.text for event in events if isinstance(event, TextDelta))


@st.composite
def cut(draw: st.DrawFn, text: st.SearchStrategy[str]) -> list[str]:
    whole = draw(text)
    places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]


@given(cut(PLAIN.filter(lambda text: not text.lstrip().startswith("<think>"))))
def test_a_text_that_does_not_start_with_thinking_stays_as_it_is(pieces: list[str]) -> None:
    assert split(pieces) == ("", "".join(pieces))


@given(
    thought=PLAIN.filter(lambda text: "</think>" not in text + "</think"),
    answer=PLAIN,
    data=st.data(),
)
def test_thinking_and_answer_come_apart_wherever_the_stream_is_cut(
    thought: str, answer: str, data: st.DataObject
) -> None:
    pieces = data.draw(cut(st.just(f"<think>{thought}</think>{answer}")))

    assert split(pieces) == (thought, answer.lstrip())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think>b</think>c", ("a", "b</think>c")),
        ("<think>never closed", ("never closed", "")),
        ("<think>almost</thin", ("almost</thin", "")),
        ("\n<think></think>\n\nHello", ("", "Hello")),
        ("Say <think> aloud", ("", "Say <think> aloud")),
    ],
)
def test_the_odd_cases(text: str, expected: tuple[str, str]) -> None:
    assert split(list(text)) == expected
    assert split([text]) == expected
