"""The connection: what it refuses, how it fails, and that it comes back."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from bot.core.errors import SettingsError, StorageUnavailable
from bot.storage.database import Database, open_database
from bot.storage.embedded import embedded_mongod
from bot.storage.mongod import find_mongod
from bot.storage.mongod_process import open_home, recorded_pid
from bot.storage.settings import SettingStore
from bot.storage.threads import ThreadStore
from tests.bot.storage.samples import PLACE, item
from tests.bot.storage.worlds import OwnedClock


@contextmanager
def hung(pid: int) -> Iterator[None]:
    """The server neither answers nor dies."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def refused(operation: Coroutine[object, object, object]) -> StorageUnavailable:
    """The error that `operation` ends with."""
    with pytest.raises(StorageUnavailable) as caught:
        await operation
    return caught.value


async def wait_until_it_answers(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                return await database.ping()
            except StorageUnavailable:
                continue


@pytest.fixture
async def standalone_uri(tmp_path: Path) -> AsyncIterator[str]:
    """A server that is no replica set."""
    socket = tmp_path / "s.sock"
    (tmp_path / "db").mkdir()
    where = ["--dbpath", str(tmp_path / "db"), "--logpath", str(tmp_path / "log"), "--bind_ip", str(socket)]
    options = ["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--quiet"]
    process = await asyncio.create_subprocess_exec(
        find_mongod(None), *where, *options, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield f"mongodb://{quote_plus(str(socket))}/"
    finally:
        process.terminate()
        await process.wait()


async def test_an_open_database_answers_and_knows_its_server(database: Database) -> None:
    await database.ping()

    assert database.server_version.startswith(("6.", "7.", "8."))


async def test_a_standalone_server_serves_too(standalone_uri: str) -> None:
    async with open_database(standalone_uri, "parley") as database:
        claim = (await ThreadStore(database, owner="a").ingest(PLACE, item(1))).claim
        concern = database.collection("turns").write_concern.document

    assert claim is not None
    assert concern == {"w": 1, "j": True}


async def test_writes_wait_for_the_majority_on_a_replica_set(database: Database) -> None:
    assert database.collection("turns").write_concern.document == {"w": "majority"}


async def test_a_server_that_hangs_is_told_within_six_seconds_and_found_again(tmp_path: Path) -> None:
    clock = OwnedClock()
    async with embedded_mongod(tmp_path) as uri, Database(uri, "parley", clock=clock) as database:
        pid = recorded_pid(open_home(tmp_path))
        assert pid is not None
        threads, settings = ThreadStore(database, owner="a"), SettingStore(database)
        await settings.set("channel:c", "model", "a/b")
        with hung(pid):
            begin = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                late = tasks.create_task(refused(threads.ingest(PLACE, item(1))))
                for _ in range(2):
                    tasks.create_task(refused(settings.load(["channel:c"])))
            waited_s = time.monotonic() - begin
            at_once = await refused(settings.load(["channel:c"]))
            ping = await refused(database.ping())
            total_s = time.monotonic() - begin
        await wait_until_it_answers(database)

        again = await threads.ingest(PLACE, item(1))
        waiting = await threads.withdraw(PLACE.thread_key, None, ())

    assert 4.5 < waited_s < 6.5
    assert total_s < waited_s + 2
    assert "several times" in str(at_once)
    assert "Timeout" in str(late.result())
    assert "Timeout" in str(ping)
    assert again.duplicate or again.claim is not None
    assert [waiting_item.uid for waiting_item in waiting] == [item(1).uid]


async def test_an_unreachable_server_is_told_within_six_seconds(tmp_path: Path) -> None:
    begin = time.monotonic()

    with pytest.raises(StorageUnavailable, match="ServerSelectionTimeoutError"):
        async with open_database(f"mongodb://{quote_plus(str(tmp_path / 'no.sock'))}/", "parley"):
            pass

    assert time.monotonic() - begin < 6


@pytest.mark.parametrize("uri", ["", "http://h", "mongodb://ada:hun:ter2@h/", "mongodb://ada:hunter2@h:port/"])
def test_a_uri_that_cannot_be_used_is_a_setting_to_correct(uri: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Database(uri, "parley")

    assert "MONGODB_URI" in str(caught.value)
    assert "ter2" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_credentials_in_the_uri_do_not_reach_an_error(mongodb_uri: str) -> None:
    uri = mongodb_uri.replace("mongodb://", "mongodb://ada:hunter%2F2@")

    with pytest.raises(StorageUnavailable) as caught:
        async with open_database(uri, "parley"):
            pass

    assert "Authentication" in str(caught.value)
    for secret in ("hunter", "ada:"):
        assert secret not in str(caught.value)
        assert secret not in str(caught.value.__cause__)
