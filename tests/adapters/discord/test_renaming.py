"""Names of threads: changed where they are the bot's, left where they are not."""

import pytest

from bot.core.errors import DeliveryError, DeliveryKind
from tests.adapters.discord.door import Door
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import BOT_PERMISSIONS, MANAGE_THREADS


def trusted(fake: FakeDiscord, channel: int) -> None:
    """The bot may manage threads, which an invitation does not ask for."""
    guild = fake.world.channel(channel).guild_id
    assert guild is not None
    fake.set_bot_permissions(guild, BOT_PERMISSIONS | MANAGE_THREADS)


async def test_a_thread_that_the_bot_opened_gets_its_title(fake: FakeDiscord, door: Door, channel: int) -> None:
    asked = fake.say(channel, fake.add_user().id, "How do I get to Oslo?")
    place = await door.messenger.open_thread(door.place(channel), str(asked.id), "How do I get to Oslo?")
    await door.messenger.rename(place, "Train to Oslo")

    assert door.messenger.capabilities(place).titles
    assert fake.world.channel(asked.id).name == "Train to Oslo"


async def test_a_title_is_shortened_to_what_a_name_may_have(fake: FakeDiscord, door: Door, channel: int) -> None:
    asked = fake.say(channel, fake.add_user().id, "x")
    place = await door.messenger.open_thread(door.place(channel), str(asked.id), "x")
    await door.messenger.rename(place, "y" * 150)

    assert fake.world.channel(asked.id).name == "y" * 100


async def test_a_thread_that_somebody_else_opened_keeps_its_name_unless_who_manages_it_asks(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    trusted(fake, channel)
    thread = fake.add_thread(channel, "Ours")
    place = door.place(thread.id)
    with pytest.raises(DeliveryError) as caught:
        await door.messenger.rename(place, "Mine")
    kept = fake.world.channel(thread.id).name
    await door.messenger.rename(place, "Asked for", anyones=True)

    assert (caught.value.kind, kept) == (DeliveryKind.FORBIDDEN, "Ours")
    assert fake.count_requests("PATCH", f"/channels/{thread.id}") == 1
    assert fake.world.channel(thread.id).name == "Asked for"


async def test_without_the_permission_a_name_stays(fake: FakeDiscord, door: Door, channel: int) -> None:
    place = door.place(fake.add_thread(channel, "Ours").id)
    with pytest.raises(DeliveryError) as caught:
        await door.messenger.rename(place, "Mine", anyones=True)

    assert caught.value.kind is DeliveryKind.FORBIDDEN


async def test_a_third_name_in_ten_minutes_is_too_many(fake: FakeDiscord, door: Door, channel: int) -> None:
    trusted(fake, channel)
    place = door.place(fake.add_thread(channel, "Ours").id)
    for name in ("one", "two"):
        await door.messenger.rename(place, name, anyones=True)
    with pytest.raises(DeliveryError) as caught:
        await door.messenger.rename(place, "three", anyones=True)

    assert caught.value.kind is DeliveryKind.RATE_LIMITED
    assert (caught.value.retry_after_s or 0.0) > 60


async def test_a_channel_has_no_title(door: Door, channel: int) -> None:
    assert not door.messenger.capabilities(door.place(channel)).titles
