"""Addresses of pages as the fetcher takes them: one reading of a URL, and what is wrong with it. Pure.

Looks at what is written only; where a name leads to is not known here.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

from yarl import URL

from bot.tools._addresses import is_public

PORTS = frozenset({80, 443, 8080, 8443})
_URL_CHARS = 4_000
_NAME_CHARS = 253
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)", re.ASCII)
#: What people see differently than machines do, and what parsers of URLs disagree about.
_DOUBTFUL = re.compile(r"[\x00-\x20\x7f-\xa0\\\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]")
#: Names that lead somewhere else on every machine, or nowhere: RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`.
_LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa", "onion")


class FetchRefused(Exception):
    """A page was not fetched; the message says why, in words for the model and without a full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to connect to. `host` is a name in ASCII without a last dot, or a canonical address without brackets.

    `is_private`: the operator named this host as one whose addresses need not be public.
    """

    url: URL
    host: str
    port: int
    is_literal: bool
    is_private: bool


def target_of(url: str, private_hosts: frozenset[str]) -> Target:
    """Read a URL, whose fragment is left out.

    Raises:
        FetchRefused: it is none that may be fetched.
    """
    parsed = _parsed(url)
    if parsed.scheme not in ("http", "https"):
        raise FetchRefused("only http and https addresses can be fetched")
    if parsed.raw_user is not None or parsed.raw_password is not None or "@" in parsed.raw_authority:
        raise FetchRefused("an address with a user name or a password in it is not fetched")
    host, port = (parsed.raw_host or "").lower().removesuffix("."), parsed.port
    if port is None or not host:
        raise FetchRefused("the address has no host, or a wrong port")
    shown = f"[{host}]" if ":" in host else host
    is_private = f"{shown}:{port}" in private_hosts or (shown in private_hosts and port in PORTS)
    if not is_private and port not in PORTS:
        raise FetchRefused(f"port {port} is not one of those that web pages have")
    literal = _check_literal(host, is_private=is_private)
    if not literal:
        _check_name(host, is_private=is_private)
    return Target(url=parsed.with_host(host), host=host, port=port, is_literal=literal, is_private=is_private)


def followed(target: Target, location: str, private_hosts: frozenset[str]) -> Target:
    """Where a redirect leads.

    Raises:
        FetchRefused: nowhere that may be fetched; from a secured page only to another, and into the operator's own
            network only from there.
    """
    if _DOUBTFUL.search(location):
        raise FetchRefused("the page redirects to an address that is not one")
    try:
        joined = target.url.join(URL(location))
    except ValueError as error:
        raise FetchRefused("the page redirects to an address that is not one") from error
    following = target_of(str(joined), private_hosts)
    if target.url.scheme == "https" and following.url.scheme == "http":
        raise FetchRefused("the page redirects from https to http")
    if following.is_private and not target.is_private:
        raise FetchRefused("the page redirects into a private network")
    return following


def _parsed(url: str) -> URL:
    if len(url) > _URL_CHARS or _DOUBTFUL.search(url):
        raise FetchRefused("the address is too long, or has characters in it that no address has")
    try:
        return URL(url).with_fragment(None)
    except ValueError as error:  # also what IDNA and UTF-8 do not take
        raise FetchRefused("the address is not one") from error


def _check_literal(host: str, *, is_private: bool) -> bool:
    """Whether the host is an address; refused when it is not public, or written so that readers disagree about it."""
    if ":" in host:
        try:
            IPv6Address(host)
        except AddressValueError as error:
            raise FetchRefused("the address is not one") from error
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        if _DOTTED.fullmatch(host) is None:
            raise FetchRefused("a numeric host has to be written as four decimal numbers")
    else:
        return False
    if not is_private and not is_public(host):
        raise FetchRefused("the address lies in a private network")
    return True


def _check_name(host: str, *, is_private: bool) -> None:
    if len(host) > _NAME_CHARS or _NAME.fullmatch(host) is None:
        raise FetchRefused("the address has a host that is no name")
    if is_private:
        return
    if "." not in host or any(f".{host}".endswith(f".{name}") for name in _LOCAL_NAMES):
        raise FetchRefused("the name belongs to a private network")
