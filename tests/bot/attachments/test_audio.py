"""Recordings keep their bytes; their length is read where it is told, and not believed when it cannot be."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attachments import audio
from bot.attachments.signs import sound
from bot.core.files import FileKind
from tests.bot.attachments import recordings as made

_TYPES = ("audio/ogg", "audio/wav", "audio/mp4", "audio/flac", "audio/mpeg", "audio/aac", "audio/amr", "audio/webm")


def _duration_s(content: bytes) -> float | None:
    media_type = sound(content, "")
    assert media_type is not None
    return audio.read(content, media_type).duration_s


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(made.ogg(made.OPUS, 48_000, 3 * 48_000 + 312), id="Opus"),
        pytest.param(made.ogg(made.OPUS, 3 * 48_000 + 312, -1), id="Opus, last page without a position"),
        pytest.param(made.ogg(made.VORBIS, 3 * 44_100), id="Vorbis"),
        pytest.param(made.ogg(made.SPEEX, 3 * 16_000), id="Speex"),
        pytest.param(made.ogg_flac(3 * 44_100), id="FLAC in Ogg"),
        pytest.param(made.flac(), id="FLAC"),
        pytest.param(made.wav(), id="WAV"),
        pytest.param(made.wav().replace(b"data\x80\xbb\0\0", b"data\xff\xff\xff\xff"), id="WAV of unsaid length"),
        pytest.param(made.mp4(b"soun"), id="MP4"),
        pytest.param(made.mp4(b"soun", version=1), id="MP4 with wide times"),
        pytest.param(made.mp3(), id="MP3"),
        pytest.param(made.id3() + made.mp3(), id="MP3 with a tag"),
        pytest.param(made.mp3(40, tag=bytes(17) + b"Xing\0\0\0\x01" + struct.pack(">I", 115)), id="MP3, Xing"),
        pytest.param(made.mp3(40, tag=bytes(32) + b"VBRI" + bytes(10) + struct.pack(">I", 115)), id="MP3, VBRI"),
        pytest.param(made.adts(), id="AAC"),
    ],
)
def test_the_length_is_read_from_the_container(content: bytes) -> None:
    assert _duration_s(content) == pytest.approx(made.SECONDS, abs=0.01)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(made.ogg(made.OPUS), id="Ogg without sound"),
        pytest.param(made.ogg(made.OPUS, 100), id="before its own start"),
        pytest.param(made.ogg(made.OPUS, 2**62), id="Ogg of millennia"),
        pytest.param(made.ogg(made.VORBIS.replace(struct.pack("<I", 44_100), bytes(4)), 44_100), id="rate of 0"),
        pytest.param(made.flac(rate=0), id="FLAC with a rate of 0"),
        pytest.param(made.flac(samples=0), id="FLAC of unknown length"),
        pytest.param(made.flac(samples=2**36 - 1), id="FLAC of weeks"),
        pytest.param(made.mp4(b"soun", scale=0), id="MP4 with a scale of 0"),
        pytest.param(made.mp4(b"soun", length=2**32 - 1), id="MP4 of unknown length"),
        pytest.param(made.mp4(b"soun", length=1), id="12 kB in a millisecond"),
        pytest.param(made.mp4(b"soun", length=3_600_000), id="12 kB in an hour"),
        pytest.param(made.id3() + b"no frame", id="a tag and no sound"),
        pytest.param(made.matroska(b"webm", b"A_OPUS"), id="WebM"),
        pytest.param(b"#!AMR\n" + bytes(500), id="AMR"),
    ],
)
def test_a_length_that_is_not_told_or_cannot_be_is_unknown(content: bytes) -> None:
    assert _duration_s(content) is None


def test_a_recording_is_kept_as_it_came() -> None:
    content = made.wav()
    file = audio.read(content, "audio/wav")

    assert (file.kind, file.media_type, file.pictures, file.pages) == (FileKind.AUDIO, "audio/wav", (), ())
    assert file.content is content


_STARTS = (made.ogg(made.OPUS, 99), made.wav(0.01), made.mp4(b"soun"), made.flac()[:80], made.mp3(2), made.adts(2))


@settings(deadline=None)
@given(media_type=st.sampled_from(_TYPES), start=st.sampled_from(_STARTS), cut=st.integers(0, 600), noise=st.binary())
def test_no_bytes_make_a_length_that_cannot_be(media_type: str, start: bytes, cut: int, noise: bytes) -> None:
    duration_s = audio.read(start[:cut] + noise, media_type).duration_s

    assert duration_s is None or 0 < duration_s <= 86_400
