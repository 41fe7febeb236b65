"""Office files and e-books as what they are: zip archives of XML parts, from strangers.

Parts are streamed through expat, never unpacked to disk and never held whole, so a bomb costs the time until a limit
and no memory. The libraries for these formats build whole trees, and leave out inserted text and text boxes.
Knows no format inside.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from io import BytesIO
from typing import NoReturn, Protocol
from urllib.parse import unquote
from xml.parsers import expat

from bot.attachments._limits import Meter
from bot.core.errors import UnreadableFile

MAX_ENTRIES = 20_000
#: Unpacked size of all entries, as the archive tells it; `zipfile` never hands out more than it told.
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
#: How much of one part is read.
MAX_PART_BYTES = 256 * 1024 * 1024
#: How much of one part is read at once, as bytes.
MAX_BLOB_BYTES = 16 * 1024 * 1024
#: No tag, comment or attribute may be longer: expat holds it whole.
MAX_TOKEN_BYTES = 4 * 1024 * 1024
#: Elements are no deeper in each other: expat keeps them all. Word needs less than 100, with tables in tables.
MAX_DEPTH = 1_000

_EXHAUSTING = "has a part that is made to exhaust memory, so I left it alone"
_CHUNK_BYTES = 64 * 1024
_ENTRY_SIGN = b"PK\x01\x02"
_IS_ENCRYPTED = 0x1
# The others are unpacked without any limit by `zipfile`, and no program writes documents with them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What `zipfile` and expat raise over damaged bytes; the last three over names and encodings that nobody knows.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, expat.ExpatError),
    *(ValueError, LookupError, OSError),
)


class Outcome(StrEnum):
    """How far a part was read."""

    WHOLE = "whole"
    CUT = "cut"  # a limit was reached
    BROKEN = "broken"  # the rest of it is damaged


class Handler(Protocol):
    """Takes the elements of a part as they come. Tags are without prefix, attributes as written."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, tag: str) -> None:
        """An element ends."""
        ...

    def text(self, text: str) -> None:
        """Text inside of the element that began last, possibly in pieces."""
        ...


class Elements:
    """A `Handler` that collects elements of certain tags, up to a number."""

    MOST = 100_000

    def __init__(self, tags: frozenset[str]) -> None:
        self._tags = tags
        self.found: list[tuple[str, Mapping[str, str]]] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in self._tags and len(self.found) < self.MOST:
            self.found.append((tag, attributes))

    def end(self, tag: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


class Package:
    """An open archive. `allows_dtd`: parts may name a document type, as e-books do; entities are never allowed."""

    def __init__(self, archive: zipfile.ZipFile, meter: Meter, *, allows_dtd: bool) -> None:
        self._archive = archive
        self._meter = meter
        self._allows_dtd = allows_dtd
        self.names = frozenset(archive.namelist())

    def parse(self, name: str, handler: Handler) -> Outcome:
        """Feed a part to `handler`, until its end or a limit.

        Raises:
            UnreadableFile: the part declares entities, or is made to exhaust memory.
        """
        if name not in self.names:
            return Outcome.BROKEN
        parser = _parser(handler, allows_dtd=self._allows_dtd)
        fed = 0
        try:
            with self._archive.open(name) as part:
                while chunk := part.read(_CHUNK_BYTES):
                    parser.Parse(chunk, False)
                    fed += len(chunk)
                    if fed - max(0, parser.CurrentByteIndex) > MAX_TOKEN_BYTES:
                        raise UnreadableFile(_EXHAUSTING)
                    if fed >= MAX_PART_BYTES or self._meter.is_spent:
                        return Outcome.CUT
                parser.Parse(b"", True)
        except _BROKEN:
            return Outcome.BROKEN
        return Outcome.WHOLE

    def elements(self, name: str, *tags: str) -> list[tuple[str, Mapping[str, str]]]:
        """A part's elements of these tags, in order; empty: there is no such part."""
        handler = Elements(frozenset(tags))
        self.parse(name, handler)
        return handler.found

    def blob(self, name: str) -> bytes:
        """A part's bytes, at most MAX_BLOB_BYTES; empty: it is missing or broken."""
        try:
            with self._archive.open(name) as part:
                return part.read(MAX_BLOB_BYTES)
        except _BROKEN:
            return b""

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part refers to, by id: the last word of the relation's type, and a part's name or an address."""
        folder, file = posixpath.split(name)
        found = {}
        for _, attributes in self.elements(posixpath.join(folder, "_rels", f"{file}.rels"), "Relationship"):
            target = attributes.get("Target", "")
            if attributes.get("TargetMode") != "External":
                target = resolved(folder, target)
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)
        return found


def resolved(folder: str, target: str) -> str:
    """The name of the part that `target` (a relative address) means, seen from a folder of the archive."""
    path = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def named(attributes: Mapping[str, str], name: str) -> str:
    """An attribute by its name with any prefix; empty when it is missing."""
    for key, value in attributes.items():
        if key == name or key.endswith(f":{name}"):
            return value
    return ""


def relation_id(attributes: Mapping[str, str]) -> str:
    """The attribute `r:id` with whatever prefix, which is another one than `id`; empty when it is missing."""
    return next((value for key, value in attributes.items() if key.endswith(":id")), "")


@contextmanager
def opened(content: bytes, meter: Meter, *, allows_dtd: bool = False) -> Iterator[Package]:
    """An archive whose size and entries were checked.

    Raises:
        UnreadableFile: it is broken, locked, or a bomb.
    """
    # Counted before `zipfile` makes an object of each.
    if content.count(_ENTRY_SIGN) > MAX_ENTRIES:
        raise UnreadableFile(f"is an archive of more than {MAX_ENTRIES:,} files, more than I take")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except _BROKEN:
        raise UnreadableFile("is damaged or incomplete: send it again, or save it anew and send that") from None
    with archive:
        _check(archive.infolist())
        yield Package(archive, meter, allows_dtd=allows_dtd)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if any(entry.flag_bits & _IS_ENCRYPTED for entry in entries):
        raise UnreadableFile("is locked with a password: send it without one")
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise UnreadableFile("is packed in a way that documents never are: save it anew and send that")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableFile(f"would unpack to {unpacked / 1024**3:,.1f} GB, more than I take")


def _parser(handler: Handler, *, allows_dtd: bool) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableFile(_EXHAUSTING)
        handler.start(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(tag.rpartition(":")[2])

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.EntityDeclHandler = _refuse_declaration
    if not allows_dtd:
        parser.StartDoctypeDeclHandler = _refuse_declaration
    return parser


def _refuse_declaration(*_: object) -> NoReturn:
    raise UnreadableFile("declares entities of its own, which can be made to exhaust memory: save it anew")
