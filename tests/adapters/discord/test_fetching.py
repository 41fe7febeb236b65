"""Files over the wire: who may be asked for them, what is too much, and what happens to old addresses."""

import logging
from collections.abc import Sequence

import pytest

from adapters.discord.rest import Rest
from bot.core.clock import SystemClock
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.message import AttachmentRef
from tests.adapters.discord.door import Door
from tests.fakes.body import Body
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Drop, Respond
from tests.fakes.discord.records import Upload

NOTE = Upload(filename="nöte & co, 100%.txt", content=b"abc")


async def announced(fake: FakeDiscord, door: Door, channel: int, *files: Upload) -> Sequence[AttachmentRef]:
    fake.say(channel, fake.add_user().id, "see", mentions=[fake.bot_user_id], attachments=files)
    (said,) = await door.core.said()
    return said.attachments


async def fetched(door: Door, channel: int, ref: AttachmentRef, *, max_bytes: int = 1_000) -> bytes:
    return await door.messenger.fetch(door.place(channel), ref, max_bytes=max_bytes)


async def refusal(door: Door, channel: int, ref: AttachmentRef, *, max_bytes: int = 1_000) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await fetched(door, channel, ref, max_bytes=max_bytes)
    return caught.value


async def test_several_files_are_one_question_and_each_is_read_under_its_signed_address(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    picture = Upload(filename="a.png", content=b"png")
    refs = await announced(fake, door, channel, NOTE, picture)

    assert [ref.name for ref in refs] == ["nöte & co, 100%.txt", "a.png"]
    assert [await fetched(door, channel, ref) for ref in refs] == [b"abc", b"png"]
    assert all("hm=" in asked and asked.endswith("&") for asked in fake.downloads)
    assert fake.count_requests("GET", "/messages/") == 0


async def test_an_old_address_is_replaced_by_a_new_one_once(fake: FakeDiscord, door: Door, channel: int) -> None:
    (ref,) = await announced(fake, door, channel, NOTE)
    fake.advance(25 * 3600)

    assert [await fetched(door, channel, ref) for _ in range(2)] == [b"abc", b"abc"]
    assert len(fake.downloads) == 3
    assert fake.count_requests("GET", "/messages/") == 1


async def test_after_a_restart_the_address_comes_from_the_message(fake: FakeDiscord, door: Door, channel: int) -> None:
    asked = fake.say(channel, fake.add_user().id, "chatter", attachments=[NOTE])
    ref = AttachmentRef(id=f"{channel}/{asked.id}/{asked.attachments[0].id}", name="", media_type=None, size_bytes=None)

    assert await fetched(door, channel, ref) == b"abc"


@pytest.mark.parametrize("gone", ["message", "file", "unknown"])
async def test_a_file_that_is_gone_is_not_found(fake: FakeDiscord, door: Door, channel: int, gone: str) -> None:
    asked = fake.say(channel, fake.add_user().id, "chatter", attachments=[NOTE])
    ids = {"message": f"{channel}/{asked.id}/{asked.attachments[0].id}", "file": f"{channel}/{asked.id}/1"}
    if gone == "message":
        fake.delete(asked.id)
    ref = AttachmentRef(id=ids.get(gone, "1/2"), name="", media_type=None, size_bytes=None)

    assert (await refusal(door, channel, ref)).kind is DeliveryKind.NOT_FOUND


async def test_a_picture_that_somebody_else_posted_is_read_for_a_reply_also_from_the_thread_above(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    bob, ada = fake.add_user("bob"), fake.add_user("ada")
    shown = fake.say(channel, bob.id, "", attachments=[Upload(filename="cat.png", content=b"cat")])
    asked = fake.say(channel, ada.id, "what is this?", mentions=[fake.bot_user_id], reply_to=shown.id)
    (said,) = await door.core.said()
    thread = fake.add_thread(channel, message_id=asked.id)
    (ref,) = said.attachments
    fresh = await fetched(door, thread.id, ref)
    fake.advance(25 * 3600)

    assert ref.name == "cat.png"
    assert [fresh, await fetched(door, thread.id, ref)] == [b"cat", b"cat"]


async def test_the_starter_of_a_thread_brings_its_files_along(fake: FakeDiscord, door: Door, channel: int) -> None:
    bob, ada = fake.add_user("bob"), fake.add_user("ada")
    starter = fake.say(channel, bob.id, "our cat", attachments=[Upload(filename="cat.png", content=b"cat")])
    thread = fake.add_thread(channel, message_id=starter.id)
    fake.say(thread.id, ada.id, "how old?", mentions=[fake.bot_user_id])
    (said,) = await door.core.said()

    assert said.attachments == ()
    assert said.starter is not None
    (ref,) = said.starter.attachments
    assert await fetched(door, thread.id, ref) == b"cat"


async def test_a_forwarded_file_is_read_and_its_address_renewed(fake: FakeDiscord, door: Door, channel: int) -> None:
    ada = fake.add_user("ada")
    original = fake.say(channel, ada.id, "look", attachments=[NOTE])
    fake.forward(original.id, fake.add_dm(ada.id).id, ada.id)
    (said,) = await door.core.said()
    (ref,) = said.attachments
    fresh = await fetched(door, fake.add_dm(ada.id).id, ref)
    fake.advance(25 * 3600)

    assert said.text == "Forwarded message:\n> look"
    assert [fresh, await fetched(door, channel, ref)] == [b"abc", b"abc"]


async def test_a_voice_message_is_heard_in_private(fake: FakeDiscord, door: Door) -> None:
    ada = fake.add_user("ada")
    fake.voice_say(fake.add_dm(ada.id).id, ada.id, b"OggS", duration_s=1.5)
    (said,) = await door.core.said()
    (ref,) = said.attachments

    assert (ref.name, ref.media_type, ref.duration_s, ref.spoken) == ("voice-message.ogg", "audio/ogg", 1.5, True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Body(pieces=[b"x" * 600] * 2), DeliveryKind.INVALID),
        (Body(pieces=[b"x"], length=1_001), DeliveryKind.INVALID),
        (Body(pieces=[b"x"], length=900), DeliveryKind.TRANSIENT),
        (Body(pieces=[b"\x1f\x8b"], encoding="gzip"), DeliveryKind.TRANSIENT),
        (Respond(status=500), DeliveryKind.TRANSIENT),
        (Respond(status=429, body="slow down"), DeliveryKind.TRANSIENT),
        (Respond(status=302, headers={"Location": "http://127.0.0.1:9/"}), DeliveryKind.INVALID),
        (Respond(status=404), DeliveryKind.NOT_FOUND),
        (Respond(status=403), DeliveryKind.FORBIDDEN),
    ],
    ids=["more", "announced", "cut", "compressed", "500", "429", "redirect", "404", "403"],
)
async def test_what_is_wrong_with_a_file_has_its_kind_and_stops_nothing_else(
    fake: FakeDiscord, door: Door, channel: int, fault: Body | Respond, kind: DeliveryKind
) -> None:
    (ref,) = await announced(fake, door, channel, NOTE)
    fake.faults.add("GET", "^/attachments/", fault, times=None)
    error = await refusal(door, channel, ref)
    fake.faults.clear()

    assert error.kind is kind
    assert "hm=" not in str(error)
    assert await fetched(door, channel, ref) == b"abc"


