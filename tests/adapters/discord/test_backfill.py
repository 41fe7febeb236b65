"""What was said while nobody listened: fetched once, by the same rules, in order, and not without bounds."""

import asyncio

import pytest

from adapters.discord.backfill import Backfill
from adapters.discord.guilds import Guilds
from adapters.discord.hearing import Hearing
from adapters.discord.intake import Intake, Job
from adapters.discord.rest import Rest
from bot.core.clock import SystemClock
from bot.core.inbound import Said
from tests.adapters.discord.door import Core, Door, SkippingClock, open_door
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Gate, Respond


async def ask(fake: FakeDiscord, core: Core, channel: int, text: str) -> None:
    """Make a channel one in which the bot is active."""
    before = len(core.accepted)
    fake.say(channel, fake.add_user().id, text, mentions=[fake.bot_user_id])
    await core.wait_for(before + 1)


def texts(core: Core) -> list[str]:
    return [inbound.event.text for inbound in core.accepted if isinstance(inbound.event, Said)]


async def test_what_came_between_two_lives_is_answered_in_order(fake: FakeDiscord, channel: int) -> None:
    core, ada = Core(fake), fake.add_user()
    async with open_door(fake, core):
        await ask(fake, core, channel, "first")
    for number in range(3):
        fake.say(channel, ada.id, f"missed {number}", mentions=[fake.bot_user_id])
        fake.say(channel, ada.id, "chatter")
    async with open_door(fake, core):
        await core.wait_for(4)

    assert texts(core) == ["first", "missed 0", "missed 1", "missed 2"]


async def test_events_that_arrive_meanwhile_come_after_the_missed_ones(fake: FakeDiscord, channel: int) -> None:
    core, ada = Core(fake), fake.add_user()
    async with open_door(fake, core):
        await ask(fake, core, channel, "first")
    fake.say(channel, ada.id, "missed", mentions=[fake.bot_user_id])
    slow = Gate()
    fake.faults.add("GET", f"/channels/{channel}/messages", slow)
    async with open_door(fake, core):
        await slow.reached()
        fake.say(channel, ada.id, "live", mentions=[fake.bot_user_id])
        slow.release()
        await core.wait_for(3)

    assert texts(core) == ["first", "missed", "live"]


@pytest.mark.parametrize("loss", ["forgotten session", "invalid session"])
async def test_a_session_that_cannot_be_resumed_is_filled_up(
    fake: FakeDiscord, door: Door, channel: int, loss: str
) -> None:
    await ask(fake, door.core, channel, "first")
    late = Gate()
    fake.faults.add("GET", f"/channels/{channel}/messages", late)
    if loss == "forgotten session":
        fake.forget_sessions()
        fake.drop_connections()
        await fake.wait_for(lambda: fake.connections == 0)
        fake.say(channel, fake.add_user().id, "missed", mentions=[fake.bot_user_id])
    else:
        fake.invalidate_sessions()
    await late.reached(20)
    late.release()
    await ask(fake, door.core, channel, "after")
    expected = ["first", "missed", "after"] if loss == "forgotten session" else ["first", "after"]

    assert fake.identifies == 2
    assert texts(door.core) == expected


async def test_a_resumed_session_needs_no_fetching(fake: FakeDiscord, door: Door, channel: int) -> None:
    await ask(fake, door.core, channel, "first")
    fake.drop_connections()
    await fake.wait_for(lambda: fake.connections == 0)
    fake.say(channel, fake.add_user().id, "missed", mentions=[fake.bot_user_id])
    await door.core.wait_for(2, deadline_s=20)

    assert texts(door.core) == ["first", "missed"]
    assert fake.resumes == 1
    assert fake.count_requests("GET", "/messages") == 0


