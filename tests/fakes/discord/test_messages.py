"""Messages, threads and files of the fake, driven by discord.py."""

import io
import re

import aiohttp
import discord

from tests.fakes.discord.client import Bot, a_channel, post, refused
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import CREATE_PUBLIC_THREADS, SEND_MESSAGES, VIEW_CHANNEL, Json, Upload


async def test_a_message_is_heard_and_answered(fake: FakeDiscord, bot: Bot) -> None:
    channel, ada = a_channel(fake), fake.add_user("ada")
    file = Upload(filename="note.txt", content=b"abc")
    said = fake.say(channel, ada.id, "hello", mentions=[fake.bot_user_id], attachments=[file])
    heard = await fake.wait_for(lambda: bot.heard and bot.heard[0])

    assert heard
    assert heard.content == f"<@{fake.bot_user_id}> hello"
    assert heard.mentions[0].id == fake.bot_user_id
    assert await heard.attachments[0].read() == b"abc"

    answer = await heard.reply("hi <@1> @everyone")
    await answer.edit(content="hi there")
    (seen,) = fake.bot_messages(channel)

    assert seen.texts == ("hi <@1> @everyone", "hi there")
    assert seen.reference == (channel, said.id)
    assert fake.pings == {}


async def test_pings_are_recorded_when_nothing_forbids_them(fake: FakeDiscord, bot: Bot) -> None:
    ada = fake.add_user()
    status, message = await post(fake, {"content": f"<@{ada.id}>"})

    assert status == 200
    assert message["mentions"][0]["id"] == str(ada.id)
    assert next(iter(fake.pings.values())).users == (ada.id,)


async def test_history_pages_by_id(fake: FakeDiscord, bot: Bot) -> None:
    channel, ada = a_channel(fake), fake.add_user()
    said = [fake.say(channel, ada.id, str(n)) for n in range(150)]
    after = [m.content async for m in bot.place(channel).history(limit=None, after=discord.Object(said[19].id))]
    before = [m.content async for m in bot.place(channel).history(limit=3, before=discord.Object(said[19].id))]

    assert after == [str(n) for n in range(20, 150)]
    assert before == ["18", "17", "16"]


async def test_the_limits_of_a_message_are_enforced(fake: FakeDiscord, bot: Bot) -> None:
    place = bot.place(a_channel(fake))
    error = await refused(400, 50035, lambda: place.send("x" * 2001))

    assert "content: Must be 2000 or fewer in length." in error.text
    await refused(400, 50006, lambda: place.send(" "))
    file = discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "big.bin")
    await refused(413, 40005, lambda: place.send(file=file))
    buttons: list[Json] = [{"type": 2, "style": 1, "label": "a", "custom_id": "same"} for _ in range(6)]
    status, body = await post(fake, {"content": "x", "components": [{"type": 1, "components": buttons}]})

    assert status == 400
    assert body["errors"]["components"]["_errors"][0]["code"] == "COMPONENT_CUSTOM_ID_DUPLICATED"
    assert body["errors"]["components"]["0"]["components"]["_errors"][0]["code"] == "BASE_TYPE_BAD_LENGTH"
    assert fake.history(a_channel(fake)) == ()


