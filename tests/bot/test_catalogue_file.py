"""The catalogue's files: what ships is sound, what the operator writes is merged or told line by line."""

from pathlib import Path

import pytest

from bot.catalogue_file import load_catalogue, parse_rows
from bot.core.catalogue import Catalogue, ModelRef, Price
from bot.core.catalogue_rows import build_catalogue
from bot.core.errors import SettingsError
from bot.providers import PROVIDERS

NAMES = tuple(row.name for row in PROVIDERS)


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
@pytest.mark.parametrize("provider", ["openai", "groq", "huggingface"])
def test_the_usual_aliases_work_with_each_cloud_provider_alone(alias: str, provider: str) -> None:
    only = build_catalogue(load_catalogue(None), {}, (provider,))

    assert getattr(only.resolve(alias), "ref", None) in only.models


def test_only_what_runs_at_home_is_free() -> None:
    free = {row.ref.provider for row in load_catalogue(None) if row.price is not None}

    assert free == {"ollama", "demo"}


def test_models_that_retire_say_when() -> None:
    assert str(shipped().models[ModelRef("openai", "gpt-4o")].retires) == "2027-01-14"


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


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "models:\n", "providers: {}\n"])
def test_an_empty_file_is_fine(text: str) -> None:
    assert parse_rows(text, file="mine.yaml") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("models: [", "mine.yaml:1: this is not YAML: "),
        ("models:\n  - a\n", "mine.yaml:2: expected names with values below them"),
        ("model:\n  a/b: {}\n", "mine.yaml:1: model: only `providers` and `models` may stand here"),
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
