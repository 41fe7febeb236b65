"""One bot for all tests that leave it alone; those that kill it or set it up otherwise open their own world.

Everything lives in the session's event loop, as the MongoDB does.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.chats import Door
from tests.e2e.world import World, open_world

BOT_NAME = "Polly"
TURN_TIMEOUT_S = 6


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A bot that is up on both platforms and open to everyone. It is shared: use chats of your own."""
    folder = tmp_path_factory.mktemp("parley")
    settings = {"BOT_NAMES": BOT_NAME, "TURN_TIMEOUT_S": str(TURN_TIMEOUT_S)}
    async with open_world(folder, mongodb_uri, "telegram", "discord", **settings) as opened:
        await opened.start()
        yield opened


@pytest.fixture(params=["telegram", "discord"])
def door(world: World, request: pytest.FixtureRequest) -> Door:
    """Each test with this runs on both platforms of the shared bot."""
    return world.doors[request.param]
