"""Fixtures: a strict fake of the Bot API without limits, a person who has started the bot, its messenger."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection
from bot.core.clock import SystemClock
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(flood_control=False) as server:
        yield server


@pytest.fixture
def ann(fake: FakeTelegram) -> User:
    user = fake.add_user("Ann", username="ann_lee")
    fake.add_private_chat(user)
    return user


@pytest_asyncio.fixture
async def connection(fake: FakeTelegram) -> AsyncIterator[Connection]:
    connection = Connection(fake.token, fake.url)
    yield connection
    await connection.aclose()


@pytest.fixture
def messenger(connection: Connection) -> TelegramMessenger:
    return TelegramMessenger(connection, SystemClock())
