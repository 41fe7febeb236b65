"""Stop when the lane moves on in the same moment: what is stopped is what was there."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.core.events import Outcome, TextDelta
from bot.core.turn_record import Item
from tests.bot.core.house import DEADLINE_S, Stores, house
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.providers import Hold, ScriptedProvider, says


class BusyThreadStore(MemoryThreadStore):
    """Before it withdraws, and after it has read stop requests, `meanwhile` happens."""

    meanwhile: Callable[[], Awaitable[None]]

    async def withdraw(self, thread_key: str, author_key: str | None, running: Collection[str]) -> tuple[Item, ...]:
        await self.meanwhile()
        return await super().withdraw(thread_key, author_key, running)

    async def heartbeat(self, thread_keys: Collection[str]) -> Mapping[str, str]:
        stops = await super().heartbeat(thread_keys)
        await self.meanwhile()
        return stops


async def test_a_message_whose_turn_begins_while_it_is_withdrawn_is_stopped_as_a_turn() -> None:
    first, second = Hold(), Hold()
    threads = BusyThreadStore()
    provider = ScriptedProvider((first, *says("One.")), (TextDelta(text="Two"), second, *says("!")))

    async def goes_on() -> None:
        first.release()
        await second.reached()

    threads.meanwhile = goes_on
    async with house(provider, stores=Stores(threads=threads)) as home:
        await home.engine.accept(home.said("first"))
        await first.reached()
        await home.engine.accept(home.said("second"))
        async with asyncio.timeout(DEADLINE_S):
            await home.command("/stop")

        assert [(turn.answer, turn.outcome) for turn in home.turns] == [
            ("One.", Outcome.ANSWERED),
            ("Two", Outcome.STOPPED),
        ]
        assert home.messenger.texts() == ("One.", "Two\n\nStopped.")


async def test_a_stop_that_was_asked_for_one_turn_does_not_end_the_next() -> None:
    first, second = Hold(), Hold()
    threads = BusyThreadStore()
    provider = ScriptedProvider((first, *says("One.")), (second, *says("Two.")))

    async def goes_on() -> None:
        first.release()
        await second.reached()

    threads.meanwhile = goes_on
    async with house(provider, stores=Stores(threads=threads)) as home:
        inbound = home.said("first")
        await home.engine.accept(inbound)
        await first.reached()
        await home.engine.accept(home.said("second"))
        await threads.rival("another").request_stop(inbound.place.thread_key, "")
        await home.engine._beat()
        second.release()
        await home.engine.idle()

        assert home.messenger.texts() == ("One.", "Two.")


async def test_messages_that_stop_dropped_are_accounted_for_when_storage_goes_away_in_between() -> None:
    hold = Hold()
    provider = ScriptedProvider((TextDelta(text="One"), hold))
    async with house(provider) as home:
        await home.engine.accept(home.said("first"))
        await hold.reached()
        await home.engine.accept(home.said("second"))
        home.stores.turns.down = True
        await home.engine.accept(home.typed("/stop"))
        async with asyncio.timeout(DEADLINE_S):
            while provider.running:  # noqa: ASYNC110  # the fake has no event for it
                await asyncio.sleep(0)
        home.stores.turns.down = False
        await home.engine.idle()

        outcomes = {turn.items[0].text: turn.outcome for turn in home.turns}
        assert outcomes == {"first": Outcome.STOPPED, "second": Outcome.STOPPED}
