"""The floor: the least program that answers on Discord with the same SDKs. Stores nothing, survives nothing.

Run by the benchmark as `python -m bench.floor`, configured by the same environment as Parley. It does what a
user sees and no more: an answer that is complete at once is one send, a longer one is sent early and edited.
"""

import asyncio
import os
import time

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from openai import AsyncOpenAI

FIRST_WORDS_AFTER_S = 0.3
EDIT_EVERY_S = 1.2


class Floor(discord.Client):
    """Answers mentions and direct messages with what the model says to that one message."""

    def __init__(self, openai: AsyncOpenAI, model: str) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self._openai = openai
        self._model = model

    async def setup_hook(self) -> None:
        answer = await self.http.request(Route("GET", "/gateway"))
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(answer["url"])

    async def on_message(self, message: discord.Message) -> None:
        addressed = message.guild is None or self.user in message.mentions
        if addressed and not message.author.bot:
            await self._answer(message)

    async def _answer(self, message: discord.Message) -> None:
        text, shown, reply = "", "", None
        look_at = time.monotonic() + FIRST_WORDS_AFTER_S
        stream = await self._openai.responses.create(model=self._model, input=message.content, stream=True, store=False)
        async with stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
                if text != shown and time.monotonic() >= look_at:
                    reply, shown = await _show(message, reply, text), text
                    look_at = time.monotonic() + EDIT_EVERY_S
        if text != shown:
            await _show(message, reply, text)


async def _show(question: discord.Message, reply: discord.Message | None, text: str) -> discord.Message:
    return await question.reply(text) if reply is None else await reply.edit(content=text)


async def main() -> None:
    """Serve until killed."""
    Route.BASE = os.environ["DISCORD_API_URL"]
    openai = AsyncOpenAI(max_retries=0)  # key and address are in the environment
    async with openai, Floor(openai, os.environ["DEFAULT_MODEL"].partition("/")[2]) as floor:
        await floor.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
