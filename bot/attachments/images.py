"""Pictures: checked before they are decoded, turned upright, made small, and stripped of all that is not the picture.

Runs in the worker process. Pillow never chooses a format by itself: the first bytes do. Knows no model; the limits are
those that every provider takes.
"""

import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import cast

from PIL import Image, ImageChops, ImageCms, features

from bot.attachments.bare_jpeg import is_bare
from bot.attachments.signs import image as recognise
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, Picture, ReadFile

#: What is decoded at most. The common sensor of 64 megapixels makes 64.2 of them.
MAX_PIXELS = 66_000_000
MAX_SIDE = 2_048
#: Anthropic takes the least: 5 MB as base64, which is 3.75 MB as bytes.
MAX_ENCODED_BYTES = 3_700_000

#: A picture longer than so many times its short side (a scrolled screenshot) is cut into parts, else it is unreadable.
_LONG = 3.0
_PART_RATIO = 2.0
_MAX_PARTS = 8
#: A part goes on so far into the next, in pixels, so that a line of text stands whole in one of them.
_OVERLAP = 48
#: In drawings and screenshots this share of pixels equals its right neighbour; in photos far fewer do.
_FLAT = 0.4
_QUALITIES = (88, 75, 60, 40)

_ORIENTATION = 0x0112
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: The colour space that a profile describes -> the modes that it fits.
_PROFILED = {"RGB ": ("RGB", "RGBA"), "CMYK": ("CMYK",)}
#: Media type -> Pillow's name of the format, and the one module that reads it (otherwise Pillow imports all of them).
_FORMATS = {
    "image/jpeg": ("JPEG", "JpegImagePlugin"),
    "image/png": ("PNG", "PngImagePlugin"),
    "image/webp": ("WEBP", "WebPImagePlugin"),
    "image/gif": ("GIF", "GifImagePlugin"),
    "image/avif": ("AVIF", "AvifImagePlugin"),
    "image/bmp": ("BMP", "BmpImagePlugin"),
    "image/tiff": ("TIFF", "TiffImagePlugin"),
}
_TOO_LARGE = f"has too many pixels: I take pictures of up to {MAX_PIXELS // 1_000_000} megapixels"


def read(content: bytes, media_type: str) -> ReadFile:
    """Read a picture; a very long one becomes several, from its top (or its left side) on."""
    with _in_words():
        source = _open(content, media_type)
        several = getattr(source, "is_animated", False) and source.format != "MPO"
        parts = _parts(*source.size)
        upright, full_size = _decode(source, parts)
        if parts == 1:
            pictures: tuple[Picture, ...] = (_whole(upright, content, media_type, full_size),)
        else:
            pictures = tuple(_encode(part, photo=media_type == "image/jpeg") for part in _cut(upright, parts))
    remarks = [_size_remark(full_size, pictures)]
    if several:
        remarks.append("only its first picture is shown")
    return ReadFile(kind=FileKind.IMAGE, media_type=media_type, pictures=pictures, remarks=tuple(remarks))


def prepare(content: bytes) -> Picture:
    """Make one picture, of any format that `read` takes, fit for every provider; a very long one is made small.

    Raises:
        UnreadableFile: it is damaged, has too many pixels, or is no picture of a known format.
    """
    media_type = recognise(content, "")
    if media_type is None:
        raise UnreadableFile("is no picture of a kind that I can read")
    with _in_words():
        upright, full_size = _decode(_open(content, media_type), 1)
        return _whole(upright, content, media_type, full_size)


