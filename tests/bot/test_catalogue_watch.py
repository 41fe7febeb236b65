"""A changed catalogue file counts without a restart, and a broken one changes nothing."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.catalogue_file import load_catalogue
from bot.catalogue_watch import POLL_S, CatalogueWatch
from bot.core.catalogue_rows import CatalogueRow
from tests.fakes.clock import ManualClock

DEADLINE_S = 10.0


def row(name: str) -> str:
    return f"models:\n  mine/x: {{name: {name}}}\n"


class Watched:
    """A watched file, what was taken from it, and time to pass."""

    def __init__(self, path: Path, load: Callable[[Path | None], Sequence[CatalogueRow]] = load_catalogue) -> None:
        self.path = path
        self.clock = ManualClock(auto=False)
        self.watch = CatalogueWatch(path, load, clock=self.clock)
        self.taken: list[str | None] = []

    def take(self, rows: Sequence[CatalogueRow]) -> None:
        self.taken.append(next((each.name for each in rows if each.ref.provider == "mine"), None))

    async def look(self, times: int = 1) -> None:
        """Let it look at the file so often; each look is over when it sleeps again (it looks in a thread)."""
        for _ in range(times):
            await self.clock.advance(POLL_S)
            async with asyncio.timeout(DEADLINE_S):
                while not self.clock.sleepers:  # noqa: ASYNC110  # a thread sets no event
                    await asyncio.sleep(0.001)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.watch.run(self.take))
            await self.clock.settle()
            yield
            task.cancel()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "models.yaml"
    path.write_text(row("first"))
    watched = Watched(path)
    watched.take(watched.watch.load())
    return watched


def test_the_file_is_read_at_first(watched: Watched) -> None:
    assert watched.taken == ["first"]


async def test_a_change_is_taken_over_once_it_stands_still(watched: Watched) -> None:
    async with watched.running():
        await watched.look(3)
        watched.path.write_text(row("second"))
        await watched.look()
        in_the_middle = list(watched.taken)
        await watched.look(3)

    assert in_the_middle == ["first"]
    assert watched.taken == ["first", "second"]


async def test_a_change_between_reading_and_watching_is_not_lost(watched: Watched) -> None:
    watched.path.write_text(row("meanwhile"))
    async with watched.running():
        await watched.look(2)

    assert watched.taken == ["first", "meanwhile"]


async def test_a_change_of_the_same_size_is_seen(watched: Watched) -> None:
    before = watched.path.stat().st_mtime_ns
    async with watched.running():
        watched.path.write_text(row("f1rst"))
        os.utime(watched.path, ns=(before + 1_000_000_000, before + 1_000_000_000))
        await watched.look(2)

    assert watched.taken == ["first", "f1rst"]


async def test_a_file_that_is_put_in_place_of_the_old_one_is_seen(watched: Watched) -> None:
    async with watched.running():
        fresh = watched.path.with_suffix(".new")
        fresh.write_text(row("renamed"))
        fresh.replace(watched.path)
        await watched.look(2)

    assert watched.taken == ["first", "renamed"]


async def test_a_wrong_edit_keeps_the_last_good_rows_and_is_told_once(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched.running():
        watched.path.write_text(row("x") + "  mine/y: {price: {input: -1, output: 1}}\n  mine/z: {visoin: true}\n")
        await watched.look(5)
        (line,) = [record.message for record in caplog.records]
        watched.path.write_text(row("good"))
        await watched.look(2)

    assert line.startswith(
        f"MODELS_FILE is not taken over, the models stay as they are: {watched.path}:3: mine/y: price"
    )
    assert f"{watched.path}:4: mine/z: visoin: there is no such field" in line
    assert watched.taken == ["first", "good"]


async def test_a_file_that_is_gone_keeps_the_last_good_rows_and_is_told_once(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched.running():
        watched.path.unlink()
        await watched.look(5)
        told = [record.message for record in caplog.records]
        watched.path.write_text(row("back"))
        await watched.look(2)

    assert told == [f"MODELS_FILE: {watched.path} is gone; the models stay as they are"]
    assert watched.taken == ["first", "back"]


async def test_a_mistake_of_ours_does_not_end_the_watch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("clumsy")

    def load(found: Path | None) -> Sequence[CatalogueRow]:
        assert found is not None
        if found.read_text() == "clumsy":
            raise TypeError("nobody foresaw this")
        return load_catalogue(found)

    watched = Watched(path, load)
    async with watched.running():
        await watched.look(2)
        path.write_text(row("good"))
        await watched.look(2)

    assert watched.taken == ["good"]
    assert "nobody foresaw this" in caplog.text


async def test_without_a_file_there_is_nothing_to_watch() -> None:
    watch = CatalogueWatch(None, load_catalogue, clock=ManualClock())

    assert watch.load() == load_catalogue(None)
    async with asyncio.timeout(DEADLINE_S):
        await watch.run(lambda rows: None)
