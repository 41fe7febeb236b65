"""Kinds of files whose readers misbehave in every way that a library, or who took it over, can. Run by the worker."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from bot.attachments.kind import Kind, Read
from bot.attachments.signs import starts_with
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_HERE = "tests.bot.attachments.odd_kinds"
_LIMITS = ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_NPROC")


def text(*pages: str) -> ReadFile:
    """What an honest reader would say."""
    return ReadFile(kind=FileKind.TEXT, media_type="text/plain", pages=pages, unit="page", total=len(pages))


def spin(content: bytes, media_type: str) -> ReadFile:
    while True:
        pass


def sleep(content: bytes, media_type: str) -> ReadFile:
    time.sleep(3_600)
    return text()


def eat(content: bytes, media_type: str) -> ReadFile:
    eaten = [bytes(1_000_000) for _ in range(100_000)]
    return text(str(len(eaten)))


def chatter(content: bytes, media_type: str) -> ReadFile:
    """Prints on both streams, by Python and below it."""
    print("a warning of the library")
    sys.stdout.flush()
    os.write(1, b"from C")
    os.write(2, b"x" * 1_000_000)
    return text("read all the same")


def rave(content: bytes, media_type: str) -> ReadFile:
    """Says what stands behind the prefix, past the protocol, on whatever number it is spoken."""
    for fd in range(3, 16):
        try:
            os.write(fd, content.partition(b":")[2])
        except OSError:
            continue
    os._exit(0)


def crash(content: bytes, media_type: str) -> ReadFile:
    os.kill(os.getpid(), signal.SIGSEGV)
    return text()


def quit_early(content: bytes, media_type: str) -> ReadFile:
    raise SystemExit(3)


def stumble(content: bytes, media_type: str) -> ReadFile:
    raise ValueError("the secret of the file")


def refuse(content: bytes, media_type: str) -> ReadFile:
    raise UnreadableFile("is locked:\n\x1b[31munlock\u202e it" + "!" * 1_000)


def flood(content: bytes, media_type: str) -> ReadFile:
    return text("x" * 4_000_000)


def breed(content: bytes, media_type: str) -> ReadFile:
    """Starts a process that outlives it where the system lets it, and hangs."""
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)"])
    return sleep(content, media_type)


def write(content: bytes, media_type: str) -> ReadFile:
    target = Path(content.partition(b":")[2].decode())
    try:
        target.write_bytes(b"left behind")
    except OSError:
        return text("refused")
    return text("written")


def look_around(content: bytes, media_type: str) -> ReadFile:
    """What the process can see and may do."""
    limits = {name: resource.getrlimit(getattr(resource, name))[1] for name in _LIMITS}
    seen = {"environment": dict(os.environ), "cwd": str(Path.cwd()), "nice": os.nice(0), "limits": limits}
    return text(json.dumps({**seen, "modules": sorted(sys.modules)}))


def split(content: bytes, media_type: str) -> ReadFile:
    """Pages with what may not be in one."""
    return text("one\ftwo", "lone \ud800 half", "")


def _kind(read: Read) -> Kind:
    name = read.__name__
    recognise = starts_with(f"{name}:".encode(), "application/x-odd")
    return Kind(name=name, called=name, read=f"{_HERE}:{name}", recognise=recognise)


KINDS = tuple(
    _kind(read)
    for read in (
        *(spin, sleep, eat, chatter, rave, crash, quit_early, stumble),
        *(refuse, flood, breed, write, look_around, split),
    )
)
