"""Splits `<think>…</think>` off an answer while it streams in, as local models write it into their text.

Only a block at the very start counts: later the tag is something that the answer talks about.
"""

from bot.core.events import ReasoningDelta, TextDelta

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Feed it the text as it comes; a tag may be spread over any number of pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._inside: bool | None = None  # None: not known yet
        self._after = False

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """What is certain so far; the rest is held back until more comes."""
        if self._inside is False and not self._after:
            return [TextDelta(text=text)] if text else []
        self._held += text
        if self._inside is None and not self._decide():
            return []
        if self._inside:
            return self._think()
        return self._speak()

    def flush(self) -> list[TextDelta | ReasoningDelta]:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, ""
        if not held or self._after:
            return []
        return [ReasoningDelta(text=held) if self._inside else TextDelta(text=held)]

    def _decide(self) -> bool:
        start = self._held.lstrip()
        if start.startswith(_OPEN):
            self._held = start[len(_OPEN) :]
            self._inside = True
        elif not _OPEN.startswith(start):
            self._inside = False
        return self._inside is not None

    def _think(self) -> list[TextDelta | ReasoningDelta]:
        thought, closed, rest = self._held.partition(_CLOSE)
        if closed:
            self._held, self._inside, self._after = rest, False, True
            return [*_reasoning(thought), *self._speak()]
        keep = _tag_begun(self._held)
        thought, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return _reasoning(thought)

    def _speak(self) -> list[TextDelta | ReasoningDelta]:
        """The blank lines between the block and the answer belong to neither."""
        text = self._held.lstrip() if self._after else self._held
        self._held = ""
        if not text:
            return []
        self._after = False
        return [TextDelta(text=text)]


def _tag_begun(text: str) -> int:
    """How many characters at the end of `text` may be the start of the closing tag."""
    return next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)


def _reasoning(text: str) -> list[TextDelta | ReasoningDelta]:
    return [ReasoningDelta(text=text)] if text else []
