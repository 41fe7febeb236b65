"""How long an Ogg file with Opus plays, and roughly how loud it is where: read from its packets, nothing is decoded.

The length follows from the first byte of each packet (RFC 6716, section 3.1), which a decoder obeys; the position that
the last page claims (RFC 7845, section 4) may only shorten it. Loudness is taken from the sizes of packets: silence
packs into few bytes and speech into many, so the curve looks right and means nothing more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

#: RFC 7845: positions and lengths count samples at this rate whatever the sound's own is.
_RATE = 48_000
_PAGE_HEAD = 27
_CAPTURE = b"OggS"
_FRAME_SAMPLES = (
    *(480, 960, 1_920, 2_880) * 3,  # SILK: 10, 20, 40, 60 ms
    *(480, 960) * 2,  # both
    *(120, 240, 480, 960) * 4,  # CELT: 2.5, 5, 10, 20 ms
)
_WAVEFORM_POINTS = 256
#: By a packet's first byte: one frame, two, or as many as make 120 ms, which is the most that a packet may hold.
_MOST_SAMPLES = tuple(
    5_760 if byte & 3 == 3 else _FRAME_SAMPLES[byte >> 3] * (2 if byte & 3 else 1) for byte in range(256)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opus:
    """An Ogg/Opus recording. `waveform` are at most 256 values of 0 to 255; empty where nothing sounds."""

    duration_s: float
    waveform: bytes


@dataclass(frozen=True, slots=True)
class _Page:
    position: int
    lacing: bytes
    body: bytes


def read_opus(content: bytes) -> Opus | None:
    """What is known of a recording from its packets; None where it is not Opus in Ogg, or is broken at its start."""
    pages = list(_pages(content))
    packets = list(_packets(pages))
    if not packets or not packets[0].startswith(b"OpusHead") or len(packets[0]) < 19:
        return None
    sounding = packets[2:]  # after the head and the tags
    skipped = int.from_bytes(packets[0][10:12], "little")
    samples = sum(map(_samples, sounding))
    last = max((page.position for page in pages if page.position >= 0), default=0)
    played = min(samples, last) if last else samples
    return Opus(duration_s=max(0, played - skipped) / _RATE, waveform=_waveform([len(each) for each in sounding]))


def longest_s(content: bytes) -> float | None:
    """What a decoder may play of it at most, whatever its pages claim; None: it is not Opus in Ogg.

    Asked of recordings of hours on the event loop: whole pages are summed up without cutting them into packets.
    """
    pages = list(_pages(content))
    if not pages or not pages[0].body.startswith(b"OpusHead"):
        return None
    return sum(map(_most_samples, pages[1:])) / _RATE


def _most_samples(page: _Page) -> int:
    """How long the packets sound that begin on a page, at most. Tags count as sound, too: a tenth of a second."""
    starts: Iterable[int] = accumulate(page.lacing[:-1], initial=0)
    if 255 in page.lacing:
        goes_on = [False, *(length == 255 for length in page.lacing[:-1])]
        starts = (start for start, inside in zip(starts, goes_on, strict=True) if not inside)
    body = page.body + b"\0"  # where an empty packet at the end begins
    return sum(map(_MOST_SAMPLES.__getitem__, map(body.__getitem__, starts)))


def _pages(content: bytes) -> Iterator[_Page]:
    """Whole pages from the start on; what comes after something else is left out."""
    at = 0
    while content[at : at + 4] == _CAPTURE and at + _PAGE_HEAD <= len(content):
        segments = content[at + 26]
        lacing = content[at + _PAGE_HEAD : at + _PAGE_HEAD + segments]
        start = at + _PAGE_HEAD + segments
        end = start + sum(lacing)
        if len(lacing) < segments or end > len(content):
            return
        position = int.from_bytes(content[at + 6 : at + 14], "little", signed=True)
        yield _Page(position, lacing, content[start:end])
        at = end


def _packets(pages: list[_Page]) -> Iterator[bytes]:
    """The packets of all pages as of one stream; a segment of 255 bytes says that its packet goes on."""
    pieces: list[bytes] = []
    for page in pages:
        at = 0
        for length in page.lacing:
            pieces.append(page.body[at : at + length])
            at += length
            if length < 255:
                yield b"".join(pieces)
                pieces = []


def _samples(packet: bytes) -> int:
    """How long a packet sounds: so many frames, each as long as its first byte says."""
    if not packet:
        return 0
    match packet[0] & 3:
        case 0:
            frames = 1
        case 1 | 2:
            frames = 2
        case _:
            frames = packet[1] & 63 if len(packet) > 1 else 0
    return frames * _FRAME_SAMPLES[packet[0] >> 3]


def _waveform(sizes: list[int]) -> bytes:
    """The mean size of each stretch, the smallest as 0 and the largest as 255."""
    if not sizes:
        return b""
    count = min(_WAVEFORM_POINTS, len(sizes))
    bounds = [len(sizes) * point // count for point in range(count + 1)]
    means = [sum(sizes[low:high]) / (high - low) for low, high in pairwise(bounds)]
    least, span = min(means), max(means) - min(means)
    return bytes(round((mean - least) / span * 255) if span else 0 for mean in means)
