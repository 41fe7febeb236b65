"""The frames of MP3 and AAC (ADTS): where one begins, how long it is and how long it sounds. Pure; decodes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
#: By the version's bits: 0 is MPEG 2.5, 2 is MPEG 2, 3 is MPEG 1; 1 is none.
_MP3_RATES = {0: (11_025, 12_000, 8_000), 2: (22_050, 24_000, 16_000), 3: (44_100, 48_000, 32_000)}
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_LAYER_3 = 1
_MPEG1 = 3
_ADTS_HEADER_BYTES = 7
_ADTS_SAMPLES = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of an MP3: samples per second and in it, its length in bytes, and whether it has one channel."""

    rate: int
    samples: int
    size_bytes: int
    kbps: int
    mono: bool
    mpeg1: bool


def mp3_frame(content: bytes, at: int) -> Frame | None:
    """The frame of an MPEG layer III stream whose header stands at `at`, None: there is none."""
    header = content[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0 or header[1] >> 1 & 3 != _LAYER_3:
        return None
    version, rate, bitrate = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if version not in _MP3_RATES or rate == 3 or bitrate in (0, 15):
        return None
    mpeg1 = version == _MPEG1
    hertz = _MP3_RATES[version][rate]
    kbps = (_MPEG1_KBPS if mpeg1 else _MPEG2_KBPS)[bitrate]
    samples = 1_152 if mpeg1 else 576
    size = samples // 8 * kbps * 1_000 // hertz + (header[2] >> 1 & 1)
    return Frame(rate=hertz, samples=samples, size_bytes=size, kbps=kbps, mono=header[3] >> 6 == 3, mpeg1=mpeg1)


def starts_like_mp3(content: bytes) -> bool:
    """Two frames follow each other, of the same rate: one header alone turns up by chance."""
    first = mp3_frame(content, 0)
    second = None if first is None else mp3_frame(content, first.size_bytes)
    return first is not None and second is not None and first.rate == second.rate


def adts_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Start of each AAC frame, and its samples per second, until something else comes."""
    at = 0
    while at + _ADTS_HEADER_BYTES <= len(content):
        rate = content[at + 2] >> 2 & 15
        size = int.from_bytes(content[at + 3 : at + 6]) >> 5 & 0x1FFF
        if content[at] != 0xFF or content[at + 1] & 0xF6 != 0xF0 or rate >= len(_ADTS_RATES) or size < 8:
            return
        yield at, _ADTS_RATES[rate]
        at += size


def starts_like_adts(content: bytes) -> bool:
    """Two AAC frames follow each other."""
    frames = adts_frames(content)
    return next(frames, None) is not None and next(frames, None) is not None


def adts_duration_s(content: bytes) -> float:
    """Seconds of all its frames."""
    return sum(_ADTS_SAMPLES / rate for _, rate in adts_frames(content))
