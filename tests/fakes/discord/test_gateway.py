"""The gateway of the fake, driven by discord.py: intents, sessions, events, compression."""

import json
import zlib

import aiohttp
import discord
import pytest
import yarl

from tests.fakes.discord.client import Bot, a_channel, running
from tests.fakes.discord.fake import FakeDiscord


async def test_content_is_blank_without_the_intent_unless_addressed(fake: FakeDiscord) -> None:
    fake.set_portal(message_content="none")
    channel = fake.add_text_channel(fake.add_guild().id).id
    ada = fake.add_user()
    async with running(Bot(fake, message_content=False)) as bot:
        fake.say(channel, ada.id, "secret")
        fake.say(channel, ada.id, "for you", mentions=[fake.bot_user_id])
        fake.say(fake.add_dm(ada.id).id, ada.id, "direct")
        await fake.wait_for(lambda: len(bot.heard) == 3)

        assert [m.content for m in bot.heard] == ["", f"<@{fake.bot_user_id}> for you", "direct"]
        assert isinstance(bot.heard[2].channel, discord.DMChannel)


async def test_an_intent_that_the_portal_forbids_closes_with_4014(fake: FakeDiscord) -> None:
    fake.set_portal(message_content="none")
    bot = Bot(fake)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await bot.start(fake.token)
    await bot.close()

    assert fake.gateway.close_codes == [4014]


async def test_a_wrong_token_is_refused(fake: FakeDiscord) -> None:
    bot = Bot(fake)
    with pytest.raises(discord.LoginFailure):
        await bot.start("wrong")
    await bot.close()


@pytest.mark.parametrize("code", [None, 1001, 4000, 4008])
async def test_a_lost_line_is_resumed_with_what_was_missed(fake: FakeDiscord, bot: Bot, code: int | None) -> None:
    channel, ada = a_channel(fake), fake.add_user()
    fake.drop_connections(code)
    await fake.wait_for(lambda: fake.connections == 0)
    fake.say(channel, ada.id, "while you were out")
    await fake.wait_for(lambda: bot.heard, deadline_s=20)

    assert (fake.resumes, fake.identifies) == (1, 1)
    assert [m.content for m in bot.heard] == ["while you were out"]


async def test_a_reconnect_request_is_followed_by_a_resume(fake: FakeDiscord, bot: Bot) -> None:
    fake.ask_reconnect()
    await fake.wait_for(lambda: fake.resumes == 1)
    fake.invalidate_sessions()
    await fake.wait_for(lambda: fake.identifies == 2)

    assert fake.resumes == 1


@pytest.mark.parametrize("kind", [None, "zlib-stream"])
async def test_the_stream_is_compressed_as_asked(fake: FakeDiscord, kind: str | None) -> None:
    async with aiohttp.ClientSession() as http:
        url = yarl.URL(fake.gateway.url).with_query({"v": "10"} | ({"compress": kind} if kind else {}))
        async with http.ws_connect(url) as socket:
            hello = (await socket.receive()).data
            await socket.send_json({"op": 1, "d": None})
            ack = (await socket.receive()).data
    if kind is not None:
        zlib_stream = zlib.decompressobj()
        hello, ack = zlib_stream.decompress(hello), zlib_stream.decompress(ack)

    assert json.loads(hello)["d"]["heartbeat_interval"] == 41250
    assert json.loads(ack)["op"] == 11


async def test_a_forgotten_session_identifies_anew_and_misses_events(fake: FakeDiscord, bot: Bot) -> None:
    channel, ada = a_channel(fake), fake.add_user()
    fake.forget_sessions()
    fake.drop_connections()
    await fake.wait_for(lambda: fake.connections == 0)
    fake.say(channel, ada.id, "lost")
    await fake.wait_for(lambda: fake.identifies == 2, deadline_s=20)
    fake.say(channel, ada.id, "found")
    await fake.wait_for(lambda: bot.heard)

    assert [m.content for m in bot.heard] == ["found"]
    assert [m.content async for m in bot.place(channel).history(limit=10)] == ["found", "lost"]


async def test_updates_deletes_reactions_and_webhooks_are_dispatched(fake: FakeDiscord, bot: Bot) -> None:
    events: list[tuple[str, object]] = []

    @bot.event
    async def on_raw_message_edit(event: discord.RawMessageUpdateEvent) -> None:
        events.append(("edit", event.message.edited_at is not None))
        fake.world.changes.fire()

    @bot.event
    async def on_raw_message_delete(event: discord.RawMessageDeleteEvent) -> None:
        events.append(("delete", event.message_id))
        fake.world.changes.fire()

    @bot.event
    async def on_raw_reaction_add(event: discord.RawReactionActionEvent) -> None:
        events.append(("reaction", str(event.emoji)))
        fake.world.changes.fire()

    channel, ada = a_channel(fake), fake.add_user()
    said = fake.say(channel, ada.id, "one")
    fake.touch(said.id)
    fake.edit(said.id, "two")
    fake.react(said.id, ada.id, "🔁")
    fake.delete(said.id)
    fake.webhook_say(channel, "from a hook")
    await fake.wait_for(lambda: len(events) == 4 and len(bot.heard) == 2)

    expected = [("edit", False), ("edit", True), ("reaction", "🔁"), ("delete", said.id)]
    assert events == expected
    assert bot.heard[1].webhook_id is not None
    assert fake.unknown_routes == []


async def test_two_shards_share_the_guilds(fake: FakeDiscord) -> None:
    guilds = [fake.add_guild(f"guild {n}") for n in range(2)]
    bot = Bot(fake)
    bot.shard_count = 2
    bot._connection.shard_count = 2
    async with running(bot):
        assert fake.connections == 2
        assert {guild.shard_id for guild in bot.guilds} == {0, 1}
        assert {guild.id for guild in bot.guilds} == {guild.id for guild in guilds}
