"""The files that are measured, the same each time: what people send, and what is as large as a file may be.

Made by the tests' makers of pictures and documents where those fit. Knows nothing of how they are read.
"""

import random
import string

from PIL import Image, ImageDraw

from tests.bot.attachments.documents import docx_of, pdf_from, pdf_of, pdf_stream, xlsx_of
from tests.bot.attachments.pictures import encoded, photo

SCREEN_PX = (3_840, 2_160)
#: Words of usual length, drawn once: text made of them packs like text does.
_WORDS = tuple(
    "".join(random.Random(n).choices(string.ascii_lowercase, k=2 + random.Random(~n).randrange(9)))
    for n in range(4_000)
)
_LINES_A_PAGE, _WORDS_A_LINE = 40, 11
_PARAGRAPHS_A_PAGE, _WORDS_A_PARAGRAPH = 6, 70
_PAGE_PX = (1_240, 1_754)


def jpeg_photo(width: int, height: int, *, quality: int, seed: int = 0) -> bytes:
    """A JPEG with the grain of a photo; `seed` makes it another picture."""
    picture = photo(width, height)
    ImageDraw.Draw(picture).text((20, 20), f"{seed}", fill="black", font_size=200)
    return encoded(picture, "JPEG", quality=quality)


def screenshot() -> bytes:
    """A PNG of a 4K screen: windows full of text on a ground that shades off."""
    width, height = SCREEN_PX
    screen = Image.linear_gradient("L").resize(SCREEN_PX).convert("RGB")
    pen, words = ImageDraw.Draw(screen), random.Random(1)
    for left, top in ((80, 60), (width // 2, 200), (400, height // 2)):
        pen.rectangle((left, top, left + 1_700, top + 900), fill="white", outline="black")
        for line in range(44):
            pen.text((left + 20, top + 12 + 20 * line), _sentence(words, 40), fill="black")
    return encoded(screen, "PNG")


def text_pdf(pages: int, seed: int = 0) -> bytes:
    """A PDF of pages full of words."""
    words = random.Random(seed)
    return pdf_of(["\n".join(_sentence(words, _WORDS_A_LINE) for _ in range(_LINES_A_PAGE)) for _ in range(pages)])


def illustrated_pdf(pages: int, quality: int, seed: int = 0) -> bytes:
    """A PDF with a photo and some words on each page: few enough pages to go to a model as it is."""
    words = random.Random(seed)
    picture = encoded(photo(*_PAGE_PX), "JPEG", quality=quality)
    kids = " ".join(f"{4 + 3 * page} 0 R" for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    entries = "/Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    for page in range(pages):
        used = f"/Resources << /Font << /F1 3 0 R >> /XObject << /Im0 {5 + 3 * page} 0 R >> >>"
        text = "".join(f"({_sentence(words, _WORDS_A_LINE)}) Tj 0 -14 Td " for _ in range(_LINES_A_PAGE))
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {used} /Contents {6 + 3 * page} 0 R >>".encode(),
            pdf_stream(picture, entries=f"{entries.format(*_PAGE_PX)} /Filter /DCTDecode"),
            pdf_stream(f"q 595 0 0 842 0 0 cm /Im0 Do Q\nBT /F1 11 Tf 50 780 Td {text}ET".encode()),
        ]
    return pdf_from(objects)


def word_document(pages: int) -> bytes:
    """A DOCX with headings and paragraphs, of about so many printed pages."""
    words = random.Random(2)
    blocks = []
    for page in range(pages):
        blocks.append(f"# Chapter {page + 1}")
        blocks += [_sentence(words, _WORDS_A_PARAGRAPH) for _ in range(_PARAGRAPHS_A_PAGE)]
    return docx_of(blocks)


def workbook(rows: int) -> bytes:
    """An XLSX of one sheet: in each row five numbers and three texts, of which there are 20,000."""
    cells = random.Random(3)
    texts = [_sentence(cells, 4) for _ in range(20_000)]
    numbers = [cells.randrange(10**7) / 100 for _ in range(20_000)]
    return xlsx_of({"Sales": [[*cells.choices(numbers, k=5), *cells.choices(texts, k=3)] for _ in range(rows)]})


def log(size_bytes: int, seed: int) -> bytes:
    """A text of lines with a time and words, about so long."""
    words = random.Random(seed)
    lines = [f"2026-11-21T09:{n // 60 % 60:02}:{n % 60:02}Z {_sentence(words, _WORDS_A_LINE)}" for n in range(1_000)]
    block = "\n".join(lines)
    return f"{seed}\n{block * (size_bytes // len(block) + 1)}"[:size_bytes].encode()


def chinese_text(size_bytes: int, seed: int) -> bytes:
    """A text of Chinese sentences with a word in Latin letters and a number now and then, about so long."""
    draw = random.Random(seed)
    signs = [chr(code) for code in range(0x4E00, 0x4E00 + 3_000)]
    sentences = ["".join(draw.choices(signs, k=draw.randrange(8, 30))) + "，" for _ in range(5_000)]
    sentences += [f"{draw.choice(_WORDS)} {draw.randrange(10_000)} {sentence}" for sentence in sentences[:1_000]]
    draw.shuffle(sentences)
    block = "\n".join("".join(sentences[at : at + 5]) for at in range(0, len(sentences), 5)).encode()
    return (block * (size_bytes // len(block)))[:size_bytes]


def _sentence(words: random.Random, count: int) -> str:
    return " ".join(words.choices(_WORDS, k=count)).capitalize() + "."
