"""Reads the catalogue from YAML: the shipped file, and the operator's own merged over it.

Checks every row by itself and says of each bad one in which line it stands. Knows no provider and no
discovery. Rows about sound stand in sections of their own and are read apart from the models of conversations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.core.catalogue import CostClass, ModelInfo, ModelRef, Price, Speed
from bot.core.catalogue_rows import ANY_MODEL, CatalogueRow, merge_rows
from bot.core.errors import SettingsError
from bot.core.pricing import HIGHEST_RATE_USD
from bot.core.sound_models import DEFAULT_VOICE, SoundFormat, SoundModels, SpeechRow, TranscriptionRow

_SHIPPED = "catalogue.yaml"
_PROVIDERS = "providers"
_SECTIONS = (_PROVIDERS, "models", "transcription", "speech")
_CHARACTERS = 1_000_000
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


class _SoundPriceEntry(BaseModel):
    """What a service asks for sound: by the hour, by a million characters, or by a million tokens in and out."""

    model_config = ConfigDict(extra="forbid")

    hour: _Rate | None = None
    characters: _Rate | None = None
    input: _Rate | None = None
    output: _Rate | None = None
    as_of: date | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        by_tokens = self.input is not None and self.output is not None
        halves = self.input is not None or self.output is not None
        kinds = (self.hour is not None, self.characters is not None, halves)
        if sum(kinds) != 1 or halves != by_tokens:
            raise ValueError("expected one of `hour`, `characters`, or `input` and `output`")
        return self


class _SoundEntry(BaseModel):
    """What may stand under any model for sound."""

    model_config = ConfigDict(extra="forbid")

    name: _Line | None = None
    description: _Line | None = None
    price: _SoundPriceEntry | None = None
    retires: date | None = None


class _TranscriptionEntry(_SoundEntry):
    timed: _Flag | None = None
    least_s: Annotated[float, Field(ge=0, le=3_600)] | None = None


class _SpeechEntry(_SoundEntry):
    voice: Annotated[str, Field(pattern=r"^[\w. -]{1,64}$")] | None = None
    format: SoundFormat | None = None
    events: _Flag | None = None


_Kind = TypeVar("_Kind", bound=BaseModel)
_Sound = TypeVar("_Sound", bound=_SoundEntry)


@dataclass(slots=True)
class _Parsed:
    """What one file says, in its order."""

    rows: list[CatalogueRow] = field(default_factory=list)
    transcription: dict[ModelRef, _TranscriptionEntry] = field(default_factory=dict)
    speech: dict[ModelRef, _SpeechEntry] = field(default_factory=dict)

    def add(self, section: str, name: str, node: yaml.Node) -> None:
        """Take one row in. Raises _BadRow."""
        ref = _ref(section, name)
        match section:
            case "transcription":
                self.transcription[ref] = _read_entry(node, _TranscriptionEntry)
            case "speech":
                self.speech[ref] = _read_entry(node, _SpeechEntry)
            case _:
                self.rows.append(_row(ref, node, _ProviderEntry if section == _PROVIDERS else _Entry))


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
    named = (_renamed(row, names or {}) for row in parse_rows(_shipped(), file=_SHIPPED))
    own = () if models_file is None else parse_rows(_read(models_file), file=str(models_file))
    return merge_rows(named, own)


def load_sound_models(models_file: Path | None) -> SoundModels:
    """The models for sound: ours in their order, the operator's fields over them (None: no file), then those only his.

    Raises:
        SettingsError: as `load_catalogue`.
    """
    files = [_parse(_shipped(), file=_SHIPPED)]
    if models_file is not None:
        files.append(_parse(_read(models_file), file=str(models_file)))
    transcription = _merged([each.transcription for each in files])
    speech = _merged([each.speech for each in files])
    return SoundModels(
        transcription=tuple(_transcription_row(ref, entry) for ref, entry in transcription.items()),
        speech=tuple(_speech_row(ref, entry) for ref, entry in speech.items()),
    )


def _shipped() -> str:
    return resources.files("bot").joinpath(_SHIPPED).read_text(encoding="utf-8")


def _merged(sources: Sequence[Mapping[ModelRef, _Sound]]) -> Mapping[ModelRef, _Sound]:
    """One entry a model, in the order of first mention; a later source wins in each field that it fills."""
    merged: dict[ModelRef, _Sound] = {}
    for source in sources:
        for ref, entry in source.items():
            filled = {name: getattr(entry, name) for name in entry.model_fields_set}
            merged[ref] = merged[ref].model_copy(update=filled) if ref in merged else entry
    return merged


def _transcription_row(ref: ModelRef, entry: _TranscriptionEntry) -> TranscriptionRow:
    return TranscriptionRow(model=_sound_model(ref, entry), timed=entry.timed or False, least_s=entry.least_s or 0.0)


def _speech_row(ref: ModelRef, entry: _SpeechEntry) -> SpeechRow:
    return SpeechRow(
        model=_sound_model(ref, entry),
        voice=entry.voice or DEFAULT_VOICE,
        format=entry.format or SoundFormat.OPUS,
        events=entry.events or False,
    )


def _sound_model(ref: ModelRef, entry: _SoundEntry) -> ModelInfo:
    price = entry.price
    return ModelInfo(
        ref=ref,
        name=entry.name,
        description=entry.description,
        price=None if price is None else _sound_price(price),
        retires=entry.retires,
    )


def _sound_price(entry: _SoundPriceEntry) -> Price:
    """A character is a credit: nobody counts both."""
    return Price(
        input=str(entry.input or 0),
        output=str(entry.output or 0),
        credit=None if entry.characters is None else f"{entry.characters / _CHARACTERS:f}",
        audio_hour=None if entry.hour is None else str(entry.hour),
        as_of=entry.as_of,
    )


def _renamed(row: CatalogueRow, names: Mapping[str, str]) -> CatalogueRow:
    name = names.get(row.ref.provider)
    return row if name is None else replace(row, ref=ModelRef(name, row.ref.id))


def parse_rows(text: str, *, file: str) -> tuple[CatalogueRow, ...]:
    """The rows of one file but for sound; `file` is how errors call it. Raises SettingsError, also for sound."""
    return tuple(_parse(text, file=file).rows)


def _parse(text: str, *, file: str) -> _Parsed:
    place = _Place(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = file if mark is None else f"{file}:{mark.line + 1}"
        raise SettingsError(f"{where}: this is not YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    parsed = _Parsed()
    problems: list[str] = []
    for section, key, node in _entries(root, place, problems):
        try:
            parsed.add(section, key.value, node)
        except _BadRow as error:
            problems.append(f"{place.at(error.node or key)}: {key.value}: {error}")
    if problems:
        raise SettingsError(*problems)
    return parsed


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
        if section.value in _SECTIONS:
            for key, entry in _pairs(node, place, problems):
                yield section.value, key, entry
        else:
            names = " and ".join([", ".join(f"`{name}`" for name in _SECTIONS[:-1]), f"`{_SECTIONS[-1]}`"])
            problems.append(f"{place.at(section)}: {section.value}: only {names} may stand here")


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


def _read_entry(node: yaml.Node, kind: type[_Kind]) -> _Kind:
    """The fields of a row, checked. Raises _BadRow."""
    if not isinstance(node, yaml.MappingNode):
        raise _BadRow("expected fields below it")
    try:
        return kind.model_validate(_construct(node))
    except ValidationError as error:
        problems = error.errors()
        words = "; ".join(_problem(each["loc"], each["msg"]) for each in problems)
        raise _BadRow(words, _node_at(node, problems[0]["loc"])) from None


def _row(ref: ModelRef, node: yaml.Node, kind: type[_Entry]) -> CatalogueRow:
    entry = _read_entry(node, kind)
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
    plain = plain.removeprefix("Value error, ")
    return f"{path}: {plain}" if path else plain


def _price(entry: _PriceEntry | None) -> Price | None:
    if entry is None:
        return None
    rates = entry.model_dump(exclude={"as_of"}, exclude_none=True)
    return Price(as_of=entry.as_of, **{name: str(rate) for name, rate in rates.items()})
