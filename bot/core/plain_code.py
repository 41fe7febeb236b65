"""What of a stream of Markdown is code to every renderer: the only text whose addresses nobody makes links of. Pure.

CommonMark, Telegram's converter and Discord's client disagree about backticks next to escapes, emphasis, HTML and
formulas. Where they might, nothing counts as code here: a code block may then have its links left out, but no link
passes for code. Knows nothing of addresses.
"""

import re

_OPENER = re.compile(r"( {0,3})```(?!`)[\w+#.-]{0,30}[ \t]{0,30}\n")
_OPENER_BEGUN = re.compile(r" {0,3}(?:`{0,2}|```[\w+#.-]{0,30}[ \t]{0,30})")
_CLOSER = re.compile(r" {0,3}```(?!`)[ \t]{0,30}(?=\n)")
_CLOSER_BEGUN = re.compile(r" {0,3}(?:`{0,2}|```[ \t]{0,30})")
_RUN = re.compile(r"`+")
_FENCED = re.compile(r"[^`\n]*\n?")
#: Code inside of a line, and the beginning of such: of one or two backticks.
_SPAN = re.compile(r"(`{1,2})(?!`)[^`\n]+\1(?!`)")
_SPAN_BEGUN = re.compile(r"(`{1,2})(?:[^`\n]+`{0,2})?")
#: In any of these an emphasis, a link, a cell or a formula that began before might end.
_MIGHT_END_SOMETHING = re.compile(r"[\\*_~|$<>\[\]()]")
#: Marks that may take precedence over backticks after them, up to the end of the paragraph.
_DOUBTFUL = re.compile(r"[\\$<]")
_HTML_BLOCK = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?<(?![A-Za-z][A-Za-z0-9+.-]*:)[A-Za-z/!?]")
_BULLET = re.compile(r"[ \t>]*[-*+][ \t]")
_PAIRED = re.compile(r"(?<![*_~|])(\*{1,3}|_{1,3}|~~|\|\|)[^*_~|]+\1(?![*_~|])")
_OPEN = re.compile(r"\*(?!\s)|\*\*|(?<!\w)_|~~|\|\|")
_MARK = re.compile(r"[*_~|]")
_NESTED = 3
#: Nobody looks for what longer lines leave open: something, if they have any marks.
_LINE_CHARS = 4_000


