"""The verbs, over the wire: what is sent, what a repetition does, and what each failure is called."""

import asyncio
from dataclasses import replace

import pytest

from adapters.discord.rest import Rest
from bot.core.clock import SystemClock
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.place import Author
from bot.core.ports import Button, File
from tests.adapters.discord.door import Door, page
from tests.fakes.discord.components import walk
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Action, Drop, Respond, rate_limited
from tests.fakes.discord.records import READ_MESSAGE_HISTORY, SEND_MESSAGES

STOP = Button(label="Stop", line="stop discord:1")


def author(user_id: int) -> Author:
    return Author(platform="discord", id=str(user_id), name="somebody")


async def refusal(work: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await work  # type: ignore[misc]  # every caller gives a coroutine
    return caught.value


async def test_a_message_replies_shows_buttons_and_pings_nobody(fake: FakeDiscord, door: Door, channel: int) -> None:
    ada = fake.add_user()
    asked = fake.say(channel, ada.id, "ping everyone")
    sent = await door.messenger.send(
        door.place(channel),
        page(f"<@{ada.id}> @everyone"),
        key="turn~0",
        reply_to=str(asked.id),
        buttons=[STOP, STOP],
    )
    (shown,) = fake.bot_messages(channel)

    assert sent == str(shown.id)
    assert shown.content == f"<@{ada.id}> @everyone"
    assert shown.reference == (channel, asked.id)
    assert [c["label"] for c in walk(shown.components) if c["type"] == 2] == ["Stop", "Stop"]
    assert fake.pings == {}


async def test_a_reply_to_a_message_that_is_gone_is_a_plain_message(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    asked = fake.say(channel, fake.add_user().id, "never mind")
    fake.delete(asked.id)
    await door.messenger.send(door.place(channel), page("too late"), key="k", reply_to=str(asked.id))

    assert [(m.content, m.reference) for m in fake.bot_messages(channel)] == [("too late", None)]


async def test_without_the_permission_to_read_history_an_answer_is_no_reply(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    asked = fake.say(channel, fake.add_user().id, "hello")
    fake.deny_bot(channel, READ_MESSAGE_HISTORY)
    await door.messenger.send(door.place(channel), page("hi"), key="k", reply_to=str(asked.id))

    assert [(m.content, m.reference) for m in fake.bot_messages(channel)] == [("hi", None)]


async def test_a_send_that_is_repeated_after_a_lost_line_is_one_message(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    fake.faults.add("POST", "/messages$", Drop(after=True))
    place = door.place(channel)
    lost = await refusal(door.messenger.send(place, page("once"), key="turn~0"))
    again = await door.messenger.send(place, page("once"), key="turn~0")
    other = await door.messenger.send(place, page("twice"), key="turn~1")

    assert lost.kind is DeliveryKind.UNKNOWN_AFTER_SEND
    assert [str(m.id) for m in fake.bot_messages(channel)] == [again, other]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Respond(status=503), DeliveryKind.TRANSIENT),
        (Respond(status=502, body="<html>Bad Gateway</html>"), DeliveryKind.UNKNOWN_AFTER_SEND),
        (Respond(status=500, body={"message": "500", "code": 0}), DeliveryKind.UNKNOWN_AFTER_SEND),
        (Respond(status=200, body="<html>Welcome</html>"), DeliveryKind.UNKNOWN_AFTER_SEND),
        (Respond(status=302, headers={"Location": "/api/v10/gateway"}), DeliveryKind.INVALID),
        (Drop(), DeliveryKind.UNKNOWN_AFTER_SEND),
        (rate_limited(1.5), DeliveryKind.RATE_LIMITED),
        (rate_limited(1.0, via=False), DeliveryKind.RATE_LIMITED),
        (Respond(status=401, body={"message": "401: Unauthorized", "code": 0}), DeliveryKind.FORBIDDEN),
    ],
)
async def test_each_failure_has_its_kind_and_is_not_repeated(
    fake: FakeDiscord, door: Door, channel: int, fault: Action, kind: DeliveryKind
) -> None:
    planted = fake.faults.add("POST", "/messages$", fault, times=None)
    error = await refusal(door.messenger.send(door.place(channel), page("x"), key="k"))

    assert error.kind is kind
    assert planted.hits == 1
    assert fake.token not in str(error)


async def test_a_rate_limit_says_how_long(fake: FakeDiscord, door: Door, channel: int) -> None:
    place = door.place(channel)
    for number in range(5):
        await door.messenger.send(place, page(str(number)), key=str(number))
    error = await refusal(door.messenger.send(place, page("6"), key="6"))

    assert error.kind is DeliveryKind.RATE_LIMITED
    assert error.retry_after_s is not None
    assert 0 < error.retry_after_s <= 5


async def test_a_global_limit_holds_up_every_channel_and_a_local_one_does_not(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    place = door.place(channel)
    other = replace(place, chat=str(fake.add_text_channel(next(iter(fake.world.guilds)), "other").id))
    fake.faults.add("POST", "/messages$", rate_limited(30))
    fake.faults.add("POST", "/messages$", rate_limited(0.4, is_global=True))
    loop = asyncio.get_running_loop()
    await refusal(door.messenger.send(place, page("x"), key="k"))
    local = await refusal(door.messenger.send(other, page("x"), key="k"))
    begun_s = loop.time()
    await door.messenger.send(other, page("x"), key="k")

    assert local.retry_after_s == 0.4
    assert 0.3 < loop.time() - begun_s < 5


async def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    rest = Rest("token", "http://127.0.0.1:9/api", SystemClock())
    rest.open()
    error = await refusal(rest.call("POST", "/channels/1/messages", {}))
    await rest.aclose()
    closed = await refusal(rest.call("POST", "/channels/1/messages", {}))

    assert error.kind is closed.kind is DeliveryKind.TRANSIENT


async def test_a_broken_character_does_not_cost_a_title(fake: FakeDiscord, door: Door, channel: int) -> None:
    asked = fake.say(channel, fake.add_user().id, "hello")
    opened = await door.messenger.open_thread(door.place(channel), str(asked.id), "half \ud83d")

    assert fake.world.channel(int(opened.thread or 0)).name == "half ?"


async def test_what_discord_does_not_allow_has_its_kind(fake: FakeDiscord, door: Door, channel: int) -> None:
    place, messenger = door.place(channel), door.messenger
    sent = await messenger.send(place, page("x"), key="k")
    shy = fake.add_user("shy", accepts_dms=False)
    too_long = await refusal(messenger.edit(place, sent, page("x" * 2_001)))
    unknown = await refusal(messenger.edit(place, "1", page("x")))
    direct = await refusal(messenger.send(door.place(fake.add_dm(shy.id).id), page("x"), key="dm"))
    big = File(name="big.bin", content=b"x" * (10 * 1024 * 1024 + 1), media_type="application/octet-stream")
    too_large = await refusal(messenger.send(place, page("x"), key="big", file=big))
    fake.deny_bot(channel, SEND_MESSAGES)
    mute = await refusal(messenger.send(place, page("x"), key="k2"))

    assert too_long.kind is DeliveryKind.INVALID
    assert unknown.kind is DeliveryKind.NOT_FOUND
    assert direct.kind is DeliveryKind.FORBIDDEN
    assert too_large.kind is DeliveryKind.INVALID
    assert mute.kind is DeliveryKind.FORBIDDEN


async def test_an_edit_replaces_text_and_buttons_and_a_delete_is_forgiving(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    place, messenger = door.place(channel), door.messenger
    sent = await messenger.send(place, page("half"), key="k", buttons=[STOP])
    await messenger.edit(place, sent, page("half and half"))
    (shown,) = fake.bot_messages(channel)

    assert shown.texts == ("half", "half and half")
    assert shown.components == ()
    await messenger.delete(place, sent)
    await messenger.delete(place, sent)
    assert fake.bot_messages(channel) == ()


async def test_a_file_goes_along(fake: FakeDiscord, door: Door, channel: int) -> None:
    answer = File(name="answer.md", content="# Größe".encode(), media_type="text/markdown")
    await door.messenger.send(door.place(channel), page("all of it:"), key="k", file=answer)
    (shown,) = fake.bot_messages(channel)

    assert shown.content == "all of it:"
    assert [(a.filename, a.content) for a in shown.attachments] == [("answer.md", answer.content)]


async def test_a_thread_is_opened_from_a_message_or_found(fake: FakeDiscord, door: Door, channel: int) -> None:
    place, ada = door.place(channel), fake.add_user()
    asked = fake.say(channel, ada.id, "long story")
    opened = await door.messenger.open_thread(place, str(asked.id), "x" * 120)
    found = await door.messenger.open_thread(place, str(asked.id), "again")
    await door.messenger.send(opened, page("inside"), key="k", reply_to=str(asked.id))

    assert opened == found == door.place(asked.id)
    assert [m.content for m in fake.bot_messages(asked.id) if m.content] == ["inside"]
    assert door.messenger.capabilities(place).threads
    assert not door.messenger.capabilities(opened).threads
    assert not door.messenger.capabilities(door.place(fake.add_dm(ada.id).id)).threads


async def test_a_thread_that_was_deleted_is_not_found_rather_than_answered_above_it(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    gone = door.place(fake.add_thread(channel).id)
    del fake.world.channels[int(gone.thread or 0)]
    error = await refusal(door.messenger.send(gone, page("secret"), key="k"))

    assert error.kind is DeliveryKind.NOT_FOUND
    assert fake.bot_messages(channel) == ()


async def test_typing_is_shown_but_never_queues_behind_the_global_limit(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    place = door.place(channel)
    await door.messenger.typing(place)
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            elsewhere = replace(place, chat=str(number + 1))
            group.create_task(refusal(door.messenger.send(elsewhere, page("x"), key="k")))
        await asyncio.sleep(0)  # they are in the queue now
        await door.messenger.typing(place)
        typed = list(fake.world.typing)

    assert typed == [channel]


async def test_who_manages_channels_is_asked_of_discord_once_nobody_said(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    guild = next(iter(fake.world.guilds.values()))
    ada = fake.add_user("ada")
    fake.add_member(guild.id, ada.id)
    place = door.place(channel)

    assert await door.messenger.may_manage(place, author(guild.owner_id))
    assert not await door.messenger.may_manage(place, author(ada.id))
    assert not await door.messenger.may_manage(place, author(1))
    assert await door.messenger.may_manage(door.place(fake.add_dm(ada.id).id), author(ada.id))


async def test_a_full_bucket_of_one_channel_does_not_delay_another(fake: FakeDiscord, door: Door, channel: int) -> None:
    other = fake.add_text_channel(next(iter(fake.world.guilds)), "other").id
    busy, idle = door.place(channel), door.place(other)
    for number in range(5):
        await door.messenger.send(busy, page(str(number)), key=f"b{number}")
    async with asyncio.timeout(1):
        await door.messenger.send(idle, page("at once"), key="i")

    assert [m.content for m in fake.bot_messages(other)] == ["at once"]
