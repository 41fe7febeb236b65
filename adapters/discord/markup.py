"""Discord's inline markup as people read it: `<@123>` becomes `@Ada`, `<:wave:9>` becomes `:wave:`. Pure.

The names come with the message (mentions) or from a look-up of roles and channels that the caller provides.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

#: A message, an interaction or another object of API v10, as it came over the wire.
Payload = Mapping[str, Any]
#: (`role` or `channel`, id) -> its name, None when it is not known.
NameOf = Callable[[str, str], str | None]

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?:(?P<emoji>\w+):\d+"
    r"|/(?P<command>[^:<>]+):\d+|t:(?P<time>-?\d{1,12})(?::[a-zA-Z])?)>"
)


def readable(text: str, mentions: Mapping[str, str], name_of: NameOf) -> str:
    """Replace every piece of markup by what Discord's client shows; what has no known name stays as it is."""

    def shown(found: re.Match[str]) -> str:
        value = found[found.lastgroup or 0]
        match found.lastgroup:
            case "user":
                name = mentions.get(value)
                return found[0] if name is None else f"@{name}"
            case "role":
                name = name_of("role", value)
                return found[0] if name is None else f"@{name}"
            case "channel":
                name = name_of("channel", value)
                return found[0] if name is None else f"#{name}"
            case "emoji":
                return f":{value}:"
            case "command":
                return f"/{value}"
            case _:
                return _time(value) or found[0]

    return _MARKUP.sub(shown, text) if "<" in text else text


def mentioned_names(message: Payload) -> dict[str, str]:
    """The display names of everybody whom a message mentions, by id."""
    return {user["id"]: display_name(user, user.get("member")) for user in message.get("mentions") or ()}


def display_name(user: Payload, member: Payload | None) -> str:
    """The name that people in this place see."""
    nick = member.get("nick") if member else None
    return str(nick or user.get("global_name") or user["username"])


def _time(seconds: str) -> str | None:
    try:
        return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return None
