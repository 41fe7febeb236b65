"""Documents of values: what goes in comes out, and older and newer documents can be read."""

from dataclasses import replace

import bson
import pytest
from bson.codec_options import CodecOptions

from bot.core.inbound import Deleted, Edited, Event, Inbound, Invoked, Pressed, Quoted, Said
from bot.core.message import AttachmentRef
from bot.core.place import Addressed
from bot.core.turn_record import Item
from bot.storage.codec import from_document, to_document
from tests.bot.storage.samples import command, item

QUOTED = Quoted(message_id="1", author_name="$Bob", text="a.b", by_bot=True)
EVENTS: tuple[Event, ...] = (
    Said(
        text="$x",
        message_id="5",
        addressed=Addressed.REPLY,
        quoted=QUOTED,
        attachments=(AttachmentRef(id="f", name="n", media_type="image/png", size_bytes=None),),
    ),
    Invoked(name="model", text="a b", options={"$a": "1", "b.c": "2"}),
    Pressed(line="retry telegram:1", message_id="5"),
    Edited(message_id="5", text=""),
    Deleted(message_id="5"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_kind_of_event_survives_the_database(event: Event) -> None:
    inbound = replace(command(1), event=event)

    wire = bson.encode(to_document(inbound))

    assert from_document(Inbound, bson.decode(wire, CodecOptions(tz_aware=True))) == inbound


def test_a_field_that_an_older_version_did_not_write_takes_its_default() -> None:
    document = to_document(replace(item(1), quoted=QUOTED))
    del document["quoted"], document["attachments"]

    assert from_document(Item, document) == item(1)


def test_a_field_that_only_a_newer_version_knows_is_passed_over() -> None:
    assert from_document(Item, {**to_document(item(1)), "mood": "fine", "k": 7}) == item(1)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("\ud83e\udd9c", "🦜"), ("a\ud83eb", "a\ufffdb"), ("\udd9c", "\ufffd"), ("🦜 \x00", "🦜 \x00")],
    ids=["pair", "first half", "second half", "well formed"],
)
def test_text_with_halves_of_characters_can_be_stored(text: str, stored: str) -> None:
    wire = bson.encode(to_document(item(1, text)))

    assert bson.decode(wire)["text"] == stored


def test_a_field_without_a_default_is_missed() -> None:
    document = to_document(item(1))
    del document["uid"]

    with pytest.raises(TypeError, match="uid"):
        from_document(Item, document)