@contextmanager
def _in_words() -> Iterator[None]:
    """Tell what is wrong with a picture in words. Whatever Pillow raises over it, the picture is the reason."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (UnreadableFile, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableFile(_TOO_LARGE) from error
    except Exception as error:
        raise UnreadableFile("is a damaged picture, or was cut off on its way: send it again") from error


def _open(content: bytes, media_type: str) -> Image.Image:
    """Read the header, and refuse by it; nothing is decoded yet."""
    if media_type == "image/heic":
        raise UnreadableFile("is a HEIC picture, which I cannot read: send it as a photo, or as JPEG")
    name, module = _FORMATS[media_type]
    if name == "AVIF" and not features.check("avif"):
        raise UnreadableFile("is an AVIF picture, which I cannot read here: send it as JPEG")
    plugin = import_module(f"PIL.{module}")
    if name == "AVIF":
        plugin.DEFAULT_MAX_THREADS = 1  # type: ignore[attr-defined]  # the worker process may start none
    source = Image.open(BytesIO(content), formats=(name,))
    if math.prod(source.size) > MAX_PIXELS:
        raise UnreadableFile(_TOO_LARGE)
    return source


def _decode(source: Image.Image, parts: int) -> tuple[Image.Image, tuple[int, int]]:
    """The picture upright, as small as it may be for so many parts, in RGB, RGBA or L, and its size before."""
    orientation, profile, size = _orientation(source), source.info.get("icc_profile"), source.size
    image = _in_eight_bits(source)
    longest = parts * (MAX_SIDE - _OVERLAP) if parts > 1 else MAX_SIDE
    ratio = min(1.0, longest / max(size))
    # Both sides as they will be: a JPEG is then decoded at a half, a quarter or an eighth of its size where that does.
    image.thumbnail((math.ceil(size[0] * ratio), math.ceil(size[1] * ratio)), Image.Resampling.LANCZOS)
    image.load()
    image = _in_plain_colours(image, profile)
    turn = _TURNS.get(orientation)
    if turn is not None:
        image = image.transpose(turn)
    return image, size[::-1] if orientation in (5, 6, 7, 8) else size


def _orientation(source: Image.Image) -> object:
    """What EXIF says about which side is up. A picture with broken EXIF is a picture all the same."""
    if source.format == "TIFF":
        return None  # Pillow turns these by itself when it loads them, and tells the size that they have then
    try:
        return source.getexif().get(_ORIENTATION)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return None


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled well, with its transparency as a channel."""
    match image.mode:
        case "I;16" | "I;16L" | "I;16B" | "I;16N":
            return image.point(lambda value: value * (1 / 256)).convert("L")
        case "I" | "F":
            low, high = cast(tuple[float, float], image.getextrema())
            scale = 255 / ((high - low) or 1)
            return image.point(lambda value: value * scale - low * scale).convert("L")
        case "1":
            return image.convert("L")
        case _ if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
            return image.convert("RGBA")
        case "P":
            return image.convert("RGB")
        case _:
            return image


def _in_plain_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB as screens have it, RGBA where something shows through, L for grey."""
    image = _in_srgb(image, profile)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image.convert("RGB") if image.getchannel("A").getextrema() == (255, 255) else image
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply a colour profile. A broken one is passed over: the colours are a little off without it."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if image.mode not in _PROFILED.get(source.profile.xcolor_space, ()):
            return image
        target = ImageCms.createProfile("sRGB")
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, source, target, outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError):
        return image


def _parts(width: int, height: int) -> int:
    long, short = max(width, height), min(width, height)
    if long <= MAX_SIDE or long <= _LONG * short:
        return 1
    return min(_MAX_PARTS, math.ceil(long / (_PART_RATIO * short)))


def _cut(image: Image.Image, parts: int) -> Iterator[Image.Image]:
    width, height = image.size
    tall = height >= width
    step = math.ceil(max(width, height) / parts)
    for start in range(0, max(width, height), step):
        end = start + step + _OVERLAP
        yield image.crop((0, start, width, min(end, height)) if tall else (start, 0, min(end, width), height))


def _whole(image: Image.Image, content: bytes, media_type: str, full_size: tuple[int, int]) -> Picture:
    """The picture as it came where that is safe, so that a photo is not made worse; else encoded anew."""
    as_it_came = image.size == full_size and len(content) <= MAX_ENCODED_BYTES and media_type == "image/jpeg"
    if as_it_came and image.mode in ("RGB", "L") and is_bare(content):
        return Picture(content=content, media_type=media_type, width=image.width, height=image.height)
    return _encode(image, photo=media_type == "image/jpeg")


def _encode(image: Image.Image, *, photo: bool) -> Picture:
    """As PNG where it is drawn or something shows through it, as JPEG otherwise or where a PNG would be too large."""
    image.info.clear()  # Pillow would write comments and profiles from there
    if not photo and (image.mode == "RGBA" or _is_flat(image)):
        encoded = _saved(image, "PNG")
        if len(encoded) <= MAX_ENCODED_BYTES:
            return Picture(content=encoded, media_type="image/png", width=image.width, height=image.height)
    opaque = _on_white(image) if image.mode == "RGBA" else image
    for quality in _QUALITIES:
        encoded = _saved(opaque, "JPEG", quality=quality)
        if len(encoded) <= MAX_ENCODED_BYTES:
            break
    return Picture(content=encoded, media_type="image/jpeg", width=image.width, height=image.height)


def _saved(image: Image.Image, name: str, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _is_flat(image: Image.Image) -> bool:
    grey = image.convert("L")
    width, height = grey.size
    if width < 2:
        return True
    steps = ImageChops.difference(grey.crop((1, 0, width, height)), grey.crop((0, 0, width - 1, height)))
    return steps.histogram()[0] >= _FLAT * (width - 1) * height


def _size_remark(full_size: tuple[int, int], pictures: tuple[Picture, ...]) -> str:
    width, height = full_size
    first = pictures[0]
    full, shown = f"{width:,} x {height:,} px", f"{first.width:,} x {first.height:,}"
    if len(pictures) > 1:
        return f"{full}, shown in {len(pictures)} parts of {shown}"
    return full if (first.width, first.height) == full_size else f"{full}, shown at {shown}"
