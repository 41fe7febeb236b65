"""Real recordings without a codec: Ogg files with Opus packets of silence, WAV files, and a strict reader.

Written from RFC 3533 and RFC 7845 and independent of the product's own reader.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

#: 20 ms of silence, one channel, full band: what libopus writes for it.
SILENT_PACKET = b"\xf8\xff\xfe"
PACKET_SAMPLES = 960
PRE_SKIP = 312
_PACKETS_PER_PAGE = 50
_SERIAL = 7
_BEGIN, _END = 2, 4
_HEAD = struct.Struct("<4sBBqIIIB")


def silence(seconds: float) -> bytes:
    """An Ogg/Opus file that plays exactly so long, with nothing in it."""
    samples = round(seconds * 48_000) + PRE_SKIP
    return ogg_of([SILENT_PACKET] * -(-samples // PACKET_SAMPLES), samples=samples)


def ogg_of(packets: Sequence[bytes], *, samples: int | None = None) -> bytes:
    """An Ogg/Opus file of packets of 20 ms each.

    Its last page ends at `samples`, those that a decoder drops at the start included; None: with the last packet.
    """
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, PRE_SKIP, 48_000, 0, 0)
    vendor = b"tests"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    pages = [_page([head], 0, 0, _BEGIN), _page([tags], 0, 1, 0)]
    for start in range(0, len(packets), _PACKETS_PER_PAGE):
        piece = packets[start : start + _PACKETS_PER_PAGE]
        done = start + len(piece)
        if done < len(packets):
            pages.append(_page(piece, done * PACKET_SAMPLES, len(pages), 0))
        else:
            pages.append(_page(piece, samples or done * PACKET_SAMPLES, len(pages), _END))
    return b"".join(pages)


def wav_of(seconds: float, rate: int = 24_000) -> bytes:
    """A WAV file of silence, one channel of 16 bits."""
    samples = b"\0\0" * round(seconds * rate)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a strict reader found."""

    packets: int
    duration_s: float


def check_ogg(content: bytes) -> Checked:
    """Read an Ogg/Opus file as a player would; AssertionError for anything that the RFCs do not allow."""
    at, number, packets, position, flags = 0, 0, 0, 0, 0
    while at < len(content):
        capture, version, flags, position, _, sequence, checksum, segments = _HEAD.unpack_from(content, at)
        body_at = at + _HEAD.size + segments
        lacing = content[at + _HEAD.size : body_at]
        end = body_at + sum(lacing)
        page = bytearray(content[at:end])
        page[22:26] = bytes(4)
        assert (capture, version, sequence) == (b"OggS", 0, number), f"page {number} at {at}"
        assert end <= len(content), f"page {number} is cut"
        assert _crc(bytes(page)) == checksum, f"checksum of page {number}"
        assert bool(flags & _BEGIN) == (number == 0)
        if number == 0:
            assert content[body_at : body_at + 9] == b"OpusHead\x01"
        elif number == 1:
            assert content[body_at : body_at + 8] == b"OpusTags"
        else:
            packets += sum(length < 255 for length in lacing)
        at, number = end, number + 1
    assert flags & _END, "the last page has to say that it is"
    assert PRE_SKIP < position <= packets * PACKET_SAMPLES
    return Checked(packets=packets, duration_s=(position - PRE_SKIP) / 48_000)


def _page(packets: Sequence[bytes], position: int, number: int, flags: int) -> bytes:
    lacing = b"".join(bytes([255] * (len(each) // 255) + [len(each) % 255]) for each in packets)
    parts = (b"OggS", 0, flags, position, _SERIAL, number)
    body = lacing + b"".join(packets)
    blank = _HEAD.pack(*parts, 0, len(lacing)) + body
    return _HEAD.pack(*parts, _crc(blank), len(lacing)) + body


def _crc_of(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_TABLE = tuple(map(_crc_of, range(256)))


def _crc(page: bytes) -> int:
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value
