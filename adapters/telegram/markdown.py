"""Markdown -> text and entities, by telegramify-markdown, corrected where that would lose or add something.

The converter drops HTML, reads `a || b || c` as a spoiler, decorates headings and links anything. Its walker
is fed with the parser's events here, after those were corrected. Pure; knows nothing of pages and limits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyromark
from pyromark.event import Range
from telegramify_markdown.config import RenderConfig
from telegramify_markdown.converter import EventWalker
from telegramify_markdown.latex_escape.helper import LatexToUnicodeHelper

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
)
#: What the server takes as a link. `tg://user?id=…` would mention, and so notify, that person.
_LINK = re.compile(r"https?://[^\s/?#<>\"@]+[^\s<>\"]*", re.IGNORECASE)
#: A reference definition: the parser leaves it out of its events, so it would vanish from the text.
_DEFINITION = re.compile(r"^[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?\[(?=[^\]\n]+\]:)", re.MULTILINE)
_FORMULA = re.compile(r"[\\^_{]")
#: Tags whose events are walked as they are.
_SOUND = frozenset({"Paragraph", "Strong", "Item", "BlockQuote", "CodeBlock", "Table", "TableHead", "TableRow"})
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A MessageEntity; `offset` and `length` in UTF-16 units, `url` for links, `language` for code blocks."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    @property
    def end(self) -> int:
        """The first UTF-16 unit after it."""
        return self.offset + self.length


@dataclass(slots=True)
class _Link:
    url: str
    is_entity: bool
    shown: list[str] = field(default_factory=list)


def convert(markdown: str) -> tuple[str, tuple[Entity, ...]]:
    """The text that is shown and its entities, sorted. May raise whatever the converter does."""
    source = _with_definitions(markdown)
    walker = EventWalker(_look(), source)
    text, found, _ = walker.walk(tuple(_Corrections(source).events()))
    text = text.rstrip()
    end = utf16_length(text)
    entities = (
        Entity(
            type=each.type,
            offset=each.offset,
            length=min(each.offset + each.length, end) - each.offset,
            url=each.url,
            language=each.language,
        )
        for each in found
    )
    return text, tuple(sorted((each for each in entities if each.length > 0), key=lambda each: each.offset))


def utf16_length(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class _Corrections:
    """The parser's events with those replaced that the walker would lose text over."""

    def __init__(self, source: str) -> None:
        self._events = pyromark.events_with_range(source, options=_OPTIONS)
        self._source = source.encode()
        self._links: list[_Link] = []
        self._in_cell = False

    def events(self) -> Iterator[tuple[object, Range]]:
        for payload, span in self._events:
            if _is_as_it_should_be(payload) and not self._links:
                yield payload, span
                continue
            for replacement in self._replace(payload, span):
                self._note(replacement)
                yield replacement, span

    def _replace(self, payload: object, span: Range) -> tuple[object, ...]:
        match payload:
            case {"Start": {"Link": details}} | {"Start": {"Image": details}}:
                return self._open_link(details)
            case {"End": "Link" | "Image"}:
                return self._close_link()
            case {"Start": "HtmlBlock"}:
                return ({"Start": "Paragraph"},)
            case {"End": "HtmlBlock"}:
                return ({"End": "Paragraph"},)
            case {"Html": str(html)}:
                return ({"Text": html},)
            case {"InlineHtml": str(html)}:
                return ("SoftBreak",) if _BREAK.fullmatch(html) else ({"Text": html},)
            case {"InlineMath": str(formula)}:
                return (_inline_math(formula),)
            case {"DisplayMath": str(formula)} if self._in_cell:
                return ({"Code": formula},)
            case {"Start": "Strikethrough"} | {"End": "Strikethrough"} if self._is_single_tilde(span):
                return ({"Text": "~"},)
            case {"Start": "Emphasis"} | {"End": "Emphasis"} if self._is_product(span):
                return ({"Text": chr(self._source[span["start"]])},)
            case "HardBreak" if self._in_cell:
                return ("SoftBreak",)
            case _:
                return (payload,)

    def _note(self, payload: object) -> None:
        match payload:
            case {"Start": "TableCell"}:
                self._in_cell = True
            case {"End": "TableCell"}:
                self._in_cell = False
            case {"Text": str(text)} | {"Code": str(text)} if self._links:
                self._links[-1].shown.append(text)

    def _open_link(self, details: dict[str, str]) -> tuple[object, ...]:
        """A link inside a link, in a table or to anything but a web page shows its address instead."""
        url = details.get("dest_url", "")
        is_entity = not self._links and not self._in_cell and _LINK.fullmatch(url) is not None
        self._links.append(_Link(url, is_entity))
        return ({"Start": {"Link": {"dest_url": url}}},) if is_entity else ()

    def _close_link(self) -> tuple[object, ...]:
        link = self._links.pop()
        shown = "".join(link.shown)
        if self._links:
            self._links[-1].shown.append(shown)
        rest: tuple[object, ...] = ()
        if not shown.strip():
            rest = ({"Text": link.url},)
        elif not link.is_entity and link.url and link.url.removeprefix("mailto:") not in shown:
            rest = ({"Text": f" ({link.url})"},)
        return (*rest, {"End": "Link"}) if link.is_entity else rest

    def _is_single_tilde(self, span: Range) -> bool:
        return self._source[span["start"] + 1 : span["start"] + 2] != b"~"

    def _is_product(self, span: Range) -> bool:
        """Whether emphasis stands between digits: `2*3*4`."""
        before, after = self._source[: span["start"]][-1:], self._source[span["end"] : span["end"] + 1]
        return before.isdigit() and after.isdigit()


