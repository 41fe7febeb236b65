"""Files, recordings and link previews of the fake, driven by the real `Bot` and by bare requests."""

import pytest
from telegram import Bot, InputFile, LinkPreviewOptions
from telegram.error import BadRequest, NetworkError

from tests.fakes.body import Body
from tests.fakes.recordings import silence
from tests.fakes.telegram.driving import call
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


async def test_a_voice_message_is_ogg_with_opus_and_has_a_length(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    sent = await bot.send_voice(ann.id, InputFile(silence(0.1), filename="a.ogg"), duration=4)
    with pytest.raises(BadRequest):
        await bot.send_voice(ann.id, InputFile(b"ID3", filename="a.mp3"))
    with pytest.raises(BadRequest):
        await bot.send_audio(ann.id, InputFile(silence(0.1), filename="a.ogg"))
    await bot.send_audio(ann.id, InputFile(b"ID3", filename="a.mp3"), duration=4)

    assert sent.voice is not None
    assert [(message.media[0].kind, message.media[0].duration_s) for message in fake.bot_messages(ann.id)] == [
        ("voice", 4),
        ("audio", 4),
    ]


async def test_who_forbids_voice_messages_gets_none(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    fake.forbid_voice(ann.id)
    with pytest.raises(BadRequest, match="Voice_messages_forbidden"):
        await bot.send_voice(ann.id, InputFile(silence(0.1), filename="a.ogg"))
    await bot.send_document(ann.id, InputFile(silence(0.1), filename="a.ogg"))

    assert [message.media[0].kind for message in fake.bot_messages(ann.id)] == ["document"]


async def test_each_kind_of_file_comes_as_the_library_knows_it(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    for kind in ("audio", "video", "animation", "video_note"):
        fake.document(ann.id, ann.id, b"x", kind=kind, name="a.bin")
    fake.voice(ann.id, ann.id, b"OggS", duration_s=7)
    for mime_type in ("image/webp", "video/webm", "application/x-tgsticker"):
        fake.sticker(ann.id, ann.id, b"x", mime_type=mime_type)
    fake.forward(fake.photo(ann.id, ann.id, b"jpeg", caption="cat"), ann.id, ann.id)
    *files, voice, still, video, moving, _, forwarded = [u.message for u in await bot.get_updates() if u.message]

    assert [bool(m.audio or m.video or m.animation or m.video_note) for m in files] == [True] * 4
    assert files[2].document is not None
    assert voice.voice is not None
    assert "file_name" not in voice.voice.to_dict()
    assert voice.voice.to_dict()["duration"] == 7
    assert [(m.sticker.is_video, m.sticker.is_animated) for m in (still, video, moving) if m.sticker] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert forwarded.forward_origin is not None
    assert (forwarded.caption, len(forwarded.photo)) == ("cat", 3)


async def test_an_album_of_files_is_one_group_with_its_caption_on_the_last(
    fake: FakeTelegram, bot: Bot, ann: User
) -> None:
    fake.file_album(ann.id, ann.id, {"a.pdf": b"1", "b.txt": b"2"}, captions=["both"])
    messages = [update.message for update in await bot.get_updates() if update.message]

    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == [None, "both"]
    assert [message.document.mime_type for message in messages if message.document] == ["application/pdf", "text/plain"]


async def test_links_are_fetched_unless_the_message_says_no(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    no = LinkPreviewOptions(is_disabled=True)
    sent = await bot.send_message(ann.id, "see https://a.example", link_preview_options=no)
    await bot.send_document(ann.id, b"x", filename="a.txt", caption="https://caption.example")
    before = fake.previews
    await bot.edit_message_text("see https://b.example", ann.id, sent.message_id)

    assert (before, fake.previews) == ((), ("https://b.example",))


async def test_a_file_can_come_as_a_test_says(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    message = fake.document(ann.id, ann.id, b"abc", name="a.txt")
    file = await bot.get_file(message.media[0].file_id)
    fake.faults.add("file", Body(pieces=[b"ab"], length=3))
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()

    assert await file.download_as_bytearray() == b"abc"
    assert [(each.method, each.status) for each in fake.calls_of("file")] == [("file", 200), ("file", 200)]
    assert (await call(fake, "getFile", file_id="nothing"))[0] == 400
