"""Telegram's entry in the table of platforms."""

from collections.abc import Sequence

from adapters.telegram import doctor
from adapters.telegram.adapter import TelegramAdapter
from bot.core.door import Access, Door
from bot.core.ports import Adapter


def build(door: Door) -> Adapter:
    """The adapter; nothing is connected yet."""
    access = door.access
    return TelegramAdapter(access.token, access.api_url, door.commands, door.names, access.clock)


async def check(access: Access) -> Sequence[tuple[bool, str]]:
    """Token, privacy mode and webhook."""
    return await doctor.check(access.token, access.api_url)
