"""What can be a voice message."""

import pytest

from bot.core.sound import Voice
from tests.fakes.recordings import silence


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (silence(0.1), True),
        (silence(60), True),
        (silence(0.1).replace(b"OpusHead", b"\x01vorbis\0"), False),
        (b"ID3" + silence(0.1), False),
        (b"OggS" + bytes(5_000) + b"OpusHead", False),
        (b"", False),
    ],
    ids=["opus", "long", "vorbis", "mp3", "late", "empty"],
)
def test_ogg_with_opus_is_known_by_its_first_page(content: bytes, expected: bool) -> None:
    voice = Voice(content=content, media_type="audio/ogg", name="a.ogg", duration_s=1.0)

    assert voice.is_ogg_opus is expected
