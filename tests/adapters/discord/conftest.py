"""Fixtures: the fake, and an adapter that is connected to it."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.adapters.discord.door import Door, open_door
from tests.fakes.discord.fake import FakeDiscord


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """The adapter sets discord.py's class attributes; they are put back after each test."""
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    async with FakeDiscord() as running:
        yield running


@pytest.fixture
async def channel(fake: FakeDiscord) -> int:
    """A text channel of a server."""
    return fake.add_text_channel(fake.add_guild().id).id


@pytest.fixture
async def door(fake: FakeDiscord, channel: int) -> AsyncIterator[Door]:
    """A connected adapter in a server with one channel."""
    async with open_door(fake) as opened:
        yield opened
