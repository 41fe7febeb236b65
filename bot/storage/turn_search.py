"""What is looked for among turns as a filter of MongoDB: escaped regular expressions within one thread, no text index.

Substrings are found in every writing system that way, and nothing that people type is a pattern.
"""

import re
from typing import assert_never

from bot.core.stores import Speaker, TurnQuery
from bot.storage.codec import Document, storable

_OF_PEOPLE = ("items.text", "items.files.name", "items.files.excerpt")
_OF_BOT = ("answer",)


def turn_filter(query: TurnQuery, *, from_seq: int) -> Document:
    """A filter for turns of the query's thread from number `from_seq` on, for the index of current turns."""
    found: Document = {"thread_key": query.thread_key, "current": True, "seq": {"$gte": from_seq}}
    at = {"$gte": query.since, "$lt": query.before}
    if bounds := {operator: time for operator, time in at.items() if time is not None}:
        found["at"] = bounds
    if query.author_key is not None:
        found["author.key"] = query.author_key
    if query.author_name is not None:
        found["author.name"] = _containing(query.author_name)
    if query.words:
        fields = _fields(query.speaker)
        found["$and"] = [{"$or": [{field: _containing(word)} for field in fields]} for word in query.words]
    return found


def _fields(speaker: Speaker) -> tuple[str, ...]:
    match speaker:
        case Speaker.ANYONE:
            return (*_OF_PEOPLE, *_OF_BOT)
        case Speaker.PEOPLE:
            return _OF_PEOPLE
        case Speaker.BOT:
            return _OF_BOT
        case _:
            assert_never(speaker)


def _containing(word: str) -> Document:
    # PCRE's \\Q…\\E would end at an E in the word; a NUL ends every pattern of BSON.
    return {"$regex": re.escape(storable(word).replace("\0", "")), "$options": "i"}
