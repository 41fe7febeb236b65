"""Delivery of updates to a webhook: one at a time, in order, again until it answers 2xx."""

import asyncio

import aiohttp

from tests.fakes.telegram.world import World

_RETRY_S = 0.2
_DAY_S = 86_400.0


async def deliver(world: World) -> None:
    """Post updates while a webhook is set; runs until cancelled."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        while True:
            await world.changed.wait_for(lambda: world.updates.webhook_url and world.updates.pending, _DAY_S)
            update = world.updates.pending[0]
            secret = str(world.webhook.get("secret_token") or "")
            headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
            if await _post(session, world.updates.webhook_url, update.to_wire(), headers):
                world.updates.confirm_before(update.id + 1)
                world.changed.fire()
            else:
                await asyncio.sleep(_RETRY_S)


async def _post(session: aiohttp.ClientSession, url: str, body: object, headers: dict[str, str]) -> bool:
    try:
        async with session.post(url, json=body, headers=headers) as response:
            return response.status // 100 == 2
    except (aiohttp.ClientError, TimeoutError):
        return False
