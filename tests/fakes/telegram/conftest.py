"""Fixtures of the fake's own tests: a server without limits, a real client, a person."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram import Bot

from tests.fakes.telegram.driving import bot_of
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without it python-telegram-bot 22.8 warns whenever it makes a RetryAfter, and warnings are errors here.
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(flood_control=False, poll_throttle=False) as server:
        yield server


@pytest_asyncio.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    async with bot_of(fake) as client:
        yield client


@pytest.fixture
def ann(fake: FakeTelegram) -> User:
    user = fake.add_user("Ann", username="ann_lee")
    fake.add_private_chat(user)
    return user
