"""Piped input: each line is one message, answered on standard output before the next one is taken."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO, cast

from adapters.terminal.adapter import Console, TerminalAdapter, random_id
from bot.core.errors import StorageUnavailable
from bot.core.inbound import Inbound, Invoked, Said
from bot.core.place import ChatKind, Place
from tests.adapters.terminal.echo_core import EchoCore
from tests.fakes.clock import ManualClock

PLACE = Place(platform="terminal", account="main", chat="me", kind=ChatKind.PRIVATE)


class Chat:
    """A running chat with the writing end of its input."""

    def __init__(self, core: EchoCore, data_dir: Path) -> None:
        read, self._write = os.pipe()
        self._stdin = cast(TextIO, os.fdopen(read, "r"))
        self.out, self.err = io.StringIO(), io.StringIO()
        self.core = core
        self.ready: list[str] = []
        self.adapter = TerminalAdapter(
            Console(stdin=self._stdin, stdout=self.out, stderr=self.err),
            data_dir=data_dir,
            commands=(),
            idle=core.idle,
            model=_no_model,
            clock=ManualClock(),
            new_id=random_id,
        )
        core.messenger = lambda: self.adapter.messenger

    async def run(self) -> None:
        try:
            await self.adapter.run(self.core.accept, self.ready.append)
        finally:
            self._stdin.close()

    def type(self, text: str) -> None:
        os.write(self._write, text.encode())

    def end(self) -> None:
        os.close(self._write)


async def _no_model() -> str:
    raise AssertionError("a pipe gets no welcome")


@asynccontextmanager
async def chatting(data_dir: Path) -> AsyncIterator[Chat]:
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        chat = Chat(EchoCore(group), data_dir)
        running = group.create_task(chat.run())
        yield chat
        await running


async def until(condition: Callable[[], object]) -> None:
    """Let the chat work until `condition()` holds; the deadline is that of `chatting`."""
    while not condition():  # noqa: ASYNC110  # there is no event to wait for
        await asyncio.sleep(0)


async def test_lines_are_answered_in_order_and_the_end_of_input_ends_the_chat(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chat:
        chat.type("one\n\n   \ntwo\n/help me\nlast")
        chat.end()

    assert chat.out.getvalue() == "You said: one.\nYou said: two.\nran help\nYou said: last.\n"
    assert chat.ready == ["terminal:main"]


async def test_a_line_is_taken_only_when_the_one_before_is_answered(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chat:
        chat.core.held = []
        chat.type("one\ntwo\n")
        await until(lambda: chat.core.held)
        for _ in range(20):
            await asyncio.sleep(0)
        assert [event.event.text for event in chat.core.accepted if isinstance(event.event, Said)] == ["one"]

        chat.core.take_over()
        chat.end()

    assert chat.out.getvalue() == "You said: one.\nYou said: two.\n"


async def test_what_an_earlier_run_left_is_answered_under_a_note(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chat:
        await until(lambda: chat.ready)
        chat.core.answer_unasked(PLACE, "From before")
        chat.type("now\n")
        chat.end()

    assert "From before.\n" in chat.out.getvalue()
    assert chat.out.getvalue().endswith("You said: now.\n")
    assert chat.err.getvalue().count("unanswered last time") == 1


async def test_a_second_chat_on_the_same_folder_is_another_conversation(tmp_path: Path) -> None:
    async with chatting(tmp_path) as first:
        await until(lambda: first.ready)
        async with chatting(tmp_path) as second:
            second.type("hi\n")
            second.end()
        first.end()

    assert second.core.accepted[0].place.thread_key == "terminal:2:me"


async def test_a_reader_that_goes_away_ends_the_chat(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chat:
        chat.core.messenger = lambda: chat.adapter.messenger
        chat.out.close()
        chat.type("/help\n")

    chat.end()


async def test_files_are_attached_with_the_question_about_them(tmp_path: Path) -> None:
    (tmp_path / "my cat.png").write_bytes(b"png")
    async with chatting(tmp_path) as chat:
        chat.type(f'/attach "{tmp_path}/my cat.png" what is it\n/attach nothing.png x\n/attach {tmp_path}\n')
        chat.end()
    (asked,) = chat.core.accepted

    assert isinstance(asked.event, Said)
    assert (asked.event.text, [ref.name for ref in asked.event.attachments]) == ("what is it", ["my cat.png"])
    assert chat.out.getvalue() == "You said: what is it.\n"
    assert "There is no file nothing.png" in chat.err.getvalue()
    assert "is a folder" in chat.err.getvalue()


async def test_help_tells_of_what_only_the_terminal_can(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chat:
        chat.type("/help\n/help attach\n/help model\n")
        chat.end()

    assert [event.event.text for event in chat.core.accepted if isinstance(event.event, Invoked)] == ["", "model"]
    assert chat.err.getvalue().count("/attach FILE") == 2


class DeafCore(EchoCore):
    """A core whose storage stays away."""

    async def accept(self, inbound: Inbound) -> None:
        raise StorageUnavailable("no server")


async def test_a_message_that_could_not_be_stored_is_said_to_be_lost(tmp_path: Path) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        chat = Chat(DeafCore(group), tmp_path)
        chat.type("hello\n")
        chat.end()
        await chat.run()

    assert "send that again" in chat.err.getvalue()