async def test_a_file_that_is_announced_too_large_is_not_even_asked_for(
    fake: FakeDiscord, door: Door, channel: int
) -> None:
    (ref,) = await announced(fake, door, channel, NOTE)

    assert (await refusal(door, channel, ref, max_bytes=2)).kind is DeliveryKind.INVALID
    assert await fetched(door, channel, ref, max_bytes=3) == b"abc"
    assert len(fake.downloads) == 1


async def test_a_look_up_that_breaks_may_be_repeated(fake: FakeDiscord, door: Door, channel: int) -> None:
    asked = fake.say(channel, fake.add_user().id, "chatter", attachments=[NOTE])
    ref = AttachmentRef(id=f"{channel}/{asked.id}/1", name="", media_type=None, size_bytes=None)
    fake.faults.add("GET", "/messages/", Drop(), times=None)

    assert (await refusal(door, channel, ref)).kind is DeliveryKind.TRANSIENT


async def test_a_body_that_stops_coming_ends_in_time_and_tells_no_address(
    fake: FakeDiscord, channel: int, caplog: pytest.LogCaptureFixture
) -> None:
    asked = fake.say(channel, fake.add_user().id, "chatter", attachments=[NOTE])
    fake.faults.add("GET", "^/attachments/", Body(pieces=[b"x"], hangs=True))
    rest = Rest(fake.token, fake.url, SystemClock())
    rest.open()
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        await rest.download(fake.world.attachment_url(asked.attachments[0]), max_bytes=10, timeout_s=0.2)
    await rest.aclose()

    assert caught.value.kind is DeliveryKind.TRANSIENT
    assert "hm=" not in f"{caplog.text}{caught.value!r}"
