"""Where a message stands and who wrote it.

All ids are the platform's own, as strings: numeric for people, chats and servers. Display names are for showing
only; nothing is ever allowed, billed or looked up by name.
"""

from dataclasses import dataclass
from enum import StrEnum


class ChatKind(StrEnum):
    """Whether other people can read along."""

    PRIVATE = "private"
    SHARED = "shared"


class Scope(StrEnum):
    """What a setting applies to, from the narrowest to the widest; `ME` only counts in private chats."""

    THREAD = "thread"
    CHANNEL = "channel"
    SERVER = "server"
    ME = "me"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One conversation of one bot account.

    `account` is the bot's own id on the platform. `space` is what groups chats and may be allowed as a whole (a
    Discord server), None where there is none. `chat` is the channel, group or private chat; `thread` a Discord thread
    or a Telegram topic inside it, None outside of one.
    """

    platform: str
    account: str
    chat: str
    kind: ChatKind
    space: str | None = None
    thread: str | None = None

    @property
    def account_key(self) -> str:
        """The bot account on its platform."""
        return f"{self.platform}:{self.account}"

    @property
    def channel_key(self) -> str:
        """The chat without its thread, unique over all platforms and bot accounts."""
        return f"{self.account_key}:{self.chat}"

    @property
    def thread_key(self) -> str:
        """The conversation: what has one history, one lane and one lease."""
        return self.channel_key if self.thread is None else f"{self.channel_key}:{self.thread}"

    @property
    def space_key(self) -> str | None:
        """The server, None where the platform or the chat has none."""
        return None if self.space is None else f"{self.account_key}:{self.space}"

    def setting_keys(self, author_key: str) -> tuple[tuple[Scope, str], ...]:
        """Where settings for a message of `author_key` are looked up, the most specific first."""
        keys: list[tuple[Scope, str]] = []
        if self.kind is ChatKind.PRIVATE:
            keys.append((Scope.ME, f"me:{author_key}"))
        keys = [
            (Scope.THREAD, f"thread:{self.thread_key}"),
            (Scope.CHANNEL, f"channel:{self.channel_key}"),
            *keys,
        ]
        if self.space_key is not None:
            keys.append((Scope.SERVER, f"server:{self.space_key}"))
        return tuple(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who sent something: the platform's numeric `id` and the display `name` at that moment."""

    platform: str
    id: str
    name: str
    is_bot: bool = False

    @property
    def key(self) -> str:
        """`discord:123`: the notation of OWNERS and ALLOW, and the key of a person everywhere in storage."""
        return f"{self.platform}:{self.id}"


class Addressed(StrEnum):
    """Why the bot takes a message as meant for it."""

    PRIVATE = "private"
    MENTION = "mention"
    REPLY = "reply"
    NAME = "name"
    #: Said in a thread without naming the bot: answered only where it already takes part.
    AMBIENT = "ambient"
