"""People, chats, topics, files and clicks of the fake, driven by the real `Bot`."""

import pytest
from telegram import Bot, ReplyParameters
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
)

from tests.fakes.telegram.driving import bot_of, call, keyboard, text_of
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.world import BotProfile


async def test_a_bot_sees_its_profile(fake: FakeTelegram, bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.id, me.username) == (fake.bot_user.id, fake.bot_user.username)
    assert me.can_read_all_group_messages is False


async def test_topics_exist_or_are_refused_and_imply_a_reply(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    forum = fake.add_group(forum=True, topics=["One"], members=[ann], bot_status="administrator")
    (topic,) = forum.topics
    fake.say(forum.id, ann.id, "in topic", topic_id=topic)
    fake.say(forum.id, ann.id, "in general")
    in_topic, in_general = [update.message for update in await bot.get_updates()]
    for wrong in (1, 999):
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(forum.id, "x", message_thread_id=wrong)
    sent = await bot.send_message(forum.id, "x", message_thread_id=topic)

    assert in_topic
    assert (in_topic.message_thread_id, in_topic.is_topic_message) == (topic, True)
    assert in_topic.reply_to_message
    assert in_topic.reply_to_message.forum_topic_created
    assert in_general
    assert (in_general.message_thread_id, in_general.reply_to_message) == (None, None)
    assert [message.id for message in fake.bot_messages(forum.id, topic)] == [sent.message_id]


async def test_a_reply_needs_its_message_unless_told_otherwise(bot: Bot, ann: User) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ann.id, "x", reply_parameters=ReplyParameters(77))
    optional = ReplyParameters(77, allow_sending_without_reply=True)

    assert (await bot.send_message(ann.id, "x", reply_parameters=optional)).reply_to_message is None


async def test_a_click_is_answered_once(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    sent = await bot.send_message(ann.id, "x", reply_markup=keyboard("Stop"))
    callback = fake.click(ann.id, sent.message_id, "Stop", ann.id)
    (update,) = await bot.get_updates()
    assert update.callback_query
    assert update.callback_query.data == "do:Stop"
    await update.callback_query.answer("done")
    with pytest.raises(BadRequest, match="Query is too old"):
        await update.callback_query.answer()

    assert callback.answer
    assert callback.answer.text == "done"


async def test_blocked_kicked_and_migrated(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    group = fake.add_group(kind="group", members=[ann])
    supergroup = fake.add_group(members=[ann])
    fake.block(ann)
    fake.kick_bot(supergroup, ann)
    upgraded = fake.migrate(group)
    with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(ann.id, "x")
    with pytest.raises(Forbidden, match="Forbidden: bot was kicked from the supergroup chat"):
        await bot.send_message(supergroup.id, "x")
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(group.id, "x")

    assert caught.value.new_chat_id == upgraded.id
    assert (await bot.send_message(upgraded.id, "x")).chat.id == upgraded.id


async def test_privacy_mode_hides_what_is_not_for_the_bot(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    group = fake.add_group(members=[ann])
    own = await bot.send_message(group.id, "hi")
    name = fake.bot_user.username
    seen = ["/help", f"hey @{name}", "a reply", f"/stop@{name}"]
    for text in ("chatter", "/help", f"hey @{name}", "/help@other_bot"):
        fake.say(group.id, ann.id, text)
    fake.say(group.id, ann.id, "a reply", reply_to=own.message_id)
    fake.say(group.id, ann.id, f"/stop@{name}")

    assert [text_of(update.message) for update in await bot.get_updates()] == seen


async def test_without_privacy_mode_everything_comes() -> None:
    async with (
        FakeTelegram(bot_profile=BotProfile(can_read_all_group_messages=True)) as fake,
        bot_of(fake) as bot,
    ):
        ann = fake.add_user()
        group = fake.add_group(members=[ann])
        fake.say(group.id, ann.id, "chatter")

        assert len(await bot.get_updates()) == 1


async def test_files_go_both_ways(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    fake.photo(ann.id, ann.id, b"original", caption="look")
    fake.document(ann.id, ann.id, b"%PDF", name="a.pdf", mime_type="application/pdf")
    photo, document = [update.message for update in await bot.get_updates()]
    assert photo
    assert document
    assert document.document
    original = await (await bot.get_file(photo.photo[-1].file_id)).download_as_bytearray()
    pdf = await (await document.document.get_file()).download_as_bytearray()
    await bot.send_document(ann.id, b"report", filename="r.md", caption="here")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(ann.id, b"report", filename="r.md", caption="x" * 1025)
    (sent,) = fake.bot_messages(ann.id)

    assert (bytes(original), bytes(pdf), photo.caption) == (b"original", b"%PDF", "look")
    assert (sent.media[0].data, sent.media[0].name, sent.text) == (b"report", "r.md", "here")


async def test_an_album_is_one_update_a_photo(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    fake.album(ann.id, ann.id, [b"1", b"2", b"3"], caption="all")
    messages = [update.message for update in await bot.get_updates()]

    assert [message.caption for message in messages if message] == ["all", None, None]
    assert len({message.media_group_id for message in messages if message}) == 1


async def test_edited_messages_come_also_without_a_change(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    said = fake.say(ann.id, ann.id, "one")
    fake.touch(fake.edit(said, "two"))
    updates = await bot.get_updates()

    assert [text_of(update.edited_message) for update in updates[1:]] == ["two", "two"]


async def test_commands_are_kept_per_scope_and_language(fake: FakeTelegram, bot: Bot) -> None:
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("help", "Hilfe")], language_code="de")
    wrong = await call(fake, "setMyCommands", commands=[{"command": "Bad-Name", "description": "x"}])

    assert wrong == (400, "Bad Request: BOT_COMMAND_INVALID")
    assert fake.commands()[0]["description"] == "Help"
    assert fake.commands(language_code="de")[0]["description"] == "Hilfe"
    assert (await bot.get_my_commands())[0].command == "help"


async def test_members_drafts_actions_reactions(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    group = fake.add_group(admins=[ann])
    said = fake.say(ann.id, ann.id, "hi")
    await bot.send_chat_action(ann.id, "typing")
    await bot.send_message_draft(ann.id, 5, "thinking")
    await bot.set_message_reaction(ann.id, said.id, "👍")
    with pytest.raises(BadRequest):
        await bot.send_message_draft(group.id, 5, "thinking")

    assert (await bot.get_chat_member(group.id, ann.id)).status == "creator"
    assert (await bot.get_chat(group.id)).title == "Group"
    assert [draft.text for draft in fake.drafts] == ["thinking"]
    assert [action.action for action in fake.actions] == ["typing"]
