"""E-books (EPUB): each document of the reading order a page, in that order.

Pictures, notes of the publisher and the table of contents are left out.
"""

import posixpath

from bot.attachments._decoding import declared_in, decoded
from bot.attachments._html_words import words_of
from bot.attachments._limits import LIMITS, Limits, Meter, extent, first_chars
from bot.attachments._zip import Package, opened, resolved
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a book; see `bot.attachments.kind.Read`."""
    meter = Meter(limits)
    pages: list[str] = []
    with opened(content, meter, allows_dtd=True) as package:
        parts = _reading_order(package)
        if not parts:
            raise UnreadableFile("has no reading order, so I cannot tell what is in it")
        if _locked(package) & set(parts):
            raise UnreadableFile("is locked by copy protection: send it without")
        for part in parts[: limits.pages]:
            if meter.is_spent:
                break
            found = decoded(blob := package.blob(part), declared_in(blob))
            pages.append(words_of(found[0], meter, whole=True).text if found else "")
    if not any(pages) and not meter.is_late:
        raise UnreadableFile("has no text in it")
    remarks = [extent(len(pages), len(parts), "chapter")]
    if meter.was_cut:
        remarks.append(first_chars(meter))
    return ReadFile(
        kind=FileKind.TEXT,
        media_type=media_type,
        pages=tuple(pages),
        unit="chapter",
        total=len(parts),
        remarks=tuple(remarks),
    )


def _reading_order(package: Package) -> list[str]:
    """The names of the documents in the order of the spine."""
    roots = package.elements(_CONTAINER, "rootfile")
    if not roots:
        return []
    root = resolved("", roots[0][1].get("full-path", ""))
    folder = posixpath.dirname(root)
    pages: dict[str, str] = {}
    order: list[str] = []
    for tag, attributes in package.elements(root, "item", "itemref"):
        if tag == "item" and attributes.get("media-type") in _PAGES:
            pages[attributes.get("id", "")] = resolved(folder, attributes.get("href", ""))
        elif tag == "itemref":
            order.append(attributes.get("idref", ""))
    return [pages[key] for key in order if pages.get(key) in package.names]


def _locked(package: Package) -> set[str]:
    """What is encrypted in the archive; also some books' fonts, which do not matter."""
    references = package.elements(_ENCRYPTION, "CipherReference")
    return {resolved("", attributes.get("URI", "")) for _, attributes in references}
