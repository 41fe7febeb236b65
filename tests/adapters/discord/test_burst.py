"""Two hundred channels ask at once, against Discord's real limits: no answer may be lost."""

from functools import partial

from bot.core.inbound import Inbound
from tests.adapters.discord.door import Core, Door, open_door, page
from tests.fakes.discord.fake import FakeDiscord

CHANNELS = 200


async def test_two_hundred_channels_at_once_lose_no_answer(fake: FakeDiscord) -> None:
    guild, ada = fake.add_guild(), fake.add_user()
    channels = [fake.add_text_channel(guild.id, f"c{number}").id for number in range(CHANNELS)]
    core = Core(fake)
    async with open_door(fake, core) as door:
        core.reply = partial(answer, door)
        for channel in channels:
            fake.say(channel, ada.id, "hello", mentions=[fake.bot_user_id])
        await fake.wait_for(lambda: all(fake.bot_messages(channel) for channel in channels), 30)

    assert [len(fake.bot_messages(channel)) for channel in channels] == [1] * CHANNELS
    assert fake.rate_limits.refused == 0


async def answer(door: Door, inbound: Inbound) -> None:
    """As the core does: typing first, then the answer, without a second try."""
    await door.messenger.typing(inbound.place)
    await door.messenger.send(inbound.place, page("hi"), key=inbound.uid)
