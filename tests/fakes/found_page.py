"""A page of the web as the fakes of search services know it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """`words` are what is on it, None: nobody can read it. `date` is written as the service writes dates."""

    url: str
    title: str
    snippet: str = ""
    date: str | None = None
    words: str | None = None


def within(url: str, domains: tuple[str, ...]) -> bool:
    """Whether the page is of one of the domains or of a part of it."""
    host = url.partition("://")[2].partition("/")[0]
    return any(f".{host}".endswith(f".{domain}") for domain in domains)
