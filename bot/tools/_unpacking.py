"""The body of a web page as it arrives: unpacked in small steps, counted afterwards, and never much larger than asked.

Knows bytes only; where they come from and how fast is the fetcher's business.
"""

import zlib
from collections.abc import Iterator

from bot.tools._targets import FetchRefused

#: What one step unpacks at most: about a millisecond of work.
_STEP_BYTES = 256 * 1024
#: Past this size, more than so many bytes out of one are no page. Real ones reach 30.
_BOMB_BYTES, _BOMB_RATIO = 1024 * 1024, 200
_MAGIC = b"\x1f\x8b"
#: A gzip file may be several in a row; tiny ones cost more time than they are worth.
_MEMBERS = 64


class Body:
    """Collects a body. `encoding` is its Content-Encoding; only gzip was asked for.

    Raises:
        FetchRefused: the encoding is another, or what is fed turns out broken, a bomb or larger than `max_bytes`.
    """

    def __init__(self, encoding: str, *, max_bytes: int) -> None:
        match encoding.strip().lower():
            case "" | "identity":
                self._gzip: _Gzip | None = None
            case "gzip" | "x-gzip":
                self._gzip = _Gzip()
            case _:
                raise FetchRefused("the page is packed in a way that was not asked for")
        self._max_bytes = max_bytes
        self._arrived_bytes = 0
        self._content = bytearray()

    def feed(self, chunk: bytes) -> Iterator[None]:
        """Take what arrived, in steps between which others may run."""
        self._arrived_bytes += len(chunk)
        for piece in (chunk,) if self._gzip is None else self._gzip.unpack(chunk):
            self._content += piece
            size = len(self._content)
            if size > _BOMB_BYTES and size > self._arrived_bytes * _BOMB_RATIO:
                raise FetchRefused("the page unpacks to something absurdly large")
            if max(size, self._arrived_bytes) > self._max_bytes:
                raise too_large(self._max_bytes)
            yield

    def content(self) -> bytes:
        """All of it, at the end."""
        if self._gzip is not None and not self._gzip.is_complete:
            raise FetchRefused("the page's packing is broken")
        return bytes(self._content)


class _Gzip:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._members = 1
        self._begun = False

    @property
    def is_complete(self) -> bool:
        """Whether it ended where a gzip file ends; so does nothing at all."""
        return self._member.eof or not self._begun

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            self._begun = True
            if self._member.eof:
                if not chunk.startswith(_MAGIC):
                    return  # rubbish after the end, which browsers ignore as well
                self._next_member()
            try:
                piece = self._member.decompress(chunk, _STEP_BYTES)
            except zlib.error as error:
                raise FetchRefused("the page's packing is broken") from error
            yield piece
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MEMBERS:
            raise FetchRefused("the page's packing is broken")
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)


def too_large(max_bytes: int) -> FetchRefused:
    """What is said of a page that is larger than asked for."""
    size = f"{max_bytes / 1_048_576:.0f} MB" if max_bytes >= 1_048_576 else f"{max_bytes:,} bytes"
    return FetchRefused(f"the page is larger than {size}")
