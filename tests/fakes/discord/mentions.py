"""Who a text would notify, after `allowed_mentions` and permissions.

https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

import re

from tests.fakes.discord.errors import Problems
from tests.fakes.discord.records import MENTION_EVERYONE, Channel, Json, Pings
from tests.fakes.discord.world import World

_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


def check_allowed_mentions(allowed: object, problems: Problems) -> None:
    path = ("allowed_mentions",)
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        problems.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    parse = allowed.get("parse", [])
    for index, word in enumerate(parse):
        if word not in ("users", "roles", "everyone"):
            problems.choice((*path, "parse", index), word)
    for word in ("users", "roles"):
        listed = allowed.get(word) or []
        if listed and word in parse:
            problems.add(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'"parse:["{word}"]" and {word} exclude')
        if len(listed) > 100:
            problems.size((*path, word), len(listed), 0, 100)


def compute_pings(
    world: World,
    channel: Channel,
    content: str,
    allowed: Json | None,
    *,
    replied_to: int | None,
    author_permissions: int,
) -> Pings:
    """Compute what a text notifies; `allowed` None means everything that is written, and the replied-to."""
    rule: Json = allowed if allowed is not None else {"parse": ["users", "roles", "everyone"], "replied_user": True}
    parse = rule.get("parse") or []
    users = _picked(_USER, content, parse, rule, "users")
    if replied_to is not None and rule.get("replied_user"):
        users.append(replied_to)
    users = [user_id for user_id in dict.fromkeys(users) if user_id in world.users]
    may_everyone = bool(author_permissions & MENTION_EVERYONE)
    if channel.guild_id is None:
        return Pings(users=tuple(users))
    mentionable = {role.id for role in world.guilds[channel.guild_id].roles if role.mentionable or may_everyone}
    return Pings(
        users=tuple(users),
        roles=tuple(r for r in dict.fromkeys(_picked(_ROLE, content, parse, rule, "roles")) if r in mentionable),
        everyone=may_everyone and "everyone" in parse and bool(_EVERYONE.search(content)),
    )


def _picked(pattern: re.Pattern[str], content: str, parse: list[str], rule: Json, word: str) -> list[int]:
    written = [int(match) for match in pattern.findall(content)]
    if word in parse:
        return written
    listed = {int(item) for item in rule.get(word) or []}
    return [item for item in written if item in listed]
