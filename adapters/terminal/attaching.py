"""`/attach photo.png "my notes.txt" what do they say?`: files of the person's own disk, and the question about them.

Everything here may block. Only what was typed at this keyboard comes here: no word of a model or a page does.
"""

import mimetypes
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import DeliveryError, DeliveryKind, UsageError
from bot.core.message import AttachmentRef

ATTACH = "/attach"
HELP = (
    f'{ATTACH} FILE … [question]: asks about files of this computer, as in {ATTACH} "my photo.jpg" what is this?'
    " A path with spaces goes into quotation marks"
)
#: How many words are tried as one path that has spaces and no quotation marks.
_MAX_WORDS = 12
_ABOUT = re.compile(rf"/help\s+/?{ATTACH[1:]}", re.IGNORECASE)
_LINE = re.compile(rf"{ATTACH}(?:\s+(?P<rest>.*))?", re.DOTALL | re.IGNORECASE)
_QUOTED = re.compile(r'"(?P<double>[^"]*)"(?!\S)|\'(?P<single>[^\']*)\'(?!\S)|“(?P<curly>[^”]*)”(?!\S)')
_WORD = re.compile(r"(?:\\.|\S)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What a line asks: files, and the rest of the line, which may be empty."""

    files: tuple[AttachmentRef, ...]
    text: str


def asks_how(line: str) -> bool:
    """Whether a line is `/help attach`: the core's table of commands does not have it."""
    return _ABOUT.fullmatch(line.strip()) is not None


def parse(line: str) -> Attached | None:
    """Read a line; None when it is no `/attach`.

    Words are files until the first one that is none; from there on it is the question.

    Raises:
        UsageError: there is no such file, or it is none that can be read.
    """
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    rest = found["rest"] or ""
    files: list[AttachmentRef] = []
    while (taken := _take_file(rest)) is not None:
        ref, rest = taken
        files.append(ref)
    if not files:
        raise UsageError(_why_not(rest))
    return Attached(files=tuple(files), text=rest)


def last_path(rest: str) -> tuple[str, bool]:
    """The path that is being typed at the end of a line, and whether it stands in an open quotation mark."""
    before, mark, path = rest.rpartition('"')
    if mark and before.count('"') % 2 == 0:
        return path, True
    words = [word for word in _WORD.finditer(rest) if word.end() == len(rest)]
    return (_ESCAPED.sub(r"\1", words[0][0]) if words else ""), False


def read(ref_id: str, max_bytes: int) -> bytes:
    """The bytes of an attached file, as they are now. Raises DeliveryError."""
    path = Path(ref_id.partition(":")[2])
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not wait for its writer
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DeliveryError(DeliveryKind.NOT_FOUND, f"{path.name} is no file any more")
            content = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DeliveryError(DeliveryKind.NOT_FOUND, f"{path.name} cannot be read ({reason or error})") from None
    if len(content) > max_bytes:
        raise DeliveryError(DeliveryKind.INVALID, f"the file has more than {max_bytes} bytes")
    return content


def _take_file(text: str) -> tuple[AttachmentRef, str] | None:
    """The file that a text begins with, and the text after it; None when it begins with none."""
    for written, rest in _beginnings(text):
        ref = _ref(_path(written))
        if ref is not None:
            return ref, rest
    return None


def _beginnings(text: str) -> Iterator[tuple[str, str]]:
    """What could be a path, with the text after it: what is in quotation marks, else many words before few."""
    quoted = _QUOTED.match(text)
    if quoted is not None:
        yield next(group for group in quoted.groups() if group is not None), text[quoted.end() :].lstrip()
        return
    ends = [word.end() for _, word in zip(range(_MAX_WORDS), _WORD.finditer(text), strict=False)]
    for end in reversed(ends):
        yield _ESCAPED.sub(r"\1", text[:end]), text[end:].lstrip()


def _path(written: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(written)))


def _ref(path: Path) -> AttachmentRef | None:
    """A file as an attachment; None when it is none, or nobody may read it.

    The id tells versions of a file apart, since what was read from one is kept under it, and holds the path, so that
    it can be read after a restart.
    """
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(about.st_mode) or not os.access(path, os.R_OK):
        return None
    return AttachmentRef(
        id=f"{about.st_mtime_ns:x}-{about.st_size:x}:{path}",
        name=path.name,
        media_type=mimetypes.guess_type(path.name)[0],
        size_bytes=about.st_size,
    )


def _why_not(text: str) -> str:
    """Why a text begins with no file, and what to do."""
    if not text:
        return f"Which file? {HELP}."
    written = list(_beginnings(text))[-1][0]
    path = _path(written)
    try:
        if path.is_dir():
            return f"{written} is a folder. Name the files in it, one after the other."
        if path.exists():
            return f"{written} cannot be read: it is no file, or belongs to somebody else."
    except (OSError, ValueError):
        pass  # a name that no file can have
    return f"There is no file {written}. A path with spaces goes into quotation marks."
