"""Where HTML becomes so deep that a parser would take hours: 100,000 open <div> cost lexbor 25 s, twice as many four
times that. Browsers stop at 512 open elements; so does this.

An estimate, from tags alone: who writes a page to deceive it gains what the worker's own time limit leaves.
"""

import re

#: The deepest that pages may be.
MAX_DEPTH = 512

# A tag with its attributes as browsers read it (a quote counts after `=` only); what has no end goes to the end.
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][^\s/>]*+)
        (?: [\s/]++ | =?[^\s/>=]++ (?: \s*+ = \s*+ (?: "[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) | [^\s>"'][^\s>]*+ )? )?
            | = )*+
        (?:>|\Z) | <!--""",
    re.VERBOSE,
)
_COMMENT_END = re.compile(r"--!?>")
# They never hold others, or are closed by the next of their kind without saying so.
# fmt: off
_NEVER_DEEP = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "caption",
    "rt", "rp", "html", "head", "body",
))
# fmt: on
# What is in them is text.
_RAW = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"))


def too_deep_at(markup: str) -> int | None:
    """The position of the first element that is too deep; None: there is none."""
    open_tags: list[str] = []
    missing: set[str] = set()
    position = 0
    while found := _TAG.search(markup, position):
        position = found.end()
        if found[2] is None:
            # `<!-->` is a whole comment.
            end = _COMMENT_END.search(markup, position - 2)
            if end is None:
                return None
            position = end.end()
            continue
        tag = found[2].lower()
        if found[1]:
            _close(tag, open_tags)
        elif tag in _RAW:
            end_tag = f"</{found[2]}"
            position = max(position, -1 if end_tag in missing else markup.find(end_tag, position))
            if not markup.startswith(end_tag, position):
                missing.add(end_tag)
        elif tag not in _NEVER_DEEP:
            open_tags.append(tag)
            if len(open_tags) > MAX_DEPTH:
                return found.start()
    return None


def _close(tag: str, open_tags: list[str]) -> None:
    """Close the innermost element of this tag with all that is open in it; nothing happens when there is none."""
    for index in range(len(open_tags) - 1, -1, -1):
        if open_tags[index] == tag:
            del open_tags[index:]
            return