async def test_what_is_older_than_a_day_is_left_alone(fake: FakeDiscord, channel: int) -> None:
    core, ada = Core(fake), fake.add_user()
    async with open_door(fake, core):
        await ask(fake, core, channel, "first")
    fake.say(channel, ada.id, "old by then", mentions=[fake.bot_user_id])
    async with open_door(fake, core, clock=SkippingClock(25 * 3600)):
        await fake.wait_for(lambda: fake.count_requests("GET", f"/channels/{channel}/messages"))
        await ask(fake, core, channel, "new")

    assert texts(core) == ["first", "new"]


async def test_at_most_a_hundred_messages_of_a_channel_are_fetched(fake: FakeDiscord, channel: int) -> None:
    core, ada = Core(fake), fake.add_user()
    async with open_door(fake, core):
        await ask(fake, core, channel, "first")
    for number in range(120):
        fake.say(channel, ada.id, str(number), mentions=[fake.bot_user_id])
    async with open_door(fake, core):
        await core.wait_for(101)
        await ask(fake, core, channel, "end")

    assert texts(core) == ["first", *map(str, range(100)), "end"]


async def test_a_thread_is_filled_up_as_itself_and_a_lost_channel_is_passed_over(
    fake: FakeDiscord, channel: int
) -> None:
    core, ada = Core(fake), fake.add_user()
    thread = fake.add_thread(channel)
    async with open_door(fake, core):
        await ask(fake, core, channel, "in the channel")
        await ask(fake, core, thread.id, "in the thread")
    fake.say(thread.id, ada.id, "missed in the thread")
    fake.say(channel, ada.id, "missed in the channel", mentions=[fake.bot_user_id])
    forbidden = fake.faults.add("GET", f"^/channels/{channel}/messages$", Respond(status=403))
    async with open_door(fake, core) as door:
        await core.wait_for(3)

        assert core.accepted[-1].place == door.place(thread.id)
    assert forbidden.hits == 1
    assert texts(core) == ["in the channel", "in the thread", "missed in the thread"]


async def test_storage_that_is_away_delays_the_events_and_loses_none(fake: FakeDiscord, channel: int) -> None:
    core, ada = Core(fake), fake.add_user()
    async with open_door(fake, core):
        await ask(fake, core, channel, "first")
    fake.say(channel, ada.id, "missed", mentions=[fake.bot_user_id])
    core.activity.down = True
    async with open_door(fake, core):
        fake.say(channel, ada.id, "live", mentions=[fake.bot_user_id])
        core.activity.down = False
        await core.wait_for(3)

    assert texts(core) == ["first", "missed", "live"]


class Lanes(Intake):
    """An intake that only notes which lanes get something to fetch."""

    def __init__(self, group: asyncio.TaskGroup, core: Core) -> None:
        super().__init__(group, core.accept, SystemClock())
        self.filled: list[str] = []

    def submit_first(self, lane: str, job: Job) -> None:
        self.filled.append(lane)


async def test_each_shard_fills_up_its_own_servers_and_the_first_the_private_chats(
    fake: FakeDiscord, channel: int
) -> None:
    core, ada = Core(fake), fake.add_user()
    odd = next(guild for _ in range(64) if (guild := fake.add_guild()).id >> 22 & 1)
    direct, elsewhere = fake.add_dm(ada.id).id, fake.add_text_channel(odd.id).id
    async with open_door(fake, core):
        await ask(fake, core, elsewhere, "in an odd server")
        fake.say(direct, ada.id, "in private")
        await core.wait_for(2)
    rest, clock = Rest(fake.token, fake.url, SystemClock()), SystemClock()
    hearing = Hearing(Guilds(), rest, clock, names=None, commands=frozenset())
    async with asyncio.TaskGroup() as group:
        lanes = Lanes(group, core)
        backfill = Backfill(core.activity, rest, hearing, lanes, clock)
        for shard, expected in ((0, [str(direct)]), (1, [str(elsewhere)])):
            lanes.filled.clear()
            lanes.hold()
            await backfill.run(f"discord:{fake.bot_user_id}", shard, 2)

            assert lanes.filled == expected
