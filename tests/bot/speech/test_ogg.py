"""Length and loudness of Ogg/Opus recordings, read from real pages and from anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.speech import ogg, wav
from tests.fakes.recordings import SILENT_PACKET, check_ogg, ogg_of, silence, wav_of


@pytest.mark.parametrize("seconds", [0.02, 1.0, 1.5, 61.3])
def test_the_length_is_that_which_a_strict_reader_finds(seconds: float) -> None:
    recording = silence(seconds)

    opus = ogg.read_opus(recording)

    assert opus is not None
    assert check_ogg(recording).duration_s == opus.duration_s == pytest.approx(seconds)


def test_loudness_is_the_size_of_packets_in_at_most_256_steps() -> None:
    loud = SILENT_PACKET[:1] + bytes(97)

    opus = ogg.read_opus(ogg_of([SILENT_PACKET] * 500 + [loud] * 500))

    assert opus is not None
    assert opus.waveform == b"\0" * 128 + b"\xff" * 128


def test_a_short_recording_has_a_point_for_each_packet_and_silence_is_flat() -> None:
    opus = ogg.read_opus(silence(0.1))

    assert opus is not None
    assert opus.waveform == bytes(6)


def test_packets_longer_than_a_segment_are_put_together() -> None:
    opus = ogg.read_opus(ogg_of([SILENT_PACKET[:1] + bytes(600)] * 50))

    assert opus is not None
    assert opus.duration_s == pytest.approx(1.0 - 312 / 48_000)


def test_a_position_that_lies_does_not_shorten_what_may_be_billed() -> None:
    lying = bytearray(silence(60.0))
    for at in range(len(lying)):
        if lying[at : at + 4] == b"OggS":
            lying[at + 6 : at + 14] = (960).to_bytes(8, "little")

    opus = ogg.read_opus(bytes(lying))
    longest_s = ogg.longest_s(bytes(lying))

    assert opus is not None
    assert opus.duration_s < 0.1
    assert longest_s is not None
    assert longest_s >= 60.0


@given(st.binary(max_size=400))
def test_anything_else_is_no_recording(content: bytes) -> None:
    assert ogg.read_opus(content) is None
    assert ogg.longest_s(content) is None


@given(st.data())
def test_a_broken_recording_is_read_as_far_as_it_goes(data: st.DataObject) -> None:
    content = bytearray(silence(2.0))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))

    opus = ogg.read_opus(bytes(content[:cut]))

    assert opus is None or opus.duration_s >= 0


def test_samples_in_a_wav_file_play_as_long_as_they_are() -> None:
    file = wav.wrap(bytes(48_000), rate=24_000)

    assert wav.duration_s(file) == 1.0
    assert file == wav_of(1.0)


@given(st.binary(max_size=100))
def test_what_is_no_wav_file_has_no_length(tail: bytes) -> None:
    length = wav.duration_s(b"RIFF\0\0\0\0WAVE" + tail)

    assert wav.duration_s(b"RIFX" + tail) is None
    assert length is None or length >= 0
