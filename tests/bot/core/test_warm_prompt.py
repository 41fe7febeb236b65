"""A summary asked for as the next message of a prompt: what is sent then, and when it is not done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import Usage
from bot.core.message import Message, Role
from bot.core.ports import ChatRequest
from bot.core.turn_record import Summary, TurnRecord
from bot.core.warm_prompt import Sent, WarmPrompts, continued_request
from tests.bot.core.chore_shop import BIG, CHEAP, sent_for
from tests.bot.core.test_context import turn

AT = datetime(2026, 11, 1, tzinfo=UTC)
TURNS = tuple(turn(seq, f"Question {seq}", f"Answer {seq}") for seq in range(2, 8))
SUMMARY = Summary(upto_seq=1, text="Ada likes tea.")


def asked(sent: Sent | None, turns: tuple[TurnRecord, ...] = TURNS, **facts: object) -> ChatRequest | None:
    """For a summary of the first four of the turns."""
    build: Callable[..., ChatRequest | None] = continued_request
    usual = {"model": BIG, "answer_tokens": 800, "oldest_tokens": 4_000, "named": True}
    former = facts.pop("former", SUMMARY)
    return build(sent, former, turns, turns[:4], **{**usual, **facts})


def sent(turns: tuple[TurnRecord, ...] = TURNS) -> Sent:
    return sent_for(turns, at=AT, summary=SUMMARY)


def test_all_that_was_sent_stands_before_the_answer_and_the_task() -> None:
    before = sent().request
    request = asked(sent())

    assert request is not None
    assert request.messages[: len(before.messages)] == before.messages
    assert request.messages[-2] == Message.of_text(Role.ASSISTANT, "Answer 7")
    assert request.messages[-1].role is Role.USER
    assert len(request.messages) == len(before.messages) + 2
    assert replace(request, messages=before.messages, max_output_tokens=None) == before


def test_the_summary_may_be_as_long_as_it_is_wanted_after_what_the_model_thinks() -> None:
    unthinking = replace(BIG, reasoning=False)
    thinks, at_once = asked(sent()), asked(sent_for(TURNS, at=AT, summary=SUMMARY, model=unthinking))

    assert thinks is not None
    assert at_once is not None
    assert (thinks.max_output_tokens, at_once.max_output_tokens) == (2_800, 800)


def test_the_task_tells_which_messages_are_kept_and_how_long_a_summary_may_be() -> None:
    request = asked(sent())

    assert request is not None
    task = request.messages[-1].text
    assert "the newest 4 messages" in task
    assert "\n> Ada: Question 6\n" in task
    assert "at most 480 words" in task
    assert "Call no tool" in task


def test_what_was_said_after_that_prompt_is_not_in_it() -> None:
    later = (*TURNS, turn(8, "Question 8", "Answer 8"))

    assert asked(sent(), later) == asked(sent())


@given(st.text(min_size=1))
def test_whatever_the_first_kept_message_says_is_one_quoted_line_of_the_task(text: str) -> None:
    turns = (*TURNS[:4], turn(6, text, "Answer 6"), TURNS[-1])
    plain, odd = asked(sent()), asked(sent(turns), turns)

    assert plain is not None
    assert odd is not None
    ours, theirs = plain.messages[-1].text.splitlines(), odd.messages[-1].text.splitlines()
    assert len(ours) == len(theirs)
    assert [line for line, other in zip(ours, theirs, strict=True) if line != other] in ([], ["> Ada: Question 6"])
    assert all(line in ours or line.startswith("> ") for line in theirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    id: str
    sent: Sent | None
    turns: tuple[TurnRecord, ...] = TURNS
    facts: dict[str, object]


def request_with(**facts: object) -> Sent:
    build: Callable[..., ChatRequest] = replace
    return replace(sent(), request=build(sent().request, **facts))


OTHERWISE = (
    Otherwise(id="nothing is known", sent=None, facts={}),
    Otherwise(id="another model writes summaries", sent=sent(), facts={"model": CHEAP}),
    Otherwise(id="answers are JSON", sent=request_with(json=True), facts={}),
    Otherwise(id="answers have a schema", sent=request_with(response_schema={"type": "object"}), facts={}),
    Otherwise(id="no cache", sent=replace(sent(), usage=Usage(input_tokens=4_000, output_tokens=20)), facts={}),
    Otherwise(id="little to summarise", sent=sent(), facts={"oldest_tokens": 700}),
    Otherwise(id="another summary", sent=sent(), facts={"former": Summary(upto_seq=1, text="Ada hates tea.")}),
    Otherwise(id="a summary of meanwhile", sent=sent_for(TURNS, at=AT), facts={}),
    Otherwise(id="a turn was asked anew", sent=sent(), turns=(turn(2, "Another", "one"), *TURNS[1:]), facts={}),
    Otherwise(
        id="no answer came",
        sent=sent((*TURNS[:-1], turn(7, "Question 7", ""))),
        facts={},
        turns=(*TURNS[:-1], turn(7, "Question 7", "")),
    ),
    Otherwise(id="nothing of it is kept", sent=sent(TURNS[:4]), facts={}),
)


@pytest.mark.parametrize("case", OTHERWISE, ids=lambda case: case.id)
def test_otherwise_the_summary_is_asked_for_as_a_text(case: Otherwise) -> None:
    assert asked(case.sent, case.turns, **case.facts) is None


def test_a_prompt_is_remembered_for_as_long_as_every_cache_keeps_it() -> None:
    warm = WarmPrompts()
    warm.remember("thread", sent())

    assert warm.of("thread", AT + timedelta(seconds=299)) == sent()
    assert warm.of("thread", AT + timedelta(seconds=300)) is None
    assert warm.of("other", AT) is None


def test_a_turn_without_a_prompt_makes_the_former_one_forgotten() -> None:
    warm = WarmPrompts()
    warm.remember("thread", sent())
    warm.remember("thread", None)

    assert warm.of("thread", AT) is None


def test_only_the_last_few_conversations_are_remembered() -> None:
    warm = WarmPrompts()
    warm.remember("first", sent())
    for number in range(31):
        warm.remember(f"{number}", sent())
    kept = warm.of("first", AT)
    warm.remember("one more", sent())

    assert kept is not None
    assert warm.of("first", AT) is None
    assert warm.of("0", AT) is not None
