"""The real discord.py, pointed at the fake, for the fake's own tests and for comparisons.

`Route.BASE` and `DEFAULT_GATEWAY` are class attributes: the fixture in `conftest.py` restores them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import Json


class Bot(discord.AutoShardedClient):
    """The real client, pointed at the fake, with some commands and a record of what it heard."""

    def __init__(self, fake: FakeDiscord, *, message_content: bool = True) -> None:
        intents = discord.Intents.default()
        intents.message_content = message_content
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.05,
            max_messages=None,
        )
        self.fake = fake
        self.heard: list[discord.Message] = []
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        gateway = await self.http.request(Route("GET", "/gateway"))
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway["url"])

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.fake.world.changes.fire()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip the 5 s that discord.py waits before each shard after the first."""

    def place(self, channel_id: int) -> discord.PartialMessageable:
        return self.get_partial_messageable(channel_id)


@asynccontextmanager
async def running(bot: Bot) -> AsyncIterator[Bot]:
    """Run the bot until the block ends; ready inside."""
    async with bot, asyncio.TaskGroup() as group:
        task = group.create_task(bot.start(bot.fake.token))
        try:
            async with asyncio.timeout(10):
                await bot.wait_until_ready()
            yield bot
        finally:
            await bot.close()
            await asyncio.wait([task])


def a_channel(fake: FakeDiscord) -> int:
    return next(c.id for c in fake.world.channels.values() if c.name == "general")


async def post(fake: FakeDiscord, body: Json) -> tuple[int, Json]:
    """Create a message without discord.py."""
    headers = {"Authorization": f"Bot {fake.token}"}
    url = f"{fake.url}/channels/{a_channel(fake)}/messages"
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def refused(status: int, code: int, work: Callable[[], object]) -> discord.HTTPException:
    with pytest.raises(discord.HTTPException) as caught:
        await work()  # type: ignore[misc]  # every caller gives a coroutine function
    assert (caught.value.status, caught.value.code) == (status, code)
    return caught.value
