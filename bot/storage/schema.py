"""Which collections there are, their indexes and what their documents must look like.

Indexes are ensured at every start (half a millisecond each when nothing changed), validators by a migration.
"""

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure

from bot.storage.codec import Document

#: IndexOptionsConflict, IndexKeySpecsConflict: an index of this name exists and is another one.
_INDEX_CONFLICTS = (85, 86)


def _ttl() -> IndexModel:
    """Documents vanish at their `expire_at`; those without one stay and cost nothing."""
    dated = {"expire_at": {"$type": "date"}}
    return IndexModel([("expire_at", ASCENDING)], name="ttl", expireAfterSeconds=0, partialFilterExpression=dated)


def _newest_of(field: str, name: str, **options: Any) -> IndexModel:
    return IndexModel([(field, ASCENDING), ("at", DESCENDING)], name=name, **options)


def indexes() -> Mapping[str, tuple[IndexModel, ...]]:
    """All indexes by collection."""
    return {
        "threads": (
            IndexModel([("until", ASCENDING)], name="pending_expired", partialFilterExpression={"np": {"$gt": 0}}),
            IndexModel([("account", ASCENDING), ("active_at", DESCENDING)], name="account_active"),
        ),
        "turns": (
            # Partial, so that superseded turns are not even scanned. Not unique: a late writer whose question
            # was withdrawn may have used the number, and losing the other turn would be worse.
            IndexModel(
                [("thread_key", ASCENDING), ("seq", DESCENDING)],
                name="thread_seq",
                partialFilterExpression={"current": True},
            ),
            _newest_of("author.key", "author_at"),
            _ttl(),
        ),
        "usage": (
            _newest_of("author_key", "author_at"),
            _newest_of("channel_key", "channel_at"),
            _newest_of("space_key", "space_at", partialFilterExpression={"space_key": {"$exists": True}}),
            IndexModel([("at", DESCENDING)], name="at"),
            # The few that no rollup holds yet.
            IndexModel([("unrolled", ASCENDING)], name="unrolled", partialFilterExpression={"unrolled": True}),
        ),
        "rollups": (
            IndexModel([("scope", ASCENDING), ("day", ASCENDING)], name="scope_day"),
            IndexModel([("day", ASCENDING), ("batch", ASCENDING)], name="day_batch"),
        ),
        "counters": (
            # Counters of which something is held.
            IndexModel(
                [("oldest", ASCENDING)], name="held_since", partialFilterExpression={"oldest": {"$type": "date"}}
            ),
            _ttl(),
        ),
        "rates": (_ttl(),),
        "answers": (_ttl(),),
        "blobs": (_ttl(),),
        "readings": (_ttl(),),
        "refusals": (_ttl(),),
        "invocations": (
            IndexModel([("handed_at", ASCENDING)], name="open_handed", partialFilterExpression={"open": True}),
            _ttl(),
        ),
    }


async def ensure_indexes(database: AsyncDatabase[Document]) -> None:
    """Create what is missing; an index whose definition changed is dropped and built anew."""
    for collection, models in indexes().items():
        try:
            await database[collection].create_indexes(list(models))
        except OperationFailure as error:
            if error.code not in _INDEX_CONFLICTS:
                raise
            await _rebuild(database, collection, models)


async def _rebuild(database: AsyncDatabase[Document], collection: str, models: tuple[IndexModel, ...]) -> None:
    for model in models:
        try:
            await database[collection].create_indexes([model])
        except OperationFailure as error:
            if error.code not in _INDEX_CONFLICTS:
                raise
            await database[collection].drop_index(model.document["name"])
            await database[collection].create_indexes([model])


def validators() -> Mapping[str, Document]:
    """What turns and ledger rows must hold; threads have none: hot, and made by our pipelines alone."""
    text, whole, date = {"bsonType": "string"}, {"bsonType": ["int", "long"]}, {"bsonType": "date"}
    turn = {
        "thread_key": text,
        "seq": whole,
        "fence": whole,
        "at": date,
        "author": {"bsonType": "object", "required": ["key", "name"]},
        "items": {"bsonType": "array", "minItems": 1},
        "answer": text,
        "outcome": {"enum": ["answered", "partial", "failed", "stopped", "refused"]},
    }
    row = {
        "at": date,
        "turn_uid": text,
        "thread_key": text,
        "channel_key": text,
        "author_key": text,
        "model": text,
        "usage": {"bsonType": "object", "required": ["input_tokens", "output_tokens"]},
        # Money is counted in whole nano-dollars: a float here would drift when it is added up.
        "cost": {"bsonType": ["long", "null"]},
        "certainty": {"enum": ["exact", "estimated", "unknown"]},
        "status": text,
    }
    return {"turns": _required(turn), "usage": _required(row)}


def _required(properties: Document) -> Document:
    return {"$jsonSchema": {"bsonType": "object", "required": sorted(properties), "properties": properties}}


async def apply_validators(database: AsyncDatabase[Document]) -> None:
    """Create the validated collections, or set the validator where they exist."""
    for collection, validator in validators().items():
        options: Document = {"validator": validator, "validationLevel": "moderate"}
        try:
            await database.create_collection(collection, **options)
        except CollectionInvalid:
            await database.command({"collMod": collection, **options})
