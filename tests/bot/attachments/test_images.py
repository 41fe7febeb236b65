"""Pictures become upright, small, plain and safe; what cannot be read is refused in words."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

from bot.attachments import images
from bot.attachments.signs import image as recognise
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, Picture, ReadFile
from tests.bot.attachments.pictures import chunk, decoded, encoded, noise, photo, png_claiming, quarters

_DAMAGED = "is a damaged picture, or was cut off on its way: send it again"
_TOO_LARGE = "has too many pixels: I take pictures of up to 66 megapixels"
_PLACE = b"52.5200N"


def _read(content: bytes) -> ReadFile:
    media_type = recognise(content, "")
    assert media_type is not None
    return images.read(content, media_type)


def _only(content: bytes) -> Picture:
    (picture,) = _read(content).pictures
    return picture


def _refusal(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        _read(content)
    return str(caught.value)


def _outcome(content: bytes, media_type: str) -> tuple[Picture, ...] | str:
    try:
        return images.read(content, media_type).pictures
    except UnreadableFile as error:
        return str(error)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = _PLACE.decode()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return exif


def _near(expected: tuple[int, ...], color: object) -> bool:
    assert isinstance(color, tuple)
    return all(abs(a - b) < 40 for a, b in zip(expected, color, strict=True))


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_every_format_is_read_by_its_content(form: str, media_type: str) -> None:
    file = _read(encoded(quarters(), form))

    assert (FileKind.IMAGE, media_type, None, ("80 x 40 px",)) == (
        file.kind,
        file.media_type,
        file.content,
        file.remarks,
    )
    assert _near((255, 0, 0), decoded(file.pictures[0].content).convert("RGB").getpixel((10, 10)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, ("red", "lime", "blue", "white")),
        (2, ("lime", "red", "white", "blue")),
        (3, ("white", "blue", "lime", "red")),
        (4, ("blue", "white", "red", "lime")),
        (5, ("red", "blue", "lime", "white")),
        (6, ("blue", "red", "white", "lime")),
        (7, ("white", "lime", "blue", "red")),
        (8, ("lime", "white", "red", "blue")),
    ],
)
def test_orientation_is_applied(form: str, orientation: int, corners: tuple[str, ...]) -> None:
    picture = _only(encoded(quarters(80, 40), form, exif=_exif(orientation)))
    shown = decoded(picture.content).convert("RGB")
    width, height = shown.size

    assert ((80, 40) if orientation < 5 else (40, 80)) == (width, height) == (picture.width, picture.height)
    for color, (x, y) in zip(corners, ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
        expected = Image.new("RGB", (1, 1), color).getpixel((0, 0))
        assert isinstance(expected, tuple)
        assert _near(expected, shown.getpixel((width // 4 + x * width // 2, height // 4 + y * height // 2)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("image", [quarters(), photo(80, 40)], ids=["drawing", "photo"])
def test_no_metadata_is_left(form: str, image: Image.Image) -> None:
    hidden = {} if form == "GIF" else {"exif": _exif(1), "icc_profile": _srgb()}
    content = encoded(image, form, comment=_PLACE, xmp=b"<x>" + _PLACE + b"</x>", **hidden)
    picture = _only(content)
    shown = decoded(picture.content)

    assert _PLACE in content
    assert _PLACE not in picture.content
    assert dict(shown.getexif()) == {}
    assert {"exif", "icc_profile", "comment", "xmp"} & set(shown.info) == set()


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_what_stands_behind_a_jpegs_end_is_dropped() -> None:
    content = encoded(photo(64, 64), "JPEG") + b"PK\x03\x04 a second file"

    assert b"second file" not in _only(content).content


def test_a_jpeg_that_is_only_a_picture_is_not_encoded_again() -> None:
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 4}):
        content = encoded(photo(640, 480), "JPEG", **options)

        assert content == _only(content).content


def test_a_large_photo_is_made_small_as_jpeg() -> None:
    file = _read(encoded(photo(2_400, 3_200), "JPEG", quality=80))
    (picture,) = file.pictures

    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 1_536, 2_048)
    assert len(picture.content) <= images.MAX_ENCODED_BYTES
    assert file.remarks == ("2,400 x 3,200 px, shown at 1,536 x 2,048",)


def test_a_photo_in_a_lossless_format_becomes_jpeg_and_a_drawing_stays_png() -> None:
    assert _only(encoded(photo(400, 300), "PNG")).media_type == "image/jpeg"
    assert _only(encoded(quarters(400, 300), "PNG")).media_type == "image/png"


def test_noise_with_holes_is_put_on_white_where_a_png_would_be_too_large() -> None:
    image = Image.merge("RGBA", (*noise(1_300, 1_300).split(), _left_half_hole(1_300)))
    picture = _only(encoded(image, "PNG", compress_level=0))

    assert picture.media_type == "image/jpeg"
    assert len(picture.content) <= images.MAX_ENCODED_BYTES
    assert _near((255, 255, 255), decoded(picture.content).getpixel((100, 100)))


def _left_half_hole(side: int) -> Image.Image:
    alpha = Image.new("L", (side, side), 255)
    alpha.paste(0, (0, 0, side // 2, side))
    return alpha


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_transparent_areas_stay_transparent(form: str) -> None:
    image = Image.new("RGBA", (64, 64), (10, 20, 30, 255))
    image.putalpha(_left_half_hole(64))
    shown = decoded(_only(encoded(image, form)).content)
    left, right = shown.getpixel((10, 10)), shown.getpixel((50, 10))

    assert shown.mode == "RGBA"
    assert isinstance(left, tuple)
    assert left[3] == 0
    assert _near((10, 20, 30, 255), right)


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert decoded(_only(encoded(quarters().convert("RGBA"), "PNG")).content).mode == "RGB"


def test_odd_colours_become_plain_ones() -> None:
    red = Image.new("RGB", (32, 32), "red")
    grey = Image.new("I;16", (32, 32), 0x8000)
    cases = {
        "CMYK JPEG": (encoded(red.convert("CMYK"), "JPEG"), (254, 0, 0)),
        "palette PNG": (encoded(red.convert("P"), "PNG"), (255, 0, 0)),
        "16-bit PNG": (encoded(grey, "PNG"), (128, 128, 128)),
        "16-bit TIFF": (encoded(grey, "TIFF"), (128, 128, 128)),
        "bilevel TIFF": (encoded(Image.new("1", (32, 32), 1), "TIFF"), (255, 255, 255)),
        "grey with alpha": (encoded(Image.new("LA", (32, 32), (90, 255)), "PNG"), (90, 90, 90)),
    }
    for name, (content, expected) in cases.items():
        shown = decoded(_only(content).content)

        assert shown.mode in ("L", "RGB"), name
        assert _near(expected, shown.convert("RGB").getpixel((5, 5))), name


def test_floating_point_is_stretched_to_what_can_be_seen() -> None:
    image = Image.new("F", (32, 32), -1.0)
    image.paste(3.0, (16, 0, 32, 32))
    shown = decoded(_only(encoded(image, "TIFF")).content)

    assert shown.getextrema() == (0, 255)


def test_a_colour_profile_is_applied() -> None:
    swapped = _srgb().replace(b"rXYZ", b"-XYZ").replace(b"gXYZ", b"rXYZ").replace(b"-XYZ", b"gXYZ")
    content = encoded(Image.new("RGB", (32, 32), "red"), "PNG", icc_profile=swapped)

    assert _near((0, 255, 0), decoded(_only(content).content).getpixel((5, 5)))


def test_a_colour_profile_that_is_broken_or_for_other_colours_is_passed_over() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"no profile"):
        content = encoded(quarters(), "PNG", icc_profile=profile)

        assert _near((255, 0, 0), decoded(_only(content).content).getpixel((5, 5)))


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_pictures_the_first_is_shown_and_said_to_be(form: str) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("blue", "red", "white")]
    file = _read(encoded(frames[0], form, save_all=True, append_images=frames[1:]))

    assert file.remarks == ("20 x 20 px", "only its first picture is shown")
    assert _near((0, 0, 255), decoded(file.pictures[0].content).convert("RGB").getpixel((5, 5)))


def test_the_photos_inside_a_phone_photo_are_not_told_of() -> None:
    frames = [photo(40, 40), photo(20, 20)]

    assert _read(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])).remarks == ("40 x 40 px",)


def test_a_scrolled_screenshot_is_cut_into_readable_parts_that_overlap() -> None:
    image = Image.new("L", (540, 10_000))
    for top in range(0, 10_000, 40):  # each strip has a grey of its own, up to the 250th
        image.paste(top // 40, (0, top, 540, top + 40))
    file = _read(encoded(image, "PNG"))
    parts = [decoded(picture.content) for picture in file.pictures]
    greys = [[part.getpixel((9, y)) for y in range(part.height)] for part in parts]

    assert file.remarks == ("540 x 10,000 px, shown in 8 parts of 540 x 1,298",)
    assert greys[0][0] == 0
    assert greys[-1][-1] == 249
    for upper, lower in pairwise(greys):
        assert upper[-48:] == lower[:48]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    size: tuple[int, int]
    parts: int


@pytest.mark.parametrize(
    "shape",
    [
        Shape(size=(1, 1), parts=1),
        Shape(size=(2_048, 2), parts=1),
        Shape(size=(1_000, 3_000), parts=1),
        Shape(size=(3_100, 1_000), parts=2),
        Shape(size=(1_080, 20_000), parts=8),
        Shape(size=(1, 60_000), parts=8),
    ],
    ids=lambda shape: f"{shape.size}",
)
def test_no_part_of_any_shape_is_too_large(shape: Shape) -> None:
    pictures = _read(encoded(Image.new("1", shape.size), "PNG")).pictures

    assert shape.parts == len(pictures)
    for picture in pictures:
        assert (picture.width, picture.height) == decoded(picture.content).size
        assert max(picture.width, picture.height) <= images.MAX_SIDE


def test_prepare_makes_one_picture_of_a_long_one() -> None:
    picture = images.prepare(encoded(Image.new("1", (500, 9_000)), "PNG"))

    assert (picture.width, picture.height) == (114, 2_048)


def test_prepare_refuses_what_is_no_picture() -> None:
    with pytest.raises(UnreadableFile, match="is no picture of a kind that I can read"):
        images.prepare(b"%PDF-1.7")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_a_picture_that_was_cut_off_is_refused(form: str) -> None:
    content = encoded(photo(200, 200), form)

    assert _refusal(content[: len(content) // 2]) == _DAMAGED


def _gif_claiming(width: int, height: int) -> bytes:
    content = bytearray(encoded(quarters(), "GIF"))
    content[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes(content)


def _tiff_claiming(width: int, height: int) -> bytes:
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    out = BytesIO()
    Image.new("L", (4, 4)).save(out, "TIFF", tiffinfo=ifd)
    content = out.getvalue()
    for tag, value in ((256, width), (257, height)):
        at = content.index(tag.to_bytes(2, "little") + b"\x04\0")
        content = content[: at + 8] + value.to_bytes(4, "little") + content[at + 12 :]
    return content


@pytest.mark.parametrize(
    "content",
    [
        png_claiming(100_000, 100_000),
        png_claiming(12_000, 12_000),
        png_claiming(2**31 - 1, 1),
        _gif_claiming(65_535, 65_535),
        _tiff_claiming(60_000, 60_000),
    ],
    ids=["PNG of 10 gigapixels", "PNG of 144 megapixels", "PNG as wide as can be", "GIF", "TIFF"],
)
def test_a_bomb_is_refused_by_its_header(content: bytes) -> None:
    assert _refusal(content) == _TOO_LARGE


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_text_in_a_picture_never_unfolds(kind: bytes) -> None:
    outcome = _outcome(png_claiming(8, 8, _text_bomb(kind)), "image/png")

    if isinstance(outcome, str):
        assert outcome == _DAMAGED
    else:
        assert len(outcome[0].content) < 1_000


def _text_bomb(kind: bytes) -> bytes:
    packed = zlib.compress(bytes(30_000_000), 9)
    return chunk(kind, b"key\0" + {b"zTXt": b"\0", b"iCCP": b"\0", b"iTXt": b"\x01\0\0\0"}[kind] + packed)


def test_heic_is_refused_with_what_to_send() -> None:
    content = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)

    assert _refusal(content) == "is a HEIC picture, which I cannot read: send it as a photo, or as JPEG"


def test_broken_exif_costs_nothing_but_itself() -> None:
    content = encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")

    assert (_only(content).width, _only(content).height) == (80, 40)


_STARTS = {form: encoded(photo(24, 24), form) for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")}


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(sorted(_STARTS)),
    at=st.integers(0, 400),
    noise=st.binary(min_size=1, max_size=24),
    tail=st.binary(max_size=40),
)
def test_damage_anywhere_ends_in_a_picture_or_in_words(form: str, at: int, noise: bytes, tail: bytes) -> None:
    content = _STARTS[form]
    content = content[:at] + noise + content[at + len(noise) :] + tail
    outcome = _outcome(content, f"image/{form.lower()}")

    if isinstance(outcome, str):
        assert outcome in (_DAMAGED, _TOO_LARGE)
    else:
        assert all(len(picture.content) <= images.MAX_ENCODED_BYTES for picture in outcome)
