"""The engine's work beside the lanes: commands and notices that go wrong, or that nobody ended."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

import pytest

from bot.core import engine
from bot.core.inbound import Inbound, Invoked
from bot.core.ports import Answer
from tests.bot.core.house import ADA, PRIVATE, Stores, house
from tests.fakes.clock import START, ManualClock
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.providers import ScriptedProvider, says
from tests.fakes.stores import MemoryInvocations


class BrokenMessenger(RecordingMessenger):
    """Answers to commands fail in a way that no adapter should."""

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        raise ValueError("a bug")


class SlowMessenger(RecordingMessenger):
    """Answers to commands wait until `gate` is set."""

    gate: asyncio.Event
    answers: int = 0

    async def answer(self, inbound: Inbound, answer: Answer) -> None:
        self.answers += 1
        await self.gate.wait()


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_bug_in_one_command_does_not_end_the_bot(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(auto=False)
    async with house(ScriptedProvider(says("Still here.")), messenger=BrokenMessenger(clock)) as home:
        await home.engine.accept(home.typed("/help"))
        await settled()
        await home.say("are you there?")

        assert home.messenger.texts() == ("Still here.",)
    assert "a bug" in caplog.text


async def test_a_sweep_that_meets_something_unreadable_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Unreadable(MemoryInvocations):
        async def abandoned(self, older_than_s: float, accounts: Collection[str]) -> tuple[Inbound, ...]:
            raise TypeError("a document of another age")

    stores = Stores(invocations=Unreadable())
    async with house(ScriptedProvider(says("Still here.")), stores=stores) as home:
        await settled()
        await home.say("are you there?")

        assert home.messenger.texts() == ("Still here.",)
    assert "another age" in caplog.text


async def test_a_command_that_takes_long_is_not_run_beside_itself() -> None:
    clock = ManualClock(auto=False)
    stores = Stores(invocations=MemoryInvocations(clock))
    messenger = SlowMessenger(clock)
    messenger.gate = asyncio.Event()
    async with house(ScriptedProvider(), stores=stores, messenger=messenger, clock=clock) as home:
        await home.engine.accept(home.typed("/help"))
        await settled()
        await clock.advance(engine.ABANDONED_S * 3)
        await settled()
        assert messenger.answers == 1
        messenger.gate.set()
        await home.engine.idle()


def left_behind(uid: str, place_account: str) -> Inbound:
    place = replace(PRIVATE, account=place_account)
    return Inbound(uid=uid, place=place, author=ADA, at=START, order=1, event=Invoked(name="help"))


async def test_commands_that_a_dead_process_left_are_run_where_their_account_is_served() -> None:
    clock = ManualClock(auto=False)
    stores = Stores(invocations=MemoryInvocations(clock))
    ours, others = left_behind("x:1", "bot"), left_behind("x:2", "elsewhere")
    for inbound in (ours, others):
        await stores.invocations.begin(inbound)
    async with house(ScriptedProvider(), stores=stores, messenger=RecordingMessenger(clock), clock=clock) as home:
        await clock.advance(engine.ABANDONED_S + 2)
        await home.engine.idle()

        assert [call.place for call in home.messenger.calls_of("answer")] == [ours.place]
        assert list(stores.invocations.open) == [others.uid]
