"""Files in updates, and what the core is told of them."""

import pytest
from telegram import Update

from adapters.telegram.inbound import Account, translate_messages
from bot.core.inbound import Event, Invoked, Said
from bot.core.message import AttachmentRef
from bot.core.place import Addressed

ACCOUNT = Account(id=7, username="parley_bot", names=("Parley",))
ANN = {"id": 5, "is_bot": False, "first_name": "Ann"}
BOB = {"id": 6, "is_bot": False, "first_name": "Bob"}
BOT = {"id": 7, "is_bot": True, "first_name": "Parley", "username": "parley_bot"}
OTHER_BOT = {"id": 8, "is_bot": True, "first_name": "Other", "username": "other_bot"}
PRIVATE = {"id": 5, "type": "private", "first_name": "Ann"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Group"}

Wire = dict[str, object]


def file(number: int, **more: object) -> Wire:
    return {"file_id": f"f{number}", "file_unique_id": f"u{number}", "file_size": number, **more}


def photo(number: int) -> list[Wire]:
    return [file(number + 100, width=90, height=90), file(number, width=1280, height=720)]


def message(number: int = 42, *, chat: Wire = PRIVATE, sender: Wire = ANN, **more: object) -> Wire:
    return {"message_id": number, "date": 1_790_000_000, "chat": chat, "from": sender, **more}


def heard(*wires: Wire) -> Event | None:
    updates = [Update.de_json({"update_id": 9, "message": wire}, None) for wire in wires]
    inbound = translate_messages([update.message for update in updates if update.message is not None], ACCOUNT)
    return None if inbound is None else inbound.event


def said(*wires: Wire) -> Said:
    event = heard(*wires)
    assert isinstance(event, Said)
    return event


def ref(name: str, media_type: str | None, *, number: int = 1, **more: object) -> AttachmentRef:
    return AttachmentRef(id=f"f{number}", name=name, media_type=media_type, size_bytes=number, **more)  # type: ignore[arg-type]  # two fields


MP4 = {"width": 320, "height": 240, "duration": 4}
STICKER = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": "🐱"}

FILES: list[tuple[str, Wire, AttachmentRef]] = [
    ("photo", {"photo": photo(1)}, ref("photo_42.jpg", "image/jpeg")),
    ("document", {"document": file(1, file_name="a.pdf", mime_type="application/pdf")},
     ref("a.pdf", "application/pdf")),
    ("image-as-file", {"document": file(1, file_name="a.heic", mime_type="image/heic")}, ref("a.heic", "image/heic")),
    ("nameless", {"document": file(1, mime_type="application/pdf")}, ref("file_42.pdf", "application/pdf")),
    ("typeless", {"document": file(1)}, ref("file_42", None)),
    ("audio", {"audio": file(1, duration=60, file_name="a.mp3", mime_type="audio/mpeg")},
     ref("a.mp3", "audio/mpeg", duration_s=60.0)),
    ("nameless-audio", {"audio": file(1, duration=60, mime_type="audio/mpeg")},
     ref("audio_42.mp3", "audio/mpeg", duration_s=60.0)),
    ("voice", {"voice": file(1, duration=3, mime_type="audio/ogg")},
     ref("voice_42.ogg", "audio/ogg", duration_s=3.0, spoken=True)),
    ("typeless-voice", {"voice": file(1, duration=3)}, ref("voice_42.ogg", "audio/ogg", duration_s=3.0, spoken=True)),
    ("video", {"video": file(1, **MP4, mime_type="video/mp4", file_name="a.mov")},
     ref("a.mov", "video/mp4", duration_s=4.0)),
    ("nameless-video", {"video": file(1, **MP4)}, ref("video_42.mp4", "video/mp4", duration_s=4.0)),
    ("video-note", {"video_note": file(1, duration=5, length=240)},
     ref("video_note_42.mp4", "video/mp4", duration_s=5.0)),
    ("animation", {"animation": file(1, **MP4), "document": file(1)},
     ref("animation_42.mp4", "video/mp4", duration_s=4.0)),
    ("sticker", {"sticker": file(1, **STICKER)}, ref("sticker_42.webp", "image/webp")),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_each_kind_of_file_is_announced(fields: Wire, expected: AttachmentRef) -> None:
    event = said(message() | fields)

    assert event.attachments == (expected,)
    assert event.text == ""


@pytest.mark.parametrize(("moving", "emoji"), [("is_animated", "🐱"), ("is_video", None)])
def test_a_sticker_that_moves_is_a_word(moving: str, emoji: str | None) -> None:
    event = said(message(sticker=file(1, **STICKER | {moving: True, "emoji": emoji})))

    assert (event.text, event.attachments) == ("[sticker: 🐱]" if emoji else "[sticker]", ())


def test_a_size_that_is_not_told_is_unknown() -> None:
    (found,) = said(message(document={"file_id": "f", "file_unique_id": "u"})).attachments

    assert found.size_bytes is None


@pytest.mark.parametrize(
    "not_own",
    [
        {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Eve"}},
        {"via_bot": OTHER_BOT},
    ],
    ids=["forwarded", "via a bot"],
)
def test_a_recording_of_somebody_else_was_not_spoken_here(not_own: Wire) -> None:
    (voice,) = said(message(voice=file(1, duration=3)) | not_own).attachments

    assert (voice.duration_s, voice.spoken) == (3.0, False)


# --- albums ---


def test_an_album_of_documents_has_its_caption_on_the_last() -> None:
    first, last = (message(n, media_group_id="1", document=file(n, file_name=f"{n}.pdf")) for n in (42, 43))
    event = said(first, last | {"caption": "compare"})

    assert (event.text, event.message_id) == ("compare", "42")
    assert [found.name for found in event.attachments] == ["42.pdf", "43.pdf"]


def test_all_captions_of_an_album_are_read_in_their_order() -> None:
    event = said(*(message(n, media_group_id="1", photo=photo(n), caption=f"no. {n}") for n in (42, 43)))

    assert event.text == "no. 42\nno. 43"


def test_an_album_in_a_group_is_meant_for_the_bot_when_any_caption_says_so() -> None:
    one = message(42, chat=GROUP, media_group_id="1", photo=photo(1), caption="before")
    two = message(43, chat=GROUP, media_group_id="1", photo=photo(2), caption="after, parley?")
    event = said(one, two)

    assert (event.addressed, event.text, len(event.attachments)) == (Addressed.NAME, "before\nafter, parley?", 2)
    assert heard(one, two | {"caption": "after"}) is None


def test_an_album_that_replies_to_the_bot_needs_no_caption_on_the_message_that_replies() -> None:
    own = message(40, chat=GROUP, sender=BOT, text="Show me.")
    one = message(42, chat=GROUP, media_group_id="1", photo=photo(1), caption="here", reply_to_message=None)
    two = message(43, chat=GROUP, media_group_id="1", photo=photo(2), reply_to_message=own)
    event = said({name: value for name, value in one.items() if value is not None}, two)

    assert (event.addressed, event.text, len(event.attachments)) == (Addressed.REPLY, "here", 2)


# --- replies ---


def test_the_picture_that_is_replied_to_comes_after_the_own_one() -> None:
    shown = message(40, chat=GROUP, sender=BOB, photo=photo(1), caption="our cat")
    event = said(message(chat=GROUP, photo=photo(2), caption="parley, the same?", reply_to_message=shown))

    assert [found.id for found in event.attachments] == ["f2", "f1"]
    assert event.quoted is not None
    assert (event.quoted.text, event.quoted.author_name) == ("our cat\n[file: photo_40.jpg]", "Bob")
    assert event.quoted.attachments == event.attachments[1:]


def test_a_reply_to_a_picture_without_words_is_about_the_picture() -> None:
    shown = message(40, chat=GROUP, sender=BOB, voice=file(1, duration=2))
    event = said(message(chat=GROUP, text="parley, what does he say?", reply_to_message=shown))

    assert [(found.id, found.duration_s, found.spoken) for found in event.attachments] == [("f1", 2.0, False)]
    assert event.quoted is not None
    assert event.quoted.text == "[file: voice_40.ogg]"


@pytest.mark.parametrize("sender", [BOT, OTHER_BOT], ids=["own", "another bot's"])
def test_files_of_bots_are_not_taken_from_a_reply(sender: Wire) -> None:
    answer = message(40, sender=sender, document=file(1, file_name="answer.md"), caption="All of it")
    event = said(message(text="shorter", reply_to_message=answer))

    assert event.attachments == ()
    assert event.quoted is not None
    assert (event.quoted.text, event.quoted.attachments) == ("All of it\n[file: answer.md]", ())


def test_the_part_that_was_marked_is_quoted_with_the_file() -> None:
    shown = message(40, sender=ANN, photo=photo(1), caption="our old cat")
    event = said(message(text="how old?", reply_to_message=shown, quote={"text": "old cat", "position": 4}))

    assert event.quoted is not None
    assert event.quoted.text == "old cat\n[file: photo_40.jpg]"


def test_the_files_of_a_whole_album_come_before_that_of_the_reply_and_none_is_left_out_without_a_word() -> None:
    shown = message(40, sender=ANN, photo=photo(1))
    album = [message(n, media_group_id="1", photo=photo(n), reply_to_message=shown) for n in range(42, 52)]
    event = said(*album)

    assert [found.id for found in event.attachments] == [*(f"f{n}" for n in range(42, 52)), "f1"]


USER_ORIGIN = {"type": "user", "date": 1, "sender_user": BOB}
HIDDEN_ORIGIN = {"type": "hidden_user", "date": 1, "sender_user_name": "Bob"}
CHAT_ORIGIN = {"type": "chat", "date": 1, "sender_chat": GROUP | {"title": "Bob"}}
CHANNEL_ORIGIN = {"type": "channel", "date": 1, "message_id": 3, "chat": GROUP | {"title": "Bob", "type": "channel"}}


@pytest.mark.parametrize("origin", [USER_ORIGIN, HIDDEN_ORIGIN, CHAT_ORIGIN, CHANNEL_ORIGIN], ids=lambda o: o["type"])
def test_a_picture_of_another_chat_can_be_replied_to(origin: Wire) -> None:
    external = {"origin": origin, "photo": photo(1)}
    event = said(message(text="what is this?", external_reply=external, quote={"text": "our cat", "position": 0}))

    assert [found.id for found in event.attachments] == ["f1"]
    assert event.quoted is not None
    assert (event.quoted.author_name, event.quoted.text) == ("Bob", "our cat\n[file: photo_42.jpg]")
    assert not event.quoted.message_id.isdigit()


def test_files_of_bots_are_not_taken_from_another_chat() -> None:
    external = {"origin": USER_ORIGIN | {"sender_user": OTHER_BOT}, "document": file(1, file_name="a.md")}
    event = said(message(text="what is this?", external_reply=external))

    assert event.attachments == ()
    assert event.quoted is not None
    assert event.quoted.text == "[file: a.md]"


# --- commands ---


def test_a_command_as_a_caption_is_a_command() -> None:
    command: Wire = {"caption": "/new", "caption_entities": [{"type": "bot_command", "offset": 0, "length": 4}]}

    event = heard(message(photo=photo(1)) | command)

    assert isinstance(event, Invoked)
    assert (event.name, event.text, event.message_id) == ("new", "", "42")
    assert len(event.attachments) == 1
