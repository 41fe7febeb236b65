"""What a model may ask of `web_search`, and how that becomes a search. Pure."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bot.tools._look_up import Depth, TimeRange, Topic, Wanted
from bot.tools.arguments import Arguments, Words

_MAX_DOMAINS = 20
_DOMAIN_CHARS = 253


def bare_domain(text: str) -> str:
    """`example.org` of `https://www.Example.org/page`, in ASCII.

    Raises:
        ValueError: it is no domain.
    """
    text = text.strip().lower().removeprefix("*.")
    try:
        host = (urlsplit(text if "://" in text else f"//{text}").hostname or "").removeprefix("www.")
        domain = host.encode("idna").decode("ascii").strip(".")
    except ValueError:
        domain = ""
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > _DOMAIN_CHARS or not all(_is_label(label) for label in labels):
        raise ValueError(f"`{text[:60]}` is no domain like example.org")
    return domain


def _is_label(label: str) -> bool:
    return bool(label) and label.replace("-", "").replace("_", "").isalnum() and label[0] != "-"


def _bare_domains(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({bare_domain(text) for text in texts}))


def _spaced(text: str) -> str:
    return " ".join(text.split())


_Domains = Annotated[Words, AfterValidator(_bare_domains), Field(max_length=_MAX_DOMAINS)]


class SearchArguments(Arguments):
    """The arguments of `web_search`. Tavily takes queries of at most 400 characters, Brave Search as well."""

    query: Annotated[str, AfterValidator(_spaced)] = Field(
        min_length=1, max_length=400, description="What to look for, in few words, in the language of the best sources"
    )
    topic: Topic = Field(
        default=Topic.GENERAL, description="`news` for current events, `finance` for companies and markets"
    )
    time_range: TimeRange | None = Field(default=None, description="Only pages that are at most so old")
    include_domains: _Domains = Field(default=(), description="Only pages of these domains, like example.org")
    exclude_domains: _Domains = Field(default=(), description="No pages of these domains")
    depth: Depth = Field(
        default=Depth.BASIC, description="`advanced` gives longer excerpts, but takes longer and costs twice as much"
    )
    max_results: int = Field(default=5, ge=1, le=10, description="How many pages at most")


def wanted_of(arguments: SearchArguments) -> Wanted:
    """The search that was asked for."""
    return Wanted(
        query=arguments.query,
        topic=arguments.topic,
        time_range=arguments.time_range,
        include_domains=arguments.include_domains,
        exclude_domains=arguments.exclude_domains,
        depth=arguments.depth,
        max_results=arguments.max_results,
    )
