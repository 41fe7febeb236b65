"""A running `DiscordAdapter` over the fake, with a core behind it that notes what it accepts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.discord.adapter import DiscordAdapter
from bot.core.clock import SystemClock
from bot.core.command import Command, Complete, Invocation, Option
from bot.core.errors import StorageUnavailable
from bot.core.inbound import Inbound, Said
from bot.core.place import Author, ChatKind, Place
from bot.core.ports import Answer, Clock, Messenger, Page, PageStart
from tests.fakes.activity import MemoryActivity
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import THREADS

MODELS = ("demo/parrot", "openai/gpt-5", "openai/gpt-5-mini")


async def _unused(invocation: Invocation, desk: object) -> Answer:
    raise AssertionError("the adapter runs no command")


COMMANDS = (
    Command(
        name="model",
        description="Show or choose the model",
        handler=_unused,
        options=(
            Option(name="name", description="provider/model", complete=Complete.MODEL),
            Option(name="scope", description="For whom", choices=("thread", "channel", "server", "me")),
        ),
    ),
    Command(name="stop", description="Stop the answer", handler=_unused),
    Command(
        name="pair",
        description="Become the owner",
        handler=_unused,
        options=(Option(name="code", description="From the log", required=True),),
    ),
)


async def complete_models(kind: Complete, typed: str, place: Place, author: Author) -> Sequence[str]:
    assert kind is Complete.MODEL
    return [name for name in MODELS if typed in name]


class SkippingClock(SystemClock):
    """The machine's clock, `ahead_s` seconds ahead."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


@dataclass(slots=True)
class Core:
    """Accepts into a list without doubles; `reply` is run for each event, `outages` accepts fail first."""

    fake: FakeDiscord
    activity: MemoryActivity = field(default_factory=MemoryActivity)
    accepted: list[Inbound] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)
    outages: int = 0
    reply: Callable[[Inbound], Awaitable[None]] | None = None

    async def accept(self, inbound: Inbound) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("the test says so")
        if inbound.uid not in (known.uid for known in self.accepted):
            self.accepted.append(inbound)
            self.activity.note(inbound)
        self.fake.world.changes.fire()
        if self.reply is not None:
            await self.reply(inbound)

    async def wait_for(self, count: int = 1, deadline_s: float = 10.0) -> list[Inbound]:
        """The events accepted so far, once there are so many."""
        await self.fake.wait_for(lambda: len(self.accepted) >= count, deadline_s)
        return self.accepted

    async def said(self, count: int = 1) -> list[Said]:
        """The messages among so many events."""
        return [i.event for i in await self.wait_for(count) if isinstance(i.event, Said)]


@dataclass(frozen=True, slots=True)
class Door:
    """What a test talks to."""

    adapter: DiscordAdapter
    core: Core
    fake: FakeDiscord

    @property
    def messenger(self) -> Messenger:
        return self.adapter.messenger

    def place(self, channel_id: int) -> Place:
        """Where the bot would answer in a channel, thread or DM of the fake."""
        channel = self.fake.world.channel(channel_id)
        thread = channel.kind in THREADS
        return Place(
            platform="discord",
            account=str(self.fake.bot_user_id),
            chat=str(channel.parent_id if thread else channel.id),
            kind=ChatKind.PRIVATE if channel.guild_id is None else ChatKind.SHARED,
            space=None if channel.guild_id is None else str(channel.guild_id),
            thread=str(channel.id) if thread else None,
        )


def page(text: str) -> Page:
    """A page as rendering would make it."""
    return Page(content=text, plain=text, end=PageStart(offset=len(text)))


def make_adapter(
    fake: FakeDiscord,
    core: Core,
    *,
    commands: Sequence[Command] = COMMANDS,
    names: Sequence[str] = ("Parley",),
    token: str | None = None,
    clock: Clock | None = None,
) -> DiscordAdapter:
    """An adapter that is not running."""
    return DiscordAdapter(
        token=token or fake.token,
        api_url=fake.url,
        commands=commands,
        names=names,
        complete=complete_models,
        activity=core.activity,
        clock=SystemClock() if clock is None else clock,
    )


@asynccontextmanager
async def open_door(
    fake: FakeDiscord,
    core: Core | None = None,
    *,
    commands: Sequence[Command] = COMMANDS,
    clock: Clock | None = None,
) -> AsyncIterator[Door]:
    """Run an adapter until the block ends; connected and with its commands registered inside."""
    core = Core(fake) if core is None else core
    adapter = make_adapter(fake, core, commands=commands, clock=clock)
    lives, asked = len(core.ready), core.activity.asked
    async with asyncio.TaskGroup() as group:
        run = group.create_task(adapter.run(core.accept, core.ready.append))
        try:
            await fake.wait_until_connected()
            await fake.wait_for(lambda: len(core.ready) > lives and core.activity.asked > asked)
            yield Door(adapter, core, fake)
        finally:
            run.cancel()
            await asyncio.wait([run])
            await adapter.aclose()
