"""When a model does not answer: who is asked next, what people read of it, and what is stored and billed."""

import pytest

from bot.core.breaker import FAILURES_TO_OPEN
from bot.core.errors import (
    AuthenticationFailed,
    ContentRefused,
    EmptyAnswer,
    ModelNotFound,
    ParleyError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    StreamBroken,
)
from bot.core.events import Outcome, TextDelta
from bot.core.turn_record import PassedOver
from tests.bot.core.house import House, house
from tests.fakes.clock import ManualClock
from tests.fakes.desk import model
from tests.fakes.providers import Script, ScriptedProvider, says

FIRST, SECOND, THIRD = "alpha/model", "beta/model", "gamma/model"
DOWN = ProviderUnavailable("down", provider="alpha", status=503, retry_after_s=0.0)


def alpha(*scripts: Script) -> ScriptedProvider:
    return ScriptedProvider(*scripts, name="alpha")


def beta(*scripts: Script) -> ScriptedProvider:
    return ScriptedProvider(*scripts, name="beta")


async def test_the_next_model_answers_and_the_answer_says_so() -> None:
    async with house(alpha((DOWN,), (DOWN,)), others=(beta(says("Here.")),), fallback=(SECOND,)) as home:
        await home.say("hello?")

        [message] = home.messenger.messages.values()
        assert message.text.startswith("Here.")
        assert "alpha/model did not answer: alpha is not reachable right now. beta/model answered" in message.text
        assert message.buttons == ()


