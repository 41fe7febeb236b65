"""The words of an HTML document that people see, with headings, lists, tables and links readable.

Hidden elements are left out: nobody who looked at the page knows of them, and a model would read them all the same.
Menus and other furniture go as well, and around a main part or an article of some size the rest does. Knows no
encodings.
"""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.attachments._limits import Meter
from bot.attachments._nesting import too_deep_at
from bot.attachments._words import one_line, tidy

# Not shown, or not words.
# fmt: off
_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "iframe", "frame", "object", "embed", "svg", "math", "canvas",
    "audio", "video", "picture", "map", "head", "title", "select", "datalist", "button", "textarea", "input",
    "dialog", "-comment", "-doctype",
))
# fmt: on
_SHOWN_WHEN_OPEN = "dialog"
_FURNITURE = frozenset(("nav", "aside", "footer", "menu"))
_FURNITURE_ROLES = frozenset(("navigation", "complementary", "contentinfo", "search", "menu", "menubar", "dialog"))
# fmt: off
_PARAGRAPHS = frozenset((
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "pre", "blockquote", "figure", "section",
    "article", "main", "hr", "form",
))
# fmt: on
# fmt: off
_LINES = frozenset((
    "div", "li", "dt", "dd", "tr", "header", "footer", "aside", "nav", "address", "figcaption", "caption",
    "details", "summary", "fieldset", "legend", "center", "body", "html", "thead", "tbody", "tfoot", "option",
    "label",
))
# fmt: on
#: Tables that are nested deeper are layout.
_DEEPEST_GRID = 3
_MAIN = frozenset(("main", "article"))
#: The main part stands for the page when it has this share of its words.
_MAIN_SHARE = 0.5

