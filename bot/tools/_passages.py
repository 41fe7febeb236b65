"""Which part of a long page is shown: a stretch of it, or the passages that fit a question. Pure.

By words alone: it knows no language and no meaning.
"""

import re

GAP = "[…]"
#: What may come before or after a piece: a gap and the ends of two lines.
_BETWEEN = len(GAP) + 2
_PASSAGE_CHARS = 600
_WORD = re.compile(r"\w+")
#: Words as short as these stand everywhere.
_SHORT = 2


def stretch(text: str, start: int, limit: int) -> int:
    """Where a piece from `start` of at most `limit` characters ends: after a line or word if one ends near."""
    end = start + limit
    if end >= len(text):
        return len(text)
    near = start + limit * 3 // 4
    gap = text.rfind("\n", near, end)
    gap = text.rfind(" ", near, end) if gap < 0 else gap
    return end if gap < 0 else gap


def passages(text: str, question: str, limit: int) -> str | None:
    """The passages with most of the question's words, in their order, `[…]` for what is left out; None: none has any.

    At most `limit` characters.
    """
    words = {word for word in _WORD.findall(question.casefold()) if len(word) > _SHORT}
    pieces = _pieces(text)
    scores = [sum(word in piece for word in words) for piece in map(str.casefold, pieces)]
    chosen: set[int] = set()
    room = limit - _BETWEEN
    for index in sorted(range(len(pieces)), key=lambda index: -scores[index]):
        room -= len(pieces[index]) + _BETWEEN
        if not scores[index] or room < 0:
            break
        chosen.add(index)
    return _joined(pieces, chosen) if chosen else None


def _pieces(text: str) -> list[str]:
    """The text in pieces of some lines each; few, so that a page of many short lines costs no time."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = stretch(text, start, _PASSAGE_CHARS)
        pieces.append(text[start:end].strip())
        start = end
    return [piece for piece in pieces if piece]


def _joined(pieces: list[str], chosen: set[int]) -> str:
    lines: list[str] = []
    after = 0
    for index in sorted(chosen):
        if index != after:
            lines.append(GAP)
        lines.append(pieces[index])
        after = index + 1
    if after < len(pieces):
        lines.append(GAP)
    return "\n".join(lines)
