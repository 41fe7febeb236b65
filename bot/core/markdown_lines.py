"""What single lines of Markdown begin and end: code fences and table heads.

More lenient than CommonMark where models and chat platforms are: a fence may be indented as deep as lists go.
"""

import re
from dataclasses import dataclass

#: What may stand before a fence: indentation, quote marks, a list item's marker.
LEAD = r"[ \t>]{0,24}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4})?"
#: Longer runs than 32 are ornaments.
_OPENER = re.compile(rf"(?P<lead>{LEAD})(?P<ticks>`{{3,32}}(?!`)|~{{3,32}}(?!~))(?P<info>.*)")
_CLOSER = re.compile(r"[ \t>]*(?P<ticks>`{3,}|~{3,})[ \t]*")
_SEPARATOR = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence: `lead` is its indentation, with quote marks, `info` the rest of its first line."""

    lead: str
    ticks: str
    info: str

    @property
    def close(self) -> str:
        """The line that closes it."""
        return f"{self.lead}{self.ticks}"

    def is_left_by(self, line: str) -> bool:
        """Whether the quote that the fence stands in is over with `line`."""
        return ">" in self.lead and not line.lstrip().startswith(">")

    def is_closed_by(self, line: str) -> bool:
        """Whether `line` is its last one."""
        match = _CLOSER.fullmatch(line) if self.ticks in line else None
        return match is not None and match["ticks"].startswith(self.ticks)


def opened_by(line: str) -> Fence | None:
    """The fence that begins with `line`, outside of any other."""
    match = _OPENER.fullmatch(line) if "```" in line or "~~~" in line else None
    if match is None or ("`" in match["ticks"] and "`" in match["info"]):
        return None
    lead = re.sub(r"[^>\s]", " ", match["lead"])  # a list item's marker stands once
    return Fence(lead, match["ticks"], match["info"])


def is_separator(line: str) -> bool:
    """Whether `line` may stand between a table's head and its rows."""
    return _SEPARATOR.fullmatch(line) is not None
