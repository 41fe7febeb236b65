"""The real adapter against the fake: what it accepted, and ways to fail accepting."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from adapters.telegram.adapter import TelegramAdapter
from bot.core.clock import SystemClock
from bot.core.command import Command, Desk, Invocation, Privilege
from bot.core.inbound import Inbound
from bot.core.ports import Answer, Clock
from tests.fakes.telegram.entities import FormattedText
from tests.fakes.telegram.model import Message
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.wire import message_to_wire
from tests.fakes.telegram.world import NewMessage


async def _say_nothing(_invocation: Invocation, _desk: Desk) -> Answer:
    return Answer(text="")


def _command(name: str, privilege: Privilege = Privilege.ALLOWED) -> Command:
    return Command(name=name, description=f"What {name} does", handler=_say_nothing, privilege=privilege)


COMMANDS = (
    _command("start", Privilege.STRANGER),
    _command("help", Privilege.STRANGER),
    _command("model"),
    _command("allow", Privilege.OWNER),
)


class Door:
    """An adapter that runs. `accepted` is what came in; `fail` is asked first and may raise."""

    def __init__(self, fake: FakeTelegram, adapter: TelegramAdapter) -> None:
        self.adapter = adapter
        self.accepted: list[Inbound] = []
        self.ready: list[str] = []
        self.running: asyncio.Task[None] | None = None
        self.fail: Callable[[Inbound], None] = lambda _: None
        self._fake = fake

    async def accept(self, inbound: Inbound) -> None:
        self.fail(inbound)
        self.accepted.append(inbound)
        self._fake.world.changed.fire()

    async def next(self, count: int = 1) -> list[Inbound]:
        """The first `count` events, once they are there."""
        await self._fake.wait_for(lambda: len(self.accepted) >= count)
        return self.accepted

    async def stop(self) -> None:
        """Cancel the intake, as a shutdown does, and wait until it has ended."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])

    async def drained(self) -> None:
        """Wait until the server has nothing left that was not confirmed."""
        await self._fake.wait_for(lambda: not self._fake.pending_updates and self._fake.is_polled)


class HurriedClock(SystemClock):
    """The real time, but a sleep lasts a moment: pauses that are only politeness to a real server."""

    def __init__(self, longest_s: float = 0.02) -> None:
        self.slept: list[float] = []
        self._longest_s = longest_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(min(seconds, self._longest_s))


def add_to_album(
    fake: FakeTelegram, first: Message, data: bytes, *, name: str | None = None, caption: str = ""
) -> None:
    """Let one more photo of an album arrive or, with a name, one more file."""
    photo = fake.world.store_photo(data, (640, 480))
    new = NewMessage(
        chat_id=first.chat_id,
        sender_id=first.sender_id,
        content=FormattedText(text=caption, entities=()),
        media=photo if name is None else (fake.world.store_file("document", data, name, None),),
        media_group_id=first.media_group_id,
    )
    fake.world.announce("message", message_to_wire(fake.world, fake.world.add(new)))


@asynccontextmanager
async def door_to(
    fake: FakeTelegram, *, names: tuple[str, ...] = (), clock: Clock | None = None, token: str | None = None
) -> AsyncIterator[Door]:
    """Run an adapter until the block ends."""
    adapter = TelegramAdapter(token or fake.token, fake.url, COMMANDS, names, clock or SystemClock())
    door = Door(fake, adapter)
    try:
        async with asyncio.TaskGroup() as group:
            door.running = group.create_task(adapter.run(door.accept, door.ready.append))
            try:
                yield door
            finally:
                await door.stop()
    finally:
        await adapter.aclose()
