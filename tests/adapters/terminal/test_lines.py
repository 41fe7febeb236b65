"""Lines are read as they arrive, from pipes and from files."""

import asyncio
import os
from pathlib import Path

import pytest

from adapters.terminal.lines import LineReader


async def test_lines_of_a_pipe_come_one_by_one_and_the_last_needs_no_end() -> None:
    read, write = os.pipe()
    lines = LineReader(read)
    try:
        os.write(write, "één\r\ntw".encode())
        assert await lines.next() == "één"

        os.write(write, b"o\n\nend")
        os.close(write)

        assert [await lines.next() for _ in range(4)] == ["two", "", "end", None]
    finally:
        os.close(read)


async def test_waiting_for_a_line_can_be_cancelled_and_loses_nothing() -> None:
    read, write = os.pipe()
    lines = LineReader(read)
    try:
        os.write(write, b"begun ")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await lines.next()
        os.write(write, b"and done\n")

        assert await lines.next() == "begun and done"
    finally:
        os.close(read)
        os.close(write)


async def test_a_plain_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"a" * 100_000 + b"\n\xff\n")
    with path.open("rb") as file:
        lines = LineReader(file.fileno())

        assert [await lines.next() for _ in range(3)] == ["a" * 100_000, "\ufffd", None]
