"""Whether a JPEG holds its picture and nothing else: no EXIF, comment, colour profile or second file behind its end.

Platforms send photos like that. Segments are walked as in ITU T.81, annex B; nothing is decoded.
"""

import re

#: SOF0 to SOF2: the frame. DHT, DQT, DRI: tables. APP0, APP14: how sizes and colours are meant.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_TABLES = frozenset((0xC4, 0xDB, 0xDD))
_NAMED = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}
#: A JFIF or Adobe segment that is longer than this has a thumbnail or something else in it.
_NAMED_MAX_BYTES = 16
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
#: In a scan 0xFF is followed by 0 (it is a plain byte) or a restart mark; anything else ends the scan.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def is_bare(content: bytes) -> bool:
    """True when every byte of `content`, which starts like a JPEG, belongs to its picture, and that is grey or RGB."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        length = int.from_bytes(content[at + 2 : at + 4])
        if marker == _START_OF_SCAN:
            end = _SCAN_END.search(content, at + 2 + length)
            if end is None:
                return False
            at = end.start()
            if content[at + 1] == _END_OF_IMAGE:
                return at + 2 == len(content)
        elif _is_of_picture(marker, content[at + 4 : at + 2 + length]):
            at += 2 + length
        else:
            return False
    return False


def _is_of_picture(marker: int, payload: bytes) -> bool:
    if marker in _FRAMES:
        return payload[5:6] in (b"\x01", b"\x03")  # the number of its colours: four are for printers
    name = _NAMED.get(marker)
    return marker in _TABLES or (name is not None and payload.startswith(name) and len(payload) <= _NAMED_MAX_BYTES)
