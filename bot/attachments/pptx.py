"""Presentations: each slide a page with its title, texts, tables and the speaker's notes.

Hidden shapes, slide numbers and the masters' texts are left out; what is in pictures and charts cannot be read here.
"""

from collections.abc import Mapping

from bot.attachments._flow import Flow, Line, Paragraph
from bot.attachments._limits import LIMITS, Limits, Meter, extent, first_chars
from bot.attachments._words import one_line, tidy
from bot.attachments._zip import Outcome, Package, opened, relation_id
from bot.core.errors import UnreadableFile
from bot.core.files import FileKind, ReadFile

_PRESENTATION = "ppt/presentation.xml"
_TITLES = ("title", "ctrTitle")
# Placeholders for what every slide repeats.
_REPEATED = ("sldNum", "dt", "ftr", "hdr", "sldImg")
_DEEPEST_LEVEL = 8
_TRUE = ("1", "true")
_SHAPES = ("sp", "graphicFrame", "cxnSp", "pic")
_FALSE = ("0", "false")


def read(content: bytes, media_type: str, limits: Limits = LIMITS) -> ReadFile:
    """Read a presentation; see `bot.attachments.kind.Read`."""
    meter = Meter(limits)
    pages: list[str] = []
    is_broken = False
    with opened(content, meter) as package:
        parts = _slides(package)
        if not parts:
            raise UnreadableFile("has no slides that can be found: save it anew and send that")
        for number, part in enumerate(parts[: limits.pages], start=1):
            if meter.is_spent:
                break
            page, outcome = _slide(package, part, number, meter)
            is_broken |= outcome is Outcome.BROKEN
            pages.append(page)
    if is_broken and not any(pages):
        raise UnreadableFile("is damaged or incomplete: send it again, or save it anew and send that")
    remarks = [extent(len(pages), len(parts), "slide")]
    if not any(pages):
        remarks.append("no text on them: pictures only")
    if meter.was_cut:
        remarks.append(first_chars(meter))
    if is_broken:
        remarks.append("it is damaged: some text is missing")
    return ReadFile(
        kind=FileKind.TEXT,
        media_type=media_type,
        pages=tuple(pages) if any(pages) else (),
        unit="slide",
        total=len(parts),
        remarks=tuple(remarks),
    )


class Slide(Flow):
    """The text of a slide, of its notes, or of a drawing on it. `title` is empty when it has none."""

    def __init__(self, meter: Meter, links: Mapping[str, str]) -> None:
        super().__init__(meter, links=links)
        self.title = ""
        self.is_hidden = False
        self._shape_began: int | None = None
        self._is_title = False
        self._is_dropped = False
        self.starts |= dict.fromkeys(_SHAPES, self._start_shape)
        self.ends |= dict.fromkeys(_SHAPES, self._end_shape)
        self.starts |= {
            "sld": self._start_slide,
            "cNvPr": self._name,
            "ph": self._start_placeholder,
            "pPr": self._level,
            "hlinkClick": self._start_link,
            "fld": self._start_run,
        }
        self.ends |= {"fld": self._end_run}

    def write_paragraph(self, text: str, paragraph: Paragraph) -> None:
        if self._is_title:
            self.title = f"{self.title} {one_line(text)}".strip()
            return
        level = paragraph.marks.get("level", "0")
        indent = "  " * min(int(level), _DEEPEST_LEVEL)
        self.put(f"{indent}- {text}" if indent else text, Line.ITEM)

    def _start_slide(self, attributes: Mapping[str, str]) -> None:
        self.is_hidden = attributes.get("show", "1") in _FALSE

    def _start_shape(self, _: Mapping[str, str]) -> None:
        self._shape_began = len(self.lines)
        self._is_title = self._is_dropped = False

    def _end_shape(self) -> None:
        if self._is_dropped and self._shape_began is not None:
            del self.lines[self._shape_began :]
        self._shape_began = None
        self._is_title = self._is_dropped = False

    def _name(self, attributes: Mapping[str, str]) -> None:
        if self._shape_began is not None and attributes.get("hidden", "") in _TRUE:
            self._is_dropped = True

    def _start_placeholder(self, attributes: Mapping[str, str]) -> None:
        kind = attributes.get("type", "")
        self._is_title = kind in _TITLES
        self._is_dropped |= kind in _REPEATED

    def _level(self, attributes: Mapping[str, str]) -> None:
        level = attributes.get("lvl", "0")
        if self.paragraph and level.isdecimal() and len(level) < 3:
            self.paragraph.marks["level"] = level

    def _start_link(self, attributes: Mapping[str, str]) -> None:
        if self.paragraph:
            self.paragraph.link = self.links.get(relation_id(attributes), "")

    def _end_run(self) -> None:
        super()._end_run()
        self.close_link()


def _slide(package: Package, part: str, number: int, meter: Meter) -> tuple[str, Outcome]:
    relations = package.relations(part)
    links = {key: target for key, (kind, target) in relations.items() if kind == "hyperlink"}
    slide = Slide(meter, links)
    outcome = package.parse(part, slide)
    slide.finish()
    texts = [_joined(slide), *_related(package, relations, meter)]
    words = tidy("\n".join(text for text in texts if text))
    if not (words or slide.title):
        return "", outcome
    hidden = " (hidden)" if slide.is_hidden else ""
    title = f"# {slide.title}{hidden}" if slide.title else f"# Slide {number}{hidden}"
    return f"{title}\n{words}".strip(), outcome


def _related(package: Package, relations: Mapping[str, tuple[str, str]], meter: Meter) -> list[str]:
    """The texts of drawings on the slide, which are parts of their own, and last the speaker's notes."""
    drawings: list[str] = []
    notes: list[str] = []
    for kind, part in relations.values():
        if kind not in ("diagramData", "notesSlide"):
            continue
        reader = Slide(meter, {})
        package.parse(part, reader)
        reader.finish()
        if text := _joined(reader):
            (drawings if kind == "diagramData" else notes).append(text)
    return drawings + [f"\nNotes: {text}" for text in notes]


def _joined(slide: Slide) -> str:
    return "\n".join(slide.lines)


def _slides(package: Package) -> list[str]:
    """The parts of the slides in their order."""
    relations = package.relations(_PRESENTATION)
    parts = []
    for _, attributes in package.elements(_PRESENTATION, "sldId"):
        kind, part = relations.get(relation_id(attributes), ("", ""))
        if kind == "slide" and part in package.names:
            parts.append(part)
    return parts
