"""WAV files: samples put into one, and how long one plays. Only what has a plain head; nothing is decoded."""

import struct

#: Where lengths are not known yet, streaming writers put the largest number there is.
_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PLAIN = 1


def wrap(samples: bytes, *, rate: int) -> bytes:
    """A WAV file of signed 16-bit samples, one channel, lowest byte first."""
    return (
        _HEAD.pack(
            b"RIFF",
            _HEAD.size - 8 + len(samples),
            b"WAVE",
            b"fmt ",
            16,
            _PLAIN,
            1,
            rate,
            rate * 2,
            2,
            16,
            b"data",
            len(samples),
        )
        + samples
    )


def duration_s(content: bytes) -> float | None:
    """How long it plays; None: it is no WAV file, or its head does not say."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    at, bytes_per_s = 12, 0
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt ":
            bytes_per_s = int.from_bytes(content[at + 16 : at + 20], "little")
        elif name == b"data":
            there = min(length, len(content) - at - 8)
            return there / bytes_per_s if bytes_per_s else None
        at += 8 + length + length % 2
    return None
