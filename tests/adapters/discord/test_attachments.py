"""Files of messages as the gateway tells of them, and the events that they become."""

from collections.abc import Mapping

import pytest

from adapters.discord.attachments import FileId, announced
from adapters.discord.inbound import Around, place_of, translate_message
from adapters.discord.markup import Payload
from bot.core.inbound import Said
from bot.core.message import AttachmentRef
from bot.core.place import Place

BOT, ADA, BOB, HOOK = "100", "200", "300", "400"
USERS: Mapping[str, Payload] = {
    BOT: {"id": BOT, "username": "parley", "global_name": None, "bot": True},
    ADA: {"id": ADA, "username": "ada", "global_name": "Ada"},
    BOB: {"id": BOB, "username": "bob", "global_name": "Bob"},
    HOOK: {"id": HOOK, "username": "hook", "global_name": None, "bot": True},
}
CHANNEL = place_of(BOT, "10", space="1")
THREAD = place_of(BOT, "11", space="1", parent_id="10")
DM = place_of(BOT, "12", space=None)


def around(place: Place = DM) -> Around:
    return Around(bot_id=BOT, place=place, name_of=lambda kind, id_: None)


def file(number: int, **more: object) -> Payload:
    return {
        "id": str(number),
        "filename": f"{number}.png",
        "content_type": "image/png",
        "size": number,
        "url": f"https://cdn/{number}",
        **more,
    }


def message(text: str = "", *files: Payload, author: str = ADA, **more: object) -> Payload:
    return {
        "id": "50",
        "channel_id": "10",
        "type": 0,
        "author": USERS[author],
        "content": text,
        "attachments": list(files),
        **more,
    }


def said(payload: Payload, place: Place = DM, replied: Payload | None = None) -> Said:
    inbound = translate_message(payload, around(place), replied=replied)
    assert inbound is not None
    assert isinstance(inbound.event, Said)
    return inbound.event


def ids(event: Said) -> list[str]:
    return [ref.id for ref in event.attachments]


def test_a_file_is_announced_with_all_that_discord_says_of_it() -> None:
    event = said(message("", file(7)))

    assert event.text == ""
    assert event.attachments == (AttachmentRef(id="10/50/7", name="7.png", media_type="image/png", size_bytes=7),)


def test_what_discord_does_not_say_is_unknown() -> None:
    (ref,) = said(message("", {"id": "7", "filename": "notes", "url": "x"})).attachments

    assert (ref.media_type, ref.size_bytes, ref.duration_s) == (None, None, None)


@pytest.mark.parametrize(
    ("written", "told"), [("SPOILER_end.png", "end.png"), ("SPOILER_", "SPOILER_"), ("aSPOILER_b", "aSPOILER_b")]
)
def test_a_spoiler_has_its_own_name(written: str, told: str) -> None:
    (ref,) = said(message("", file(7, filename=written))).attachments

    assert ref.name == told


def test_a_voice_message_was_spoken_and_a_recording_that_was_uploaded_was_not() -> None:
    recording = file(7, filename="voice-message.ogg", content_type="audio/ogg", duration_secs=2.5, waveform="AA==")
    (voice,) = said(message("", recording, flags=1 << 13)).attachments
    (upload,) = said(message("", recording)).attachments

    assert (voice.duration_s, voice.spoken) == (2.5, True)
    assert (upload.duration_s, upload.spoken) == (2.5, False)


def test_a_forwarded_message_brings_its_text_and_its_files_but_nobodys_voice() -> None:
    snapshot = {"message": {"content": "look", "attachments": [file(8)], "flags": 1 << 13}}
    forward = message("", message_snapshots=[snapshot], flags=1 << 14)
    event = said(forward)

    assert event.text == "Forwarded message:\n> look"
    assert ids(event) == ["10/50/8"]
    assert not event.attachments[0].spoken
    assert [found.url for found in announced(forward)] == ["https://cdn/8"]


def test_the_files_of_the_message_replied_to_come_after_the_own_ones() -> None:
    replied = message("which?", file(1), file(2), author=BOB, id="40", flags=1 << 13)
    event = said(message("this", file(7), type=19), replied=replied)

    assert ids(event) == ["10/50/7", "10/40/1", "10/40/2"]
    assert event.quoted is not None
    assert [ref.id for ref in event.quoted.attachments] == ["10/40/1", "10/40/2"]
    assert event.quoted.text == "which?\n[file: 1.png] [file: 2.png]"
    assert not any(ref.spoken for ref in event.attachments)


@pytest.mark.parametrize("author", [BOT, HOOK])
def test_files_of_bots_are_not_taken_from_a_reply(author: str) -> None:
    event = said(message("why?", type=19), replied=message("", file(1), author=author, id="40"))

    assert event.attachments == ()
    assert event.quoted is not None
    assert (event.quoted.attachments, event.quoted.text) == ((), "[file: 1.png]")


def test_its_own_files_come_first_and_none_is_left_out_without_a_word() -> None:
    replied = message("", *(file(number) for number in range(1, 9)), author=BOB, id="40")
    event = said(message("", *(file(number) for number in range(11, 15)), type=19), replied=replied)

    assert ids(event) == [*(f"10/50/{number}" for number in range(11, 15)), *(f"10/40/{n}" for n in range(1, 9))]


@pytest.mark.parametrize(("place", "heard"), [(CHANNEL, False), (THREAD, True), (DM, True)])
def test_a_file_without_words_is_heard_where_words_would_be(place: Place, heard: bool) -> None:
    assert (translate_message(message("", file(7)), around(place)) is not None) is heard


def test_an_id_that_is_not_ours_leads_nowhere() -> None:
    assert FileId.parse("10/50/7") == FileId("10", "50", "7")
    assert FileId.parse("50/7") is None
