"""Where the terminal's words go: a screen that a person reads, or a pipe that a program reads.

Knows nothing of messages. Writing blocks; whoever reads slowly only slows this chat's own process.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Protocol, TextIO

INDICATOR = "…"
#: A model must not move the cursor or change the colours; tab and newline may pass.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen(Protocol):
    """What the messenger writes on. Writing raises OSError once nobody reads any more."""

    async def turn(self) -> None:
        """Wait until answers may be written, that is while nobody types."""
        ...

    def write(self, text: str) -> None:
        """Append to what was written, shown at once."""
        ...

    def note(self, line: str) -> None:
        """A line that is not part of any answer; only at the start of a line."""
        ...


class PipeScreen:
    """Answers to one stream, notes to another."""

    def __init__(self, answers: TextIO, notes: TextIO) -> None:
        self._answers = answers
        self._notes = notes

    async def turn(self) -> None:
        return

    def write(self, text: str) -> None:
        self._answers.write(text)
        self._answers.flush()

    def note(self, line: str) -> None:
        print(line, file=self._notes, flush=True)


class LiveScreen:
    """A terminal that is shared with a prompt: `free` while the prompt is not there.

    `interrupt` asks the prompt to go away; it may do so a little later.
    """

    def __init__(self, out: TextIO, *, interrupt: Callable[[], None]) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self._out = out
        self._interrupt = interrupt
        self._indicating = False

    async def turn(self) -> None:
        if not self.free.is_set():
            self._interrupt()
            await self.free.wait()

    def write(self, text: str) -> None:
        self.indicate(False)
        self._put(_CONTROL.sub("", text))

    def note(self, line: str) -> None:
        self.write(f"({line})\n")

    def indicate(self, on: bool) -> None:
        """Show or take away the sign that an answer is being made; at the start of a line only."""
        if on != self._indicating:
            self._indicating = on
            self._put(INDICATOR if on else "\r \r")

    def _put(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
