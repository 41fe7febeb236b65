"""Bad files against the real registry, in real processes: each ends in a clear line, in little time."""

import asyncio
import io
import random
import time
from dataclasses import dataclass

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from bot.attachments.reader import ReadLimits, SubprocessReader
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind
from tests.bot.attachments import recordings as made
from tests.bot.attachments.pictures import chunk, encoded, photo, png_claiming, quarters
from tests.bot.attachments.test_signs import zipped

_DAMAGED = "is a damaged picture, or was cut off on its way: send it again"
_TOO_LARGE = "has too many pixels: I take pictures of up to 66 megapixels"
_UNKNOWN = (
    "is of a kind that I cannot read: I read pictures, PDF, recordings, Word, Excel, PowerPoint, EPUB, web pages "
    "and text"
)
_ENOUGH_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    content: bytes
    words: str


def _endless_gif() -> bytes:
    """A GIF of 50,000 frames in half a megabyte; the last one is cut off."""
    still = encoded(Image.new("P", (2, 2)), "GIF")
    frame = still[still.index(b",\0\0") : -1]
    return still[:-1] + frame * 50_000


_JPEG = encoded(photo(300, 300), "JPEG")
_CASES = (
    Case(name="cut.jpg", content=_JPEG[: len(_JPEG) // 2], words=_DAMAGED),
    Case(name="head.jpg", content=_JPEG[:3], words=_DAMAGED),
    Case(name="bomb.png", content=png_claiming(100_000, 100_000), words=_TOO_LARGE),
    Case(name="short.png", content=png_claiming(8_000, 8_000), words=_DAMAGED),
    Case(name="chunks.png", content=png_claiming(8, 8, *[chunk(b"IHDR", b"")] * 9), words=_DAMAGED),
    Case(name="nulls.png", content=b"\x89PNG\r\n\x1a\n" + bytes(2_000_000), words=_DAMAGED),
    Case(name="nulls.txt", content=bytes(5_000_000), words=_UNKNOWN),
    Case(name="random.docx", content=random.Random(1).randbytes(2_000_000), words=_UNKNOWN),
    Case(
        name="nested.zip",
        content=zipped("a.zip", content=zipped("b.zip", content=zipped("word/document.xml"))),
        words="is an archive: send the files in it one by one",
    ),
    Case(
        name="film.mp3",
        content=made.mp4(b"soun", b"vide"),
        words="is a video, which I cannot watch: send pictures of it, or its sound as a recording",
    ),
)


async def _words(reader: SubprocessReader, case: Case) -> str:
    with pytest.raises(UnreadableFile) as caught:
        await reader.read(case.name, None, case.content)
    return str(caught.value)


async def test_each_bad_file_costs_one_clear_line_in_little_time() -> None:
    reader = SubprocessReader()
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tasks = {case.name: group.create_task(_words(reader, case)) for case in _CASES}

    assert {case.name: case.words for case in _CASES} == {name: task.result() for name, task in tasks.items()}
    assert time.monotonic() - started < _ENOUGH_S


async def test_a_picture_too_large_for_the_memory_it_may_take_is_refused() -> None:
    reader = SubprocessReader(limits=ReadLimits(memory_bytes=150_000_000))
    case = Case(
        name="large.png",
        content=encoded(Image.new("RGB", (7_000, 7_000)), "PNG", compress_level=1),
        words="needs more memory than one file may take: send a smaller or simpler one",
    )

    assert case.words == await _words(reader, case)


async def test_the_first_picture_of_a_gif_is_shown_however_many_there_are() -> None:
    file = await SubprocessReader(limits=ReadLimits(cpu_s=5)).read("a.gif", None, _endless_gif())

    assert file.remarks == ("2 x 2 px", "only its first picture is shown")


async def test_a_file_that_is_two_things_at_once_is_read_as_what_it_begins_with() -> None:
    content = encoded(quarters(), "JPEG") + zipped("word/document.xml") + b"<html><script>"
    file = await SubprocessReader().read("both.docx", "text/html", content)

    assert (file.kind, file.media_type) == (FileKind.IMAGE, "image/jpeg")
    assert b"script" not in file.pictures[0].content


async def test_of_a_pdf_that_is_locked_for_changes_an_unlocked_copy_is_kept() -> None:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.encrypt(user_password="", owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    file = await SubprocessReader().read("locked.pdf", None, out.getvalue())

    assert (file.kind, file.total) == (FileKind.PDF, 1)
    assert file.content is not None
    assert not PdfReader(io.BytesIO(file.content)).is_encrypted
