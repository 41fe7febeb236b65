"""What is known of servers without asking: channels, threads, roles, permissions, as discord.py caches them.

The only user of discord.py's objects; hands out values of the core. Before a connection is up it knows
nothing.
"""

import asyncio

import aiohttp
import discord

from adapters.discord.inbound import place_of
from adapters.discord.markup import Payload
from bot.core.place import Author, Place

MEMBER_TIMEOUT_S = 5.0


class Guilds:
    """A view of the current client's cache; `client` is set by whoever connects."""

    def __init__(self) -> None:
        self.client: discord.Client | None = None

    @property
    def account(self) -> str:
        """The bot's own id; empty before the first connection."""
        user = None if self.client is None else self.client.user
        return "" if user is None else str(user.id)

    def place_of(self, message: Payload) -> Place | None:
        """Where a message stands; None when its channel is not in the cache (an old thread, a start-up)."""
        space, channel_id = message.get("guild_id"), message["channel_id"]
        if space is None:
            return place_of(self.account, channel_id, space=None)
        channel = self._channel(space, channel_id)
        if channel is None:
            return None
        parent_id = str(channel.parent_id) if isinstance(channel, discord.Thread) else None
        return place_of(self.account, channel_id, space=space, parent_id=parent_id)

    def own_role(self, space: str | None) -> str | None:
        """The role that Discord made for the bot in a server, which people mistake for the bot."""
        guild = self._guild(space)
        role = None if guild is None else guild.self_role
        return None if role is None else str(role.id)

    def name_of(self, space: str | None, kind: str, id_: str) -> str | None:
        """The name of a `role` or `channel`."""
        guild = self._guild(space)
        if guild is None:
            return None
        found = guild.get_role(int(id_)) if kind == "role" else guild.get_channel_or_thread(int(id_))
        return None if found is None else found.name

    def takes_threads(self, place: Place) -> bool:
        """Whether a thread can be opened from a message here: in text and announcement channels."""
        if place.space is None or place.thread is not None:
            return False
        return isinstance(self._channel(place.space, place.chat), discord.TextChannel)

    def is_post(self, place: Place) -> bool:
        """Whether the thread is a post of a forum or media channel."""
        return place.space is not None and isinstance(self._channel(place.space, place.chat), discord.ForumChannel)

    async def may_manage(self, place: Place, author: Author) -> bool:
        """Ask Discord for a member's roles; False when that or the channel cannot be found out."""
        guild = self._guild(place.space)
        channel = None if guild is None else guild.get_channel(int(place.chat))
        if guild is None or channel is None:
            return False
        try:
            async with asyncio.timeout(MEMBER_TIMEOUT_S):
                member = await guild.fetch_member(int(author.id))
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
            return False
        return channel.permissions_for(member).manage_channels

    def _guild(self, space: str | None) -> discord.Guild | None:
        return None if self.client is None or space is None else self.client.get_guild(int(space))

    def _channel(self, space: str, channel_id: str) -> discord.abc.GuildChannel | discord.Thread | None:
        guild = self._guild(space)
        return None if guild is None else guild.get_channel_or_thread(int(channel_id))
