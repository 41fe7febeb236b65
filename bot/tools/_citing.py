"""How what was found on the web is put to a model: lines that can be cited, and addresses that may be shown. Pure.

All titles and addresses here are text from outside.
"""

import re
from datetime import datetime
from urllib.parse import urlsplit

HOW_TO_CITE = "Cite what you use by its number, like [1] or [1][2], and give no links but these."

_TITLE_CHARS = 150
_URL_CHARS = 2_000
#: Neither stands in an address as it is; in Markdown and plain text they would end it or start something else.
_NOT_IN_URLS = re.compile(r"[\s<>\"`\\\x00-\x1f\x7f-\x9f]")


def today(now: datetime) -> str:
    """The line that tells models what day it is."""
    return f"Today is {now:%Y-%m-%d} (UTC)."


def one_line(text: str, limit: int) -> str:
    """Text without line breaks, at most `limit` characters; what is cut ends in an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def host_of(url: str) -> str | None:
    """The host of an http(s) address that may be shown and cited, in lower case; None: it is none such."""
    if len(url) > _URL_CHARS or _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.port != 0 else None  # asking for a port that is no number raises
    except ValueError:
        return None
    return named if parts.scheme in ("http", "https") and "@" not in parts.netloc else None


def title_of(title: str, url: str) -> str:
    """A page's title for one line; its host where it has none."""
    return one_line(title, _TITLE_CHARS) or host_of(url) or url


def source_line(number: int, title: str, url: str, *more: str) -> str:
    """`[1] Rain in Oslo - https://example.org/rain - 2026-11-20`."""
    return " - ".join([f"[{number}] {title}", url, *more])
