"""Rows of the catalogue: what one source says of a model, and how several sources are merged.

A row whose id is `*` says what holds for all models of its provider, also for those that nobody has listed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from bot.core.catalogue import Catalogue, ModelInfo, ModelRef, Price

ANY_MODEL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """The fields of ModelInfo, None where this source says nothing."""

    ref: ModelRef
    name: str | None = None
    description: str | None = None
    window_tokens: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    temperature: bool | None = None
    reasoning: bool | None = None
    reasoning_effort: str | None = None
    aliases: tuple[str, ...] | None = None
    price: Price | None = None
    retires: date | None = None
    default: bool | None = None


_FACTS = tuple(field.name for field in fields(CatalogueRow) if field.name != "ref")


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
    rows: Iterable[CatalogueRow], discovered: Mapping[str, Collection[ModelInfo]], providers: Collection[str]
) -> Catalogue:
    """The catalogue of `providers` (in the order in which a default is looked for).

    What a server tells of its models (`discovered`, by provider) fills the fields that the rows leave open.
    """
    told = [_row_of(info) for infos in discovered.values() for info in infos]
    merged = merge_rows(told, rows)
    order = {name: position for position, name in enumerate(providers)}
    general = {row.ref.provider: row for row in merged if row.ref.id == ANY_MODEL}
    listed = sorted(
        (row for row in merged if row.ref.provider in order and row.ref.id != ANY_MODEL),
        key=lambda row: order[row.ref.provider],
    )
    infos = (_info(row, general.get(row.ref.provider)) for row in listed)
    templates = {name: _info(row, None) for name, row in general.items() if name in order}
    return Catalogue(models={info.ref: info for info in infos}, providers=tuple(providers), templates=templates)


def _facts(row: CatalogueRow) -> dict[str, Any]:
    """What a row says."""
    return {name: value for name in _FACTS if (value := getattr(row, name)) is not None}


def _over(below: CatalogueRow, above: CatalogueRow) -> CatalogueRow:
    return CatalogueRow(ref=above.ref, **(_facts(below) | _facts(above)))


def _without(row: CatalogueRow, aliases: Collection[str], defaults: Collection[str]) -> CatalogueRow:
    if not row.aliases and not row.default:
        return row
    kept = tuple(alias for alias in row.aliases or () if alias not in aliases)
    return replace(row, aliases=kept, default=None if row.ref.provider in defaults else row.default)


def _info(row: CatalogueRow, general: CatalogueRow | None) -> ModelInfo:
    below = {} if general is None else _facts(general)
    return ModelInfo(ref=row.ref, **(below | _facts(row)))


def _row_of(info: ModelInfo) -> CatalogueRow:
    """What a server told; fields that cannot say "unknown" count as unsaid at their default."""
    plain = ModelInfo(ref=info.ref)
    told = {name: value for name in _FACTS if (value := getattr(info, name)) != getattr(plain, name)}
    return CatalogueRow(ref=info.ref, **told)