_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0?\.?0*(?:;|!|$)|font-size:0?\.?0+(?:px|pt|em|rem|%)?(?:;|!|$)"
    r"|content-visibility:hidden|(?:left|top|text-indent):-\d{4,}|clip-path:inset\((?:50|100)%|clip:rect\(0"
)
# Simple rules of style sheets that hide, outside of @media and the like.
_COMMENTS = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BRACE = re.compile(r"[{}]")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?(?:[.#][A-Za-z_][\w-]*)+")
_MOST_SELECTORS = 200
_MOST_STYLE_CHARS = 500_000
_MOST_BLOCKS = 1_000
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_LONGEST_URL = 500
_LOOK_AT_CLOCK = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlWords:
    """What was found. `title` may be empty. `is_whole`: nothing was left out for its depth or the time."""

    title: str
    text: str
    is_whole: bool = True


def words_of(markup: str, meter: Meter, *, whole: bool = False) -> HtmlWords:
    """Read a document; `whole`: with its furniture, and not only its main part."""
    cut = too_deep_at(markup)
    tree = LexborHTMLParser(markup if cut is None else markup[:cut])
    title = tree.css_first("title")
    found_title = one_line(title.text()) if title else ""
    if tree.body is None:
        return HtmlWords(title=found_title, text="", is_whole=cut is None)
    hidden = _hidden_by_rules(tree)
    walk = _Walk(meter, hidden, keeps_furniture=whole)
    walk.run(tree.body)
    text = walk.main_part() if not whole else walk.all()
    if not text and not whole and not walk.is_stopped:
        walk = _Walk(meter, hidden, keeps_furniture=True)
        walk.run(tree.body)
        text = walk.all()
    return HtmlWords(title=found_title, text=text, is_whole=cut is None and not walk.is_stopped)


class _Walk:
    """One walk through the tree, without recursion; `pieces` is the text as it grows."""

    def __init__(self, meter: Meter, hidden: frozenset[int], *, keeps_furniture: bool) -> None:
        self.is_stopped = False
        self._meter = meter
        self._hidden = hidden
        self._keeps_furniture = keeps_furniture
        self._pieces: list[str] = []
        self._breaks = 0
        self._needs_blank = False
        self._preformatted = 0
        self._tables: list[bool] = []
        self._in_cells = 0
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._open_mains: list[int] = []
        self._mains: list[tuple[int, int]] = []

    def run(self, root: LexborNode) -> None:
        """Walk; stops by itself when the meter is spent."""
        node: LexborNode | None = root
        depth = steps = 0
        while node is not None:
            steps += 1
            if steps % _LOOK_AT_CLOCK == 0 and self._meter.is_spent:
                self.is_stopped = True
            child = node.first_child if not self.is_stopped and self._enter(node) else None
            if child is not None:
                node, depth = child, depth + 1
                continue
            following = None
            while node is not None and following is None:
                self._leave(node)
                if depth == 0:
                    return
                following = node.next if not self.is_stopped else None
                if following is None:
                    node, depth = node.parent, depth - 1
            node = following

    def all(self) -> str:
        """All text."""
        return tidy("".join(self._pieces))

    def main_part(self) -> str:
        """The text of the largest main part, if that is most of it; else all."""
        lengths = {span: sum(map(len, self._pieces[slice(*span)])) for span in self._mains[:20]}
        if not lengths:
            return self.all()
        best = max(lengths, key=lambda span: lengths[span])
        if lengths[best] < _MAIN_SHARE * sum(map(len, self._pieces)):
            return self.all()
        return tidy("".join(self._pieces[slice(*best)]))

    def _enter(self, node: LexborNode) -> bool:
        """Begin an element; returns whether what is in it counts."""
        tag = node.tag or ""
        if tag == "-text":
            self._write(node.text_content or "")
            return False
        attributes = node.attributes
        if self._is_left_out(tag, attributes, node):
            return False
        if tag == "table":
            self._tables.append(len(self._tables) < _DEEPEST_GRID and _is_grid(node))
        self._break(self._lines_around(tag))
        self._begin(tag, attributes)
        return True

    def _lines_around(self, tag: str) -> int:
        if tag in _PARAGRAPHS and not (self._lists and tag in ("ul", "ol")):
            return 2
        return 1 if tag in _PARAGRAPHS or tag in _LINES else 0

    def _is_left_out(self, tag: str, attributes: dict[str, str | None], node: LexborNode) -> bool:
        if tag in _SKIPPED and not (tag == _SHOWN_WHEN_OPEN and "open" in attributes):
            return True
        if not attributes:
            return not self._keeps_furniture and tag in _FURNITURE
        if "hidden" in attributes or node.mem_id in self._hidden or _hides(attributes.get("style") or ""):
            return True
        if self._keeps_furniture:
            return False
        return tag in _FURNITURE or (attributes.get("role") or "").lower() in _FURNITURE_ROLES

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        match tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._add("#" * int(tag[1]) + " ")
            case "br":
                self._break(1)
            case "ul" | "ol":
                self._lists.append(0 if tag == "ol" else None)
            case "li":
                self._add(self._bullet())
            case "td" | "th":
                self._needs_blank = False
                self._add(" | " if not self._breaks and self._pieces else "")
                self._in_cells += bool(self._tables and self._tables[-1])
            case "pre":
                self._preformatted += 1
            case "a":
                self._links.append((attributes.get("href") or "", len(self._pieces)))
            case _:
                if tag in _MAIN or attributes.get("role") == "main":
                    self._open_mains.append(len(self._pieces))

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        match tag:
            case "table" if self._tables:
                self._tables.pop()
            case "td" | "th" if self._in_cells:
                self._in_cells -= 1
            case "ul" | "ol" if self._lists:
                self._lists.pop()
            case "pre":
                self._preformatted = max(0, self._preformatted - 1)
            case "a" if self._links:
                self._end_link()
            case _:
                if self._open_mains and (tag in _MAIN or node.attributes.get("role") == "main"):
                    self._mains.append((self._open_mains.pop(), len(self._pieces)))
        self._break(self._lines_around(tag))

    def _bullet(self) -> str:
        indent = "  " * min(max(0, len(self._lists) - 1), 8)
        count = self._lists[-1] if self._lists else None
        if count is None:
            return f"{indent}- "
        self._lists[-1] = count + 1
        return f"{indent}{count + 1}. "

    def _end_link(self) -> None:
        url, began = self._links.pop()
        text = "".join(self._pieces[began:]).strip()
        if text and url.startswith(("http://", "https://")) and len(url) <= _LONGEST_URL and url not in text:
            self._needs_blank = False
            self._add(self._meter.take(f" ({one_line(url)})"))

    def _write(self, text: str) -> None:
        if not self._preformatted:
            text = _BLANKS.sub(" ", text)
            if self._breaks or not self._pieces or self._pieces[-1].endswith((" ", "\n")):
                text = text.lstrip(" ")
            self._needs_blank |= text.startswith(" ")
            ends_blank = text.endswith(" ") and text != " "
            text = text.strip(" ")
            if text:
                self._add(self._meter.take(text))
                self._needs_blank = ends_blank
        elif text:
            self._needs_blank = False
            self._add(self._meter.take(text))

    def _add(self, text: str) -> None:
        """Text as it is, after the line ends or the blank that are due."""
        if not text:
            return
        if self._breaks and self._pieces:
            self._pieces.append("\n" * self._breaks)
        elif self._needs_blank and self._pieces and not self._pieces[-1].endswith((" ", "\n")):
            self._pieces.append(" ")
        self._breaks, self._needs_blank = 0, False
        self._pieces.append(text)

    def _break(self, lines: int) -> None:
        if lines and self._in_cells:
            self._needs_blank = True
        elif lines:
            self._breaks = max(self._breaks, lines)
            self._needs_blank = False


def _is_grid(table: LexborNode) -> bool:
    """Whether a table shows rows and columns: those that lay out a page or a mail have tables or headings inside."""
    if table.css_first("td+td,th+td,th+th,td+th") is None:
        return False
    return all(node.mem_id == table.mem_id for node in table.css("table,h1,h2,h3,h4,ul,ol"))


def _hides(style: str) -> bool:
    return bool(style) and bool(_HIDING.search(_BLANKS.sub("", _COMMENTS.sub("", style)).lower()))


def _hidden_by_rules(tree: LexborHTMLParser) -> frozenset[int]:
    """The elements that the document's own style sheets hide by their class or id."""
    sheet = "\n".join(node.text() for node in tree.css("style"))[:_MOST_STYLE_CHARS]
    selectors: dict[str, None] = {}
    for rule in _without_blocks(_COMMENTS.sub("", sheet)).split("}"):
        names, _, body = rule.partition("{")
        if _hides(body):
            selectors |= {name.strip(): None for name in names.split(",")}
    simple = [selector for selector in selectors if _SIMPLE_SELECTOR.fullmatch(selector)][:_MOST_SELECTORS]
    return frozenset(node.mem_id for node in tree.css(",".join(simple))) if simple else frozenset()


def _without_blocks(sheet: str) -> str:
    """A style sheet without its conditional blocks (`@media print { ... }`)."""
    kept, position = [], 0
    for _ in range(_MOST_BLOCKS):
        start = sheet.find("@", position)
        if start < 0:
            break
        kept.append(sheet[position:start])
        opening, semicolon = sheet.find("{", start), sheet.find(";", start)
        if opening < 0 or 0 <= semicolon < opening:
            position = semicolon + 1 if semicolon >= 0 else len(sheet)
            continue
        position = _end_of_block(sheet, opening + 1)
    return "".join([*kept, sheet[position:]])


def _end_of_block(sheet: str, position: int) -> int:
    """Where the block ends in which `position` is."""
    depth = 1
    for brace in _BRACE.finditer(sheet, position):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return len(sheet)
