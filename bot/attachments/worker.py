"""The process in which one file is read: started by `reader` without an environment, with little it may use.

It takes its limits before it looks at the first byte, answers once, and waits to be ended. Standard output belongs to
the answer alone: whatever a library prints goes nowhere.
"""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO

from bot.attachments.frames import LENGTH_BYTES, pack
from bot.attachments.kind import Kind
from bot.attachments.refusals import refusal
from bot.core.errors import UnreadableFile
from bot.core.files import PAGE_BREAK, ReadFile

if sys.platform != "win32":
    import resource

#: Chats go first where the machine has no time for both.
_NICENESS = 10
_OPEN_FILES = 32


def main() -> None:
    """Read one file from standard input, and answer on standard output."""
    answers = _own_output()
    header = json.loads(_take(sys.stdin.buffer, int.from_bytes(_take(sys.stdin.buffer, LENGTH_BYTES))))
    _limit(cpu_s=header["cpu_s"], memory_bytes=header["memory_bytes"])
    module, _, kinds = header["kinds"].partition(":")
    content = _take(sys.stdin.buffer, header["sizes"][0])
    answer, parts = _answer(getattr(import_module(module), kinds), header["name"], content)
    answers.write(pack(answer, parts))
    for part in parts:
        answers.write(part)
    answers.flush()
    sys.stdin.buffer.read()  # until the reader ends this process, or is gone itself


def _own_output() -> BinaryIO:
    """Standard output under another number; its own now leads to where standard error does."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _take(stream: BinaryIO, size: int) -> bytes:
    taken = stream.read(size)
    if len(taken) < size:
        raise SystemExit("the reader is gone")
    return taken


def _limit(*, cpu_s: int, memory_bytes: int) -> None:
    """Give up what reading needs not. Where a system has no such limits, the reader's clock is the only one."""
    if sys.platform == "win32":
        return
    os.nice(_NICENESS)
    for limit, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),  # the second between: its end is told from being killed by the system
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        _, most = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        with suppress(OSError, ValueError):  # macOS takes no RLIMIT_AS
            resource.setrlimit(limit, (soft, hard))


def _answer(kinds: Iterable[Kind], name: str, content: bytes) -> tuple[dict[str, object], list[bytes]]:
    """Header and parts of what was read, or why it was not. The one boundary for whatever a library raises."""
    try:
        return _fields(_read(tuple(kinds), name, content), content)
    except UnreadableFile as error:
        return {"unreadable": str(error)}, []
    except MemoryError:
        return {"no_memory": True}, []
    except Exception as error:
        return {"broke": _where(error)}, []


def _read(kinds: tuple[Kind, ...], name: str, content: bytes) -> ReadFile:
    for kind in kinds:
        media_type = kind.recognise(content, name)
        if media_type is not None:
            return kind.load()(content, media_type)
    raise UnreadableFile(refusal(content, (kind.called for kind in kinds)))


def _where(error: BaseException) -> str:
    """Type and place of an error, for the log; its message may quote the file."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f" at {os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
    return type(error).__name__ + place


def _fields(file: ReadFile, content: bytes) -> tuple[dict[str, object], list[bytes]]:
    pages = [page.replace(PAGE_BREAK, "\n").encode("utf-8", "replace") for page in file.pages]
    pictures = [picture.content for picture in file.pictures]
    copies = [file.content] if file.content is not None and file.content != content else []
    fields = {
        "kind": file.kind,
        "media_type": file.media_type,
        "pictures": [
            {"media_type": picture.media_type, "width": picture.width, "height": picture.height}
            for picture in file.pictures
        ],
        # What was sent the reader has already.
        "content": "copy" if copies else None if file.content is None else "sent",
        "unit": file.unit,
        "total": file.total,
        "duration_s": file.duration_s,
        "remarks": file.remarks,
    }
    return {"file": fields}, [*pictures, *pages, *copies]
