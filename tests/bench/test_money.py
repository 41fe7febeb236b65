"""The money bench's contestants: who sends what, what is added up, and what counts as recent text."""

from collections.abc import Sequence

from bench.conversation import Exchange, conversation
from bench.inside import inside
from bench.market import HAIKU, Market, stand
from bench.money import WARM_GAP_S, parley, recent, window
from bench.quiet import quiet
from bot.core.ledger import CallKind
from tests.fakes.model_server import Asked, Said

SHORT = tuple(Exchange(question=f"Q{n} " + "why " * 9, answer=f"A{n} " + "so. " * 9) for n in range(4))
LONG = conversation(exchanges=24)


def asked(*texts: str) -> Asked:
    return Asked(model="model", said=tuple(Said(role="user", text=text) for text in texts))


def tokens(*texts: str) -> int:
    return sum(len(text) // 4 for text in texts)


def test_recent_text_is_what_stands_word_for_word_and_without_a_gap_before_the_question() -> None:
    one, two, three, four = SHORT
    whole = asked(one.question, one.answer, two.question, two.answer, three.question)
    summarised = asked("[Summary] ...", two.answer, three.question, three.answer, four.question)
    with_a_gap = asked(one.question, two.question, two.answer, three.question)

    assert recent([whole], SHORT) == (tokens(one.question, one.answer, two.question, two.answer),)
    assert recent([summarised], SHORT) == (tokens(two.answer, three.question, three.answer),)
    assert recent([with_a_gap], SHORT) == (tokens(two.question, two.answer),)


def test_requests_that_ask_no_question_of_the_conversation_are_no_turns() -> None:
    assert recent([asked("[A person:]\n> Q1"), asked(SHORT[0].question)], SHORT) == (0,)


async def test_a_window_sends_the_last_messages_and_the_question() -> None:
    two_messages = await window(2)(HAIKU, SHORT)
    everything = await window(None)(HAIKU, SHORT)

    assert two_messages.recent == (0, *(tokens(each.question, each.answer) for each in SHORT[:3]))
    assert everything.recent[-1] == sum(tokens(each.question, each.answer) for each in SHORT[:3])
    assert everything.turns_with_less_than(two_messages) == 0
    assert two_messages.turns_with_less_than(everything) == 2


async def test_everybody_pays_the_same_for_the_answers() -> None:
    theirs, ours = await window(None)(HAIKU, SHORT), await parley()(HAIKU, SHORT)

    assert ours.answers == theirs.answers > 0


async def test_parleys_bill_holds_every_call_that_it_booked_and_the_server_billed() -> None:
    bill = await parley(4_000)(HAIKU, LONG)
    booked = await _booked(HAIKU, LONG, context_tokens=4_000)

    assert bill.summaries > 0
    assert bill.nano_usd == booked


async def test_in_a_quiet_thread_parley_pays_what_it_marked_and_less_than_always_marking() -> None:
    hourly, never = await quiet(HAIKU, 1_200.0, LONG), await quiet(HAIKU, 7_200.0, LONG)

    assert hourly.for_1_hour > 0
    assert hourly.parley < hourly.never < hourly.always
    assert (never.for_1_hour, never.unmarked) == (0, len(LONG) - 3)
    assert never.parley < never.always


async def _booked(market: Market, exchanges: Sequence[Exchange], *, context_tokens: int) -> int:
    async with (
        stand(market, exchanges, context_tokens=context_tokens) as place,
        inside(place.settings, place.models, place.clock) as chat,
    ):
        for exchange in exchanges:
            await chat.say(exchange.question)
            place.clock.leap(WARM_GAP_S)
        assert {row.kind for row in chat.rows} == {CallKind.ANSWER, CallKind.SUMMARY}
        assert len(chat.rows) == len(place.server.asked)
        return sum(row.cost.nano_usd or 0 for row in chat.rows)
