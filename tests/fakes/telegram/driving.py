"""Ways to call the fake: the real `Bot`, or a bare request where the library would object."""

import aiohttp
import aiohttp.web
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message

from tests.fakes.telegram.server import FakeTelegram


def bot_of(fake: FakeTelegram) -> Bot:
    return Bot(fake.token, base_url=f"{fake.url}/bot", base_file_url=f"{fake.url}/file/bot")


async def call(fake: FakeTelegram, method: str, **fields: object) -> tuple[int, str]:
    """Call a method as the library would refuse to; return the status and the description of the error."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.url}/bot{fake.token}/{method}", json=fields) as response,
    ):
        return response.status, (await response.json()).get("description", "")


def keyboard(*names: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(name, callback_data=f"do:{name}") for name in names]])


def text_of(message: Message | None) -> str | None:
    return message.text if message else None
