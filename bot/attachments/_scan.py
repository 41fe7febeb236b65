"""The pictures of scanned PDF pages: of each page the largest one, upright.

Which file is a scan is the PDF reader's to decide.
"""

from io import BytesIO

from PIL import Image
from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from bot.attachments._limits import Meter
from bot.attachments.images import MAX_PIXELS, prepare
from bot.core.files import Picture

MAX_PICTURES = 10
#: A page with fewer letters has no text to speak of: a stamp, a page number, "Scanned with ...".
_FEW_LETTERS = 30
#: A smaller picture is a logo, not a page. In pixels.
_SMALLEST_PAGE = 100_000
# What pypdf hands out in a format that pictures come in; JPEG 2000 is none.
_AS_IT_IS = (".jpg", ".png")


def is_wordless(text: str) -> bool:
    """Whether a page has hardly any words."""
    return sum(character.isalnum() for character in text[:1_000]) < _FEW_LETTERS


def pictures_of(reader: PdfReader, pages: list[str], meter: Meter) -> tuple[tuple[Picture, ...], tuple[int, ...]]:
    """Pictures of the first pages without words, and those pages' numbers, counted from 1. `pages` are their words."""
    pictures: list[Picture] = []
    numbers: list[int] = []
    tried = 0
    for number, text in enumerate(pages, start=1):
        if len(pictures) == MAX_PICTURES or (tried and meter.is_late):
            break
        if not is_wordless(text):
            continue
        tried += 1
        if picture := _picture_if_any(reader, number):
            pictures.append(picture)
            numbers.append(number)
    return tuple(pictures), tuple(numbers)


def _picture_if_any(reader: PdfReader, number: int) -> Picture | None:
    """None: there is none, or one that pypdf, Pillow or the limits refuse, which does not cost the others."""
    try:
        return _page_picture(reader.pages[number - 1])
    except MemoryError:
        raise
    except Exception:  # both libraries raise nearly everything over bytes from strangers
        return None


def _page_picture(page: PageObject) -> Picture | None:
    keys = [(size, key) for key in page.images.keys() if (size := _pixels(page, key)) <= MAX_PIXELS]  # noqa: SIM118
    size, key = max(keys, key=lambda found: found[0], default=(0, ""))
    if size < _SMALLEST_PAGE:
        return None
    found = page.images[key]
    turn = -page.rotation % 360
    if found.image is None or (not turn and found.name.endswith(_AS_IT_IS)):
        return prepare(found.data)
    out = BytesIO()
    upright: Image.Image = found.image.rotate(turn, expand=True)
    upright.convert("RGB").save(out, "JPEG", quality=90)
    return prepare(out.getvalue())


def _pixels(page: PageObject, key: str | list[str]) -> int:
    """The size that a picture declares, by its path through forms; 0: it stands in the page's own stream."""
    holder: DictionaryObject = page
    for name in [key] if isinstance(key, str) else key:
        resources = holder.get("/Resources")
        objects = resources.get_object().get("/XObject") if resources is not None else None
        if objects is None or name not in objects.get_object():
            return 0
        holder = objects.get_object()[name]
    return int(holder.get("/Width", 0)) * int(holder.get("/Height", 0))
