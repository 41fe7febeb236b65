"""Recordings: what they are and how long they last. Nothing is decoded; whoever hears them gets the bytes as they came.

The length is read from the container where that is simple, and is a hint: a file can say anything.
"""

import math
from collections.abc import Callable

from bot.attachments.boxes import find
from bot.attachments.mpeg import adts_duration_s, mp3_frame
from bot.core.files import FileKind, ReadFile

_DAY_S = 86_400.0
#: Nobody records with less (silence has 400 bit/s) or more (six channels of 32 bits): beyond it the length is a lie.
_BYTES_A_SECOND = (50.0, 1_600_000.0)

_OPUS_RATE = 48_000
_OGG_PAGE_BYTES = 27
#: An MP3 holds the count of its frames in the first one, behind `Xing` (or `Info`) or `VBRI`.
_XING_FRAMES_FLAG = 1
_VBRI_AT = 36


def read(content: bytes, media_type: str) -> ReadFile:
    """Read a recording of any of the types that `signs.sound` knows."""
    measure = _MEASURES.get(media_type)
    duration_s = None if measure is None else _believable(measure(content), len(content))
    return ReadFile(kind=FileKind.AUDIO, media_type=media_type, content=content, duration_s=duration_s)


def _believable(duration_s: float | None, size_bytes: int) -> float | None:
    if duration_s is None or not math.isfinite(duration_s) or not 0 < duration_s <= _DAY_S:
        return None
    least, most = _BYTES_A_SECOND
    return duration_s if least <= size_bytes / duration_s <= most else None


def _ogg(content: bytes) -> float | None:
    """The position of the last page (RFC 3533), in samples of the rate that the first one tells."""
    first = content[_OGG_PAGE_BYTES : _OGG_PAGE_BYTES + 512]
    skipped = 0
    if (at := first.find(b"OpusHead")) >= 0:
        rate, skipped = _OPUS_RATE, int.from_bytes(first[at + 10 : at + 12], "little")
    elif (at := first.find(b"\x01vorbis")) >= 0:
        rate = int.from_bytes(first[at + 12 : at + 16], "little")
    elif (at := first.find(b"Speex   ")) >= 0:
        rate = int.from_bytes(first[at + 36 : at + 40], "little")
    elif (at := first.find(b"fLaC")) >= 0:
        rate = _flac_rate(first[at:])
    else:
        return None
    position = _last_position(content)
    return (position - skipped) / rate if position is not None and rate else None


def _last_position(content: bytes) -> int | None:
    end = len(content)
    while (at := content.rfind(b"OggS\0", 0, end)) >= 0:
        position = int.from_bytes(content[at + 6 : at + 14], "little", signed=True)
        if position >= 0 and at + _OGG_PAGE_BYTES <= len(content):
            return position
        end = at
    return None


def _wav(content: bytes) -> float | None:
    """Bytes of sound by bytes a second; recorders that stream leave the first unsaid."""
    at, rate = 12, 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        match content[at : at + 4]:
            case b"fmt ":
                rate = int.from_bytes(content[at + 16 : at + 20], "little")
            case b"data":
                there = len(content) - at - 8
                return min(size or there, there) / rate if rate else None
            case _:
                pass
        at += 8 + size + size % 2
    return None


def _mp4(content: bytes) -> float | None:
    """The movie header (ISO 14496-12, 8.2.2); all bits set means that nobody knows."""
    header = find(content, b"moov", b"mvhd")
    if header is None:
        return None
    fields = content[header.start : header.end]
    wide = fields[:1] == b"\x01"
    at, width = (20, 8) if wide else (12, 4)
    scale, length = int.from_bytes(fields[at : at + 4]), int.from_bytes(fields[at + 4 : at + 4 + width])
    return length / scale if scale and length != (1 << 8 * width) - 1 else None


def _flac(content: bytes) -> float | None:
    """STREAMINFO (RFC 9639, 8.2) is the first block; 0 samples: nobody knows."""
    rate, samples = _flac_rate(content), int.from_bytes(content[21:26]) & 0xF_FFFF_FFFF
    return samples / rate if rate else None


def _flac_rate(content: bytes) -> int:
    return int.from_bytes(content[18:21]) >> 4


def _mp3(content: bytes) -> float | None:
    at = _after_id3(content)
    frame = mp3_frame(content, at)
    if frame is None:
        return None
    count = _mp3_frame_count(content, at, mono=frame.mono, mpeg1=frame.mpeg1)
    if count is not None:
        return count * frame.samples / frame.rate
    return (len(content) - at) * 8 / (frame.kbps * 1_000)


def _after_id3(content: bytes) -> int:
    """Where the tag ends: its size has seven bits a byte."""
    if not content.startswith(b"ID3") or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _mp3_frame_count(content: bytes, at: int, *, mono: bool, mpeg1: bool) -> int | None:
    side = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    xing = at + 4 + side
    if content[xing : xing + 4] in (b"Xing", b"Info") and content[xing + 7 : xing + 8] != b"":
        flags = content[xing + 7]
        return int.from_bytes(content[xing + 8 : xing + 12]) if flags & _XING_FRAMES_FLAG else None
    if content[at + _VBRI_AT : at + _VBRI_AT + 4] == b"VBRI":
        return int.from_bytes(content[at + _VBRI_AT + 14 : at + _VBRI_AT + 18])
    return None


_MEASURES: dict[str, Callable[[bytes], float | None]] = {
    "audio/ogg": _ogg,
    "audio/wav": _wav,
    "audio/mp4": _mp4,
    "audio/flac": _flac,
    "audio/mpeg": _mp3,
    "audio/aac": adts_duration_s,
}
