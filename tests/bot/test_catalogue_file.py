"""The catalogue's files: what ships is sound, what the operator writes is merged or told line by line."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue_file import load_catalogue, parse_rows
from bot.core.catalogue import Catalogue, CostClass, ModelInfo, ModelRef, Price, Speed
from bot.core.catalogue_rows import ANY_MODEL, build_catalogue
from bot.core.errors import SettingsError
from bot.core.list_price import list_price
from bot.core.pricing import Pricing
from bot.core.thread_settings import setting
from bot.providers.prices import GenaiPrices

NAMES = ("openai", "anthropic", "gemini", "groq", "huggingface", "compatible", "ollama", "demo")
CLOUD = NAMES[:5]
AT = datetime(2026, 11, 20, tzinfo=UTC)
LISTS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "groq": "groq",
    "huggingface": "huggingface_",
}


def shipped() -> Catalogue:
    return build_catalogue(load_catalogue(None), {}, NAMES)


def told(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse_rows(text, file="mine.yaml")
    return caught.value.lines


def test_every_shipped_row_belongs_to_a_provider_of_the_registry() -> None:
    assert {row.ref.provider for row in load_catalogue(None)} <= set(NAMES)


def test_every_provider_that_ships_with_models_has_one_default() -> None:
    models = shipped().models

    defaults = [ref.provider for ref, info in models.items() if info.default]
    assert sorted(defaults) == sorted({ref.provider for ref in models})


@pytest.mark.parametrize("alias", ["fast", "smart", "cheap"])
@pytest.mark.parametrize("provider", CLOUD)
def test_the_usual_aliases_work_with_each_cloud_provider_alone(alias: str, provider: str) -> None:
    only = build_catalogue(load_catalogue(None), {}, (provider,))

    assert getattr(only.resolve(alias), "ref", None) in only.models


@pytest.mark.parametrize("alias", ["fast", "smart", "cheap", "local"])
@pytest.mark.parametrize("provider", ["ollama", "compatible"])
def test_the_usual_aliases_work_with_a_server_of_ones_own(alias: str, provider: str) -> None:
    listed = ModelInfo(ref=ModelRef(provider, "llama"))
    only = build_catalogue(load_catalogue(None), {provider: (listed,)}, (provider,))

    assert getattr(only.resolve(alias), "ref", None) == listed.ref


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("gpt", "openai/gpt-6-luna"),
        ("fast", "openai/gpt-6-luna"),
        ("cheap", "openai/gpt-6-luna"),
        ("smart", "openai/gpt-6.1-sol"),
        ("claude", "anthropic/claude-sonnet-5-5"),
        ("gemini", "gemini/gemini-3.8-flash"),
        ("local", "ollama/llama"),
    ],
)
def test_with_every_provider_the_first_one_that_has_an_alias_wins(alias: str, expected: str) -> None:
    llama = ModelInfo(ref=ModelRef("ollama", "llama"))
    everything = build_catalogue(load_catalogue(None), {"ollama": (llama,)}, NAMES)
    found = everything.resolve(alias)

    assert isinstance(found, ModelInfo)
    assert str(found.ref) == expected


def test_every_shipped_model_is_told_in_full() -> None:
    for info in shipped().models.values():
        told = (info.name, info.description, info.window_tokens, info.pdf, info.audio, info.tools, info.json)

        assert None not in told, info.ref
        assert info.reasoning is not None
        assert not info.reasoning_effort or info.reasoning_effort in info.efforts
        assert not info.efforts or info.reasoning
        assert all(setting("effort").parse(word) == word for word in info.efforts)


def test_no_model_of_anthropic_is_sent_sampling_parameters() -> None:
    unlisted = shipped().info(ModelRef("anthropic", "claude-next"))
    listed = [info for ref, info in shipped().models.items() if ref.provider == "anthropic"]

    assert unlisted is not None
    assert not any(info.temperature for info in (*listed, unlisted))


def test_the_cost_class_is_that_of_the_listed_price() -> None:
    pricing = Pricing(GenaiPrices(LISTS))
    wrong: list[tuple[str, CostClass | None, CostClass | None]] = []
    for info in shipped().models.values():
        price = list_price(info, pricing, AT)
        if price is not None:
            right = _class_of(price.output_usd)
            wrong += [] if info.cost is right else [(str(info.ref), info.cost, right)]
        elif info.cost is not None:
            wrong.append((str(info.ref), info.cost, None))

    assert wrong == []


def _class_of(output_usd: Decimal) -> CostClass:
    if output_usd < 1:
        return CostClass.CHEAP
    return CostClass.MEDIUM if output_usd < 10 else CostClass.DEAR


def test_the_lists_of_the_clouds_are_whole_and_those_of_routers_are_not() -> None:
    whole = {row.ref.provider for row in load_catalogue(None) if row.lists_all}

    assert whole == {"openai", "anthropic", "gemini", "groq"}


def test_only_what_runs_at_home_is_free() -> None:
    free = {row.ref.provider for row in load_catalogue(None) if row.price is not None}

    assert free == {"ollama", "demo"}


def test_models_that_retire_say_when() -> None:
    retires = {str(ref): str(info.retires) for ref, info in shipped().models.items() if info.retires}

    assert retires["openai/gpt-4o"] == "2027-01-14"
    assert retires["openai/o3"] == "2026-12-11"
    assert retires["anthropic/claude-sonnet-4-5"] == "2026-11-30"


def test_the_operators_file_is_merged_field_by_field(tmp_path: Path) -> None:
    own = tmp_path / "models.yaml"
    own.write_text(
        "providers:\n  compatible: {price: {input: 0.5, output: 1, as_of: 2026-11-01}}\n"
        "models:\n  openai/gpt-6-luna: {name: My Luna}\n  compatible/llama: {window_tokens: 8192}\n"
    )

    models = build_catalogue(load_catalogue(own), {}, NAMES).models

    luna, llama = models[ModelRef("openai", "gpt-6-luna")], models[ModelRef("compatible", "llama")]
    assert (luna.name, luna.default) == ("My Luna", True)
    assert llama.price is not None
    assert (llama.price.input, llama.price.output, str(llama.price.as_of)) == ("0.5", "1", "2026-11-01")


def test_a_provider_that_goes_by_another_name_keeps_what_ships_for_it(tmp_path: Path) -> None:
    own = tmp_path / "models.yaml"
    own.write_text("providers:\n  cellar: {price: {input: 1, output: 2}}\n")

    rows = load_catalogue(own, {"compatible": "cellar"})
    listed = ModelInfo(ref=ModelRef("cellar", "llama"))
    found = build_catalogue(rows, {"cellar": (listed,)}, ("cellar",)).resolve("local")

    assert isinstance(found, ModelInfo)
    assert (found.ref, found.price) == (listed.ref, Price(input="1", output="2"))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "models:\n", "providers: {}\n"])
def test_an_empty_file_is_fine(text: str) -> None:
    assert parse_rows(text, file="mine.yaml") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("models: [", "mine.yaml:1: this is not YAML: "),
        ("models:\n  - a\n", "mine.yaml:2: expected names with values below them"),
        (
            "model:\n  a/b: {}\n",
            "mine.yaml:1: model: only `providers`, `models`, `transcription` and `speech` may stand here",
        ),
        ("models:\n  luna: {}\n", "mine.yaml:2: luna: a model is named `provider/id`"),
        ("models:\n  a/b: 3\n", "mine.yaml:2: a/b: expected fields below it"),
        ("models:\n  a/b: {}\n  a/b: {}\n", "mine.yaml:3: a/b: stands here twice"),
        ("models:\n  a/b: {windw: 3}\n", "mine.yaml:2: a/b: windw: there is no such field"),
        ("models:\n  a/b: {vision: maybe}\n", "mine.yaml:2: a/b: vision: "),
        ("models:\n  a/b: {window_tokens: -1}\n", "mine.yaml:2: a/b: window_tokens: "),
        ("models:\n  a/b: {window_tokens: true}\n", "mine.yaml:2: a/b: window_tokens: "),
        ("models:\n  a/b: {retires: 2026-13-01}\n", "mine.yaml:2: a/b: "),
        ("models:\n  a/b: {aliases: [with space]}\n", "mine.yaml:2: a/b: aliases.0: "),
        ("models:\n  a/b: {price: {input: -1, output: 1}}\n", "mine.yaml:2: a/b: price.input: "),
        ("models:\n  a/b: {price: {input: .nan, output: 1}}\n", "mine.yaml:2: a/b: price.input: "),
        ("models:\n  a/b: {price: {input: 1e9, output: 1}}\n", "mine.yaml:2: a/b: price.input: "),
        ("models:\n  a/b: {price: {input: 1}}\n", "mine.yaml:2: a/b: price.output: "),
        ("models:\n  a/b: {price: {input: 1, output: 1, cache_write: -2}}\n", "mine.yaml:2: a/b: price.cache_write: "),
        ("models:\n  a/b:\n    price:\n      input: 1\n      output: -1\n", "mine.yaml:5: a/b: price.output: "),
        ("models:\n  a/b:\n    name: x\n    vision: 1\n", "mine.yaml:4: a/b: vision: "),
        ("models:\n  a/b: {pdf: 'yes'}\n", "mine.yaml:2: a/b: pdf: "),
        ("models:\n  a/b: {json: 1}\n", "mine.yaml:2: a/b: json: "),
        ("models:\n  a/b: {efforts: low}\n", "mine.yaml:2: a/b: efforts: "),
        ("models:\n  a/b: {efforts: [low, Very High]}\n", "mine.yaml:2: a/b: efforts.1: "),
        (
            "models:\n  a/b: {efforts: [low], reasoning_effort: high}\n",
            "mine.yaml:2: a/b: reasoning_effort: high is not one of its efforts",
        ),
        ("models:\n  a/b: {speed: quick}\n", "mine.yaml:2: a/b: speed: Input should be 'fast', 'medium' or 'slow'"),
        ("models:\n  a/b: {cost: 3}\n", "mine.yaml:2: a/b: cost: "),
        ("models:\n  a/b: {requests_per_minute: 0}\n", "mine.yaml:2: a/b: requests_per_minute: "),
        ("models:\n  a/b: {tokens_per_minute: -5}\n", "mine.yaml:2: a/b: tokens_per_minute: "),
        ("models:\n  a/b: {tokens_per_minute: 1.5}\n", "mine.yaml:2: a/b: tokens_per_minute: "),
        ("models:\n  a/b: {lists_all: true}\n", "mine.yaml:2: a/b: lists_all: there is no such field"),
        ("providers:\n  a: {lists_all: 1}\n", "mine.yaml:2: a: lists_all: "),
        ("models:\n  a/b: {name: !!python/object:os.system x}\n", "mine.yaml:2: a/b: unreadable value"),
        ("models:\n  ? [a]\n  : {}\n", "mine.yaml:2: expected a name"),
    ],
)
def test_a_bad_row_is_one_line_with_its_place(text: str, line: str) -> None:
    (only,) = told(text)

    assert only.startswith(line)
    assert "\n" not in only


def test_every_bad_row_is_told() -> None:
    lines = told("models:\n  a/b: {x: 1}\n  a/c: {}\n  d: {}\n")

    assert [line.partition(": ")[0] for line in lines] == ["mine.yaml:2", "mine.yaml:4"]


def test_a_file_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path / "missing.yaml", tmp_path, binary):
        with pytest.raises(SettingsError, match=r"^MODELS_FILE: cannot read [^\n]+$"):
            load_catalogue(path)


def test_a_price_keeps_its_digits() -> None:
    (row,) = parse_rows("models:\n  a/b: {price: {input: 0.1, output: 3.75, cached: 0.025}}\n", file="x")

    assert row.price == Price(input="0.1", output="3.75", cached="0.025")


def test_every_field_is_read() -> None:
    (whole, model) = parse_rows(
        """
