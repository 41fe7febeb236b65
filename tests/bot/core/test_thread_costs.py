"""What a growing thread costs: 200 turns on a server that bills like Anthropic, in prices of a fresh input token.

Each round takes 440 tokens, the figure behind the notes on windows that slide, are cut in batches, or grow for ever.
"""

from collections.abc import Callable

import pytest

from bot.core.caching import READ_RATE, SHORT_TTL_S, WRITE_RATE
from bot.core.compaction import DUE_SHARE, split, summary_tokens
from bot.core.context import Context, Window, build
from bot.core.message import Message
from bot.core.turn_record import Summary, TurnRecord
from tests.bot.core.test_context import item, turn

TURNS, ROUND = 200, 440
QUESTION, ANSWER = "q" * 156, "a" * 276
NO_LIMIT = Window(high=10**9, low=10**9)
TWENTY_ROUNDS = Window(high=20 * ROUND, low=10 * ROUND)
#: A cheap model's tokens cost a tenth, what it writes five times what it reads.
CHEAP_IN, CHEAP_OUT = 0.1, 0.5

Prompt = Callable[[list[TurnRecord]], Context]


class Server:
    """Remembers the last prompt, and bills what begins like it as read from the cache."""

    def __init__(self) -> None:
        self.billed = 0.0
        self._last: tuple[Message, ...] = ()

    def take(self, messages: tuple[Message, ...]) -> None:
        known = 0
        for before, now in zip(self._last, messages, strict=False):
            if before != now:
                break
            known += len(now.text) + 4
        total = sum(len(message.text) + 4 for message in messages)
        self.billed += known * READ_RATE + (total - known) * WRITE_RATE[SHORT_TTL_S]
        self._last = messages


def prompt(
    history: list[TurnRecord], number: int, window: Window = NO_LIMIT, summary: Summary | None = None
) -> Context:
    question = item(number, f"{number:03}{QUESTION[3:]}")
    return build(
        history, [question], system="", window=window, estimate=len, named=False, next_seq=number, summary=summary
    )


def said(number: int) -> TurnRecord:
    return turn(number, f"{number:03}{QUESTION[3:]}", f"{number:03}{ANSWER[3:]}")


def cost_of_sliding() -> float:
    """Always the last twenty rounds, as most bots do it."""
    server = Server()
    for number in range(TURNS):
        server.take(prompt([said(old) for old in range(max(0, number - 19), number)], number).messages)
    return server.billed


def cost_of_batches(window: Window) -> float:
    """Cut as the engine cuts: what is cut stays cut."""
    server, from_seq = Server(), 0
    for number in range(TURNS):
        context = prompt([said(old) for old in range(from_seq, number)], number, window)
        from_seq = context.from_seq
        server.take(context.messages)
    return server.billed


def cost_of_summaries(window: Window) -> tuple[float, float]:
    """Summarised as the chores do it; what the summaries cost comes second."""
    server, spent, summary, from_seq = Server(), 0.0, None, 0
    for number in range(TURNS):
        context = prompt([said(old) for old in range(from_seq, number)], number, window, summary)
        server.take(context.messages)
        if context.estimated_tokens < DUE_SHARE * window.high:
            continue
        limit = summary_tokens(window)
        turns = [said(old) for old in range(from_seq, number + 1)]
        oldest = split(turns, keep_tokens=window.low - limit, estimate=len, named=False)
        summary = Summary(upto_seq=oldest[-1].seq, text=f"{number:03}{'s' * (limit - 3)}")
        from_seq = summary.upto_seq + 1
        spent += (len(oldest) * ROUND + limit) * CHEAP_IN + limit * CHEAP_OUT
    return server.billed, spent


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        pytest.param(cost_of_sliding, 1_912_000, id="sliding"),
        pytest.param(lambda: cost_of_batches(TWENTY_ROUNDS), 339_000, id="batches"),
        pytest.param(lambda: cost_of_batches(NO_LIMIT), 994_000, id="everything"),
    ],
)
def test_the_costs_of_windows_are_those_of_the_notes(cost: Callable[[], float], expected: float) -> None:
    assert cost() == pytest.approx(expected, rel=0.2)


def test_batches_and_summaries_cost_at_most_a_quarter_of_a_sliding_window() -> None:
    answers, summaries = cost_of_summaries(TWENTY_ROUNDS)

    assert cost_of_batches(TWENTY_ROUNDS) <= cost_of_sliding() / 4
    assert answers + summaries <= cost_of_sliding() / 4
