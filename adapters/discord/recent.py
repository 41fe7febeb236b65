"""A mapping that keeps the newest entries only. Knows nothing of what it holds."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """At most `size` entries; the one that was set longest ago goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __setitem__(self, key: Key, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def get(self, key: Key) -> Value | None:
        """The value, None when it is gone or never was."""
        return self._entries.get(key)

    def pop(self, key: Key) -> Value | None:
        """Take an entry out; None when there is none."""
        return self._entries.pop(key, None)