providers:
  a: {lists_all: false}
models:
  a/b:
    pdf: true
    audio: false
    json: true
    efforts: [low, high]
    reasoning_effort: low
    speed: fast
    cost: dear
    requests_per_minute: 30
    tokens_per_minute: 90000
    price: {input: 1, output: 2, cache_write: 1.25}
""",
        file="x",
    )

    assert (whole.ref, whole.lists_all) == (ModelRef("a", ANY_MODEL), False)
    assert (model.pdf, model.audio, model.json) == (True, False, True)
    assert (model.efforts, model.reasoning_effort) == (("low", "high"), "low")
    assert (model.speed, model.cost) == (Speed.FAST, CostClass.DEAR)
    assert (model.requests_per_minute, model.tokens_per_minute) == (30, 90_000)
    assert model.price == Price(input="1", output="2", cache_write="1.25")


def test_the_page_about_the_catalogue_tells_every_field() -> None:
    page = (Path(str(resources.files("bot"))).parent / "docs" / "catalogue.md").read_text(encoding="utf-8")
    fields = {name for row in load_catalogue(None) for name in row.__dataclass_fields__} - {"ref"}

    assert {name for name in fields if f"`{name}`" not in page} == set()


@given(st.text(max_size=200) | st.text(alphabet="models: ab/{}[]&*-\n\t'\"!#1.", max_size=120))
def test_whatever_is_in_the_file_it_is_rows_or_lines(text: str) -> None:
    lines: tuple[str, ...] = ()
    try:
        parse_rows(text, file="mine.yaml")
    except SettingsError as error:
        lines = error.lines

    assert all(line.startswith("mine.yaml") and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    "text", ["&a {models: *a}", "models: &a\n  a/b: *a\n", "models:\n  a/b: &a {price: *a}\n", "[" * 5_000]
)
def test_a_file_without_a_bottom_is_told_like_any_other_mistake(text: str) -> None:
    assert told(text)


def test_the_price_of_a_credit_and_what_a_model_counts_are_read() -> None:
    [row] = parse_rows(
        "models:\n  alpha/one: {tokens_factor: 2, price: {input: 0, output: 0, credit: 0.008}}\n", file="m.yaml"
    )

    assert row.tokens_factor == 2
    assert row.price == Price(input="0", output="0", credit="0.008")


@pytest.mark.parametrize("factor", ["0.5", "11", "yes"])
def test_a_factor_that_cannot_be_meant_is_refused(factor: str) -> None:
    with pytest.raises(SettingsError, match=r"m.yaml:2: alpha/one: tokens_factor: "):
        parse_rows(f"models:\n  alpha/one: {{tokens_factor: {factor}}}\n", file="m.yaml")
