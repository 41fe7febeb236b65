"""Which of the pages that a service found are shown to a model. Pure; trusts nothing that the service says of them."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from bot.tools._citing import host_of, one_line, title_of
from bot.tools._look_up import Hit, Wanted

_DATE_CHARS = 30


def sift(hits: Iterable[Hit], wanted: Wanted) -> tuple[Hit, ...]:
    """Those with a web address in the domains that were asked for, each address once, with a title for one line."""
    kept: dict[str, Hit] = {}
    for hit in hits:
        host = host_of(hit.url)
        if host is not None and _is_wanted(host, wanted):
            kept.setdefault(_same(hit.url), replace(hit, title=title_of(hit.title, hit.url)))
    return tuple(kept.values())[: wanted.max_results]


def day_of(date: str) -> str:
    """The day of a date as services write it (ISO 8601, or as in mails), else their words: `3 days ago`."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(date.strip()).date().isoformat()
        except (ValueError, OverflowError):
            continue
    return one_line(date, _DATE_CHARS)


def _is_wanted(host: str, wanted: Wanted) -> bool:
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")  # as the domains are written

    def within(domains: Iterable[str]) -> bool:
        return any(f".{host}".endswith(f".{domain}") for domain in domains)

    return (not wanted.include_domains or within(wanted.include_domains)) and not within(wanted.exclude_domains)


def _same(url: str) -> str:
    """What addresses of one page have in common."""
    _, _, rest = url.partition("://")
    return rest.partition("#")[0].rstrip("/").removeprefix("www.")
