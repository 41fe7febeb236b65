"""Values of the core as documents and back: a document's fields are named as the value's.

Reading takes a missing field's default and passes over unknown fields, so that documents of the version
before and after can be read. Knows the shape of values only, no collection and no index.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from bot.core import inbound

Document = dict[str, Any]
Value = TypeVar("Value")
_Read = Callable[[Any], Any]

#: The union of events is the one place where a document has to say which class it is of.
_EVENTS = {event.__name__.lower(): event for event in typing.get_args(inbound.Event)}


def to_document(value: object) -> Document:
    """A dataclass as a document: tuples become arrays, enums their values, mappings arrays of pairs."""
    kind: type = type(value)
    return {name: _to_bson(getattr(value, name)) for name in _field_names(kind)}


def from_document(kind: type[Value], document: Mapping[str, Any]) -> Value:
    """Read a value of the dataclass `kind` from what `to_document` made of one."""
    readers = _readers(cast("type", kind))
    return kind(**{name: read(document[name]) for name, read in readers if name in document})


def storable(text: str) -> str:
    """The text as MongoDB takes it: halves of a surrogate pair are joined, a half alone becomes U+FFFD.

    JSON can spell such halves, and servers that stream it cut between them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _to_bson(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case str():
            return storable(value)
        case None | bool() | int() | float() | datetime():
            return value
        case tuple():
            return [_to_bson(item) for item in value]
        case Mapping():
            # Pairs, not fields: a name may hold what MongoDB reads as a path or an operator.
            return [[key, _to_bson(item)] for key, item in value.items()]
        case _:
            document = to_document(value)
            name = type(value).__name__.lower()
            return {"type": name, **document} if name in _EVENTS else document


def _same(value: Any) -> Any:
    return value


@cache
def _readers(kind: type) -> tuple[tuple[str, _Read], ...]:
    """For each field its name and how it is read; worked out once: documents are read in every turn."""
    hints = typing.get_type_hints(kind)
    return tuple((name, _reader(hints[name])) for name in _field_names(kind))


def _reader(hint: Any) -> _Read:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint == inbound.Event:
        return lambda document: from_document(_EVENTS[document["type"]], document)
    if origin in (typing.Union, types.UnionType):
        return _optional(_reader(next(argument for argument in arguments if argument is not types.NoneType)))
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda values: tuple(item(value) for value in values)
    if origin is not None and issubclass(origin, Mapping):
        return dict
    if hint is int:
        return int  # of bson's Int64, which is no concern of the core
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if dataclasses.is_dataclass(hint):
        kind = cast("type[object]", hint)
        return lambda document: from_document(kind, document)
    return _same


def _optional(read: _Read) -> _Read:
    return _same if read is _same else lambda value: None if value is None else read(value)
