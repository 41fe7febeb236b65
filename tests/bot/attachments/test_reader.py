"""The reader against readers that hang, eat, rave and die: one clear line each, and nothing stays behind."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bot.attachments.frames import pack
from bot.attachments.reader import ReadLimits, SubprocessReader
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_ODD = "tests.bot.attachments.odd_kinds:KINDS"
_DAMAGED = "is damaged, or not what it seems to be: save it anew and send that"
_NO_MEMORY = "needs more memory than one file may take: send a smaller or simpler one"
_TOO_SLOW = "took too long to read: send a smaller or simpler one"
_MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
async def _leaves_no_process() -> AsyncIterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) - before == set()


async def _read(content: bytes, limits: ReadLimits | None = None) -> ReadFile:
    return await SubprocessReader(kinds=_ODD, limits=limits).read("odd.bin", None, content)


async def _refusal(content: bytes, limits: ReadLimits | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        await _read(content, limits)
    return str(caught.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    content: bytes
    words: str
    limits: ReadLimits | None = None


_BAD = {
    "empty": Bad(content=b"", words="is empty"),
    "too slow by the processor": Bad(content=b"spin:", words=_TOO_SLOW, limits=ReadLimits(cpu_s=1)),
    "too slow by the clock": Bad(content=b"sleep:", words=_TOO_SLOW, limits=ReadLimits(time_s=1.0)),
    "eats memory": Bad(content=b"eat:", words=_NO_MEMORY, limits=ReadLimits(memory_bytes=200 * _MEGABYTE)),
    "crashes": Bad(content=b"crash:", words=_DAMAGED),
    "ends": Bad(content=b"quit_early:", words=_DAMAGED),
    "raises": Bad(content=b"stumble:", words=_DAMAGED),
    "says nothing": Bad(content=b"rave:", words=_DAMAGED),
    "raves": Bad(content=b"rave:" + b"\xff" * 5_000, words=_DAMAGED),
    "announces no header": Bad(content=b"rave:\0\0\0\x02[]", words=_DAMAGED),
    "goes on after its answer": Bad(content=b"rave:" + pack({"no_memory": True}) + b"more", words=_DAMAGED),
    "says too much": Bad(
        content=b"flood:",
        words="holds more than I can take in: send a part of it",
        limits=ReadLimits(output_bytes=_MEGABYTE),
    ),
    "of no kind": Bad(
        content=b"\0\x01",
        words="is of a kind that I cannot read: I read spin, sleep, eat, chatter, rave, crash, quit_early, stumble, "
        "refuse, flood, breed, write, look_around and split",
    ),
}


@pytest.mark.parametrize("bad", _BAD.values(), ids=_BAD.keys())
async def test_a_bad_file_costs_one_clear_line(bad: Bad) -> None:
    assert await _refusal(bad.content, bad.limits) == bad.words


async def test_what_a_library_prints_does_not_disturb_the_answer() -> None:
    assert (await _read(b"chatter:")).pages == ("read all the same",)


async def test_words_of_a_reader_are_one_short_printable_line() -> None:
    words = await _refusal(b"refuse:")

    assert words.startswith("is locked: [31munlock it!!!")
    assert len(words) == 300
    assert words.isprintable()


async def test_an_error_is_logged_by_its_place_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await _refusal(b"stumble:")

    assert "ValueError at odd_kinds.py:" in caplog.text
    assert "secret" not in caplog.text


async def test_pages_hold_neither_page_breaks_nor_halves_of_characters() -> None:
    assert (await _read(b"split:")).pages == ("one\ntwo", "lone ? half", "")


async def test_the_process_sees_no_key_and_may_do_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    seen = json.loads((await _read(b"look_around:")).pages[0])

    assert set(seen["environment"]) <= {"LC_CTYPE"}  # the interpreter's own note to itself
    assert seen["cwd"] == os.sep
    assert seen["nice"] == min(19, os.nice(0) + 10)
    assert seen["limits"] == {
        "RLIMIT_CPU": 21,
        "RLIMIT_AS": 1_073_741_824,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 32,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }


async def test_the_process_imports_no_library_that_the_file_does_not_need() -> None:
    modules = set(json.loads((await _read(b"look_around:")).pages[0])["modules"])

    assert modules & {"PIL", "pypdf", "docx", "openpyxl", "pptx", "selectolax", "aiohttp", "asyncio", "site"} == set()


async def test_the_process_writes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "left"
    file = await _read(b"write:" + str(target).encode())

    assert file.pages == ("refused",)
    assert not target.exists() or target.stat().st_size == 0


async def _processes(count: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 10
    while len(children := psutil.Process().children(recursive=True)) < count:
        assert time.monotonic() < deadline, "the process did not start"
        await asyncio.sleep(0)
    return children


async def _cancelled(content: bytes, processes: int) -> list[psutil.Process]:
    """The processes that ran when a reading was cancelled."""
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_read(content))
        children = await _processes(processes)
        reading.cancel()
    return children


async def test_nothing_runs_on_when_nobody_waits_any_more() -> None:
    (child,) = await _cancelled(b"sleep:", 1)

    assert not child.is_running()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's processes may start others under the limits")
async def test_what_a_process_started_ends_with_it() -> None:
    children = await _cancelled(b"breed:", 2)

    deadline = time.monotonic() + 5
    while any(_is_alive(child) for child in children):
        assert time.monotonic() < deadline, "a process goes on"
        await asyncio.sleep(0)


def _is_alive(process: psutil.Process) -> bool:
    """Not dead; a dead one may stay in the list until its new parent, the system's first process, asks for it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("at_once", [1, 2])
