"""What reader and worker send each other: a length, a header in JSON, and raw parts whose sizes the header tells.

Neither pickle nor anything else that runs code: a worker that saw a file is not to be trusted any more.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import cast

LENGTH_BYTES = 4
#: Room for the sizes of some 30,000 pages, and remarks.
_MAX_HEADER_BYTES = 262_144


class Nonsense(Exception):
    """Something came that no honest worker sends; the message is for the log."""


class TooMuch(Exception):
    """More came, or was announced, than is taken."""


def pack(header: Mapping[str, object], parts: Sequence[bytes] = ()) -> bytes:
    """What goes before the parts; their sizes are added to the header."""
    encoded = json.dumps({**header, "sizes": [len(part) for part in parts]}).encode()
    return len(encoded).to_bytes(LENGTH_BYTES) + encoded


class Received:
    """A header and its parts while they come in, at most `max_bytes` of parts."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = bytearray()
        self._sizes: tuple[int, ...] = ()
        self._needed: int | None = None
        self.header: Mapping[str, object] = {}

    def feed(self, data: bytes) -> bool:
        """Take what came; true when all is there.

        Raises:
            Nonsense: it is not what `pack` makes.
            TooMuch: the parts are larger than `max_bytes`; they were not taken.
        """
        self._bytes += data
        if self._needed is None:
            self._needed = self._read_header()
        if self._needed is None:
            return False
        if len(self._bytes) > self._needed:
            raise Nonsense("more than was announced")
        return len(self._bytes) == self._needed

    def parts(self) -> tuple[bytes, ...]:
        """The parts, once all is there."""
        start = len(self._bytes) - sum(self._sizes)
        with memoryview(self._bytes) as all_of_it:
            return tuple(bytes(all_of_it[a:b]) for a, b in pairwise(accumulate(self._sizes, initial=start)))

    def _read_header(self) -> int | None:
        """How many bytes there will be, once the header is there."""
        if len(self._bytes) < LENGTH_BYTES:
            return None
        end = LENGTH_BYTES + int.from_bytes(self._bytes[:LENGTH_BYTES])
        if end > LENGTH_BYTES + _MAX_HEADER_BYTES:
            raise Nonsense("a header without end")
        if len(self._bytes) < end:
            return None
        try:
            header = json.loads(self._bytes[LENGTH_BYTES:end])
        except (ValueError, RecursionError) as error:
            raise Nonsense("a header that is no JSON") from error
        sizes = header.get("sizes") if isinstance(header, dict) else None
        if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
            raise Nonsense("a header without sizes")
        if sum(sizes) > self._max_bytes:
            raise TooMuch
        self.header, self._sizes = cast(Mapping[str, object], header), tuple(sizes)
        return end + sum(sizes)
