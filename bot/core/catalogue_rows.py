"""Rows of the catalogue: what one source says of a model, and how several sources are merged.

A row whose id is `*` says what holds for all models of its provider, also for those that nobody has listed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from bot.core.catalogue import Catalogue, CostClass, ModelInfo, ModelRef, Price, Speed

ANY_MODEL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """The fields of ModelInfo, None where this source says nothing.

    `lists_all` is of providers only: what a list of theirs does not name is gone.
    """

    ref: ModelRef
    name: str | None = None
    description: str | None = None
    window_tokens: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    pdf: bool | None = None
    audio: bool | None = None
    tools: bool | None = None
    json: bool | None = None
    temperature: bool | None = None
    reasoning: bool | None = None
    efforts: tuple[str, ...] | None = None
    reasoning_effort: str | None = None
    cache_options: bool | None = None
    tokens_factor: float | None = None
    speed: Speed | None = None
    cost: CostClass | None = None
    aliases: tuple[str, ...] | None = None
    price: Price | None = None
    retires: date | None = None
    default: bool | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    lists_all: bool | None = None


_FACTS = tuple(field.name for field in fields(CatalogueRow) if field.name != "ref")
#: What is said of a provider, not of its models.
_OF_PROVIDER = ("lists_all",)
_OF_MODEL = tuple(name for name in _FACTS if name not in _OF_PROVIDER)


def merge_rows(*sources: Iterable[CatalogueRow]) -> tuple[CatalogueRow, ...]:
    """One row a model, in the order of first mention; a later source wins in each field that it fills.

    Aliases and a provider's default that a later source gives out are taken from whoever had them before.
    """
    merged: dict[ModelRef, CatalogueRow] = {}
    for source in map(tuple, sources):
        aliases = {alias for row in source for alias in row.aliases or ()}
        defaults = {row.ref.provider for row in source if row.default}
        merged = {ref: _without(row, aliases, defaults) for ref, row in merged.items()}
        for row in source:
            known = merged.get(row.ref)
            merged[row.ref] = row if known is None else _over(known, row)
    return tuple(merged.values())


def build_catalogue(
    rows: Iterable[CatalogueRow],
    discovered: Mapping[str, Collection[ModelInfo]],
    providers: Collection[str],
    unconfigured: Mapping[str, str] | None = None,
) -> Catalogue:
    """The catalogue of `providers` (in the order in which a default is looked for).

    What a server tells of its models (`discovered`, by provider) fills the fields that the rows leave open. A model
    that a provider with `lists_all` did not list is marked as gone. `unconfigured` as in Catalogue.
    """
    rows = tuple(rows)
    told = [_row_of(info) for infos in discovered.values() for info in infos]
    merged = merge_rows(told, rows)
    order = {name: position for position, name in enumerate(providers)}
    general = {row.ref.provider: row for row in merged if row.ref.id == ANY_MODEL}
    listed = sorted(
        (row for row in merged if row.ref.provider in order and row.ref.id != ANY_MODEL),
        key=lambda row: order[row.ref.provider],
    )
    gone = _gone(rows, discovered, general)
    infos = (_info(row, general.get(row.ref.provider), gone=row.ref in gone) for row in listed)
    templates = {name: _info(row, None) for name, row in general.items() if name in order}
    return Catalogue(
        models={info.ref: info for info in infos},
        providers=tuple(providers),
        templates=templates,
        unconfigured=unconfigured or {},
    )


def _gone(
    rows: Iterable[CatalogueRow],
    discovered: Mapping[str, Collection[ModelInfo]],
    general: Mapping[str, CatalogueRow],
) -> frozenset[ModelRef]:
    """What rows know and a provider that lists all it has does not.

    A list that has none of the known models is that of some other server at the provider's address, which tells
    nothing.
    """
    gone: set[ModelRef] = set()
    for name, infos in discovered.items():
        if name not in general or not general[name].lists_all:
            continue
        known = {row.ref for row in rows if row.ref.provider == name and row.ref.id != ANY_MODEL}
        missing = known - {info.ref for info in infos}
        gone |= missing if missing != known else set()
    return frozenset(gone)


def _facts(row: CatalogueRow, names: Iterable[str] = _FACTS) -> dict[str, Any]:
    """What a row says."""
    return {name: value for name in names if (value := getattr(row, name)) is not None}


def _over(below: CatalogueRow, above: CatalogueRow) -> CatalogueRow:
    return CatalogueRow(ref=above.ref, **(_facts(below) | _facts(above)))


def _without(row: CatalogueRow, aliases: Collection[str], defaults: Collection[str]) -> CatalogueRow:
    if not row.aliases and not row.default:
        return row
    kept = tuple(alias for alias in row.aliases or () if alias not in aliases)
    return replace(row, aliases=kept, default=None if row.ref.provider in defaults else row.default)


def _info(row: CatalogueRow, general: CatalogueRow | None, *, gone: bool = False) -> ModelInfo:
    below = {} if general is None else _facts(general, _OF_MODEL)
    return ModelInfo(ref=row.ref, gone=gone, **(below | _facts(row, _OF_MODEL)))


def _row_of(info: ModelInfo) -> CatalogueRow:
    """What a server told; fields that cannot say "unknown" count as unsaid at their default."""
    plain = ModelInfo(ref=info.ref)
    told = {name: value for name in _OF_MODEL if (value := getattr(info, name)) != getattr(plain, name)}
    return CatalogueRow(ref=info.ref, **told)
