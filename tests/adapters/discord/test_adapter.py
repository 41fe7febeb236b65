"""Messages in: who is heard, what of a message reaches the core, and in which order."""

import asyncio
import logging

import pytest

from bot.core.errors import DeliveryError, DeliveryKind, SettingsError
from bot.core.inbound import Deleted, Edited, Inbound, Quoted, Said
from bot.core.place import Addressed, ChatKind
from bot.core.ports import Answer
from tests.adapters.discord.door import Core, Door, SkippingClock, make_adapter, open_door, page
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Respond
from tests.fakes.discord.records import Upload


async def test_a_mention_in_a_channel_is_accepted_without_the_mention(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user("ada")
    said = fake.say(channel, ada.id, "what is 2+2?", mentions=[fake.bot_user_id])
    (inbound,) = await door.core.wait_for()

    assert inbound.uid == f"discord:{said.id}"
    assert inbound.order == said.id
    assert inbound.author.key == f"discord:{ada.id}"
    assert inbound.author.name == "ada"
    assert inbound.place.account == str(fake.bot_user_id)
    assert inbound.place.chat == str(channel)
    assert inbound.place.thread is None
    assert inbound.place.kind is ChatKind.SHARED
    assert inbound.event == Said(text="what is 2+2?", message_id=str(said.id), addressed=Addressed.MENTION)
    assert door.core.ready == [f"discord:{fake.bot_user_id}"]


async def test_a_private_chat_is_always_meant_for_the_bot(fake: FakeDiscord, door: Door) -> None:
    ada = fake.add_user()
    dm = fake.add_dm(ada.id)
    fake.say(dm.id, ada.id, "hello")
    (inbound,) = await door.core.wait_for()

    assert inbound.place.kind is ChatKind.PRIVATE
    assert (inbound.place.chat, inbound.place.space) == (str(dm.id), None)
    assert isinstance(inbound.event, Said)
    assert inbound.event.addressed is Addressed.PRIVATE


async def test_a_reply_to_the_bot_brings_what_it_replies_to_without_a_request(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    sent = await door.messenger.send(door.place(channel), page("four"), key="k")
    asked = len(fake.requests)
    fake.say(channel, ada.id, "and why?", reply_to=int(sent))
    (said,) = await door.core.said()

    assert said.addressed is Addressed.REPLY
    assert said.quoted == Quoted(message_id=sent, author_name="parley", text="four", by_bot=True)
    assert len(fake.requests) == asked


async def test_a_mention_in_a_reply_to_somebody_else_quotes_them(fake: FakeDiscord, door: Door, channel: int) -> None:
    ada, bob = fake.add_user("ada"), fake.add_user("bob")
    claim = fake.say(channel, ada.id, "the earth is flat")
    fake.say(channel, bob.id, "is that so?", mentions=[fake.bot_user_id], reply_to=claim.id)
    (said,) = await door.core.said()

    assert said.addressed is Addressed.MENTION
    assert said.quoted == Quoted(message_id=str(claim.id), author_name="ada", text="the earth is flat")


async def test_chatter_other_bots_and_itself_are_not_heard_but_its_name_is(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada, robot = fake.add_user("ada"), fake.add_user("robot", bot=True)
    fake.say(channel, ada.id, "good morning")
    fake.say(channel, robot.id, "parley, are you there?")
    fake.webhook_say(channel, "parley, deploy is done")
    fake.say(channel, fake.bot_user_id, "parley is me")
    fake.say(channel, ada.id, "hey PARLEY, what's up?")
    fake.say(channel, robot.id, "what do you think?", mentions=[fake.bot_user_id])
    first, second = await door.core.wait_for(2)

    assert isinstance(first.event, Said)
    assert (first.event.text, first.event.addressed) == ("hey PARLEY, what's up?", Addressed.NAME)
    assert isinstance(second.event, Said)
    assert second.author.is_bot
    assert second.event.addressed is Addressed.MENTION


async def test_in_a_thread_everything_is_heard_as_ambient_with_its_starter(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user("ada")
    starter = fake.say(channel, ada.id, "let us talk about bees")
    thread = fake.add_thread(channel, "bees", message_id=starter.id)
    fake.say(thread.id, ada.id, "do they sleep?")
    fake.say(thread.id, ada.id, "and dream?")
    first, second = await door.core.wait_for(2)

    assert (first.place.chat, first.place.thread) == (str(channel), str(thread.id))
    assert isinstance(first.event, Said)
    assert isinstance(second.event, Said)
    assert first.event.addressed is Addressed.AMBIENT
    expected = Quoted(message_id=str(starter.id), author_name="ada", text="let us talk about bees")
    assert first.event.starter == second.event.starter == expected
    assert fake.count_requests("GET", "/messages/") == 1


async def test_a_forum_post_is_a_thread_whose_starter_needs_no_request(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user("ada")
    forum = fake.add_forum(next(iter(fake.world.guilds)))
    post = fake.add_forum_post(forum.id, ada.id, "Bees", "Do bees sleep?")
    fake.say(post.channel_id, ada.id, "anyone?")
    first, second = await door.core.wait_for(2)

    assert (first.place.chat, first.place.thread) == (str(forum.id), str(post.id))
    assert isinstance(first.event, Said)
    assert isinstance(second.event, Said)
    assert first.event.starter is None
    assert second.event.starter == Quoted(message_id=str(post.id), author_name="ada", text="Do bees sleep?")
    assert fake.count_requests("GET", "/messages/") == 0


async def test_a_post_from_before_the_start_has_its_starter_looked_up_in_the_post(
    fake: FakeDiscord, channel: int
) -> None:
    ada = fake.add_user("ada")
    forum = fake.add_forum(next(iter(fake.world.guilds)))
    post = fake.add_forum_post(forum.id, ada.id, "Bees", "Do bees sleep?")
    async with open_door(fake) as door:
        fake.say(post.channel_id, ada.id, "anyone?")
        (said,) = await door.core.said()

        assert said.starter is not None
        assert said.starter.text == "Do bees sleep?"


async def test_a_starter_that_cannot_be_read_does_not_cost_the_message(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user("ada")
    thread = fake.add_thread(channel, "no starter")
    broken = fake.faults.add("GET", f"/messages/{thread.id}$", Respond(status=503), times=1)
    fake.say(thread.id, ada.id, "hello?")
    fake.say(thread.id, ada.id, "hello again?")
    said = await door.core.said(2)

    assert broken.hits == 1
    assert [(s.text, s.starter) for s in said] == [("hello?", None), ("hello again?", None)]


async def test_a_thread_that_was_archived_at_the_start_is_looked_up(fake: FakeDiscord, channel: int) -> None:
    ada = fake.add_user("ada")
    thread = fake.add_thread(channel, "old")
    fake.update_thread(thread.id, archived=True, locked=True)
    async with open_door(fake) as door:
        fake.say(thread.id, ada.id, "still there?", mentions=[fake.bot_user_id])
        (inbound,) = await door.core.wait_for()

        assert (inbound.place.chat, inbound.place.thread) == (str(channel), str(thread.id))


async def test_only_an_edit_that_changes_the_text_is_passed_on(fake: FakeDiscord, door: Door, channel: int) -> None:
    ada = fake.add_user()
    asked = fake.say(channel, ada.id, "2+2?", mentions=[fake.bot_user_id])
    other = fake.say(channel, ada.id, "chatter")
    await door.core.wait_for()
    fake.touch(asked.id)
    fake.edit(other.id, "more chatter")
    fake.edit(asked.id, f"<@{fake.bot_user_id}>  2+2?")
    fake.edit(asked.id, f"<@{fake.bot_user_id}> 2+3?")
    fake.touch(asked.id)
    fake.say(channel, ada.id, "end", mentions=[fake.bot_user_id])
    accepted = await door.core.wait_for(3)

    assert accepted[1].event == Edited(message_id=str(asked.id), text="2+3?")
    assert accepted[1].author.key == f"discord:{ada.id}"
    assert isinstance(accepted[2].event, Said)
    assert len({inbound.uid for inbound in accepted}) == 3


@pytest.mark.parametrize(("ahead_s", "heard"), [(0.0, True), (3600.0, False)])
async def test_after_a_restart_only_a_fresh_edit_counts(fake: FakeDiscord, ahead_s: float, heard: bool) -> None:
    ada = fake.add_user()
    asked = fake.say(fake.add_dm(ada.id).id, ada.id, "2+2?")
    async with open_door(fake, clock=SkippingClock(ahead_s)) as door:
        fake.edit(asked.id, "2+3?")
        fake.say(asked.channel_id, ada.id, "end")
        accepted = await door.core.wait_for(2 if heard else 1)

        assert isinstance(accepted[0].event, Edited) is heard


async def test_the_deletion_of_an_accepted_message_is_passed_on_with_its_author(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    fake.delete(fake.say(channel, ada.id, "chatter").id)
    asked = fake.say(channel, ada.id, "2+2?", mentions=[fake.bot_user_id])
    await door.core.wait_for()
    fake.delete(asked.id)
    accepted = await door.core.wait_for(2)

    assert accepted[1].event == Deleted(message_id=str(asked.id))
    assert accepted[1].author.key == f"discord:{ada.id}"


async def test_a_file_is_announced_and_can_be_fetched_also_when_its_address_is_old(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    note = Upload(filename="note.txt", content=b"abc")
    fake.say(channel, ada.id, "see", mentions=[fake.bot_user_id], attachments=[note])
    (said,) = await door.core.said()
    (file,) = said.attachments
    place = door.place(channel)

    assert (file.name, file.media_type, file.size_bytes) == ("note.txt", "text/plain", 3)
    assert await door.messenger.fetch(place, file, max_bytes=3) == b"abc"
    fake.advance(25 * 3600)
    assert await door.messenger.fetch(place, file, max_bytes=3) == b"abc"
    with pytest.raises(DeliveryError) as refused:
        await door.messenger.fetch(place, file, max_bytes=2)
    assert refused.value.kind is DeliveryKind.INVALID


async def test_events_of_a_channel_wait_in_order_while_storage_is_away(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    door.core.outages = 2
    for number in range(3):
        fake.say(channel, ada.id, str(number), mentions=[fake.bot_user_id])
    said = await door.core.said(3)

    assert [s.text for s in said] == ["0", "1", "2"]


async def test_an_event_that_fails_costs_neither_the_next_one_nor_the_connection(
    fake: FakeDiscord, door: Door, channel: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail_first(inbound: Inbound) -> None:
        if len(door.core.accepted) == 1:
            raise RuntimeError("a bug of the core")

    door.core.reply = fail_first
    ada = fake.add_user()
    fake.say(channel, ada.id, "one", mentions=[fake.bot_user_id])
    fake.say(channel, ada.id, "two", mentions=[fake.bot_user_id])
    said = await door.core.said(2)

    assert [s.text for s in said] == ["one", "two"]
    assert [record.message for record in caplog.records if record.exc_info] == ["an event of Discord was lost"]
    assert fake.identifies == 1


async def test_neither_tokens_nor_words_are_logged(
    fake: FakeDiscord, channel: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="adapters")
    caplog.set_level(logging.WARNING)
    fake.faults.add("GET", "^/users/@me$", Respond(status=503))
    async with open_door(fake) as door:
        await fake.wait_for(lambda: fake.commands)
        interaction = fake.slash(channel, fake.add_user().id, "pair", {"code": "SECRETCODE"})
        (inbound,) = await door.core.wait_for()
        fake.advance(901)
        with pytest.raises(DeliveryError) as refused:
            await door.messenger.answer(inbound, Answer(text="hidden words"))
        fake.drop_connections(None)
        await fake.wait_for(lambda: fake.resumes, 20)
    logged = "\n".join(map(logging.Formatter().format, caplog.records)) + str(refused.value)

    assert "the connection to Discord ended" in logged
    for secret in (fake.token, interaction.token, "SECRETCODE", "hidden words"):
        assert secret not in logged


async def test_a_wrong_token_is_an_error_of_the_settings(fake: FakeDiscord, channel: int) -> None:
    adapter = make_adapter(fake, Core(fake), token="wrong")
    with pytest.raises(SettingsError, match="DISCORD_TOKEN"):
        await adapter.run(Core(fake).accept, lambda _: None)
    await adapter.aclose()


async def test_a_missing_intent_is_an_error_of_the_settings(fake: FakeDiscord, channel: int) -> None:
    fake.set_portal(message_content="none")
    adapter = make_adapter(fake, Core(fake))
    with pytest.raises(SettingsError, match="Message Content Intent"):
        await adapter.run(Core(fake).accept, lambda _: None)
    await adapter.aclose()


async def test_an_api_that_is_down_at_the_start_is_tried_again(fake: FakeDiscord, channel: int) -> None:
    down = fake.faults.add("GET", "^/users/@me$", Respond(status=503), times=1)
    async with open_door(fake) as door:
        assert down.hits == 1
        assert door.core.ready == [f"discord:{fake.bot_user_id}"]


async def test_after_the_intake_has_stopped_running_answers_can_still_be_sent(fake: FakeDiscord, channel: int) -> None:
    core = Core(fake)
    adapter = make_adapter(fake, core)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(adapter.run(core.accept, core.ready.append))
        await fake.wait_until_connected()
        place = Door(adapter, core, fake).place(channel)
        run.cancel()
        await asyncio.wait([run])
        await adapter.messenger.send(place, page("the end of an answer"), key="k")
    await adapter.aclose()
    with pytest.raises(DeliveryError):
        await adapter.messenger.send(place, page("too late"), key="k2")

    assert fake.connections == 0
    assert [m.content for m in fake.bot_messages(channel)] == ["the end of an answer"]


async def test_a_server_that_names_a_charset_and_has_no_plain_gateway_is_no_hindrance(
    fake: FakeDiscord, channel: int
) -> None:
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    me = {"id": str(fake.bot_user_id), "username": "parley", "discriminator": "0", "avatar": None}
    fake.faults.add("GET", "^/users/@me$", Respond(status=200, body=me, headers=json_type), times=None)
    missing = fake.faults.add("GET", "^/gateway$", Respond(status=404, body={"message": "404"}), times=None)
    async with open_door(fake) as door:
        fake.say(channel, fake.add_user().id, "hello", mentions=[fake.bot_user_id])
        (said,) = await door.core.said()

    assert said.text == "hello"
    assert missing.hits == 0


async def test_commands_are_written_to_a_server_that_does_not_list_them(fake: FakeDiscord, channel: int) -> None:
    unlisted = Respond(status=404, body={"message": "404: Not Found", "code": 0})
    fake.faults.add("GET", "/commands$", unlisted, times=None)
    async with open_door(fake):
        await fake.wait_for(lambda: fake.commands)

    assert fake.command_syncs == 1
