"""Pictures that tests make: photos, drawings, and PNGs put together chunk by chunk."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The picture as a file."""
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def decoded(content: bytes) -> Image.Image:
    """The picture in a file."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def noise(width: int, height: int) -> Image.Image:
    """Noise in every colour, the same each time."""
    return Image.frombytes("RGB", (width, height), random.Random(width).randbytes(3 * width * height))


def photo(width: int, height: int) -> Image.Image:
    """Soft shapes with grain: hardly a pixel equals its neighbour."""
    soft = noise(max(1, width // 16), max(1, height // 16)).resize((width, height))
    return Image.blend(soft, noise(width, height), 0.1)


def quarters(width: int = 80, height: int = 40) -> Image.Image:
    """Red, green, blue and white: upper left, upper right, lower left, lower right."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


def chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_claiming(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG whose header says so, with `chunks` before a few bytes of pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = b"".join(b"\0" + bytes(3 * min(width, 8)) for _ in range(min(height, 8)))
    return PNG_START + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
