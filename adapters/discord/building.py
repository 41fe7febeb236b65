"""Discord's entry in the table of platforms."""

from collections.abc import Sequence

from adapters.discord import doctor
from adapters.discord.adapter import DiscordAdapter
from bot.core.door import Access, Door
from bot.core.ports import Adapter


def build(door: Door) -> Adapter:
    """The adapter; nothing is connected yet."""
    return DiscordAdapter(
        token=door.access.token,
        api_url=door.access.api_url,
        commands=door.commands,
        names=door.names,
        complete=door.complete,
        activity=door.activity,
        clock=door.access.clock,
    )


async def check(access: Access) -> Sequence[tuple[bool, str]]:
    """Token, intent and servers."""
    return await doctor.check(access.token, access.api_url, access.clock)
