"""Recordings that tests make: containers with headers that are right and sound that is not."""

import io
import struct
import wave

SECONDS = 3.0


def box(kind: bytes, *payload: bytes) -> bytes:
    """A box of an MP4."""
    content = b"".join(payload)
    return struct.pack(">I", 8 + len(content)) + kind + content


def mp4(*handlers: bytes, brand: bytes = b"isom", scale: int = 1_000, length: int = 3_000, version: int = 0) -> bytes:
    """An MP4 with one track for each handler; its movie box is the last, as recorders write it."""
    times = struct.pack(">QQIQ", 0, 0, scale, length) if version else struct.pack(">IIII", 0, 0, scale, length)
    header = box(b"mvhd", bytes((version, 0, 0, 0)), times, bytes(80))
    tracks = [box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12)))) for handler in handlers]
    return box(b"ftyp", brand, bytes(4), brand) + box(b"mdat", bytes(12_000)) + box(b"moov", header, *tracks)


def ogg_page(payload: bytes, position: int, *, first: bool = False) -> bytes:
    """One page of an Ogg stream."""
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 2 if first else 0, position, 1, 0, 0, 1)
    return head + bytes((min(len(payload), 255),)) + payload


def ogg(first: bytes, *positions: int) -> bytes:
    """An Ogg stream with the first packet `first`, and a page of sound for each position."""
    pages = b"".join(ogg_page(bytes(250) * 10, position) for position in positions)
    return ogg_page(first, 0, first=True) + pages


OPUS = b"OpusHead\x01\x01" + struct.pack("<HI", 312, 16_000) + bytes(3)
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44_100) + bytes(14)
SPEEX = b"Speex   " + bytes(28) + struct.pack("<I", 16_000) + bytes(40)
THEORA = b"\x80theora" + bytes(40)


def flac(rate: int = 44_100, samples: int = 132_300) -> bytes:
    """A FLAC file."""
    info = bytes(10) + (rate << 44 | 1 << 41 | 15 << 36 | samples).to_bytes(8) + bytes(16)
    return b"fLaC\0\0\0\x22" + info + bytes(60_000)


def ogg_flac(samples: int) -> bytes:
    """FLAC in Ogg."""
    return ogg(b"\x7fFLAC\x01\0\0\x01" + flac()[:42], samples)


def wav(seconds: float = SECONDS) -> bytes:
    """A WAV of silence, 8 kHz and 16 bits."""
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8_000)
        writer.writeframes(bytes(int(seconds * 16_000)))
    return out.getvalue()


def mp3(frames: int = 115, *, tag: bytes = b"") -> bytes:
    """Frames of 128 kbit/s at 44.1 kHz; with `tag` in the first (`Xing` and its count, for example)."""
    header, size = b"\xff\xfb\x90\xc0", 417
    first = header + tag + bytes(size - 4 - len(tag))
    return first + (header + bytes(size - 4)) * (frames - 1)


def id3(size: int = 300) -> bytes:
    """An ID3 tag."""
    return b"ID3\x04\0\0" + bytes((0, 0, size >> 7, size & 127)) + bytes(size)


def adts(frames: int = 141) -> bytes:
    """AAC frames at 48 kHz."""
    size = 200
    header = bytes((0xFF, 0xF1, 0x4C, 0x80 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC))
    return (header + bytes(size - 7)) * frames


def matroska(doctype: bytes, *codecs: bytes) -> bytes:
    """The beginning of a WebM or Matroska file."""
    return (
        b"\x1aE\xdf\xa3\x9fB\x82" + bytes((0x80 | len(doctype),)) + doctype + bytes(30) + b"\x86".join((b"", *codecs))
    )
