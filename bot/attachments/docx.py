"""Word documents: headings, paragraphs, lists, tables, links, footnotes, headers and footers as Markdown.

Text as it stands with all tracked changes accepted; comments, deleted and hidden text are left out. Word computes pages
when it shows them, so there are none here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.attachments._flow import Flow, Line, Paragraph
from bot.attachments._limits import LIMITS, Limits, Meter, counted, first_chars
from bot.attachments._words import one_line, tidy, word_count
from bot.attachments._zip import Outcome, Package, named, opened, relation_id
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_DOCUMENT = "word/document.xml"
_NOTES = (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote"))
_HEADING = re.compile(r"heading ([1-9])")
_MARGIN = re.compile(r"word/(?:header|footer)\d*\.xml")
_OFF = ("0", "false", "off")
_NUMBERING = ("abstractNum", "lvl", "numFmt", "num", "abstractNumId")
_BULLETS = ("bullet", "none")
_DEEPEST_HEADING = 6
_DEEPEST_ITEM = 8
_NO_LIST = "0"


@dataclass(slots=True)
class Style:
    """What a paragraph's style says about it; empty: nothing."""

    name: str = ""
    based_on: str = ""
    marks: dict[str, str] = field(default_factory=dict)


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a document; see `bot.attachments.kind.Read`."""
    meter = Meter(limits)
    with opened(content, meter) as package:
        body = Body(meter, _styles(package), _formats(package), _links(package, _DOCUMENT))
        outcome = package.parse(_DOCUMENT, body)
        body.finish()
        if outcome is Outcome.BROKEN and not body.lines:
            raise UnreadableFile("is damaged or incomplete: send it again, or save it anew and send that")
        blocks = [*_margins(package, meter, "header"), "\n".join(body.lines)]
        if outcome is Outcome.WHOLE:
            blocks += [*_notes(package, meter, body.cited), *_margins(package, meter, "footer")]
    text = tidy("\n\n".join(block for block in blocks if block))[: limits.chars]
    return ReadFile(
        kind=FileKind.TEXT,
        media_type=media_type,
        pages=(text,) if text else (),
        remarks=tuple(_remarks(text, outcome, meter)),
    )


def _remarks(text: str, outcome: Outcome, meter: Meter) -> list[str]:
    remarks = [counted(word_count(text), "word") if text else "no text in it"]
    if meter.was_cut:
        remarks = [first_chars(meter)]
    elif outcome is Outcome.CUT:
        remarks = [f"only the first {len(text):,} characters were read in time"]
    elif outcome is Outcome.BROKEN:
        remarks.append("it is damaged: what comes after these is missing")
    return remarks


class Body(Flow):
    """The text of a document or of one of its parts. `cited` are the notes that were referred to, in order."""

    def __init__(
        self,
        meter: Meter,
        styles: Mapping[str, Style],
        formats: Mapping[tuple[str, str], str],
        links: Mapping[str, str],
    ) -> None:
        super().__init__(meter, links=links)
        self.cited: list[tuple[str, str]] = []
        self._styles = styles
        self._formats = formats
        self._counters: dict[tuple[str, int], int] = {}
        self.starts |= {name: self.mark(name) for name in ("pStyle", "ilvl", "numId", "outlineLvl")}
        self.starts |= {
            "vanish": self._hide,
            "hyperlink": self._start_link,
            "footnoteReference": lambda attributes: self._cite("footnote", attributes),
            "endnoteReference": lambda attributes: self._cite("endnote", attributes),
        }
        self.ends["hyperlink"] = self.close_link

    def write_paragraph(self, text: str, paragraph: Paragraph) -> None:
        marks = self._marks_of_style(paragraph.marks.get("pStyle", "")) | paragraph.marks
        if level := _heading_level(marks):
            self.put(f"{'#' * level} {one_line(text)}")
        elif marks.get("numId", _NO_LIST) != _NO_LIST:
            self.put(self._item(text, marks), Line.ITEM)
        else:
            self.put(text)

    def _marks_of_style(self, name: str) -> dict[str, str]:
        """What a style and those it is based on say, the nearest one first; `style` is the name of a heading's."""
        marks: dict[str, str] = {}
        seen: set[str] = set()
        while name not in seen and (style := self._styles.get(name)):
            seen.add(name)
            if _is_heading(style.name):
                marks.setdefault("style", style.name)
            marks = style.marks | marks
            name = style.based_on
        return marks

    def _item(self, text: str, marks: Mapping[str, str]) -> str:
        level = min(_number(marks.get("ilvl", "")), _DEEPEST_ITEM)
        number = marks["numId"]
        indent = "  " * level
        if self._formats.get((number, str(level)), "bullet") in _BULLETS:
            return f"{indent}- {text}"
        for deeper in range(level + 1, _DEEPEST_ITEM + 1):
            self._counters.pop((number, deeper), None)
        count = self._counters[number, level] = self._counters.get((number, level), 0) + 1
        return f"{indent}{count}. {text}"

    def _hide(self, attributes: Mapping[str, str]) -> None:
        paragraph = self.paragraph
        if paragraph and paragraph.run_began is not None:
            paragraph.run_is_hidden = named(attributes, "val") not in _OFF

    def _start_link(self, attributes: Mapping[str, str]) -> None:
        if self.paragraph:
            self.paragraph.link = self.links.get(relation_id(attributes), "")

    def _cite(self, kind: str, attributes: Mapping[str, str]) -> None:
        self.cited.append((kind, named(attributes, "id")))
        self.add(f"[^{len(self.cited)}]")