def _is_as_it_should_be(payload: object) -> bool:
    """Tells nearly all events, which need no correction, in little time."""
    if not isinstance(payload, dict):
        return payload != "HardBreak"
    if "Text" in payload or "Code" in payload:
        return True
    tag = payload.get("Start", payload.get("End"))
    return tag in _SOUND if isinstance(tag, str) else tag is not None and "Link" not in tag and "Image" not in tag


def _inline_math(formula: str) -> dict[str, str]:
    """A formula as Unicode; what stands between two prices is none."""
    if not _FORMULA.search(formula):
        return {"Text": f"${formula}$"}
    converted: str = LatexToUnicodeHelper().convert(formula)  # type: ignore[no-untyped-call]  # it has no types
    return {"Code": converted.strip() or formula}


def _with_definitions(markdown: str) -> str:
    """The source with its reference definitions escaped, so that they are shown; not those in code."""
    if "]:" not in markdown:
        return markdown
    codes = _code_spans(markdown)
    escaped, before = [], 0
    for found in _DEFINITION.finditer(markdown):
        at = found.end() - 1
        if not any(start <= at < end for start, end in codes):
            escaped.append(markdown[before:at] + "\\")
            before = at
    return "".join(escaped) + markdown[before:]


def _code_spans(markdown: str) -> list[tuple[int, int]]:
    """Where the source is code, in characters."""
    source = markdown.encode()
    spans = []
    for payload, span in pyromark.events_with_range(markdown, options=_OPTIONS):
        match payload:
            case {"Start": {"CodeBlock": _}} | {"Code": _} | {"Start": "CodeBlock"}:
                spans.append((len(source[: span["start"]].decode()), len(source[: span["end"]].decode())))
            case _:
                pass
    return spans


def _look() -> RenderConfig:
    """No symbols but those that stand for a mark of the source."""
    config = RenderConfig.isolated()
    config.cite_expandable = False
    symbols = config.markdown_symbol
    for level in range(1, 7):
        setattr(symbols, f"heading_level_{level}", "")
    symbols.image = ""
    symbols.unordered_list_item = "•"
    symbols.task_completed, symbols.task_uncompleted = "☑", "☐"
    symbols.horizontal_rule = "———"
    return config