async def test_what_is_unknown_or_forbidden_has_its_code(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    guild = next(iter(fake.world.guilds))
    shy = fake.add_user("shy", accepts_dms=False)
    theirs = fake.say(channel, shy.id, "mine")
    hidden = fake.add_text_channel(guild, "hidden", bot_denied=VIEW_CHANNEL).id
    mute = fake.add_text_channel(guild, "mute", bot_denied=SEND_MESSAGES).id

    await refused(404, 10003, lambda: bot.place(1).send("x"))
    await refused(404, 10008, lambda: bot.place(channel).fetch_message(1))
    await refused(403, 50005, lambda: bot.place(channel).get_partial_message(theirs.id).edit(content="x"))
    await refused(403, 50013, lambda: bot.place(channel).get_partial_message(theirs.id).delete())
    await refused(403, 50001, lambda: bot.place(hidden).send("x"))
    await refused(403, 50013, lambda: bot.place(mute).send("x"))
    await refused(403, 50007, lambda: bot.place(fake.add_dm(shy.id).id).send("x"))


async def test_the_same_nonce_is_one_message(fake: FakeDiscord, bot: Bot) -> None:
    body = {"content": "once", "nonce": "turn-1-page-1", "enforce_nonce": True}
    first, second = await post(fake, body), await post(fake, body)

    assert first == second
    assert (await post(fake, body | {"nonce": "x" * 26}))[0] == 400
    fake.advance(600)
    assert (await post(fake, body))[1]["id"] != first[1]["id"]


async def test_a_reply_to_a_deleted_message_fails_unless_allowed(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    said = fake.say(channel, fake.add_user().id, "gone soon")
    fake.delete(said.id)
    reference = discord.MessageReference(message_id=said.id, channel_id=channel)
    await refused(400, 50035, lambda: bot.place(channel).send("x", reference=reference))
    reference.fail_if_not_exists = False
    sent = await bot.place(channel).send("x", reference=reference)

    assert fake.message(sent.id).reference is None


async def test_threads_share_the_id_of_their_starter(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    ada = fake.add_user()
    said = fake.say(channel, ada.id, "start here")
    general = bot.get_channel(channel)
    assert isinstance(general, discord.TextChannel)
    starter = general.get_partial_message(said.id)
    thread = await starter.create_thread(name="a thread")

    assert thread.id == said.id
    await refused(400, 160004, lambda: starter.create_thread(name="again"))
    await thread.send("inside")
    assert [m.content for m in fake.bot_messages(thread.id)] == ["", "inside"]
    forum = fake.add_forum(next(iter(fake.world.guilds)))
    posted = fake.add_forum_post(forum.id, ada.id, "Question", "why?")
    await fake.wait_for(lambda: any(m.content == "why?" for m in bot.heard))

    assert posted.id == posted.channel_id
    place = bot.get_channel(forum.id)
    assert isinstance(place, discord.ForumChannel)
    created = await place.create_thread(name="Mine", content="first")
    assert created.thread.id == created.message.id
    fake.deny_bot(channel, CREATE_PUBLIC_THREADS)
    other = fake.say(channel, ada.id, "no thread")
    await refused(403, 50013, lambda: general.get_partial_message(other.id).create_thread(name="x"))


async def test_a_layout_of_components_v2_is_accepted_and_its_limits_hold(fake: FakeDiscord, bot: Bot) -> None:
    view = discord.ui.LayoutView()
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("boxed")))
    sent = await bot.place(a_channel(fake)).send(view=view)

    assert fake.message(sent.id).components[0]["type"] == 17
    view.add_item(discord.ui.TextDisplay("x" * 3999))
    await refused(400, 50035, lambda: bot.place(a_channel(fake)).send(view=view))


async def test_typing_files_and_heartbeats_are_seen(fake: FakeDiscord, bot: Bot) -> None:
    channel = a_channel(fake)
    async with bot.place(channel).typing():
        pass
    file = discord.File(io.BytesIO(b"bytes"), "a.csv", description="table")
    sent = await bot.place(channel).send(file=file)
    fake.ask_heartbeat()
    before = fake.gateway.heartbeats
    await fake.wait_for(lambda: fake.gateway.heartbeats > before)

    assert fake.world.typing == [channel]
    assert fake.message(sent.id).attachments[0].content_type == "text/csv"
    assert await sent.attachments[0].read() == b"bytes"
    broken = re.sub("hm=[0-9a-f]+", "hm=0", sent.attachments[0].url)
    async with aiohttp.ClientSession() as http, http.get(broken) as answer:
        assert answer.status == 404
