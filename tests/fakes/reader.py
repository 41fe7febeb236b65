"""A `FileReader` without a subprocess: it knows what each content is, and everything else is a text.

Scripts stand for what `bot.attachments` makes of real files; how it does that is not its business.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, Picture, ReadFile

PNG = b"\x89PNG\r\n\x1a\n"


def picture(content: bytes = PNG + b"a picture", *, width: int = 800, height: int = 600) -> ReadFile:
    """A picture that was read."""
    shown = Picture(content=content, media_type="image/png", width=width, height=height)
    return ReadFile(kind=FileKind.IMAGE, media_type="image/png", pictures=(shown,), remarks=(f"{width} x {height} px",))


def pdf(*pages: str, content: bytes = b"%PDF-1.7 test", pictures: int = 0) -> ReadFile:
    """A PDF of these pages; `pictures` are scanned ones."""
    shown = tuple(
        Picture(content=PNG + b"page %d" % number, media_type="image/png", width=1_000, height=1_400)
        for number in range(pictures)
    )
    total = len(pages) or pictures
    return ReadFile(
        kind=FileKind.PDF,
        media_type="application/pdf",
        content=content,
        pictures=shown,
        pages=pages,
        unit="page",
        total=total,
        remarks=(f"{total} pages",),
    )


def recording(content: bytes = b"OggS test", *, duration_s: float | None = 3.0) -> ReadFile:
    """A recording."""
    return ReadFile(kind=FileKind.AUDIO, media_type="audio/ogg", content=content, duration_s=duration_s)


@dataclass(slots=True)
class ScriptedReader:
    """`files` by content; an error is raised. `gate`, when it is set, holds every reading back until it opens."""

    files: Mapping[bytes, ReadFile | UnreadableFile] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    read_names: list[str] = field(default_factory=list)

    async def read(self, name: str, media_type: str | None, content: bytes) -> ReadFile:
        self.read_names.append(name)
        if self.gate is not None:
            await self.gate.wait()
        found = self.files.get(content)
        if isinstance(found, UnreadableFile):
            raise found
        if found is not None:
            return found
        return ReadFile(kind=FileKind.TEXT, media_type="text/plain", pages=(content.decode(),))
