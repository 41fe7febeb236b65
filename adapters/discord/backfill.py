"""Fetches what was said while no connection listened: Discord does not deliver that again.

Takes the last day and at most 100 messages of each channel in which the bot was active. What is known already
is dropped by the core's de-duplication, what is not meant for the bot by the same rules as ever.
"""

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.discord.hearing import Hearing
from adapters.discord.inbound import snowflake_at
from adapters.discord.intake import Intake
from adapters.discord.rest import Rest
from bot.core.errors import DeliveryError, DeliveryKind, StorageUnavailable
from bot.core.ports import Clock
from bot.core.stores import ActiveChannel, ActivityStore

log = logging.getLogger(__name__)

WINDOW = timedelta(hours=24)
#: A channel that nobody asked the bot in for so long is not looked into.
ACTIVE_WITHIN = timedelta(days=30)
MESSAGES = 100
_AT_ONCE = 4
_TRIES = 4
_RETRY_S = 2.0


class Backfill:
    """One pass for each new session of a shard."""

    def __init__(self, activity: ActivityStore, rest: Rest, hearing: Hearing, intake: Intake, clock: Clock) -> None:
        self._activity = activity
        self._rest = rest
        self._hearing = hearing
        self._intake = intake
        self._clock = clock
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self, account_key: str, shard: int, shards: int) -> None:
        """Put a fetch before the new events of each channel. The intake must be on hold, and is resumed."""
        try:
            for channel in await self._active(account_key):
                if _shard_of(channel, shards) == shard:
                    lane = channel.place.thread or channel.place.chat
                    self._intake.submit_first(lane, partial(self._fetch, channel))
        finally:
            self._intake.resume()

    async def _active(self, account_key: str) -> tuple[ActiveChannel, ...]:
        since = self._clock.now() - ACTIVE_WITHIN
        while True:
            try:
                return tuple(await self._activity.active(account_key, since))
            except StorageUnavailable as error:
                log.warning("looking for missed messages waits for storage: %s", error)
            await self._clock.sleep(_RETRY_S)

    async def _fetch(self, channel: ActiveChannel) -> None:
        place = channel.place
        for message in await self._missed(channel):
            # The history leaves out what an event has: in which server it is.
            inbound = await self._hearing.message({**message, "guild_id": place.space}, place)
            if inbound is not None:
                await self._intake.deliver(inbound)

    async def _missed(self, channel: ActiveChannel) -> list[dict[str, Any]]:
        """The messages after the last known one, oldest first; none where the bot may not read any more."""
        after = max(channel.last_order, snowflake_at(self._clock.now() - WINDOW))
        path = f"/channels/{channel.place.thread or channel.place.chat}/messages?limit={MESSAGES}&after={after}"
        for attempt in range(_TRIES):
            try:
                async with self._slots:
                    messages: list[dict[str, Any]] = await self._rest.call("GET", path)
                return sorted(messages, key=lambda message: int(message["id"]))
            except DeliveryError as error:
                if error.kind in (DeliveryKind.FORBIDDEN, DeliveryKind.NOT_FOUND, DeliveryKind.INVALID):
                    return []
                log.warning("missed messages could not be fetched (try %d): %s", attempt + 1, error)
                await self._clock.sleep(error.retry_after_s or _RETRY_S)
        return []


def _shard_of(channel: ActiveChannel, shards: int) -> int:
    """Private chats belong to the first shard."""
    return (int(channel.place.space or 0) >> 22) % shards