class PlainCode:
    """Reads along: `read` tells how far the text is code or its marks, `saw` is told of all other words.

    `held_chars`: code inside of a line that is longer counts as none.
    """

    def __init__(self, held_chars: int) -> None:
        self._held_chars = held_chars
        self._lead: int | None = None  # the indentation of the fence that is open
        self._at_line_start = True
        self._line: list[str] = []
        self._marked = False  # whether the line has marks of emphasis
        self._closer = ""  # ends the code that is no plain one
        self._doubtful = False  # up to the end of the paragraph
        self._spoilt = False  # for the rest of the text

    @property
    def may_begin(self) -> bool:
        """Whether backticks that are put in here make code."""
        return not self._doubtful and not self._spoilt and not self._closer

    def is_concerned(self, text: str, at: int) -> bool:
        """Whether `read` has to be asked about the text from `at` on."""
        return self._lead is not None or text[at] in "`\n" or (self._at_line_start and text[at] == " ")

    def saw(self, text: str) -> None:
        """Text that is not code."""
        self._at_line_start = False
        self._line.append(text)
        self._marked = self._marked or _MARK.search(text) is not None
        if _DOUBTFUL.search(text):
            self._doubtful = True

    def read(self, text: str, at: int, *, final: bool) -> int | None:
        """Where the code or mark at `at` ends; `at` itself: there is none. None: more has to come."""
        if self._lead is not None:
            return self._in_fence(text, at, final=final)
        if text[at] == "\n":
            self._end_line()
            return at + 1
        if self._at_line_start:
            if found := _OPENER.match(text, at):
                return self._open(found)
            if not final and _OPENER_BEGUN.fullmatch(text, at):
                return None
        self._at_line_start = False
        return at if text[at] == " " else self._ticks(text, at, final=final)

    def _open(self, found: re.Match[str]) -> int:
        if self._spoilt or self._closer:
            self.saw(found[0])
            self._end_line()
        else:
            self._lead = len(found[1])
        return found.end()

    def _in_fence(self, text: str, at: int, *, final: bool) -> int | None:
        if self._at_line_start:
            end = self._at_fenced_line(text, at, final=final)
            if end != at:
                return end
            if self._lead is None:
                return at
        if text[at] != "`":
            found = _FENCED.match(text, at)
            end = at if found is None else found.end()
            self._at_line_start = text[end - 1] == "\n"
            return end
        run = _RUN.match(text, at)
        end = at + 1 if run is None else run.end()
        if end == len(text) and not final and end - at < 3:
            return None
        self._at_line_start = False
        if end - at >= 3:  # Discord's block ends here, the others' does not
            self._leave_fence(spoilt=True)
        return end

    def _at_fenced_line(self, text: str, at: int, *, final: bool) -> int | None:
        """Where the last line of a fence ends; `at`: it is not the last one."""
        lead = self._lead or 0
        if found := _CLOSER.match(text, at):
            self._leave_fence(spoilt=False)
            return found.end()
        if begun := _CLOSER_BEGUN.fullmatch(text, at):
            if not final:
                return None
            if "```" in begun[0]:
                return len(text)
        begin = text[at : at + lead]
        if lead and begin.strip(" ") and not begin.lstrip(" ").startswith("\n"):
            self._leave_fence(spoilt=True)  # the list that it stands in may be over, and the fence with it
        return at

    def _leave_fence(self, *, spoilt: bool) -> None:
        self._lead = None
        self._spoilt |= spoilt
        self._at_line_start = False
        self._line.clear()

    def _ticks(self, text: str, at: int, *, final: bool) -> int | None:
        run = _RUN.match(text, at)
        end = at + 1 if run is None else run.end()
        if end == len(text) and not final and end - at < 3:
            return None
        if end - at >= 3:
            self._spoilt = True
        elif self._closer:
            self._closer = "" if self._closer == text[at:end] else self._closer
        elif not self._doubtful and not self._spoilt:
            last = self._span(text, at, end, final=final)
            if last is None:
                return None
            end = last
        self._line.append("`")
        return end

    def _span(self, text: str, at: int, end: int, *, final: bool) -> int | None:
        near = min(len(text), at + self._held_chars)
        found = _SPAN.match(text, at, near)
        is_whole = found is not None and (found.end() < near or (near == len(text) and final))
        if found is None or not is_whole:
            if not final and near == len(text) and near < at + self._held_chars and _SPAN_BEGUN.fullmatch(text, at):
                return None
            self._doubtful = True
        elif self._is_open():
            self._doubtful = True
        elif _MIGHT_END_SOMETHING.search(found[0]):
            self._closer = found[1]
            self._doubtful = "|" in found[0] or "\\" in found[0]
        else:
            end = found.end()
        return end

    def _is_open(self) -> bool:
        """Whether an emphasis may go on; only Discord's reaches into code, and over the end of a line."""
        if not self._marked:
            return False
        line = "".join(self._line)
        if len(line) > _LINE_CHARS:
            return True
        line = _BULLET.sub("", line, count=1)
        for _ in range(_NESTED):
            line = _PAIRED.sub("", line)
        return _OPEN.search(line) is not None

    def _end_line(self) -> None:
        line = "".join(self._line)
        if line.strip():
            self._spoilt |= _HTML_BLOCK.match(line) is not None or self._is_open()
        else:
            self._doubtful = False
        self._closer = ""
        self._line.clear()
        self._marked = False
        self._at_line_start = True
