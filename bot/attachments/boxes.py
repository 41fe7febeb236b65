"""The two containers that many kinds share, as far as telling them apart needs: ISO boxes (MP4, HEIC) and ZIP.

Pure and cheap; nothing is unpacked. Bytes that are not what they claim give less, never an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_BYTES = 8
_ZIP_END = b"PK\x05\x06"
_ZIP_ENTRY = b"PK\x01\x02"
_ZIP_ENTRY_BYTES = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box of an ISO base media file (ISO 14496-12): its type, and where its payload starts and ends."""

    kind: bytes
    start: int
    end: int


def boxes(content: bytes, within: Box | None = None) -> Iterator[Box]:
    """The boxes one after another, at the top or `within` another, until one makes no sense."""
    at, end = (0, len(content)) if within is None else (within.start, within.end)
    while at + _HEADER_BYTES <= end:
        size, start = int.from_bytes(content[at : at + 4]), at + _HEADER_BYTES
        if size == 1:
            size, start = int.from_bytes(content[start : start + 8]), start + 8
        elif size == 0:
            size = end - at
        if size < start - at:
            return
        yield Box(kind=content[at + 4 : at + 8], start=start, end=min(at + size, end))
        at += size


def find(content: bytes, *path: bytes, within: Box | None = None) -> Box | None:
    """The first box at `path`, or None."""
    for box in boxes(content, within):
        if box.kind == path[0]:
            return box if len(path) == 1 else find(content, *path[1:], within=box)
    return None


def brands(content: bytes) -> tuple[bytes, ...]:
    """What an ISO file says it is, most important first; empty: it is no such file."""
    if content[4:8] != b"ftyp":
        return ()
    head = content[8 : min(int.from_bytes(content[:4]), 1_024)]
    return (head[:4], *(head[at : at + 4] for at in range(8, len(head) - 3, 4)))


def handlers(content: bytes) -> frozenset[bytes]:
    """What the tracks of an MP4 are for: `soun`, `vide` and others."""
    movie = find(content, b"moov")
    if movie is None:
        return frozenset()
    tracks = (box for box in boxes(content, movie) if box.kind == b"trak")
    found = (find(content, b"mdia", b"hdlr", within=track) for track in tracks)
    return frozenset(content[box.start + 8 : box.start + 12] for box in found if box is not None)


def zip_members(content: bytes) -> frozenset[str]:
    """The names of a ZIP archive's members, from its central directory; empty: it is none, or it is broken."""
    end = content.rfind(_ZIP_END)
    if end < 0 or not content.startswith(b"PK\x03\x04"):
        return frozenset()
    at = end - int.from_bytes(content[end + 12 : end + 16], "little")
    names: set[str] = set()
    while 0 <= at <= end - _ZIP_ENTRY_BYTES and content.startswith(_ZIP_ENTRY, at):
        name, extra, comment = (
            int.from_bytes(content[at + field : at + field + 2], "little") for field in (28, 30, 32)
        )
        at += _ZIP_ENTRY_BYTES
        names.add(content[at : at + name].decode("utf-8", "replace"))
        at += name + extra + comment
    return frozenset(names)
