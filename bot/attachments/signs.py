"""How kinds of files are told apart: by what is in them; a name is a hint only where all that is in them is text.

Recognisers for the registry, from content and name to a media type or None. They are cheap, import no library, and do
not say that a file is sound.
"""

import codecs
import os.path
import re

from bot.attachments.boxes import brands, handlers, zip_members
from bot.attachments.kind import Recognise
from bot.attachments.mpeg import starts_like_adts, starts_like_mp3

_AVIF = frozenset((b"avif", b"avis"))
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"))
#: Sizes of the headers that a BMP can have; its `BM` alone begins many a text.
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_SOUND_BRANDS = frozenset((b"M4A ", b"M4B ", b"M4P "))
_MATROSKA = b"\x1aE\xdf\xa3"
#: Where a Matroska file names its codecs, and an Ogg file those of its streams.
_HEAD_BYTES = 65_536
_OGG_SOUND = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
_OGG_VIDEO = (b"\x80theora", b"\x01video")

_HTML_HEAD_BYTES = 4_096
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(rb"<[a-z][^<>]*>", re.IGNORECASE)
_HTML_NAMES = frozenset((".html", ".htm", ".xhtml", ".xht"))
#: Sources that may begin like a page; who sends one asks about the source.
_SOURCE_NAMES = frozenset((".php", ".vue", ".svelte", ".erb", ".ejs", ".hbs", ".j2", ".jinja", ".twig", ".txt", ".md"))

_TEXTS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
}
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Control characters that no text has, beside the ones for lines, tabs, pages and colours (ESC).
_CONTROLS = bytes((*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
_DROP_CONTROLS = dict.fromkeys(_CONTROLS)
#: How much of a text may be control characters: valid UTF-8 is hardly ever by chance, other encodings often are.
_UTF8_CONTROLS = 0.1
_OTHER_CONTROLS = 0.005
#: UTF-16 without its mark is told by the zeros that Latin letters have in it.
_WIDE_ZEROS = 0.3


def starts_with(prefix: bytes, media_type: str) -> Recognise:
    """Recognise by the first bytes, after a byte order mark or blanks."""

    def recognise(content: bytes, name: str) -> str | None:
        return media_type if content[:64].lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(prefix) else None

    return recognise


def zip_with(member: str, media_type: str) -> Recognise:
    """Recognise a ZIP archive that has a member of this name; one inside another archive does not count."""

    def recognise(content: bytes, name: str) -> str | None:
        return media_type if member in zip_members(content) else None

    return recognise


def image(content: bytes, name: str) -> str | None:
    """Pictures, also HEIC."""
    for prefix, media_type in _IMAGES:
        if content.startswith(prefix):
            return media_type
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    claimed = frozenset(brands(content))
    if claimed & _AVIF:
        return "image/avif"
    return "image/heic" if claimed & _HEIC else None


def sound(content: bytes, name: str) -> str | None:
    """Recordings; a file with a moving picture is none."""
    if content.startswith(b"OggS"):
        head = content[:_HEAD_BYTES]
        return "audio/ogg" if _has(head, _OGG_SOUND) and not _has(head, _OGG_VIDEO) else None
    if content.startswith(_MATROSKA):
        return _matroska_sound(content[:_HEAD_BYTES])
    if claimed := brands(content):
        return "audio/mp4" if claimed[0] in _SOUND_BRANDS or handlers(content) == {b"soun"} else None
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return "audio/wav"
    if content.startswith(b"fLaC"):
        return "audio/flac"
    if content.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return "audio/amr"
    if starts_like_adts(content):
        return "audio/aac"
    return "audio/mpeg" if content.startswith(b"ID3") or starts_like_mp3(content) else None


def html(content: bytes, name: str) -> str | None:
    """Web pages; source code that begins like one is text."""
    suffix = _suffix(name)
    # Without its zeros a page in UTF-16 reads like ASCII.
    head = content[:_HTML_HEAD_BYTES].replace(b"\0", b"")
    if suffix in _SOURCE_NAMES:
        return None
    return "text/html" if _HTML.match(head) or (suffix in _HTML_NAMES and _TAG.search(head)) else None


def plain_text(content: bytes, name: str) -> str | None:
    """Anything that is made of characters, in whatever encoding."""
    if content.startswith(b"{\\rtf") or not _is_text(content):
        return None
    return _TEXTS.get(_suffix(name), "text/plain")


def _has(head: bytes, signs: tuple[bytes, ...]) -> bool:
    return any(sign in head for sign in signs)


def _matroska_sound(head: bytes) -> str | None:
    if b"V_" in head or b"A_" not in head:
        return None
    return "audio/webm" if b"webm" in head[:64] else "audio/x-matroska"


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_text(content: bytes) -> bool:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _is_wide_text(content, encoding)
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if not controls:
        return True
    share = controls / len(content)
    if share <= _OTHER_CONTROLS or (share <= _UTF8_CONTROLS and _is_utf8(content)):
        return True
    if content.count(0) < len(content) * _WIDE_ZEROS:
        return False
    return any(_is_wide_text(content, encoding) for encoding in ("utf-16-le", "utf-16-be"))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_wide_text(content: bytes, encoding: str) -> bool:
    """Whether it makes sense in an encoding of two or four bytes a character; the last one may be cut off."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return False
    return len(text) - len(text.translate(_DROP_CONTROLS)) <= len(text) * _OTHER_CONTROLS
