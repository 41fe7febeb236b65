"""How much of one file is read, and the words for what was left out.

A reader stops by itself before the process that it runs in is stopped: part of a file is better than none. Knows no
kind of file.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that is read of a file. `clock` counts seconds from anywhere; `seconds` is wall-clock time."""

    seconds: float = 8.0
    chars: int = 2_000_000
    pages: int = 2_000
    clock: Callable[[], float] = time.monotonic


LIMITS = Limits()


class Meter:
    """What is left of the limits while a file is read."""

    def __init__(self, limits: Limits) -> None:
        self._clock = limits.clock
        self._deadline = limits.clock() + limits.seconds
        self.max_chars = limits.chars
        self.chars_left = limits.chars
        self.was_cut = False

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self._deadline

    @property
    def is_spent(self) -> bool:
        """Whether nothing more should be read: the time is up, or some text did not fit."""
        return self.was_cut or self.is_late

    def take(self, text: str) -> str:
        """What of `text` still fits; notes when some of it did not."""
        if len(text) > self.chars_left:
            text = text[: self.chars_left]
            self.was_cut = True
        self.chars_left -= len(text)
        return text


def counted(count: int, unit: str) -> str:
    """`1 page`, `12,000 pages`."""
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def extent(done: int, total: int, unit: str) -> str:
    """How many of all pages were read: `12 pages`, `only the first 2 of 12 pages were read`."""
    if done >= total:
        return counted(total, unit)
    of_all = f"{counted(total, unit)}"
    match done:
        case 0:
            return f"none of its {of_all} could be read in time"
        case 1:
            return f"only the first of {of_all} was read"
        case _:
            return f"only the first {done:,} of {of_all} were read"


def first_chars(meter: Meter) -> str:
    """The remark on a text that was cut at the limit of characters."""
    return f"only the first {meter.max_chars:,} characters were read"
