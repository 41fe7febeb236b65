"""What an engine does when storage is away for longer than its leases last, and how it ends meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.core.errors import StorageUnavailable
from bot.core.place import Addressed
from bot.core.together import both
from tests.bot.core.house import CHANNEL, DEADLINE_S, PRIVATE, House, Stores, house
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.providers import Hold, ScriptedProvider, says

LEASE_S = 0.02


@pytest.fixture
def stores() -> Stores:
    return Stores(threads=MemoryThreadStore("this process", lease_s=LEASE_S))


async def expired(home: House) -> None:
    """Wait until the lease of the private chat is over, as it is when no heartbeat came through."""
    async with asyncio.timeout(DEADLINE_S):
        while home.stores.threads._live(home.stores.threads.lanes[PRIVATE.thread_key]):  # noqa: ASYNC110
            await asyncio.sleep(LEASE_S / 10)


async def another_message(home: House) -> None:
    await home.engine.accept(home.said("are you there?"))


async def a_sweep(home: House) -> None:
    await home.engine._sweep()


@pytest.mark.parametrize("event", [another_message, a_sweep])
async def test_a_turn_that_outlived_its_lease_is_not_begun_again_beside_itself(
    stores: Stores, event: Callable[[House], Awaitable[None]]
) -> None:
    hold = Hold()
    provider = ScriptedProvider((hold, *says("One.")), otherwise=lambda _: says("Two."))
    async with house(provider, stores=stores) as home:
        await home.engine.accept(home.said("first"))
        await hold.reached()
        await expired(home)
        await event(home)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (provider.running, len(provider.requests)) == (1, 1)
        hold.release()
        await home.engine.idle()

        assert home.messenger.texts()[0] == "One."
        assert len(home.messenger.texts()) == len(home.turns) == len(provider.requests)


async def test_talk_that_is_not_for_the_bot_is_not_answered_by_news_of_an_outage() -> None:
    async with house(ScriptedProvider()) as home:
        home.stores.threads.down = True
        async with asyncio.TaskGroup() as group:
            accepting = group.create_task(
                home.engine.accept(home.said("so", place=CHANNEL, addressed=Addressed.AMBIENT))
            )
            for _ in range(20):
                await asyncio.sleep(0)
            home.stores.threads.down = False
            await accepting

        assert home.messenger.texts() == ()


async def test_work_that_begins_while_the_engine_drains_is_waited_for() -> None:
    first, second = Hold(), Hold()
    elsewhere = replace(PRIVATE, chat="11")
    async with house(ScriptedProvider((first, *says("One.")), (second, *says("Two.")))) as home:
        await home.engine.accept(home.said("first"))
        await first.reached()
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(home.engine.drain(DEADLINE_S))
            await asyncio.sleep(0)
            await home.engine.accept(home.said("second", place=elsewhere))
            await second.reached()
            first.release()
            while not home.messenger.texts(PRIVATE):  # noqa: ASYNC110  # the fake has no event for it
                await asyncio.sleep(0)
            second.release()

        assert draining.result()
        assert home.messenger.texts() == ("One.", "Two.")


async def test_an_end_is_not_lost_when_it_comes_together_with_an_error() -> None:
    stuck = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stuck.set()
            await asyncio.sleep(0.01)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise StorageUnavailable("away")

    async def work() -> None:
        await both(slow_to_end(), fails())

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await stuck.wait()
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()


async def test_a_command_that_meets_an_outage_is_answered_when_it_is_over() -> None:
    async with house(ScriptedProvider()) as home:
        home.stores.settings.down = True
        await home.engine.accept(home.typed("/settings footer on"))
        async with asyncio.timeout(DEADLINE_S):
            while not home.messenger.texts():  # noqa: ASYNC110  # the fake has no event for it
                await asyncio.sleep(0)
        home.stores.settings.down = False
        await home.engine.idle()

        [notice] = home.messenger.texts()
        [call] = home.messenger.calls_of("answer")
        assert "Nothing you sent is lost" in notice
        assert call.answer is not None
        assert "storage" not in call.answer.text
        assert len(home.stores.settings.values) == 1


async def test_an_engine_ends_also_while_storage_is_away() -> None:
    hold = Hold()
    async with asyncio.timeout(DEADLINE_S):
        async with house(ScriptedProvider((hold, *says("One.")))) as home:
            await home.engine.accept(home.said("first"))
            await hold.reached()
            for store in (home.stores.threads, home.stores.turns, home.stores.ledger):
                store.down = True
            hold.release()
            assert not await home.engine.drain(0.1)
