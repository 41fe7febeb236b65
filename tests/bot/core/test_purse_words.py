"""What the purse tells people: why a call is refused, what would fit, and that a budget nears its end."""

from dataclasses import replace

from bot.core.budget import Period
from bot.core.catalogue import ModelInfo
from bot.core.ledger import Whose
from bot.core.ports import ChatRequest
from tests.bot.core.spending import ANN, CHANNEL, CHEAP, FREE, PRICED, UNPRICED, USD, asks, booked, limit
from tests.bot.core.till import HELD, LEAST, PROMPT, Till, user
from tests.fakes.clock import ManualClock


async def test_a_model_without_a_price_is_refused_in_words() -> None:
    assert await user(USD).refused(asks(UNPRICED)) == (
        "I don't know what `beta/two` costs, so your budget for today can't cover it: pick another one with /model. "
        "An operator can give it a price, or allow such models (`UNKNOWN_PRICES=allow`)."
    )


async def test_the_refusal_says_how_much_when_it_resets_and_what_fits() -> None:
    def cheaper(request: ChatRequest) -> tuple[ModelInfo, ...]:
        return (UNPRICED, CHEAP, PRICED)

    till = user(LEAST, cheaper=cheaper, clock=ManualClock())
    await till.clock.advance(8 * 3_600 + 40 * 60)
    await till.reserve()
    await till.purse.settle([booked("call", LEAST - 5_000_000)])

    assert await till.refused() == (
        "Your budget for today has too little left: $0.0058 of $0.01075 spent; an answer may cost $0.0108. "
        "It resets on 2026-11-02 00:00 UTC, in 3 h 20 min. `alpha/mini` still fits: `/model alpha/mini`"
    )


async def test_a_budget_that_is_spent_names_a_free_model() -> None:
    till = Till(limits=(limit(Whose.SERVER, USD, Period.WEEK),), cheaper=lambda request: (CHEAP, FREE))
    await till.reserve()
    await till.purse.settle([booked("call", USD)])

    assert await till.refused() == (
        "This server's budget for this week is spent: $1.0000 of $1.00 spent; an answer may cost $0.0108. "
        "It resets on 2026-11-02 00:00 UTC, in 12 h. `local/llama` still fits: `/model local/llama`"
    )


async def test_money_that_is_only_reserved_is_told_apart() -> None:
    till = user(HELD + 1)
    await till.reserve()

    refusal = await till.refused()

    assert "has too little left at the moment: $0 of $0.041470001 spent, $0.0415 reserved for answers" in refusal
    assert "Try again when those answers are done" in refusal


async def test_a_cheaper_model_with_too_small_a_window_is_not_named() -> None:
    small = replace(CHEAP, window_tokens=150)
    till = user(0, cheaper=lambda request: (replace(FREE, window_tokens=150), small))

    assert "still fits" not in await till.refused()


async def test_what_the_whole_bot_spends_is_told_as_a_share() -> None:
    till = Till(limits=(limit(Whose.ALL, USD),))
    await till.reserve("1")
    await till.purse.settle([booked("1", 830_000_000)])
    told = (await till.reserve("2")).notice
    await till.purse.settle([booked("2", 169_000_000)])

    assert told == "83 % of the bot's budget for today is spent; it resets on 2026-11-02 00:00 UTC, in 12 h."
    assert await till.refused() == (
        "The bot's budget for today has too little left: 99 % of it spent; an answer may cost $0.0108. "
        "It resets on 2026-11-02 00:00 UTC, in 12 h."
    )


async def test_at_80_percent_people_are_told_once() -> None:
    till = user(USD)
    await till.reserve("1")
    await till.purse.settle([booked("1", 830_000_000)])
    second, third = await till.reserve("2"), await till.reserve("3")
    elsewhere = await till.another(limits=(limit(Whose.USER, USD),)).reserve(
        "4", asks(), prompt_tokens=PROMPT, place=CHANNEL, author_key=ANN
    )

    assert second.notice == (
        "83 % of your budget for today is spent ($0.8300 of $1.00); it resets on 2026-11-02 00:00 UTC, in 12 h."
    )
    assert (third.notice, elsewhere.notice) == (None, None)


async def test_below_80_percent_nobody_is() -> None:
    till = user(USD)
    await till.reserve("1")
    await till.purse.settle([booked("1", 799_999_999)])

    assert (await till.reserve("2")).notice is None
