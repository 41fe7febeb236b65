"""Who may talk to the bot: one gate for messages, commands, buttons, edits and reactions.

Closed unless told otherwise; only ids count, never names. Knows no platform: an entry is `<platform>:<id>`
for a person, `<platform>:chat:<id>` for a chat and `<platform>:guild:<id>` for a group of chats. How a first
owner is found is the business of `bot.core.pairing`.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from bot.core.errors import UsageError
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Clock
from bot.core.stores import AccessStore

#: How old the known entries may get: other processes change them in the shared database.
ENTRIES_FRESH_S = 5.0
#: People whose refusal is remembered here, so that a stranger's flood does not become one of database writes.
REFUSED_KEPT = 10_000

_KINDS = {
    None: "",
    "user": "",
    "chat": "chat:",
    "channel": "chat:",
    "guild": "guild:",
    "server": "guild:",
}
_ENTRY = re.compile(r"([a-z][a-z0-9_]{0,31}):(?:([a-z]+):)?(-?[0-9]{1,32})", re.IGNORECASE | re.ASCII)


class Verdict(StrEnum):
    """What the gate says of someone in some place."""

    DENIED = "denied"
    ALLOWED = "allowed"
    OWNER = "owner"


class Role(StrEnum):
    """What an entry of the AccessStore makes of a person or place."""

    ALLOWED = "allowed"
    OWNER = "owner"


def parse_entry(text: str) -> str:
    """Read one entry of ALLOW or OWNERS into its one normal form: `telegram:456`, `x:chat:-1`, `x:guild:1`.

    `user`, `channel` and `server` are other words for a person, `chat` and `guild`.

    Raises:
        UsageError: it is not of that form; the text shows the right one.
    """
    found = _ENTRY.fullmatch(text.strip())
    kind = found[2].lower() if found and found[2] else None
    if found is None or kind not in _KINDS:
        raise UsageError(
            f"`{_excerpt(text)}` is not an id that I know how to read. Write `telegram:456` or `discord:123` "
            "for a person, `telegram:chat:-100123` for a chat, `discord:guild:123` for a server."
        )
    return f"{found[1].lower()}:{_KINDS[kind]}{found[3]}"


def _excerpt(text: str) -> str:
    return " ".join(text.replace("`", "'").split())[:60]


def is_person(entry: str) -> bool:
    """Whether a normal entry stands for a person, who alone can be an owner."""
    return entry.count(":") == 1


class Gate:
    """Decides by what the settings name (`owners`, `allow`) and by what was allowed at run time (`access`).

    `owners` may hold keys that no one could type, like that of the person at the terminal; pass that one only
    in a process that serves the terminal, for it counts as an owner. Entries of other processes take up to
    `ENTRIES_FRESH_S` to be seen here, own changes none. All coroutines raise StorageUnavailable.
    """

    def __init__(
        self,
        access: AccessStore,
        *,
        open_to_all: bool,
        owners: frozenset[str],
        allow: frozenset[str],
        clock: Clock,
    ) -> None:
        self._access = access
        self._open_to_all = open_to_all
        self._fixed = {**_roles(allow, Role.ALLOWED), **_roles(owners, Role.OWNER)}
        self._clock = clock
        self._known: Mapping[str, str] | None = None
        self._stale_at = 0.0
        self._changes = 0
        self._refused: set[str] = set()
        self._refused_on = ""

    async def check(self, place: Place, author: Author) -> Verdict:
        """May this person use the bot in this place? Other bots only when they are named themselves."""
        entries = await self.entries()
        role = entries.get(author.key)
        if role is not None:
            return Verdict.OWNER if role == Role.OWNER else Verdict.ALLOWED
        if author.is_bot:
            return Verdict.DENIED
        welcome = self._open_to_all or any(entry in entries for entry in place_entries(place))
        return Verdict.ALLOWED if welcome else Verdict.DENIED

    async def is_owner(self, author: Author) -> bool:
        """Whether this person owns the bot, wherever they are."""
        return (await self.entries()).get(author.key) == Role.OWNER

    async def has_owner(self) -> bool:
        """Whether anyone does; if not, pairing is open."""
        return Role.OWNER in (await self.entries()).values()

    async def refusal(self, place: Place, author: Author) -> str | None:
        """What to tell someone who was denied, once a day; None: nothing (said already, or another bot)."""
        today = self._clock.now().date().isoformat()
        if today != self._refused_on or len(self._refused) >= REFUSED_KEPT:
            self._refused, self._refused_on = set(), today
        if author.is_bot or author.key in self._refused:
            return None
        first = await self._access.first_refusal_today(author.key, today)
        self._refused.add(author.key)
        if not first:
            return None
        return _refusal_text(place, author, has_owner=await self.has_owner())

    async def admit(self, entry: str, role: Role = Role.ALLOWED) -> None:
        """Allow a normal entry, or make a person an owner."""
        await self._access.put(entry, role)
        self._forget()

    async def expel(self, entry: str) -> bool:
        """Take back what was allowed at run time; False when it was not there. `is_fixed` entries stay."""
        removed = await self._access.remove(entry)
        self._forget()
        return removed

    def is_fixed(self, entry: str) -> bool:
        """Whether the settings name the entry, so that only their change takes it away."""
        return entry in self._fixed

    @property
    def open_to_all(self) -> bool:
        """Whether everyone may use the bot (ACCESS=open)."""
        return self._open_to_all

    async def entries(self) -> Mapping[str, str]:
        """Everything that counts now: normal entry -> role. The settings win over the database."""
        now = self._clock.monotonic()
        if self._known is not None and now < self._stale_at:
            return self._known
        # While one caller reads, the others go on with what is known instead of all reading at once.
        self._stale_at = now + ENTRIES_FRESH_S
        changes = self._changes
        read = {**await self._access.entries(), **self._fixed}
        if changes == self._changes:
            self._known = read
        return read

    def _forget(self) -> None:
        self._changes += 1
        self._known = None


def place_entries(place: Place) -> tuple[str, ...]:
    """The entries that would allow everyone in this place, the narrowest first."""
    chat = f"{place.platform}:chat:{place.chat}"
    return (chat,) if place.space is None else (chat, f"{place.platform}:guild:{place.space}")


def _roles(entries: Iterable[str], role: Role) -> Mapping[str, str]:
    return {_normal(entry): role for entry in entries}


def _normal(entry: str) -> str:
    """The normal form; a key that nobody could type (the terminal's user) is taken as it is."""
    try:
        return parse_entry(entry)
    except UsageError:
        return entry


def _refusal_text(place: Place, author: Author, *, has_owner: bool) -> str:
    lines = [f"I only talk to people whom my owner has allowed. Your id is `{author.key}`."]
    if not has_owner:
        lines.append("I have no owner yet: whoever runs me sends `/pair CODE` with the pairing code from my log.")
        return "\n".join(lines)
    ask = f"Ask an owner of this bot to send me `/allow {author.key}`"
    if place.kind is ChatKind.SHARED:
        ask += f", or `/allow {place_entries(place)[-1]}` for everyone here"
    return "\n".join([*lines, f"{ask}."])