async def test_only_so_many_files_are_read_at_once(at_once: int) -> None:
    reader = SubprocessReader(kinds=_ODD, at_once=at_once)
    running: set[int] = set()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reader.read("a", None, b"chatter:")) for _ in range(4)]
        while not all(task.done() for task in tasks):
            running.add(len(psutil.Process().children()))
            await asyncio.sleep(0)

    assert max(running) == at_once


async def test_a_slot_is_free_again_after_every_end() -> None:
    reader = SubprocessReader(kinds=_ODD, at_once=1)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(reader.read("a", None, b"sleep:"))
        await _processes(1)
        waiting.cancel()
    with pytest.raises(UnreadableFile):
        await reader.read("a", None, b"crash:")

    assert (await reader.read("a", None, b"chatter:")).pages == ("read all the same",)


async def test_the_event_loop_goes_on_while_a_large_file_is_read() -> None:
    gaps: list[float] = []
    async with asyncio.TaskGroup() as group:
        limits = ReadLimits(cpu_s=1)
        reading = group.create_task(_refusal(b"spin:" + bytes(10 * _MEGABYTE), limits))
        while not reading.done():
            before = time.monotonic()
            await asyncio.sleep(0.002)
            gaps.append(time.monotonic() - before)
    gaps.sort()

    assert len(gaps) > 100
    assert gaps[len(gaps) * 95 // 100] < 0.022


async def test_bad_files_do_not_make_the_bot_grow() -> None:
    process = psutil.Process()
    reader = SubprocessReader(kinds=_ODD, limits=ReadLimits(output_bytes=_MEGABYTE))
    kinds = (b"crash:", b"stumble:", b"flood:", b"rave:\0\0\xff\xff", b"\0unknown")
    files = [kind + bytes(5 * _MEGABYTE) for kind in kinds]

    async def refused(content: bytes) -> None:
        with pytest.raises(UnreadableFile):
            await reader.read("a", None, content)

    await refused(files[0])
    before, handles = process.memory_info().rss, process.num_fds()
    async with asyncio.TaskGroup() as group:
        for content in files * 4:
            group.create_task(refused(content))

    assert process.num_fds() <= handles
    assert process.memory_info().rss - before < 20 * _MEGABYTE


async def test_a_recording_comes_back_as_it_was_sent() -> None:
    content = b"fLaC" + bytes(2 * _MEGABYTE)
    file = await SubprocessReader().read("a.txt", "text/plain", content)

    assert (file.kind, file.media_type) == (FileKind.AUDIO, "audio/flac")
    assert file.content is content
