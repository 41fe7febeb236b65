"""The shape of rollups: sums of ledger rows, one document for each day of a person, a channel, a server and of all.

The server adds rows up, always by the one pipeline here. Knows nothing of when rows are rolled up (see rollups.py).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from bson.int64 import Int64

from bot.core.ledger import Certainty, SpendingScope, Whose
from bot.storage.codec import Document

#: What is added up, named as in `ModelSpending`.
SUMS: Final = (
    "requests",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "nano_usd",
    "estimated_requests",
    "unknown_requests",
)
#: The field of a ledger row that says whose it is; every row is ALL's.
FIELD_OF: Final[Mapping[Whose, str]] = {
    Whose.USER: "author_key",
    Whose.CHANNEL: "channel_key",
    Whose.SERVER: "space_key",
}
#: What a field's name cannot hold, or not everywhere; the percent sign comes first, since the others turn into it.
_ESCAPES: Final = (("%", "%25"), (".", "%2E"), ("$", "%24"), ("\0", "%00"))


def escape(model: str) -> str:
    """A model's name as that of a field."""
    for character, escaped in _ESCAPES:
        model = model.replace(character, escaped)
    return model


@lru_cache(maxsize=1_024)  # a year names the same few models thousands of times
def unescape(field: str) -> str:
    """What `escape` made the name of a field."""
    for character, escaped in reversed(_ESCAPES):
        field = field.replace(escaped, character)
    return field


def scope_name(scope: SpendingScope) -> str:
    """How rollups name a scope: `user:telegram:1`, `all:`."""
    return f"{scope.whose}:{scope.key}"


def rows_of(scope: SpendingScope, since: datetime | None) -> Document:
    """The filter for ledger rows of a scope since a time."""
    found: Document = {} if scope.whose is Whose.ALL else {FIELD_OF[scope.whose]: scope.key}
    return found if since is None else {**found, "at": {"$gte": since}}


def add_up(*, scope: str | None = None) -> list[Document]:
    """Stages from ledger rows to `{_id: {scope, day}, models: [{model, requests, …}]}`, of one scope or of all."""
    scopes: list[object] = [f"{Whose.ALL}:"]
    # Of a row without a server the sum of text and nothing is nothing, and left out.
    scopes += [{"$concat": [f"{whose}:", f"${field}"]} for whose, field in FIELD_OF.items()]
    return [
        {
            "$project": {
                "scope": scopes,
                "day": {"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}},
                "model": 1,
                "usage": 1,
                "cost": 1,
                "certainty": 1,
            }
        },
        {"$unwind": "$scope"},
        {"$match": {"scope": {"$ne": None} if scope is None else scope}},
        {"$group": {"_id": {"scope": "$scope", "day": "$day", "model": "$model"}, **_SUM_OF_ROWS}},
        {
            "$group": {
                "_id": {"scope": "$_id.scope", "day": "$_id.day"},
                "models": {"$push": {"model": "$_id.model", **{name: f"${name}" for name in SUMS}}},
            }
        },
    ]


def _counted(certainty: Certainty) -> Document:
    return {"$sum": {"$cond": [{"$eq": ["$certainty", certainty.value]}, 1, 0]}}


_SUM_OF_ROWS: Final[Document] = {
    "requests": {"$sum": 1},
    "input_tokens": {"$sum": "$usage.input_tokens"},
    "cached_tokens": {"$sum": "$usage.cached_tokens"},
    "output_tokens": {"$sum": "$usage.output_tokens"},
    "nano_usd": {"$sum": "$cost"},
    "estimated_requests": _counted(Certainty.ESTIMATED),
    "unknown_requests": _counted(Certainty.UNKNOWN),
}


def rollup_id(added: Document) -> str:
    """The id of the rollup that the sums of one scope and day belong to."""
    return f"{added['_id']['scope']}~{added['_id']['day']}"


def increments(added: Document) -> Document:
    """Sums as `$inc` of their rollup."""
    return {
        f"m.{escape(model['model'])}.{name}": Int64(model[name])
        for model in added["models"]
        for name in SUMS
        if model[name] or name == "requests"
    }


def by_model(added: Document) -> Document:
    """Sums as the map by model that their rollup holds."""
    return {escape(model["model"]): {name: Int64(model[name]) for name in SUMS} for model in added["models"]}


def sums_in(rollups: Iterable[Document]) -> Iterable[tuple[str, str, Mapping[str, int]]]:
    """Day, model and sums for each model of each rollup."""
    for rollup in rollups:
        for field, sums in rollup["m"].items():
            yield rollup["day"], unescape(field), sums


def sums_added(results: Iterable[Document]) -> Iterable[tuple[str, str, Mapping[str, int]]]:
    """The same of what `add_up` returned."""
    for added in results:
        for model in added["models"]:
            yield added["_id"]["day"], model["model"], model
