"""discord.py for what it does best: the gateway (shards, resume, heartbeats) and the cache of servers.

Messages and interactions are taken as the raw payloads before discord.py makes objects of them: that keeps
the translation pure, and saves the larger part of its time and memory per event. Sends nothing by itself.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.markup import Payload

log = logging.getLogger(__name__)

Handler = Callable[[Payload], None]


class Client(discord.AutoShardedClient):
    """One connection. `handlers` maps a gateway event to who takes its payload instead of discord.py.

    READY is the exception: its handler runs after discord.py's.
    """

    def __init__(self, api_url: str, handlers: Mapping[str, Handler]) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # there is no voice to warn about
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        # discord.py takes JSON that comes with a charset, as Express sends it, for text.
        self.http.request = partial(_parsed, self.http.request)  # type: ignore[method-assign]  # the one seam
        # Class attributes, hence process-wide: discord.py has no setting for another server.
        Route.BASE = api_url.rstrip("/")
        parsers = self._connection.parsers
        ready = parsers["READY"]
        parsers.update({event: partial(_guarded, handler) for event, handler in handlers.items()})
        parsers["READY"] = partial(_both, ready, parsers["READY"])

    async def setup_hook(self) -> None:
        """Ask for the gateway: discord.py takes its address for granted where a session begins anew."""
        answer = await self.http.request(Route("GET", "/gateway/bot"))
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(answer["url"])
        self.shard_count = int(answer.get("shards", 1))


async def _parsed(request: Callable[..., Awaitable[Any]], route: Route, **options: Any) -> Any:
    """The answer to a request of discord.py; a text that holds an object is parsed."""
    answer = await request(route, **options)
    return json.loads(answer) if isinstance(answer, str) and answer.startswith("{") else answer


def _both(first: Handler, second: Handler, payload: Payload) -> None:
    first(payload)
    second(payload)


def _guarded(handler: Handler, payload: Payload) -> None:
    """The boundary of one event: an exception in here would end discord.py's connection."""
    try:
        handler(payload)
    except Exception:
        log.exception("an event of Discord could not be taken")
