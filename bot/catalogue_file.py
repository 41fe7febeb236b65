"""Reads the catalogue from YAML: the shipped file, and the operator's own merged over it.

Checks every row by itself and says of each bad one in which line it stands. Knows no provider and no
discovery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.catalogue import CostClass, ModelRef, Price, Speed
from bot.core.catalogue_rows import ANY_MODEL, CatalogueRow, merge_rows
from bot.core.errors import SettingsError
from bot.core.pricing import HIGHEST_RATE_USD

_SHIPPED = "catalogue.yaml"
_PROVIDERS, _MODELS = "providers", "models"
_Rate = Annotated[Decimal, Field(ge=0, le=HIGHEST_RATE_USD)]
_Factor = Annotated[float, Field(ge=1, le=10, strict=True)]
_Count = Annotated[int, Field(gt=0, le=10**12, strict=True)]
_Flag = Annotated[bool, Field(strict=True)]
_Alias = Annotated[str, Field(pattern=r"^[\w.-]{1,32}$")]
#: As /settings effort reads it.
_Effort = Annotated[str, Field(pattern=r"^[a-z]{2,16}$")]
_Line = Annotated[str, Field(min_length=1, max_length=200)]


class _PriceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: _Rate
    output: _Rate
    cached: _Rate | None = None
    cache_write: _Rate | None = None
    credit: _Rate | None = None
    as_of: date | None = None


class _Entry(BaseModel):
    """What may stand under a model or a provider."""

    model_config = ConfigDict(extra="forbid")

    name: _Line | None = None
    description: _Line | None = None
    window_tokens: _Count | None = None
    max_output_tokens: _Count | None = None
    vision: _Flag | None = None
    pdf: _Flag | None = None
    audio: _Flag | None = None
    tools: _Flag | None = None
    json_: _Flag | None = Field(None, alias="json")
    temperature: _Flag | None = None
    reasoning: _Flag | None = None
    efforts: tuple[_Effort, ...] | None = None
    reasoning_effort: _Effort | None = None
    cache_options: _Flag | None = None
    tokens_factor: _Factor | None = None
    speed: Speed | None = None
    cost: CostClass | None = None
    aliases: tuple[_Alias, ...] | None = None
    price: _PriceEntry | None = None
    retires: date | None = None
    default: _Flag | None = None
    requests_per_minute: _Count | None = None
    tokens_per_minute: _Count | None = None


class _ProviderEntry(_Entry):
    """What may stand under a provider alone."""

    lists_all: _Flag | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands, as people write it: `models.yaml:12`."""

    file: str

    def at(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}"


def load_catalogue(models_file: Path | None, names: Mapping[str, str] | None = None) -> tuple[CatalogueRow, ...]:
    """All rows, the operator's file (None: there is none) merged over ours.

    `names` are our names of providers that go by another one here.

    Raises:
        SettingsError: one line for each bad row, with file and line number.
    """
    shipped = parse_rows(resources.files("bot").joinpath(_SHIPPED).read_text(encoding="utf-8"), file=_SHIPPED)
    named = (_renamed(row, names or {}) for row in shipped)
    own = () if models_file is None else parse_rows(_read(models_file), file=str(models_file))
    return merge_rows(named, own)


def _renamed(row: CatalogueRow, names: Mapping[str, str]) -> CatalogueRow:
    name = names.get(row.ref.provider)
    return row if name is None else replace(row, ref=ModelRef(name, row.ref.id))


def parse_rows(text: str, *, file: str) -> tuple[CatalogueRow, ...]:
    """The rows of one file; `file` is how errors call it. Raises SettingsError."""
    place = _Place(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = file if mark is None else f"{file}:{mark.line + 1}"
        raise SettingsError(f"{where}: this is not YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    rows: list[CatalogueRow] = []
    problems: list[str] = []
    for section, key, node in _entries(root, place, problems):
        try:
            kind = _ProviderEntry if section == _PROVIDERS else _Entry
            rows.append(_row(_ref(section, key.value), node, kind))
        except _BadRow as error:
            problems.append(f"{place.at(error.node or key)}: {key.value}: {error}")
    if problems:
        raise SettingsError(*problems)
    return tuple(rows)


class _BadRow(Exception):
    """What is wrong with a row, in one line; `node` is where, None: at its name."""

    def __init__(self, message: str, node: yaml.Node | None = None) -> None:
        super().__init__(message)
        self.node = node


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"MODELS_FILE: cannot read {path}: {reason}") from None


def _entries(
    root: yaml.Node | None, place: _Place, problems: list[str]
) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """Section, name and value of each row."""
    for section, node in _pairs(root, place, problems):
        if section.value in (_PROVIDERS, _MODELS):
            for key, entry in _pairs(node, place, problems):
                yield section.value, key, entry
        else:
            problems.append(f"{place.at(section)}: {section.value}: only `providers` and `models` may stand here")


def _pairs(node: yaml.Node | None, place: _Place, problems: list[str]) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~")):
        return
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{place.at(node)}: expected names with values below them")
        return
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.append(f"{place.at(key)}: expected a name")
            continue
        if key.value in seen:
            problems.append(f"{place.at(key)}: {key.value}: stands here twice")
        seen.add(key.value)
        yield key, value


def _ref(section: str, name: str) -> ModelRef:
    if section == _PROVIDERS:
        return ModelRef(name.lower(), ANY_MODEL)
    ref = ModelRef.parse(name)
    if ref is None or ref.id == ANY_MODEL:
        raise _BadRow("a model is named `provider/id`")
    return ref


def _row(ref: ModelRef, node: yaml.Node, kind: type[_Entry]) -> CatalogueRow:
    if not isinstance(node, yaml.MappingNode):
        raise _BadRow("expected fields below it")
    try:
        entry = kind.model_validate(_construct(node))
    except ValidationError as error:
        problems = error.errors()
        words = "; ".join(_problem(each["loc"], each["msg"]) for each in problems)
        raise _BadRow(words, _node_at(node, problems[0]["loc"])) from None
    if entry.efforts and entry.reasoning_effort and entry.reasoning_effort not in entry.efforts:
        raise _BadRow(f"reasoning_effort: {entry.reasoning_effort} is not one of its efforts")
    facts = entry.model_dump(exclude={"price"}, by_alias=True)
    return CatalogueRow(ref=ref, price=_price(entry.price), **facts)


def _node_at(node: yaml.Node, location: tuple[int | str, ...]) -> yaml.Node:
    """The node of a field inside a row; that of what contains it when it is not there."""
    for step in location:
        if not isinstance(node, yaml.MappingNode):
            break
        found = next((value for key, value in node.value if getattr(key, "value", None) == step), None)
        if found is None:
            break
        node = found
    return node


def _construct(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise _BadRow(f"unreadable value ({getattr(error, 'problem', None) or error})") from None
    finally:
        loader.dispose()


def _problem(location: tuple[int | str, ...], message: str) -> str:
    path = ".".join(str(step) for step in location)
    plain = "there is no such field" if message == "Extra inputs are not permitted" else message
    return f"{path}: {plain}" if path else plain


def _price(entry: _PriceEntry | None) -> Price | None:
    if entry is None:
        return None
    rates = entry.model_dump(exclude={"as_of"}, exclude_none=True)
    return Price(as_of=entry.as_of, **{name: str(rate) for name, rate in rates.items()})
