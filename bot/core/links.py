"""The links of an answer into which text from outside may have spoken: only those that came with sources or people.

Pure; takes a stream as it comes. Knows neither tools nor platforms: what counts as an address is `bot.core.addresses`'
business, what counts as code `bot.core.plain_code`'s.
"""

import re
from collections.abc import Collection

from bot.core.addresses import WordGate, in_markdown, is_known, normalised, notice, person_in, unescaped, urls_in
from bot.core.plain_code import PlainCode

__all__ = ["LinkGate", "is_known", "normalised", "urls_in"]

#: More is not held back of an address or a piece of code, of a link's text, or of brackets in brackets.
_HELD_CHARS, _LABEL_CHARS, _NESTED = 2_000, 300, 6

#: What may belong to an address: letters and digits of all scripts, and all of ASCII but spaces, `[` and backticks.
_WORD = re.compile(r"(?:\w|[!-Z\\\]^_a-z{-~])+")
#: Words that nobody has to look at, and how most text goes on; each is complete, as a space follows.
_EASY = re.compile(r"(?:[A-Za-z0-9,;()'\"-]+[.?]? )+")
_SPACE = re.compile(r"[^\S\n]+")
_REST = re.compile(r"[^\s\w!-~]+")
_DESTINATION = re.compile(
    r"\s*(?:<(?P<angled>[^<>]*)>|(?P<plain>[^\s<>]*))(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*"
)

#: What comes out and where to go on; None: more has to come before anybody can tell.
_Step = tuple[str, int] | None


class LinkGate:
    """A filter for a stream of Markdown: addresses not among `known` come out unclickable, without path and query.

    `known` are normalised addresses and grows while the stream goes on (it is looked into, not copied). What comes out
    does not depend on how the stream was cut. Code stays as it is where every platform takes it for code; known
    addresses lose their fragments, which could carry something to a page's scripts.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._word_gate = WordGate(known)
        self._code = PlainCode(_HELD_CHARS)
        self._held = ""

    def feed(self, text: str) -> str:
        """More of the stream; returns what may be shown by now (an address is held back until it is complete)."""
        self._held += text
        return self._drain(final=False)

    def flush(self) -> str:
        """What was held back, at the end."""
        return self._drain(final=True)

    def _drain(self, *, final: bool) -> str:
        text, at, shown = self._held, 0, []
        while at < len(text):
            step = self._step(text, at, final=final)
            if step is None:
                break
            shown.append(step[0])
            at = step[1]
        self._held = text[at:]
        return "".join(shown)

    def _step(self, text: str, at: int, *, final: bool) -> _Step:
        if self._code.is_concerned(text, at):
            end = self._code.read(text, at, final=final)
            if end is None:
                return None
            if end > at:
                return text[at:end], end
        if text[at] == "[" or text.startswith("![", at):
            return self._bracket(text, at, final=final)
        for pattern in (_EASY, _SPACE, _REST):
            if found := pattern.match(text, at):
                self._code.saw(found[0])
                return found[0], found.end()
        return self._word(text, at, final=final)

    def _word(self, text: str, at: int, *, final: bool) -> _Step:
        found = _WORD.match(text, at)
        end = at + 1 if found is None else found.end()  # what is none: a surrogate, for one
        is_last = end == len(text)
        if end - at > _HELD_CHARS:  # nobody reads such a word, and its halves must not make an address together
            return self._gated(text[at : at + _HELD_CHARS], before_space=True) + " ", at + _HELD_CHARS
        if is_last and not final:
            return None
        if end - at > 1 and text[end - 1] == "!" and text.startswith("[", end):
            end -= 1  # the beginning of a picture
        return self._gated(text[at:end], before_space=is_last or text[end].isspace()), end

    def _gated(self, word: str, *, before_space: bool) -> str:
        self._code.saw(word)
        return self._word_gate(word, before_space=before_space, code=self._code.may_begin)

    def _bracket(self, text: str, at: int, *, final: bool) -> _Step:
        """A link with its text; an opening bracket that begins none comes out alone."""
        start = text.index("[", at) + 1
        end = _closing(text, start, "[]", _LABEL_CHARS)
        if end is None or end + 1 == len(text):
            return self._alone(text, at, start) if final else None
        if end < 0 or text[end + 1] != "(" or "`" in text[start:end]:
            return self._alone(text, at, start)
        last = _closing(text, end + 2, "()", _HELD_CHARS)
        if last is None:
            return self._alone(text, at, start) if final else None
        destination = _DESTINATION.fullmatch(text, end + 2, last) if last >= 0 else None
        if destination is None:
            return self._alone(text, at, start)
        self._code.saw(text[at : last + 1])
        return self._link(text[at:start], text[start:end], destination), last + 1

    def _alone(self, text: str, at: int, end: int) -> _Step:
        self._code.saw(text[at:end])
        return text[at:end], end

    def _link(self, opening: str, label: str, destination: re.Match[str]) -> str:
        angled, plain = destination["angled"], destination["plain"]
        url = unescaped(plain if angled is None else angled).strip()
        inner = LinkGate(self._known)
        shown = inner.feed(label) + inner.flush()
        if url.lower().startswith(("http://", "https://")) and is_known(url, self._known):
            target = in_markdown(url)
            return f"{opening}{shown}]({target if angled is None else f'<{target}>'})"
        person = person_in(url)
        if person is not None:
            return shown if person in shown else f"{shown} ({person})".lstrip()
        return shown if shown.strip() else notice(url, code=self._code.may_begin)


def _closing(text: str, start: int, pair: str, limit: int) -> int | None:
    """Where the bracket is closed that was opened before `start`: on the same line, near, and not nested too deeply.

    -1: nowhere, whatever comes. None: not yet.
    """
    depth, at, end = 1, start, min(len(text), start + limit)
    while at < end:
        char = text[at]
        if char == "\n" or depth > _NESTED:
            return -1
        if char == "\\":
            at += 1
        elif char in pair:
            depth += 1 if char == pair[0] else -1
            if depth == 0:
                return at
        at += 1
    return -1 if len(text) - start >= limit else None
