"""Bytes to text: by byte order mark, by what the file declares, as UTF-8, or by a guess.

Knows no kind of file; text that is no text is refused by its control characters.
"""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_DECLARATION_BYTES = 4_096
# The WHATWG Encoding Standard: what pages call Latin-1 or ASCII is Windows-1252.
_ALIASES = {"iso8859-1": "cp1252", "ascii": "cp1252"}
# Codecs that are no character sets, or were never one of text files.
_TEXTLESS = re.compile(r"utf.?7|idna|punycode|unicode.escape|undefined|mbcs|oem", re.IGNORECASE)
_SAMPLE_BYTES = 64 * 1024
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
#: A text may have so many control characters, as a share of its characters: sound UTF-8 is hardly ever by chance.
_MOST_CONTROLS = 0.1
_MOST_WHEN_GUESSED = 0.005

_HIGH_BYTES = bytes(range(0x80, 0x100))
_FEW_HIGH_BYTES = 32
_LATIN_SHARE = 0.3
# Bytes from 0x80 on are letters in most encodings: they say nothing about what is a text.
_HIGH = dict.fromkeys(range(0x80, 0xA0), "x")


def decoded(content: bytes, declared: str | None = None) -> tuple[str, str | None] | None:
    """The text, and the name of its encoding where that was guessed; None: it is no text.

    `declared` is the encoding that the file or its sender names; a byte order mark and sound UTF-8 outweigh it.
    """
    for bom, name in _BOMS:
        if content.startswith(bom):
            return _if_text(content[len(bom) :].decode(name, errors="replace"))
    if wide := _zero_pattern(content):
        return _if_text(content.decode(wide, errors="replace"))
    try:
        return _if_text(content.decode())
    except UnicodeDecodeError as error:
        # A file that was cut in the middle of a character, or has a single broken byte, is UTF-8 all the same.
        if len(content) > 1_000 and error.start >= len(content) - 3:
            return _if_text(content.decode(errors="ignore"))
    if declared and (encoding := _known(declared)):
        return _if_text(content.decode(encoding, errors="replace"))
    return _guessed(content)


def declared_in(content: bytes) -> str | None:
    """The encoding that a page or an XML file names in its head."""
    found = _DECLARED.search(content[:_DECLARATION_BYTES])
    return found[1].decode() if found else None


def is_text(text: str, most: float = _MOST_CONTROLS) -> bool:
    """Whether at most this share of it is control characters."""
    sample = text[:1_000_000]
    return len(_CONTROLS.findall(sample)) <= len(sample) * most


def _if_text(text: str, encoding: str | None = None) -> tuple[str, str | None] | None:
    return (text, encoding) if is_text(text) else None


def _known(name: str) -> str | None:
    """Our name of a declared encoding; None: nobody knows it, or it is none of text."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not codec._is_text_encoding or _TEXTLESS.search(codec.name):
        return None
    return _ALIASES.get(codec.name, codec.name)


def _zero_pattern(content: bytes) -> str | None:
    """UTF-16 without a mark: in most scripts' texts, blanks and line ends have a zero byte on the same side."""
    sample = content[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.2 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 and odd < 0.02 else None


def _guessed(content: bytes) -> tuple[str, str | None] | None:
    if not is_text(content[:_SAMPLE_BYTES].decode("latin-1").translate(_HIGH), _MOST_WHEN_GUESSED):
        return None
    sample = content[:_SAMPLE_BYTES]
    high = len(sample) - len(sample.translate(None, _HIGH_BYTES))
    # A few accents in Latin letters are too little for statistics: Windows-1252 is what browsers take.
    is_clear = high >= _FEW_HIGH_BYTES or high > len(sample) * _LATIN_SHARE
    best = from_bytes(sample).best() if is_clear else None
    encoding = best.encoding if best else "cp1252"
    return _if_text(content.decode(encoding, errors="replace"), encoding)
