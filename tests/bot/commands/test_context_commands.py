"""/context, /compact and /title: what they say, and what they leave behind."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.commands import COMMANDS
from bot.core.budget import BudgetKey, BudgetLimit, Giver, Period
from bot.core.catalogue import ModelInfo
from bot.core.errors import DeliveryKind
from bot.core.events import Outcome, Usage
from bot.core.ledger import CallKind, Whose
from bot.core.place import Place
from bot.core.turn_record import Item, ItemKind, Summary, TurnRecord
from tests.fakes.desk import ANN, BEN, MODELS, PRIVATE, THREAD, Counter, model
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger
from tests.fakes.providers import Script, ScriptedProvider, says

LONG = "The train to Oslo leaves at nine. " * 80
GIST = "Ann takes the train to Oslo at nine."


def counter_of(
    *scripts: Script, models: tuple[ModelInfo, ...] = MODELS, limits: tuple[BudgetLimit, ...] = ()
) -> Counter:
    provider = ScriptedProvider(*scripts, name="alpha")
    return Counter(
        commands=COMMANDS, admins=frozenset({BEN.key}), models=models, providers={"alpha": provider}, limits=limits
    )


async def talk(counter: Counter, *said: tuple[str, str], place: Place = PRIVATE) -> None:
    """Questions and answers, one turn each, all of them now."""
    for question, answer in said:
        number = len(counter.turns.turns)
        item = Item(
            uid=f"t:{number}",
            kind=ItemKind.MESSAGE,
            author_key=ANN.key,
            author_name="Ann",
            text=question,
            message_id=str(number),
            at=counter.clock.now(),
            order=number,
        )
        claim = (await counter.threads.ingest(place, item)).claim
        assert claim is not None
        await counter.turns.append(
            TurnRecord(
                uid=item.uid,
                thread_key=place.thread_key,
                seq=claim.next_seq,
                fence=1,
                at=counter.clock.now(),
                items=(item,),
                steps=(),
                answer=answer,
                outcome=Outcome.ANSWERED,
                reason=None,
                model="alpha/two",
            )
        )
        await counter.threads.finish(claim, [item.uid])


def tokens_in(text: str) -> int:
    """How full /context says that the window is."""
    return int(text.split("about ")[1].split(" of")[0].replace(",", ""))


def with_names(counter: Counter, named_by_people: frozenset[str] = frozenset()) -> RecordingMessenger:
    """A platform whose threads have names."""
    messenger = RecordingMessenger(
        counter.clock,
        abilities=replace(CAPABILITIES, titles=True),
        admins=frozenset({BEN.key}),
        named_by_people=named_by_people,
    )
    counter.desk = replace(counter.desk, messenger=messenger)
    return messenger


async def test_context_of_a_new_conversation_is_the_system_prompt() -> None:
    text = (await counter_of().type("/context")).text

    assert "tokens with `alpha/one`" in text
    assert "of 32,000 tokens" in text
    assert "`░░░░░░░░░░░░░░░░░░░░` 0%" in text
    assert "- System prompt: 2" in text
    assert "exchange" not in text
    assert "- Kept free for the answer, beside these: 2,000" in text
    assert "The next message will cost about $0.0031" in text


async def test_context_tells_what_fills_the_window_and_since_when() -> None:
    counter = counter_of()
    await talk(counter, *[("When?", LONG)] * 30)
    await counter.threads.set_summary(PRIVATE.thread_key, Summary(upto_seq=3, text=GIST))
    text = (await counter.type("/context")).text

    estimate = counter.desk.calibration.estimator(MODELS[0].ref)
    newest = estimate("When?") + estimate(LONG)
    *parts, reserve = (int(size.replace(",", "")) for size in re.findall(r"^- .*: ([\d,]+)$", text, re.M))

    assert "- Summary of what was said before: " in text
    assert "- 25 exchanges since 2026-11-01 12:00 UTC: " in text
    assert f"- The newest exchange, of 2026-11-01 12:00 UTC: {newest}\n" in text
    assert reserve == 2_000
    assert sum(parts) == tokens_in(text)
    assert text.count("█") == 8
    assert "From 25,600 tokens on" in text


async def test_the_cost_of_the_next_message_is_that_of_the_prompt_and_an_answer_as_the_last_ones() -> None:
    counter = counter_of()
    await talk(counter, *[("When?", LONG)] * 10)
    text = (await counter.type("/context")).text
    shown = float(text.split("will cost about $")[1].split(". ")[0].split("\n")[0].rstrip("."))
    answer_tokens = counter.desk.calibration.estimator(MODELS[0].ref)(LONG)

    assert shown == pytest.approx((tokens_in(text) * 2.5 + answer_tokens * 10) / 1e6, rel=0.02)


async def test_a_price_that_nobody_knows_is_not_nothing() -> None:
    text = (await counter_of(models=(model("beta/x"),)).type("/context")).text

    assert "is unknown: there is no price for `beta/x`" in text
    assert "$" not in text


def cached_price(counter: Counter) -> None:
    """Cached tokens cost a tenth."""
    plain = counter.desk.price

    def price(usage: Usage, *args: object, **options: object) -> object:
        fresh = usage.input_tokens - usage.cached_tokens
        return plain(replace(usage, input_tokens=fresh + usage.cached_tokens // 10), *args, **options)  # type: ignore[arg-type]  # as it came

    counter.desk = replace(counter.desk, price=price)  # type: ignore[arg-type]  # a Pricer in a test's shorthand


async def test_a_warm_cache_makes_the_next_message_cheaper_for_a_while() -> None:
    counter = counter_of()
    cached_price(counter)
    await talk(counter, *[("When?", LONG)] * 10)
    warm = (await counter.type("/context")).text
    await counter.clock.advance(301)
    cold = (await counter.type("/context")).text

    assert "when the provider's cache has forgotten" in warm
    assert "Prompt caching is on, where the provider has it: asked for are 5 minutes" in warm
    assert "forgotten" not in cold


async def test_caching_that_does_not_pay_is_said_to_be_off() -> None:
    counter = counter_of()
    for _ in range(5):
        await talk(counter, ("When?", "At nine."))
        await counter.clock.advance(timedelta(hours=12).total_seconds())

    assert "Prompt caching is off" in (await counter.type("/context")).text


async def test_compact_says_what_became_shorter_what_that_saves_and_what_it_cost() -> None:
    counter = counter_of(says(GIST, usage=Usage(input_tokens=3_000, output_tokens=100)))
    await talk(counter, *[("When?", LONG)] * 8)
    text = (await counter.type("/compact")).text
    state = await counter.threads.state(PRIVATE.thread_key)

    assert text.startswith("6 older exchanges became a summary: what was said here took about 4,")
    assert "tokens: about $0.0" in text
    assert "with `alpha/one`, less where a cache would have had them." in text
    assert text.endswith("The summary cost $0.0085.")
    assert state.summary == Summary(upto_seq=5, text=GIST)


async def test_compact_with_a_model_of_unknown_price_does_not_say_that_it_is_free() -> None:
    beta = Counter(commands=COMMANDS, models=(model("beta/x"),), providers={"beta": ScriptedProvider(says(GIST))})
    await talk(beta, *[("When?", LONG)] * 8)
    text = (await beta.type("/compact")).text

    assert "tokens: unknown with `beta/x`." in text
    assert text.endswith("The summary cost unknown.")


async def test_compact_says_why_not() -> None:
    counter = counter_of()
    assert "Nothing was said here yet" in (await counter.type("/compact")).text
    await talk(counter, ("Hi", "Hello"))

    assert "nothing here to summarise" in (await counter.type("/compact")).text


async def test_a_budget_that_is_spent_is_said_in_its_own_words() -> None:
    budget = BudgetKey(whose=Whose.ALL, key="", period=Period.DAY)
    counter = counter_of(limits=(BudgetLimit(budget=budget, nano_usd=1, giver=Giver.OWNER),))
    await talk(counter, *[("When?", LONG)] * 8, place=THREAD)

    for line in ("/compact", "/title"):
        text = (await counter.type(line, place=THREAD)).text
        assert "budget" in text
        assert "Usage" not in text


async def test_for_auto_the_model_is_the_one_that_answered_last() -> None:
    counter = counter_of()
    await counter.settings.set(f"me:{ANN.key}", "model", "auto")
    assert "`alpha/one`" in (await counter.type("/context")).text
    await talk(counter, ("Hi", "Hello"))

    assert "`alpha/two`" in (await counter.type("/context")).text


async def test_title_makes_one_shows_it_and_names_the_thread() -> None:
    counter = counter_of(says("Train to Oslo"), says("Going north"))
    messenger = with_names(counter)
    await talk(counter, ("When?", "At nine."), place=THREAD)
    made = await counter.type("/title", place=THREAD)
    shown = await counter.type("/title", place=THREAD)

    assert made.text == "This conversation is now called “Train to Oslo”."
    assert "is called “Train to Oslo”" in shown.text
    assert messenger.names == {THREAD.thread_key: "Train to Oslo"}
    assert "Going north" in (await counter.type("/title auto", place=THREAD)).text
    assert messenger.names == {THREAD.thread_key: "Going north"}


async def test_a_title_can_be_chosen_and_is_cleaned() -> None:
    counter = counter_of()
    await talk(counter, ("When?", "At nine."), place=THREAD)
    text = (await counter.type("/title **My** @everyone trip", place=THREAD)).text

    assert "“My everyone trip”" in text
    assert (await counter.threads.state(THREAD.thread_key)).title == "My everyone trip"
    assert "Nothing of that" in (await counter.type("/title ***", place=THREAD)).text


async def test_a_title_needs_a_conversation() -> None:
    assert "Nothing was said here yet" in (await counter_of().type("/title Trip", place=THREAD)).text


async def test_only_who_manages_a_chat_can_rename_a_thread_that_others_opened() -> None:
    counter = counter_of()
    messenger = with_names(counter, frozenset({"51"}))
    await talk(counter, ("When?", "At nine."), place=THREAD)
    by_ann = await counter.type("/title Mine", place=THREAD)
    names = dict(messenger.names)
    by_ben = await counter.type("/title Ours", place=THREAD, author=BEN)

    assert "The thread itself keeps its name" in by_ann.text
    assert names == {}
    assert by_ben.text == "This conversation is now called “Ours”."
    assert messenger.names == {THREAD.thread_key: "Ours"}


async def test_a_platform_that_refuses_a_name_does_not_lose_the_title() -> None:
    counter = counter_of()
    messenger = with_names(counter)
    messenger.fail("rename", DeliveryKind.RATE_LIMITED)
    await talk(counter, ("When?", "At nine."), place=THREAD)

    assert "keeps its name" in (await counter.type("/title Trip", place=THREAD)).text
    assert (await counter.threads.state(THREAD.thread_key)).title == "Trip"


async def test_a_command_that_is_run_again_after_a_crash_books_the_call_that_it_makes_then() -> None:
    counter = counter_of(says(GIST), says("Oslo"), says(GIST), says("Oslo"))
    for _ in range(2):  # the same event both times
        await talk(counter, *[("When?", LONG)] * 8)
        await counter.type("/compact")
        await counter.clock.advance(1)
        await counter.type("/title auto")
        await counter.clock.advance(1)

    assert [row.kind for row in counter.ledger.booked.values()] == [CallKind.SUMMARY, CallKind.TITLE] * 2
