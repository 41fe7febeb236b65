"""What Tavily takes: the fields of its reference with the values that stand there, and nothing else.

The real service ignores unknown fields; whoever sends one has misread the reference all the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

QUERY_CHARS = 400
_Check = Callable[[Any], bool]


class Refused(Exception):
    """A request that is answered with `status` and the error in Tavily's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _one_of(*values: object) -> _Check:
    return lambda value: any(value == known and isinstance(value, type(known)) for known in values)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(lowest: int, highest: int) -> _Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _texts(at_most: int) -> _Check:
    return lambda value: isinstance(value, list) and len(value) <= at_most and all(map(_is_text, value))


_SEARCH: Mapping[str, _Check] = {
    "query": _is_text,
    "search_depth": _one_of("advanced", "basic", "fast", "ultra-fast"),
    "chunks_per_source": _whole(1, 3),
    "max_results": _whole(0, 20),
    "topic": _one_of("general", "news", "finance"),
    "time_range": _one_of("day", "week", "month", "year", "d", "w", "m", "y"),
    "start_date": _is_text,
    "end_date": _is_text,
    "include_answer": _one_of(True, False, "basic", "advanced"),
    "include_raw_content": _one_of(True, False, "markdown", "text"),
    "include_images": _is_flag,
    "include_image_descriptions": _is_flag,
    "include_favicon": _is_flag,
    "include_domains": _texts(300),
    "exclude_domains": _texts(150),
    "country": _is_text,
    "auto_parameters": _is_flag,
    "exact_match": _is_flag,
    "include_usage": _is_flag,
    "safe_search": _is_flag,
}
_EXTRACT: Mapping[str, _Check] = {
    "urls": lambda value: _is_text(value) or _texts(10_000)(value),
    "query": _is_text,
    "chunks_per_source": _whole(1, 5),
    "extract_depth": _one_of("basic", "advanced"),
    "include_images": _is_flag,
    "include_favicon": _is_flag,
    "format": _one_of("markdown", "text"),
    "timeout": lambda value: isinstance(value, int | float) and 1.0 <= value <= 60.0,
    "include_usage": _is_flag,
}


def check_search(body: Mapping[str, Any]) -> None:
    """Refuse what `POST /search` does not take."""
    _check(body, _SEARCH, required="query")
    if not body["query"].strip():
        raise Refused(400, "Query is missing.")
    if len(body["query"]) > QUERY_CHARS:
        raise Refused(400, f"Query is too long. Max query length is {QUERY_CHARS} characters.")
    if "chunks_per_source" in body and body.get("search_depth") != "advanced":
        raise Refused(400, "chunks_per_source is only available when search_depth is advanced.")


def check_extract(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Refuse what `POST /extract` does not take; returns the addresses."""
    _check(body, _EXTRACT, required="urls")
    urls = (body["urls"],) if isinstance(body["urls"], str) else tuple(body["urls"])
    if not urls:
        raise Refused(400, "urls is missing.")
    if len(urls) > 20:
        raise Refused(400, "Max 20 URLs are allowed.")
    if not any(url.startswith(("http://", "https://")) for url in urls):
        raise Refused(400, "All URLs failed validation.")
    if "chunks_per_source" in body and "query" not in body:
        raise Refused(400, "chunks_per_source is only available when query is provided.")
    return urls


def _check(body: Mapping[str, Any], fields: Mapping[str, _Check], *, required: str) -> None:
    if required not in body:
        raise Refused(422, f"body.{required}: Field required")
    for name, value in body.items():
        if name not in fields:
            raise Refused(422, f"body.{name}: Extra inputs are not permitted")
        if not fields[name](value):
            raise Refused(400, f"Invalid {name}.")
