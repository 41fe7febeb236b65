"""A person at a terminal: a program runs on a pseudo-terminal, its screen is read and its keyboard typed on.

Escape sequences are dropped, so what is seen is the words in the order in which they were written.
"""

import os
import re
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

DEADLINE_S = 30.0
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>]|\][^\x07]*\x07)")


class Person:
    """Reads the screen and types. The program gets `environ` besides what a terminal says of itself."""

    def __init__(self, program: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> None:
        self._keyboard, other_end = os.openpty()
        termios.tcsetwinsize(other_end, (24, 80))
        self._seen = ""
        self.process = subprocess.Popen(
            program,
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            cwd=folder,
            env={**environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            start_new_session=True,
        )
        os.close(other_end)

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def sees(self, text: str) -> str:
        """Wait until `text` stands there after what was seen before; returns what came up to it."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self._seen:
            readable, _, _ = select.select([self._keyboard], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"{text!r} is not on the screen: {self._seen!r}"
            try:
                chunk = os.read(self._keyboard, 65_536)
            except OSError:  # the chat ended
                raise AssertionError(f"{text!r} never came: {self._seen!r}") from None
            self._seen = _ESCAPE.sub("", self._seen + chunk.decode(errors="replace"))
        before, _, self._seen = self._seen.partition(text)
        return before

    def modes(self) -> list[object]:
        """How the terminal treats keys: echo, line editing, signals."""
        return list(termios.tcgetattr(self._keyboard)[:4])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
