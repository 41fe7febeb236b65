"""What holds for every test: it does not leave this machine, and its MongoDB is a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from bot.storage.embedded import embedded_mongod
from tests import network_guard

network_guard.install()


@pytest.fixture(autouse=True)
def _stays_on_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    network_guard.refused.clear()
    yield
    if "expect_refusal" not in request.fixturenames:
        assert network_guard.refused == [], "this test tried to leave the machine"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One private MongoDB for the whole run; who uses it cleans up what they stored."""
    async with embedded_mongod(tmp_path_factory.mktemp("mongodb")) as uri:
        yield uri
