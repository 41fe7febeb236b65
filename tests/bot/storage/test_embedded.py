"""The private MongoDB with a real mongod: sharing, adoption, recovery, and errors an operator can act on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from pymongo import AsyncMongoClient

from bot.core.errors import StorageUnavailable
from bot.storage.embedded import embedded_mongod

# A user in a process of its own: says its URI, and leaves when its input ends.
USER = """
import asyncio, sys
from pathlib import Path
from bot.storage.embedded import embedded_mongod

async def main():
    async with embedded_mongod(Path(sys.argv[1])) as uri:
        print(uri, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@asynccontextmanager
async def user(data_dir: Path) -> AsyncIterator[Process]:
    """A second parley on the folder, ready when this yields; it is told to leave at the end."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", USER, str(data_dir), stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 20)).startswith(b"mongodb://")
    yield process
    process.stdin.close()
    await asyncio.wait_for(process.wait(), 20)


async def count_after_insert(uri: str) -> int:
    async with AsyncMongoClient[dict[str, object]](uri, timeoutMS=10_000) as client:
        await client.test.rows.insert_one({})
        return await client.test.rows.count_documents({})


def servers(data_dir: Path) -> list[int]:
    """The live mongod processes of the folder."""
    wanted = str(data_dir / "mongodb" / "db")
    found = psutil.process_iter(["cmdline", "status"])
    alive = (process for process in found if process.info["status"] != psutil.STATUS_ZOMBIE)
    return [process.pid for process in alive if wanted in (process.info["cmdline"] or ())]


async def until(condition: Callable[[], bool], *, within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)


def fake_mongod(folder: Path, script: str) -> str:
    path = folder / "fake-mongod"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def start(data_dir: Path, *, mongod: str | None = None) -> None:
    async with embedded_mongod(data_dir, mongod=mongod):
        pass


async def test_it_keeps_data_from_one_start_to_the_next_and_leaves_no_process(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path) as uri:
        assert await count_after_insert(uri) == 1
        (pid,) = servers(tmp_path)
        # Neither a TCP port nor our session: nobody else connects, and Ctrl-C does not reach it.
        assert psutil.Process(pid).net_connections("inet") == []
        assert os.getsid(pid) != os.getsid(0)
    assert servers(tmp_path) == []

    async with embedded_mongod(tmp_path) as uri:
        assert await count_after_insert(uri) == 2


async def test_the_socket_is_for_this_user_only(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path):
        assert (tmp_path / "mongodb" / "mongod.sock").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "mongodb").stat().st_mode & 0o777 == 0o700


async def test_a_killed_server_is_started_again_and_acknowledged_writes_are_there(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path) as uri:
        assert await count_after_insert(uri) == 1
        (killed,) = servers(tmp_path)
        os.kill(killed, signal.SIGKILL)
        await until(lambda: bool(servers(tmp_path)) and servers(tmp_path) != [killed])

        assert await count_after_insert(uri) == 2
    assert servers(tmp_path) == []


async def test_processes_share_a_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    async with user(tmp_path):
        (pid,) = servers(tmp_path)
        async with embedded_mongod(tmp_path):
            assert servers(tmp_path) == [pid]
        assert servers(tmp_path) == [pid]

    assert servers(tmp_path) == []


async def test_users_that_start_at_once_get_one_server(tmp_path: Path) -> None:
    everyone_in = asyncio.Barrier(4)

    async def use() -> list[int]:
        async with embedded_mongod(tmp_path):
            await everyone_in.wait()
            found = servers(tmp_path)
            await everyone_in.wait()
            return found

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(use()) for _ in range(4)]

    assert len({tuple(task.result()) for task in tasks}) == 1
    assert servers(tmp_path) == []


async def test_a_server_whose_user_was_killed_is_adopted_and_stopped(tmp_path: Path) -> None:
    async with user(tmp_path) as process:
        (pid,) = servers(tmp_path)
        process.kill()
        await process.wait()
        assert servers(tmp_path) == [pid]

        async with embedded_mongod(tmp_path) as uri:
            assert servers(tmp_path) == [pid]
            assert await count_after_insert(uri) == 1

    assert servers(tmp_path) == []


async def test_a_moved_folder_works(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path / "before") as uri:
        await count_after_insert(uri)
    (tmp_path / "before").rename(tmp_path / "after")

    async with embedded_mongod(tmp_path / "after") as uri:
        assert await count_after_insert(uri) == 2


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma: and colon"])
async def test_a_path_that_no_socket_can_have_gets_a_private_folder_elsewhere(tmp_path: Path, name: str) -> None:
    async with embedded_mongod(tmp_path / name) as uri:
        assert await count_after_insert(uri) == 1
    assert servers(tmp_path / name) == []


async def test_cancelling_a_start_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await start(tmp_path)

    assert servers(tmp_path) == []


async def test_a_stopped_server_is_an_error_within_seconds(tmp_path: Path) -> None:
    async with user(tmp_path):
        (pid,) = servers(tmp_path)
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(StorageUnavailable, match=f"process {pid}. does not answer") as caught:
                await start(tmp_path)
        finally:
            os.kill(pid, signal.SIGCONT)

        assert time.monotonic() - began < 10
        assert f"kill -9 {pid}" in caught.value.remedy
        assert servers(tmp_path) == [pid]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageUnavailable, match="cannot be written to") as caught:
        await start(tmp_path / "file" / "below")

    assert "DATA_DIR" in caught.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)

    with pytest.raises(StorageUnavailable, match="cannot be written to"):
        await start(tmp_path)


async def test_files_that_another_mongod_uses_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.embedded.IN_USE_TIMEOUT_S", 0.5)
    async with embedded_mongod(tmp_path):
        (tmp_path / "mongodb" / "mongod.sock").unlink()  # its files are there, its address is not ours

        with pytest.raises(StorageUnavailable, match="in use by another mongod"):
            await start(tmp_path)
    assert servers(tmp_path) == []


@pytest.mark.parametrize(
    ("script", "message", "remedy"),
    [
        pytest.param(
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: no such file' >&2; exit 127",
            "libcurl.so.4 is missing",
            "apt-get install --no-install-recommends libcurl4",
            id="missing library",
        ),
        pytest.param("kill -ILL $$", "AVX", "MONGODB_URI", id="illegal instruction"),
        pytest.param("echo 'No space left on device'; exit 14", "disk .* full", "Free", id="disk full"),
        pytest.param("exit 62", "another major version", "MONGOD", id="newer data files"),
        pytest.param("echo oops; exit 3", "code 3: oops", "mongod.log", id="anything else"),
    ],
)
async def test_a_mongod_that_ends_is_explained(tmp_path: Path, script: str, message: str, remedy: str) -> None:
    with pytest.raises(StorageUnavailable, match=message) as caught:
        await start(tmp_path, mongod=fake_mongod(tmp_path, script))

    assert remedy in caught.value.remedy
    assert "\n" not in f"{caught.value}{caught.value.remedy}"


async def test_a_mongod_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="/nowhere/mongod") as caught:
        await start(tmp_path, mongod="/nowhere/mongod")

    assert "MONGOD" in caught.value.remedy


async def test_without_any_mongod_both_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.mongod._DISTRIBUTIONS", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StorageUnavailable, match="no mongod program was found") as caught:
        await start(tmp_path)

    assert "parley[embedded]" in caught.value.remedy
    assert "MONGODB_URI" in caught.value.remedy


async def test_a_mongod_for_another_processor_is_explained(tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(64))
    program.chmod(0o755)

    with pytest.raises(StorageUnavailable, match="cannot be run"):
        await start(tmp_path, mongod=str(program))
