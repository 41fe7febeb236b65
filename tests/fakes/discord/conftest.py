"""Fixtures of the fake's own tests."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord.client import Bot, running
from tests.fakes.discord.fake import FakeDiscord


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    async with FakeDiscord() as running:
        monkeypatch.setattr(Route, "BASE", running.url)
        yield running


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[Bot]:
    fake.add_text_channel(fake.add_guild().id)
    async with running(Bot(fake)) as ready:
        yield ready
