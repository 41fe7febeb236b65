"""The sources of one answer: their numbers, and the short list of those that it cites. Pure.

Titles are text from outside. Knows neither tools nor platforms.
"""

import re

from bot.core.addresses import in_markdown, normalised
from bot.core.formatting import excerpt
from bot.core.markdown_lines import opened_by
from bot.core.paging import closing
from bot.core.tools import Source
from bot.core.untrusted import clean

_LISTED, _UNCITED = 8, 3
_TITLE_CHARS = 80
#: `[1]`, `[1, 2]`, `[1-3]`; nothing larger than what one answer can have.
_CITED = re.compile(r"(?<!\\)\[(\d{1,3}(?:\s?[,;–-]\s?\d{1,3}){0,9})\]")
_PART = re.compile(r"(\d+)(?:\s?[–-]\s?(\d+))?")
_CODE = re.compile(r"(`{1,2})(?!`)[^`\n]+\1(?!`)")
_BRACKETS = str.maketrans("[]<>", "()‹›")
_MARKS = re.compile(r"([\\*_~|#$])")


class Citations:
    """Numbers the sources of one answer from 1 on, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._sources: list[Source] = []

    def number_of(self, source: Source) -> int:
        """The number of a source in this answer; the same for the same address."""
        form = normalised(source.url)
        if form not in self._numbers:
            self._sources.append(source)
            self._numbers[form] = len(self._sources)
        return self._numbers[form]

    def closing(self, answer: str) -> str:
        """What to append to an answer: the sources that it cites, at most 8, or the first three if it cites none.

        Comes with the blank line before it, and closes a code block that the answer left open. Empty without sources.
        """
        if not self._sources or not answer.strip():
            return ""
        cited = [number for number in _cited(answer) if 1 <= number <= len(self._sources)]
        numbers = cited[:_LISTED] or range(1, min(_UNCITED, len(self._sources)) + 1)
        heading = [] if cited else ["Sources:"]
        lines = [*heading, *(_line(number, self._sources[number - 1]) for number in numbers)]
        return f"{closing(answer)}\n\n" + "\n".join(lines)


def _cited(answer: str) -> list[int]:
    """The numbers that an answer cites outside of code, each once, in order."""
    prose = _CODE.sub("", _without_fences(answer))
    found: dict[int, None] = {}
    for group in _CITED.finditer(prose):
        for first, last in _PART.findall(group[1]):
            found.update(dict.fromkeys(range(int(first), int(last or first) + 1)))
    return list(found)


def _without_fences(answer: str) -> str:
    kept, fence = [], None
    for line in answer.split("\n"):
        if fence is not None and not fence.is_left_by(line):
            fence = None if fence.is_closed_by(line) else fence
            continue
        fence = opened_by(line)
        if fence is None:
            kept.append(line)
    return "\n".join(kept)


def _line(number: int, source: Source) -> str:
    """`[1] [Rain in Oslo](<https://example.org/rain>)`: in angle brackets, or Discord shows a preview of each."""
    form = normalised(source.url)
    host = form.partition("://")[2].partition("/")[0].partition("?")[0]
    title = excerpt(clean(source.title), _TITLE_CHARS).translate(_BRACKETS)
    if not title or "://" in title or title.startswith("www."):  # Discord makes no link of one that reads like another
        title = host
    shown = _MARKS.sub(r"\\\1", title)
    is_web = form.startswith(("http://", "https://"))
    return f"[{number}] [{shown}](<{in_markdown(source.url)}>)" if is_web else f"[{number}] {shown}"