async def test_the_turn_tells_who_was_passed_over_and_only_real_calls_are_billed() -> None:
    async with house(alpha((DOWN,), (DOWN,)), others=(beta(says("Here.")),), fallback=(SECOND,)) as home:
        await home.say("hello?")

        [turn] = home.turns
        assert turn.model == SECOND
        assert turn.route is not None
        assert turn.route.asked == FIRST
        assert turn.route.passed_over == (PassedOver(model=FIRST, why="alpha is not reachable right now"),)
        assert [row.model for row in home.stores.ledger.booked.values()] == [SECOND]


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("slow", provider="alpha", retry_after_s=60.0),
        AuthenticationFailed("bad key", provider="alpha", status=401),
        QuotaExhausted("no money", provider="alpha", status=402),
        ModelNotFound("gone", provider="alpha", status=404),
        EmptyAnswer("nothing", provider="alpha"),
        StreamBroken("cut", provider="alpha"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_errors_of_the_provider_move_on(error: ParleyError) -> None:
    async with house(alpha((error,)), others=(beta(says("Here.")),), fallback=(SECOND,)) as home:
        await home.say("hello?")

        assert home.turns[0].outcome is Outcome.ANSWERED
        assert home.turns[0].model == SECOND


@pytest.mark.parametrize(
    "error",
    [
        ContentRefused("no", provider="alpha", status=400),
        RequestRejected("no", provider="alpha", status=400),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_the_requests_fault_does_not_move_on(error: ParleyError) -> None:
    other = beta(says("never"))
    async with house(alpha((error,)), others=(other,), fallback=(SECOND,)) as home:
        await home.say("hello?")

        assert home.turns[0].outcome is Outcome.FAILED
        assert other.requests == []


async def test_the_chain_is_walked_to_its_end_once() -> None:
    gamma = ScriptedProvider((DOWN,), (DOWN,), (DOWN,), name="gamma")
    others = (beta((DOWN,), (DOWN,)), gamma)
    async with house(alpha((DOWN,), (DOWN,)), others=others, fallback=(SECOND, FIRST, THIRD)) as home:
        await home.say("hello?")

        assert home.turns[0].outcome is Outcome.FAILED
        assert [len(each.requests) for each in (home.provider, *others)] == [2, 2, 3]


async def test_a_model_that_is_not_there_is_passed_over_in_silence() -> None:
    async with house(alpha((DOWN,), (DOWN,)), others=(beta(says("Here.")),), fallback=("nobody/x", SECOND)) as home:
        await home.say("hello?")

        assert home.turns[0].model == SECOND


async def test_a_channel_has_a_chain_of_its_own() -> None:
    async with house(alpha((DOWN,), (DOWN,), (DOWN,)), others=(beta(says("never")),), fallback=(SECOND,)) as home:
        await home.command("/settings fallback off")
        await home.say("hello?")

        assert home.turns[0].outcome is Outcome.FAILED


async def broken_off(home: House) -> list[str]:
    """An answer that broke off in the middle; returns the lines of its buttons."""
    await home.say("hello?")
    [message] = home.messenger.messages.values()
    return [button.line for button in message.buttons]


async def test_an_answer_that_broke_off_stays_and_another_model_is_asked_on_request() -> None:
    cut = StreamBroken("cut", provider="alpha")
    other = beta(says("The whole of it."))
    async with house(alpha((TextDelta(text="The wh"), cut)), others=(other,), fallback=(SECOND,)) as home:
        lines = await broken_off(home)

        assert home.turns[0].outcome is Outcome.PARTIAL
        assert other.requests == []
        assert lines == [f"retry {home.turns[0].uid}", f"retry {home.turns[0].uid} elsewhere"]

        await home.engine.accept(home.pressed(lines[1]))
        await home.engine.idle()

        assert home.messenger.texts() == ("The whole of it.",)
        assert len(home.provider.requests) == 1


async def test_without_a_chain_there_is_only_retry() -> None:
    cut = StreamBroken("cut", provider="alpha")
    async with house(alpha((TextDelta(text="The wh"), cut))) as home:
        assert await broken_off(home) == [f"retry {home.turns[0].uid}"]


async def test_a_model_above_the_price_ceiling_does_not_answer() -> None:
    async with house(alpha(says("never"))) as home:
        await home.command("/settings price_ceiling 5")
        await home.say("hello?")

        [message] = home.messenger.messages.values()
        assert "`alpha/model` costs $10.00, and the price ceiling here is $5" in message.text
        assert home.provider.requests == []


async def test_a_chain_keeps_to_the_price_ceiling() -> None:
    dear = ScriptedProvider(says("never"), name="alpha")
    models = (model("demo/model"), model("alpha/model"))
    down = ScriptedProvider((DOWN,), (DOWN,), name="demo")
    async with house(down, others=(dear,), models=models, fallback=(FIRST,)) as home:
        await home.command("/settings price_ceiling 5")
        await home.say("hello?")

        assert dear.requests == []


async def test_auto_picks_for_each_message_and_names_its_pick() -> None:
    models = (model("alpha/model", window_tokens=100_000), model("demo/model", window_tokens=100_000))
    demo = ScriptedProvider(says("Hi."), name="demo")
    async with house(alpha(says("never")), others=(demo,), models=models) as home:
        await home.command("/model auto")
        await home.say("hello?")

        [message] = home.messenger.messages.values()
        assert message.text == "Hi.\n\nauto: demo/model"
        [turn] = home.turns
        assert turn.route is not None
        assert turn.route.asked == "auto"
        assert turn.route.reasons


async def test_an_answer_that_broke_off_says_whose_it_is() -> None:
    cut = StreamBroken("cut", provider="beta")
    other = beta((TextDelta(text="The wh"), cut))
    async with house(alpha((DOWN,), (DOWN,)), others=(other,), fallback=(SECOND,)) as home:
        await home.say("hello?")

        [message] = home.messenger.messages.values()
        assert "beta/model answered instead." in message.text
        assert "broke in the middle" in message.text


async def test_the_last_of_the_chain_is_waited_for_like_a_model_without_one() -> None:
    busy = RateLimited("slow", provider="beta", retry_after_s=5.0)
    others = (beta((busy,), says("Here.")),)
    async with house(alpha((DOWN,), (DOWN,)), others=others, fallback=(SECOND,), clock=ManualClock()) as home:
        await home.say("hello?")

        assert home.turns[0].outcome is Outcome.ANSWERED


async def test_a_small_model_that_stands_in_takes_nothing_from_the_conversation() -> None:
    small = model(SECOND, window_tokens=2_000, max_output_tokens=500)
    models = (model(FIRST, window_tokens=100_000), small)
    long = "A fact of some length. " * 100
    first = alpha(says(long), says(long), says(long), (DOWN,), (DOWN,), says("Again."))
    async with house(first, others=(beta(says("Here.")),), models=models, fallback=(SECOND,)) as home:
        for number in range(5):
            await home.say(f"Question {number}?")

        assert [turn.model for turn in home.turns] == [FIRST, FIRST, FIRST, SECOND, FIRST]
        assert home.asked()[0] == "Question 0?"


async def test_blank_lines_before_a_break_do_not_keep_the_next_model_from_answering() -> None:
    cut = StreamBroken("cut", provider="alpha")
    async with house(alpha((TextDelta(text="\n\n"), cut)), others=(beta(says("Here.")),), fallback=(SECOND,)) as home:
        await home.say("hello?")

        [turn] = home.turns
        assert (turn.model, turn.answer) == (SECOND, "Here.")
        assert home.messenger.texts()[0].lstrip().startswith("Here.")


async def test_another_model_is_asked_on_request_where_the_chosen_one_is_too_dear() -> None:
    models = (model(FIRST), model("demo/model"))
    demo = ScriptedProvider(says("Here."), name="demo")
    async with house(alpha(), others=(demo,), models=models, fallback=("demo/model",)) as home:
        await home.command("/settings price_ceiling 5")
        lines = await broken_off(home)
        await home.engine.accept(home.pressed(lines[1]))
        await home.engine.idle()

        assert home.messenger.texts() == ("Here.",)


async def test_auto_goes_on_when_one_of_its_models_is_not_there() -> None:
    models = (model(FIRST, window_tokens=100_000),)
    async with house(alpha(says("Hi.")), models=models, auto_models=("nobody/x", FIRST)) as home:
        await home.command("/model auto")
        await home.say("hello?")

        assert home.turns[0].model == FIRST


async def test_of_the_models_named_for_auto_one_that_is_left_alone_is_not_picked() -> None:
    models = (model(FIRST, window_tokens=100_000), model(SECOND, window_tokens=100_000))
    others = (beta(says("Hi.")),)
    async with house(alpha(), others=others, models=models, auto_models=(FIRST, SECOND)) as home:
        health = home.engine._parts.health
        for _ in range(FAILURES_TO_OPEN):
            health.record(models[0].ref, first_token_s=None, error=DOWN)
        await home.command("/model auto")
        await home.say("hello?")

        assert home.turns[0].model == SECOND


async def test_a_model_that_is_not_there_any_more_has_its_chain_as_well() -> None:
    other = beta(says("Here."))
    async with house(alpha(says("never")), others=(other,), fallback=(SECOND,)) as home:
        home.stores.settings.values["me:x:1"] = {"model": "gone/model"}
        await home.say("hello?")

        [turn] = home.turns
        assert turn.model == SECOND
        assert turn.route is not None
        assert [passed.model for passed in turn.route.passed_over] == ["gone/model"]


async def test_where_another_can_answer_silence_may_last_half_the_time_that_is_left() -> None:
    other = beta(says("Here."))
    async with house(alpha((DOWN,), (DOWN,)), others=(other,), fallback=(SECOND,), timeout_s=60.0) as home:
        await home.say("hello?")

        first_s = home.provider.requests[0].first_token_s
        assert first_s is not None
        assert 25.0 < first_s <= 30.0
        assert other.requests[0].first_token_s is None


async def test_auto_cuts_a_conversation_that_is_too_long_for_every_model_as_any_model_would() -> None:
    small = model("demo/model", window_tokens=2_000)
    demo = ScriptedProvider(*(says("word " * 400) for _ in range(8)), name="demo")
    async with house(demo, models=(small,)) as home:
        await home.command("/model auto")
        for _ in range(8):
            await home.say("word " * 100)

        assert [turn.outcome for turn in home.turns] == [Outcome.ANSWERED] * 8
