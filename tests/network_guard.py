"""Refuses every connection that leaves this machine, for the whole test process.

It hears of connections and name look-ups through an audit hook, so it does not matter which library makes
them. Unix sockets and loopback pass. It does not reach into subprocesses: their settings decide what those
connect to.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_ADDRESS_POSITION = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_NAME_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_installed = False

# Every refusal, in order: code under test may swallow the error, the fixture in conftest.py does not.
refused: list[str] = []


class NetworkRefused(RuntimeError):
    """A test tried to reach something outside of this machine."""


def install() -> None:
    """Begin refusing; an audit hook stays until the process ends."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_refuse_foreign)


def _refuse_foreign(event: str, args: tuple[Any, ...]) -> None:
    if event in _ADDRESS_POSITION:
        target = args[_ADDRESS_POSITION[event]]
        # A path (Unix socket) or None (an already connected socket) names no host.
        allowed = not isinstance(target, tuple) or _is_loopback(target[0])
    elif event in _NAME_LOOKUPS:
        target = args[0]
        # Looking up a numeric address asks nobody; connecting to it is refused above.
        allowed = _is_loopback(target) or _is_numeric(target)
    else:
        return
    if not allowed:
        refused.append(f"{event} {target!r}")
        raise NetworkRefused(f"tests must not leave this machine, but one tried {event} {target!r}")


def _is_loopback(host: object) -> bool:
    name = _text(host)
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_numeric(host: object) -> bool:
    try:
        ipaddress.ip_address(_text(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: object) -> str:
    if host is None:
        return ""
    return host.decode(errors="replace") if isinstance(host, bytes) else str(host)
