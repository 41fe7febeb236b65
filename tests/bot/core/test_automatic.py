"""Which model `auto` picks, and what it says about that."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.automatic import Needs, Pick, pick
from bot.core.catalogue import CostClass, ModelInfo, ModelRef, Speed
from bot.core.difficulty import Difficulty
from bot.core.errors import NoFittingModel
from bot.core.list_price import ListPrice

TODAY = date(2026, 11, 20)
MILLION = 1_000_000
NANO = 10**9


def model(name: str, **facts: object) -> ModelInfo:
    basis = ModelInfo(ref=ModelRef("test", name), window_tokens=MILLION, vision=True, tools=True)
    return replace(basis, **facts)  # type: ignore[arg-type]  # a test's shorthand


FAST = model("fast", speed=Speed.FAST, cost=CostClass.CHEAP, vision=False)
FAST_DEARER = model("fast-dearer", speed=Speed.FAST, cost=CostClass.CHEAP)
MIDDLE = model("middle", speed=Speed.MEDIUM, cost=CostClass.MEDIUM, reasoning=True)
SMART = model("smart", speed=Speed.MEDIUM, cost=CostClass.DEAR, reasoning=True, aliases=("smart",), pdf=True)
GRAND = model("grand", speed=Speed.SLOW, cost=CostClass.DEAR, reasoning=True)
LOCAL = model("local", aliases=("local", "fast", "smart", "cheap"), window_tokens=None, tools=None)
MODELS = (LOCAL, FAST_DEARER, FAST, MIDDLE, SMART, GRAND)
#: Dollars per million tokens of prompt and of answer; None: unknown.
PRICES = {FAST: (1, 2), FAST_DEARER: (1, 3), MIDDLE: (1, 5), SMART: (2, 10), GRAND: (10, 50), LOCAL: (0, 0)}


def price_of(info: ModelInfo) -> ListPrice | None:
    known = {each.ref: dollars for each, dollars in PRICES.items()}.get(info.ref)
    return None if known is None else ListPrice(input_nano=known[0] * NANO, output_nano=known[1] * NANO)


def picked(needs: Needs, *models: ModelInfo, ceiling_usd: float | None = None) -> Pick:
    return pick(needs, models or MODELS, price_of=price_of, ceiling_usd=ceiling_usd, today=TODAY)


def asked(text: str, **facts: object) -> Needs:
    return Needs.of([text], prompt_tokens=100, **facts)  # type: ignore[arg-type]  # a test's shorthand


def test_short_chat_goes_to_the_cheapest_fast_model() -> None:
    assert picked(asked("hi!")) == Pick(model=FAST, reasons=("It is short chat: the cheapest fast model.",))


def test_a_task_goes_to_a_model_of_the_middle() -> None:
    choice = picked(asked("Explain photosynthesis"))

    assert choice == Pick(model=MIDDLE, reasons=("It sets a task: a model of the middle.",))


def test_code_goes_to_the_model_called_smart() -> None:
    choice = picked(asked("```\nx\n```"))

    assert choice == Pick(model=SMART, reasons=("It has code in it: the smartest model.",))


def test_where_none_is_called_smart_the_dearest_class_that_reasons_is_taken() -> None:
    assert picked(asked("Prove it"), FAST, MIDDLE, GRAND).model is GRAND


def test_a_model_that_reasons_goes_before_a_dearer_one_that_does_not() -> None:
    assert picked(asked("Prove it"), replace(GRAND, reasoning=None), MIDDLE).model is MIDDLE


def test_a_model_of_unknown_speed_and_cost_does_not_take_the_hard_questions_by_its_name_alone() -> None:
    assert picked(asked("Prove it"), replace(LOCAL, aliases=("smart",)), MIDDLE).model is MIDDLE


def test_a_model_that_is_called_everything_is_not_called_smart() -> None:
    rated = replace(LOCAL, speed=Speed.FAST, cost=CostClass.CHEAP)

    assert picked(asked("Prove it"), rated, GRAND).model is GRAND


def test_a_model_of_which_nothing_is_known_is_better_than_none() -> None:
    assert picked(asked("hi"), LOCAL).model is LOCAL


def test_among_equals_the_operators_order_decides() -> None:
    twin = replace(FAST, ref=ModelRef("test", "twin"))
    free = {FAST.ref: ListPrice(input_nano=0, output_nano=0), twin.ref: ListPrice(input_nano=0, output_nano=0)}
    for models in ((FAST, twin), (twin, FAST)):
        choice = pick(asked("hi"), models, price_of=lambda each: free[each.ref], ceiling_usd=None, today=TODAY)

        assert choice.model is models[0]


def test_a_known_price_goes_before_an_unknown_one() -> None:
    unknown = replace(FAST, ref=ModelRef("test", "unknown"))

    assert picked(asked("hi"), unknown, FAST_DEARER).model is FAST_DEARER


def test_a_picture_leaves_only_models_that_see_and_says_so() -> None:
    choice = picked(asked("what is this", has_image=True))

    assert choice.model is FAST_DEARER
    assert choice.reasons[0] == "It has a picture: only models that see."


def test_what_leaves_nobody_out_is_not_told() -> None:
    choice = picked(asked("hi", has_image=True), FAST_DEARER, GRAND)

    assert choice.reasons == ("It is short chat: the cheapest fast model.",)


def test_a_pdf_leaves_only_models_that_read_it_and_is_no_small_talk() -> None:
    choice = picked(asked("?", has_pdf=True))

    assert choice.model is SMART
    assert choice.reasons == (
        "It has a PDF: only models that read such files.",
        "It has a document to read: a model of the middle.",
    )


def test_a_long_conversation_leaves_only_models_with_room() -> None:
    small = replace(FAST, ref=ModelRef("test", "small"), window_tokens=32_000)
    choice = picked(Needs(prompt_tokens=50_000), small, FAST_DEARER)

    assert choice.model is FAST_DEARER
    assert choice.reasons[0] == "The conversation has about 50,000 tokens: only models with room for it."


def test_room_is_for_the_prompt_and_the_answer() -> None:
    small = replace(FAST, window_tokens=32_000)

    assert picked(Needs(prompt_tokens=28_000, answer_tokens=4_000), small).model is small
    with pytest.raises(NoFittingModel):
        picked(Needs(prompt_tokens=28_001, answer_tokens=4_000), small)


def test_an_unknown_window_is_taken_for_a_small_one() -> None:
    with pytest.raises(NoFittingModel, match="room for about 9,000 tokens"):
        picked(Needs(prompt_tokens=9_000), LOCAL)


def test_tools_leave_out_only_models_known_to_refuse_them() -> None:
    mute = replace(FAST, tools=False)

    assert picked(asked("hi", needs_tools=True), mute, FAST_DEARER).model is FAST_DEARER
    assert picked(asked("hi", needs_tools=True), LOCAL).model is LOCAL


def test_under_a_ceiling_the_smartest_that_costs_no_more_is_taken() -> None:
    choice = picked(asked("Prove it"), FAST, MIDDLE, SMART, ceiling_usd=5.0)

    assert choice.model is MIDDLE
    assert choice.reasons[0] == (
        "The price ceiling is $5.00 per million tokens of answer: only models known to cost no more."
    )


def test_a_price_at_the_ceiling_is_allowed_however_it_is_written() -> None:
    dime = ListPrice(input_nano=0, output_nano=NANO // 10)
    choice = pick(asked("hi"), [FAST], price_of=lambda _: dime, ceiling_usd=0.1, today=TODAY)

    assert choice.model is FAST


def test_an_unknown_price_is_never_under_a_ceiling() -> None:
    with pytest.raises(NoFittingModel, match=r"known to cost at most \$100\.00"):
        picked(asked("hi"), model("unknown"), ceiling_usd=100.0)


def test_a_model_that_is_shut_down_is_never_picked() -> None:
    gone = replace(FAST, retires=TODAY)
    leaving = replace(FAST, ref=ModelRef("test", "leaving"), retires=date(2026, 11, 21))

    assert picked(asked("hi"), gone, FAST_DEARER).model is FAST_DEARER
    assert picked(asked("hi"), leaving).model is leaving
    with pytest.raises(NoFittingModel, match="no model to choose from"):
        picked(asked("hi"), gone)


def test_nothing_to_choose_from_is_said() -> None:
    with pytest.raises(NoFittingModel, match="no model to choose from"):
        pick(asked("hi"), (), price_of=price_of, ceiling_usd=None, today=TODAY)


def test_what_no_model_has_is_named_and_nothing_else() -> None:
    with pytest.raises(NoFittingModel) as raised:
        picked(asked("hi", has_image=True, has_audio=True), FAST_DEARER, FAST)

    assert str(raised.value) == (
        "None of the models that `auto` may choose from can hear recordings. Name another one with /model."
    )


def test_where_each_lacks_something_else_all_that_together_is_named() -> None:
    with pytest.raises(NoFittingModel, match=r"can see pictures and is known to cost at most \$2\.00"):
        picked(asked("hi", has_image=True), FAST, FAST_DEARER, ceiling_usd=2.0)


MAYBE = st.none() | st.booleans()
ANY_MODELS = st.lists(
    st.builds(
        ModelInfo,
        ref=st.integers(0, 10**6).map(lambda number: ModelRef("any", str(number))),
        window_tokens=st.none() | st.integers(1, 2 * MILLION),
        vision=MAYBE,
        pdf=MAYBE,
        audio=MAYBE,
        tools=MAYBE,
        reasoning=MAYBE,
        speed=st.none() | st.sampled_from(Speed),
        cost=st.none() | st.sampled_from(CostClass),
        aliases=st.sets(st.sampled_from(["smart", "fast"])).map(tuple),
        retires=st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    ),
    max_size=6,
    unique_by=lambda each: each.ref,
)
ANY_NEEDS = st.builds(
    Needs,
    prompt_tokens=st.integers(0, 2 * MILLION),
    answer_tokens=st.integers(1, MILLION),
    has_image=st.booleans(),
    has_pdf=st.booleans(),
    has_audio=st.booleans(),
    needs_tools=st.booleans(),
    difficulty=st.sampled_from(Difficulty),
    signs=st.just(("It is what it is",)),
)


@given(ANY_NEEDS, ANY_MODELS, st.none() | st.floats(0, 100), st.data())
def test_whatever_is_picked_has_what_is_needed_and_the_choice_repeats(
    needs: Needs, models: list[ModelInfo], ceiling_usd: float | None, data: st.DataObject
) -> None:
    prices = {
        each.ref: data.draw(
            st.none() | st.builds(ListPrice, input_nano=st.just(0), output_nano=st.integers(0, 60 * NANO))
        )
        for each in models
    }

    def choose() -> Pick | str:
        try:
            return pick(needs, models, price_of=lambda each: prices[each.ref], ceiling_usd=ceiling_usd, today=TODAY)
        except NoFittingModel as error:
            return str(error)

    choice = choose()

    assert choice == choose()
    if isinstance(choice, str):
        assert choice.endswith("/model.")
        return
    chosen, price = choice.model, prices[choice.model.ref]
    assert chosen in models
    assert choice.reasons
    assert ceiling_usd is None or (price is not None and float(price.output_usd) <= ceiling_usd)
    assert chosen.vision is True or not needs.has_image
    assert chosen.pdf is True or not needs.has_pdf
    assert chosen.audio is True or not needs.has_audio
    assert chosen.tools is not False or not needs.needs_tools
    assert chosen.retires is None or chosen.retires > TODAY
    assert needs.prompt_tokens < (chosen.window_tokens or 8_192) or needs.prompt_tokens <= 1


@given(st.lists(st.text(), max_size=3), st.integers(0, MILLION))
def test_any_message_has_needs(texts: list[str], prompt_tokens: int) -> None:
    needs = Needs.of(texts, prompt_tokens=prompt_tokens)

    assert needs.prompt_tokens == prompt_tokens
    assert bool(needs.signs) == (needs.difficulty is not Difficulty.CHAT)
