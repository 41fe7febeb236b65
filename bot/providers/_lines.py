"""Puts lines together from the pieces in which they arrive.

By bytes and at line feeds only: decoders of text also break at U+2028, which may stand in the middle of a JSON string.
"""


class LineBuffer:
    """Feed it the pieces in order, and a line feed at the end; a line may be of any length."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends and without empty ones."""
        *lines, self._held = (self._held + piece).split(b"\n")
        return [stripped for line in lines if (stripped := line.strip())]
