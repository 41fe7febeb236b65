"""How a name that someone typed becomes a model."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalogue import (
    Ambiguous,
    Catalogue,
    CostClass,
    ModelInfo,
    ModelRef,
    Price,
    Speed,
    Unknown,
    handle,
)
from bot.core.catalogue_rows import CatalogueRow, build_catalogue, merge_rows

LUNA = CatalogueRow(ref=ModelRef("openai", "gpt-6-luna"), name="GPT-6 Luna", aliases=("fast", "gpt"), default=True)
SOL = CatalogueRow(ref=ModelRef("openai", "gpt-6.1-sol"), description="strong at code", aliases=("smart",))
OSS = CatalogueRow(ref=ModelRef("groq", "openai/gpt-oss-120b"), aliases=("fast", "smart"))
HOSTED = CatalogueRow(ref=ModelRef("huggingface", "openai/gpt-oss-120b"))
LONG = CatalogueRow(ref=ModelRef("groq", "a-model-with-a-name-that-no-button-could-ever-hold/of-64-bytes"))
TEMPLATE = CatalogueRow(ref=ModelRef("openai", "*"), temperature=False, window_tokens=1_000)
ROWS = (TEMPLATE, LUNA, SOL, OSS, HOSTED, LONG)


def catalogue(*providers: str) -> Catalogue:
    return build_catalogue(ROWS, {}, providers or ("openai", "groq"))


def found(text: str, *providers: str) -> str:
    model = catalogue(*providers).resolve(text)
    assert isinstance(model, ModelInfo), model
    return str(model.ref)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/gpt-6-luna", "openai/gpt-6-luna"),
        ("  OpenAI/GPT-6-Luna ", "openai/gpt-6-luna"),
        ("groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("fast", "openai/gpt-6-luna"),
        ("Smart", "openai/gpt-6.1-sol"),
        ("gpt-6-luna", "openai/gpt-6-luna"),
        ("openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("gpt-6.1", "openai/gpt-6.1-sol"),
        ("gpt-oss", "groq/openai/gpt-oss-120b"),
        ("luna", "openai/gpt-6-luna"),
        ("gpt-6 l", "openai/gpt-6-luna"),
    ],
)
def test_a_name_is_understood(text: str, expected: str) -> None:
    assert found(text) == expected


def test_an_alias_means_the_first_configured_provider_that_has_it() -> None:
    assert found("fast", "groq", "openai") == "groq/openai/gpt-oss-120b"
    assert found("fast", "groq") == "groq/openai/gpt-oss-120b"


def test_a_name_that_fits_several_is_ambiguous_in_the_order_of_providers() -> None:
    match = catalogue("huggingface", "groq").resolve("gpt-oss-120b")

    assert isinstance(match, Ambiguous)
    assert [str(model.ref) for model in match.candidates] == [
        "huggingface/openai/gpt-oss-120b",
        "groq/openai/gpt-oss-120b",
    ]


def test_an_unlisted_model_of_a_configured_provider_can_be_used() -> None:
    model = catalogue().resolve("openai/gpt-7-Nova")

    assert model == ModelInfo(ref=ModelRef("openai", "gpt-7-Nova"), temperature=False, window_tokens=1_000)


@pytest.mark.parametrize("text", ["anthropic/claude", "huggingface/x", "nonsense", "", "   ", "#00000000"])
def test_what_fits_nothing_is_unknown(text: str) -> None:
    assert isinstance(catalogue().resolve(text), Unknown)


def test_a_slip_of_the_finger_is_told_what_it_may_mean() -> None:
    match = catalogue().resolve("gpt-6-lnua")

    assert isinstance(match, Unknown)
    assert str(match.nearest[0].ref) == "openai/gpt-6-luna"


def test_models_of_providers_that_are_not_configured_are_not_there() -> None:
    assert [str(model.ref) for model in catalogue("huggingface").search("")] == ["huggingface/openai/gpt-oss-120b"]


@pytest.mark.parametrize("row", [LUNA, OSS, LONG], ids=lambda row: row.ref.id)
def test_a_handle_fits_a_button_and_leads_back(row: CatalogueRow) -> None:
    short = handle(row.ref)

    assert len(f"model {short} channel".encode()) <= 64
    assert found(short) == str(row.ref)


def test_a_long_name_has_a_digest_for_a_handle() -> None:
    assert handle(LUNA.ref) == "openai/gpt-6-luna"
    assert handle(LONG.ref).startswith("#")


@given(st.text(max_size=40))
def test_any_text_resolves_to_something(text: str) -> None:
    assert isinstance(catalogue().resolve(text), ModelInfo | Ambiguous | Unknown)


@given(st.sampled_from(list(catalogue("openai", "groq", "huggingface").models)))
def test_a_full_name_always_means_itself(ref: ModelRef) -> None:
    assert found(str(ref), "openai", "groq", "huggingface") == str(ref)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code", ["gpt-6.1-sol"]),
        ("OPENAI luna", ["gpt-6-luna"]),
        ("fast", ["gpt-6-luna", "openai/gpt-oss-120b"]),
        ("nothing like it", []),
    ],
)
def test_search_wants_every_word(text: str, expected: list[str]) -> None:
    assert [model.ref.id for model in catalogue().search(text)] == expected


def test_the_default_is_that_of_the_first_provider_with_models() -> None:
    first = catalogue("compatible", "openai", "groq").default()

    assert first is not None
    assert str(first.ref) == "openai/gpt-6-luna"


def test_a_provider_without_a_marked_default_gives_its_first_model() -> None:
    first = catalogue("groq").default()

    assert first is not None
    assert str(first.ref) == "groq/openai/gpt-oss-120b"


def test_without_any_model_there_is_no_default() -> None:
    assert catalogue("compatible").default() is None


def test_a_later_source_wins_field_by_field() -> None:
    own = CatalogueRow(ref=LUNA.ref, price=Price(input="1", output="2"), name="Mine")

    (merged,) = merge_rows([LUNA], [own])

    assert (merged.name, merged.price, merged.default) == ("Mine", own.price, True)


def test_an_alias_and_a_default_given_out_later_are_taken_from_the_first() -> None:
    own = CatalogueRow(ref=SOL.ref, aliases=("fast",), default=True)

    merged = {row.ref: row for row in merge_rows([LUNA, SOL, OSS], [own])}

    assert merged[LUNA.ref].aliases == ("gpt",)
    assert merged[OSS.ref].aliases == ("smart",)
    assert (merged[LUNA.ref].default, merged[SOL.ref].default) == (None, True)


def test_what_a_server_tells_fills_what_the_rows_leave_open() -> None:
    told = ModelInfo(ref=LUNA.ref, name="gpt-6-luna", retires=date(2028, 1, 1), window_tokens=7)
    unlisted = ModelInfo(ref=ModelRef("openai", "gpt-7"))

    models = build_catalogue(ROWS, {"openai": (told, unlisted)}, ("openai",)).models

    luna = models[LUNA.ref]
    assert (luna.name, luna.retires, luna.window_tokens) == ("GPT-6 Luna", date(2028, 1, 1), 7)
    assert (models[unlisted.ref].temperature, models[unlisted.ref].window_tokens) == (False, 1_000)


SEEING = CatalogueRow(
    ref=ModelRef("openai", "seeing"), vision=True, pdf=True, audio=True, tools=True, json=True, reasoning=True
)
BLIND = CatalogueRow(
    ref=ModelRef("openai", "blind"), vision=False, tools=False, price=Price(input="0", output="0"), speed=Speed.FAST
)
NAMED = CatalogueRow(ref=ModelRef("groq", "llama-vision"), cost=CostClass.CHEAP, description="no free lunch")


def filtered(text: str) -> list[str]:
    shown = build_catalogue([SEEING, BLIND, NAMED], {}, ("openai", "groq"))
    return [model.ref.id for model in shown.search(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vision", ["seeing", "llama-vision"]),
        ("VISION openai", ["seeing"]),
        ("pdf", ["seeing"]),
        ("audio", ["seeing"]),
        ("tools", ["seeing"]),
        ("json", ["seeing"]),
        ("reasoning", ["seeing"]),
        ("fast", ["blind"]),
        ("cheap", ["llama-vision"]),
        ("free", ["blind", "llama-vision"]),
        ("provider:groq", ["llama-vision"]),
        ("Provider:OpenAI fast", ["blind"]),
        ("provider:", []),
        ("provider:open", []),
        ("vision tools free", []),
    ],
)
def test_a_word_can_be_a_filter(text: str, expected: list[str]) -> None:
    assert filtered(text) == expected


def test_what_is_free_is_told_by_whoever_knows_prices() -> None:
    shown = build_catalogue([SEEING, BLIND], {}, ("openai",))

    assert [model.ref.id for model in shown.search("free", is_free=lambda model: model.ref.id == "seeing")] == [
        "seeing"
    ]


def test_an_alias_means_a_model_that_is_not_gone_where_there_is_one() -> None:
    rows = (CatalogueRow(ref=ModelRef("openai", "*"), lists_all=True), LUNA, SOL, OSS)
    only_sol = {"openai": (ModelInfo(ref=SOL.ref),)}
    shown = build_catalogue(rows, only_sol, ("openai", "groq"))

    fast, gpt = shown.resolve("fast"), shown.resolve("gpt")

    assert isinstance(fast, ModelInfo)
    assert isinstance(gpt, ModelInfo)
    assert (str(fast.ref), str(gpt.ref)) == ("groq/openai/gpt-oss-120b", "openai/gpt-6-luna")
    assert gpt.gone


def test_a_default_that_is_gone_is_replaced_by_a_model_with_a_short_name() -> None:
    rows = (CatalogueRow(ref=ModelRef("openai", "*"), lists_all=True), LUNA, SOL)
    listed = {"openai": (ModelInfo(ref=ModelRef("openai", "embedding")), ModelInfo(ref=SOL.ref))}

    default = build_catalogue(rows, listed, ("openai",)).default()

    assert default is not None
    assert default.ref == SOL.ref