class _Notes(Body):
    """The footnotes or endnotes of a document, by id."""

    def __init__(self, meter: Meter, element: str, links: Mapping[str, str]) -> None:
        super().__init__(meter, {}, {}, links)
        self.by_id: dict[str, str] = {}
        self._id = ""
        self.starts[element] = self._start_note
        self.ends[element] = self._end_note

    def _start_note(self, attributes: Mapping[str, str]) -> None:
        self._id = named(attributes, "id")
        self.lines = []

    def _end_note(self) -> None:
        self.by_id[self._id] = one_line(" ".join(self.lines))


class _Styles:
    """A `Handler` for the part with the styles."""

    def __init__(self) -> None:
        self.by_id: dict[str, Style] = {}
        self._style = Style()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag:
            case "style":
                self._style = self.by_id.setdefault(named(attributes, "styleId"), Style())
            case "name":
                self._style.name = named(attributes, "val").lower()
            case "basedOn":
                self._style.based_on = named(attributes, "val")
            case "numId" | "ilvl" | "outlineLvl":
                self._style.marks[tag] = named(attributes, "val")
            case _:
                pass

    def end(self, tag: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


def _styles(package: Package) -> dict[str, Style]:
    handler = _Styles()
    package.parse("word/styles.xml", handler)
    return handler.by_id


def _formats(package: Package) -> dict[tuple[str, str], str]:
    """How the levels of lists are numbered, by the list's number and the level."""
    abstract: dict[str, dict[str, str]] = {}
    formats: dict[tuple[str, str], str] = {}
    outer = level = number = ""
    for tag, attributes in package.elements("word/numbering.xml", *_NUMBERING):
        match tag:
            case "abstractNum":
                outer = named(attributes, "abstractNumId")
            case "lvl":
                level = named(attributes, "ilvl")
            case "numFmt":
                abstract.setdefault(outer, {})[level] = named(attributes, "val")
            case "num":
                number = named(attributes, "numId")
            case "abstractNumId":
                formats |= {(number, key): word for key, word in abstract.get(named(attributes, "val"), {}).items()}
            case _:
                pass
    return formats


def _links(package: Package, part: str) -> dict[str, str]:
    return {key: target for key, (kind, target) in package.relations(part).items() if kind == "hyperlink"}


def _margins(package: Package, meter: Meter, kind: str) -> list[str]:
    """The texts of all headers or footers, each once."""
    texts: dict[str, None] = {}
    for part in sorted(package.names):
        if _MARGIN.fullmatch(part) and kind in part:
            body = Body(meter, {}, {}, _links(package, part))
            package.parse(part, body)
            body.finish()
            texts["\n".join(line for line in body.lines if line)] = None
    return [text for text in texts if text]


def _notes(package: Package, meter: Meter, cited: list[tuple[str, str]]) -> list[str]:
    texts: dict[tuple[str, str], str] = {}
    for part, element in _NOTES:
        notes = _Notes(meter, element, _links(package, part))
        package.parse(part, notes)
        texts |= {(element, key): text for key, text in notes.by_id.items()}
    return [f"[^{number}]: {texts[key]}" for number, key in enumerate(cited, start=1) if texts.get(key)]


def _heading_level(marks: Mapping[str, str]) -> int:
    """1 to 6, 0: it is no heading. Word keeps the names of its own styles in English in every language."""
    if "outlineLvl" in marks and _number(marks["outlineLvl"]) < _DEEPEST_HEADING:
        return _number(marks["outlineLvl"]) + 1
    if found := _HEADING.match(marks.get("style", "")):
        return min(int(found[1]), _DEEPEST_HEADING)
    return 1 if "style" in marks else 0


def _is_heading(style: str) -> bool:
    return style == "title" or bool(_HEADING.match(style))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0
