"""What an endpoint is: a row (method, path, handler, limit) and the call that its handler gets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.fakes.discord import errors
from tests.fakes.discord.actions import Actions
from tests.fakes.discord.buckets import OTHER, Limit
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.records import Channel, Json, Upload
from tests.fakes.discord.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, parsed: path ids, query, body and files by their number."""

    world: World
    actions: Actions
    interactions: Interactions
    path: dict[str, str]
    query: dict[str, str]
    json: object
    files: dict[int, Upload]
    gateway_url: str

    @property
    def body(self) -> Json:
        if not isinstance(self.json, dict):
            raise errors.invalid_json()
        return self.json

    def id(self, name: str) -> int:
        """Parse a snowflake of the path."""
        text = self.path[name]
        if not text.isdigit():
            problems = errors.Problems()
            problems.add((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
            problems.check()
        return int(text)

    def channel(self, *permissions: int) -> Channel:
        """Look up the channel of the path, if the bot sees it and holds the permissions.

        Raises:
            ApiError: 10003, 50001 or 50013.
        """
        channel = self.world.channel(self.id("channel"))
        held = self.world.bot_permissions(channel)
        if not self.world.bot_sees(channel):
            raise errors.missing_access()
        if any(not held & permission for permission in permissions):
            raise errors.missing_permissions()
        return channel

    @property
    def reads_content(self) -> bool:
        """Whether REST shows message content to this application."""
        return self.world.portal.message_content != "none"


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` None is an empty answer (204)."""

    body: Json | list[Json] | None = None
    status: int = 200


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One route; `bot` False needs no Authorization (the token is in the path) and no global limit."""

    method: str
    path: str
    handler: Handler
    limit: Limit | None = OTHER
    bot: bool = True
