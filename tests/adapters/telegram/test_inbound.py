"""Updates as the server writes them, and the events that they are."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from telegram import Update

from adapters.telegram.inbound import Account, translate
from bot.core.inbound import Edited, Event, Inbound, Invoked, Pressed, Said
from bot.core.message import AttachmentRef
from bot.core.place import Addressed, ChatKind

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNT = Account(id=7, username="parley_bot", names=("Parley", "Mr. P"))
ANN = {"id": 5, "is_bot": False, "first_name": "Ann", "last_name": "Lee"}
BOT = {"id": 7, "is_bot": True, "first_name": "Parley", "username": "parley_bot"}
OTHER_BOT = {"id": 8, "is_bot": True, "first_name": "Other", "username": "other_bot"}
PRIVATE = {"id": 5, "type": "private", "first_name": "Ann"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Group"}
FORUM = {**GROUP, "is_forum": True}

Wire = dict[str, object]


def entity(kind: str, offset: int, length: int, **more: object) -> Wire:
    return {"type": kind, "offset": offset, "length": length, **more}


def message(text: str = "", *entities: Wire, chat: Wire = PRIVATE, sender: Wire = ANN, **more: object) -> Wire:
    wire: Wire = {"message_id": 42, "date": 1_790_000_000, "chat": chat, "from": sender, **more}
    return wire | ({"text": text, "entities": list(entities)} if text else {})


def translated(wire: Wire, kind: str = "message") -> Inbound | None:
    return translate(Update.de_json({"update_id": 9, kind: wire}, None), ACCOUNT, NOW)


def event_of(wire: Wire) -> Event | None:
    inbound = translated(wire)
    return None if inbound is None else inbound.event


def said(text: str, addressed: Addressed) -> Said:
    return Said(text=text, message_id="42", addressed=addressed)


@dataclass(frozen=True)
class Case:
    name: str
    wire: Wire
    event: Event | None


MENTION = entity("mention", 0, 11)
TOPIC = {"name": "One", "icon_color": 1}
OPENING = message(chat=FORUM, message_id=3, forum_topic_created=TOPIC, sender=BOT)
FROM_BOT = message("I said", chat=GROUP, message_id=40, sender=BOT)

CASES = [
    Case("private", message("hello"), said("hello", Addressed.PRIVATE)),
    Case("private-mention-is-stripped", message("@parley_bot hi", MENTION), said("hi", Addressed.PRIVATE)),
    Case("chatter", message("hello", chat=GROUP), None),
    Case("mention", message("@parley_bot, hi", MENTION, chat=GROUP), said("hi", Addressed.MENTION)),
    Case(
        "mention-in-any-case-after-emoji",
        message("😀 @Parley_Bot, hi", entity("mention", 3, 11), chat=GROUP),
        said("😀, hi", Addressed.MENTION),
    ),
    Case(
        "bare-mention-stays",
        message("@parley_bot", MENTION, chat=GROUP),
        said("@parley_bot", Addressed.MENTION),
    ),
    Case(
        "text-mention",
        message("Bot: hi", entity("text_mention", 0, 3, user=BOT), chat=GROUP),
        said("hi", Addressed.MENTION),
    ),
    Case("someone-else-mentioned", message("@ann_lee hi", entity("mention", 0, 8), chat=GROUP), None),
    Case("named", message("what says parley?", chat=GROUP), said("what says parley?", Addressed.NAME)),
    Case("named-with-a-dot", message("mr. p: hi", chat=GROUP), said("mr. p: hi", Addressed.NAME)),
    Case("part-of-a-word", message("parleying", chat=GROUP), None),
    Case(
        "command",
        message("/Model  openai/gpt x", entity("bot_command", 0, 6)),
        Invoked(name="model", text="openai/gpt x", message_id="42"),
    ),
    Case(
        "command-for-us",
        message("/help@parley_bot\nmodel", entity("bot_command", 0, 16), chat=GROUP),
        Invoked(name="help", text="model", message_id="42"),
    ),
    Case("command-for-another", message("/help@other_bot", entity("bot_command", 0, 15), chat=GROUP), None),
    Case("command-for-another-in-private", message("/help@other_bot", entity("bot_command", 0, 15)), None),
    Case(
        "a-command-within-a-text-is-none",
        message("try /help", entity("bot_command", 4, 5)),
        said("try /help", Addressed.PRIVATE),
    ),
    Case(
        "a-forwarded-command-is-text",
        message(
            "/allow telegram:6",
            entity("bot_command", 0, 6),
            forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Eve"},
        ),
        said("/allow telegram:6", Addressed.PRIVATE),
    ),
    Case("own-message", message("hello", sender=BOT), None),
    Case("other-bot", message("hello", reply_to_message=FROM_BOT, chat=GROUP, sender=OTHER_BOT), None),
    Case(
        "other-bot-that-mentions",
        message("@parley_bot hi", MENTION, chat=GROUP, sender=OTHER_BOT),
        said("hi", Addressed.MENTION),
    ),
    Case("service", message(chat=GROUP, new_chat_members=[ANN]), None),
    Case("die", message(dice={"emoji": "🎲", "value": 3}), None),
    Case("linked-channel", message("hello parley", chat=GROUP, is_automatic_forward=True), None),
    Case(
        "opening-message-is-no-reply",
        message("hi", chat=FORUM, is_topic_message=True, message_thread_id=3, reply_to_message=OPENING),
        None,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_becomes_the_event_that_it_is(case: Case) -> None:
    assert event_of(case.wire) == case.event


def test_an_event_carries_its_place_author_and_identity() -> None:
    inbound = translated(
        message("/help", entity("bot_command", 0, 5), chat=FORUM, is_topic_message=True, message_thread_id=3)
    )

    assert inbound is not None
    assert inbound.uid == "telegram:7:-1001234567890:42"
    assert (inbound.place.chat, inbound.place.thread, inbound.place.kind) == (
        "-1001234567890",
        "3",
        ChatKind.SHARED,
    )
    assert (inbound.author.id, inbound.author.name, inbound.author.is_bot) == ("5", "Ann Lee", False)
    assert (inbound.order, inbound.at) == (42, datetime.fromtimestamp(1_790_000_000, UTC))


def test_a_thread_of_replies_outside_of_a_forum_is_no_topic() -> None:
    inbound = translated(message("/help", entity("bot_command", 0, 5), chat=GROUP, message_thread_id=3))

    assert inbound is not None
    assert inbound.place.thread is None


def test_an_anonymous_administrator_speaks_as_the_chat() -> None:
    anonymous = {"id": 1_087_968_824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    inbound = translated(message("hi parley", chat=GROUP, sender_chat=GROUP, sender=anonymous))

    assert inbound is not None
    assert (inbound.author.id, inbound.author.name, inbound.author.is_bot) == (
        "-1001234567890",
        "Group",
        False,
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [({}, "I said"), ({"quote": {"text": "said", "position": 2}}, "said")],
    ids=["all", "marked"],
)
def test_a_reply_carries_what_it_replies_to_or_the_part_that_was_marked(more: Wire, text: str) -> None:
    event = event_of(message("why?", chat=GROUP) | {"reply_to_message": FROM_BOT} | more)

    assert isinstance(event, Said)
    assert event.addressed is Addressed.REPLY
    assert event.quoted is not None
    assert (event.quoted.message_id, event.quoted.text, event.quoted.by_bot) == ("40", text, True)


def test_a_caption_counts_as_text_and_the_largest_photo_as_the_file() -> None:
    sizes = [
        {"file_id": f"p{width}", "file_unique_id": "u", "width": width, "height": width, "file_size": width}
        for width in (90, 320)
    ]
    event = event_of(message(caption="look", photo=sizes))

    assert isinstance(event, Said)
    assert event.text == "look"
    assert event.attachments == (
        AttachmentRef(id="p320", name="photo_42.jpg", media_type="image/jpeg", size_bytes=320),
    )


def test_a_document_keeps_its_name_and_type() -> None:
    document = {"file_id": "d", "file_unique_id": "u", "file_name": "a.pdf", "mime_type": "application/pdf"}
    event = event_of(message(caption="read", document=document))

    assert isinstance(event, Said)
    assert event.attachments == (AttachmentRef(id="d", name="a.pdf", media_type="application/pdf", size_bytes=None),)


def test_an_edit_has_an_identity_of_its_own() -> None:
    edited = translated(message("@parley_bot two", MENTION, chat=GROUP, edit_date=1_790_000_100), "edited_message")

    assert edited is not None
    assert edited.event == Edited(message_id="42", text="two")
    assert (edited.uid, edited.at) == ("telegram:7:u9", datetime.fromtimestamp(1_790_000_100, UTC))


def test_a_command_that_is_edited_is_not_run_again() -> None:
    assert translated(message("/new", entity("bot_command", 0, 4)), "edited_message") is None


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/search-web rain in Oslo", "search-web", "rain in Oslo"),
        ("/search_web rain", "search_web", "rain"),
        ("/search -web", "search", "-web"),
        ("/new -5 degrees", "new", "-5 degrees"),
    ],
)
def test_a_command_may_be_written_with_a_dash_where_telegram_ends_it(text: str, name: str, rest: str) -> None:
    length = len(text.split(maxsplit=1)[0].partition("-")[0])

    event = event_of(message(text, entity("bot_command", 0, length)))

    assert isinstance(event, Invoked)
    assert (event.name, event.text) == (name, rest)


def test_a_press_belongs_to_the_topic_of_its_message() -> None:
    bearer = message("Which?", chat=FORUM, is_topic_message=True, message_thread_id=3)
    query: Wire = {"id": "4000000000000000001", "from": ANN, "chat_instance": "1", "data": "retry x"}
    pressed = translated({**query, "message": bearer}, "callback_query")
    gone = translated({**query, "message": {"chat": FORUM, "message_id": 42, "date": 0}}, "callback_query")

    assert pressed is not None
    assert gone is not None
    assert pressed.event == gone.event == Pressed(line="retry x", message_id="42")
    assert (pressed.place.thread, gone.place.thread, pressed.at) == ("3", None, NOW)
    assert pressed.uid == "telegram:7:q4000000000000000001"


def test_identities_fit_into_fifty_bytes() -> None:
    account = Account(id=9_999_999_999, username="b")
    chat = {"id": -1009999999999, "type": "supergroup", "title": "G"}
    wire = message("/help", entity("bot_command", 0, 5), chat=chat, message_id=2_147_483_647)
    inbound = translate(Update.de_json({"update_id": 999_999_999, "message": wire}, None), account, NOW)

    assert inbound is not None
    assert len(inbound.uid.encode()) <= 50


def test_a_link_behind_words_is_told_with_its_address() -> None:
    linked = {**entity("text_link", 4, 4), "url": "https://example.org/a?b=c"}

    event = event_of(message("See this, please", linked))

    assert isinstance(event, Said)
    assert event.text == "See this (https://example.org/a?b=c), please"


def test_a_command_has_the_photo_of_its_message_and_what_it_replies_to() -> None:
    sizes = [{"file_id": "p", "file_unique_id": "u", "width": 90, "height": 90, "file_size": 9}]
    told = message(caption="/search_web what is it", photo=sizes)
    told["caption_entities"] = [entity("bot_command", 0, 11)]

    event = event_of(told)

    assert isinstance(event, Invoked)
    assert [ref.id for ref in event.attachments] == ["p"]
