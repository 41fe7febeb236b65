"""Voice messages, link previews and files of the fake, by bare requests where discord.py would object."""

import base64
import json

import aiohttp
import pytest

from tests.fakes.body import Body
from tests.fakes.discord.client import Bot, a_channel, post
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import SEND_VOICE_MESSAGES, Json, Upload

WAVEFORM = base64.b64encode(b"\0\xff").decode()
VOICE: Json = {"flags": 1 << 13, "attachments": [{"id": 0, "duration_secs": 1.5, "waveform": WAVEFORM}]}


async def send(fake: FakeDiscord, body: Json, *types: str) -> tuple[int, Json]:
    """Create a message with a file of each media type."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for number, media_type in enumerate(types):
        form.add_field(f"files[{number}]", b"OggS", filename=f"{number}.bin", content_type=media_type)
    headers = {"Authorization": f"Bot {fake.token}"}
    url = f"{fake.url}/channels/{a_channel(fake)}/messages"
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_voice_message_is_kept_with_its_length_and_cannot_be_edited(fake: FakeDiscord) -> None:
    channel = fake.add_text_channel(fake.add_guild().id)
    status, sent = await send(fake, VOICE, "audio/ogg")
    url, headers = f"{fake.url}/channels/{channel.id}/messages/{sent['id']}", {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession() as http, http.patch(url, json={"content": "x"}, headers=headers) as edited:
        code = (await edited.json())["code"]

    assert (status, sent["flags"], code) == (200, 1 << 13, 50162)
    assert (sent["attachments"][0]["duration_secs"], sent["attachments"][0]["waveform"]) == (1.5, WAVEFORM)


@pytest.mark.parametrize(
    ("more", "types", "code"),
    [
        ({"content": "hi"}, ("audio/ogg",), 50159),
        ({"embeds": [{"title": "x"}]}, ("audio/ogg",), 50159),
        ({}, ("text/plain",), 50160),
        ({}, ("audio/ogg", "audio/ogg"), 50160),
        ({"attachments": [{"id": 0, "waveform": WAVEFORM}]}, ("audio/ogg",), 50161),
        ({"attachments": [{"id": 0, "duration_secs": 1.0}]}, ("audio/ogg",), 50161),
        ({"attachments": [{"id": 0, "duration_secs": 1.0, "waveform": "A" * 344}]}, ("audio/ogg",), 50161),
    ],
)
async def test_a_voice_message_that_is_more_or_less_is_refused(
    fake: FakeDiscord, more: Json, types: tuple[str, ...], code: int
) -> None:
    fake.add_text_channel(fake.add_guild().id)
    status, answer = await send(fake, VOICE | more, *types)

    assert (status, answer["code"]) == (400, code)


async def test_voice_messages_need_a_permission_of_their_own(fake: FakeDiscord) -> None:
    channel = fake.add_text_channel(fake.add_guild().id)
    fake.deny_bot(channel.id, SEND_VOICE_MESSAGES)
    status, answer = await send(fake, VOICE, "audio/ogg")

    assert (status, answer["code"]) == (403, 50173)


async def test_links_are_fetched_unless_the_message_says_no(fake: FakeDiscord) -> None:
    fake.add_text_channel(fake.add_guild().id)
    await post(fake, {"content": "see https://a.example/?q=1 and <https://b.example>"})
    await post(fake, {"content": "see https://c.example", "flags": 4})

    assert fake.previews == ("https://a.example/?q=1", "https://b.example")


async def test_voices_and_forwards_of_people_reach_the_bot(fake: FakeDiscord, bot: Bot) -> None:
    ada = fake.add_user("ada")
    voice = fake.voice_say(a_channel(fake), ada.id, b"OggS", duration_s=2.0)
    picture = fake.say(a_channel(fake), ada.id, "look", attachments=[Upload(filename="a.png", content=b"png")])
    fake.forward(picture.id, a_channel(fake), ada.id)
    await fake.wait_for(lambda: len(bot.heard) == 3)
    heard, _, forwarded = bot.heard

    assert (heard.id, heard.attachments[0].duration, heard.attachments[0].is_voice_message()) == (voice.id, 2.0, True)
    assert [snapshot.content for snapshot in forwarded.message_snapshots] == ["look"]
    assert await forwarded.message_snapshots[0].attachments[0].read() == b"png"


async def test_a_file_can_come_as_a_test_says(fake: FakeDiscord) -> None:
    channel = fake.add_text_channel(fake.add_guild().id)
    asked = fake.say(channel.id, fake.add_user().id, "x", attachments=[Upload(filename="a b.txt", content=b"abc")])
    url = fake.world.attachment_url(asked.attachments[0])
    fake.faults.add("GET", "^/attachments/", Body(pieces=[b"ab"], length=3))
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientPayloadError):
            await (await http.get(url)).read()
        async with http.get(url) as whole:
            content = await whole.read()

    assert content == b"abc"
    assert len(fake.downloads) == 2
