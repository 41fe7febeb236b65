"""Texts, entities and keyboards as the fake checks them, driven by the real `Bot`."""

from dataclasses import dataclass

import pytest
from telegram import Bot, MessageEntity
from telegram.error import (
    BadRequest,
)

from tests.fakes.telegram.driving import call, keyboard
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


@dataclass(frozen=True)
class Refused:
    text: str
    reason: str
    entities: tuple[MessageEntity, ...] = ()
    parse_mode: str | None = None


@pytest.mark.parametrize(
    "case",
    [
        Refused("", "Message text is empty"),
        Refused(" \n\t", "Text must be non-empty"),
        Refused("x" * 4097, "Message is too long"),
        Refused("a😀b", "Entity begins in a middle of a utf-16 symbol", (MessageEntity("bold", 2, 1),)),
        Refused("a😀b", "ends in a middle of a utf-16 symbol", (MessageEntity("bold", 0, 2),)),
        Refused("abc", "ends after the end of the text at utf-16 offset 4", (MessageEntity("bold", 1, 3),)),
        Refused("abc", "Unsupported type specified", (MessageEntity("blink", 0, 1),)),
        Refused("v1.0", "Character '.' is reserved and must be escaped with the preceding '\\'", (), "MarkdownV2"),
        Refused("*open", "Can't find end of Bold entity at byte offset 0", (), "MarkdownV2"),
        Refused("<b>x</b>", "the fake refuses parse_mode html", (), "HTML"),
    ],
    ids=lambda case: case.reason[:30],
)
async def test_a_bad_text_is_refused(fake: FakeTelegram, bot: Bot, ann: User, case: Refused) -> None:
    with pytest.raises(BadRequest) as caught:
        await bot.send_message(ann.id, case.text, entities=case.entities, parse_mode=case.parse_mode)

    assert case.reason.lower() in caught.value.message.lower()
    assert fake.bot_messages(ann.id) == ()


async def test_text_is_trimmed_and_entities_follow(bot: Bot, ann: User) -> None:
    bold = MessageEntity("bold", 3, 4)
    code = MessageEntity("code", 10, 5)
    nested_in_code = MessageEntity("italic", 11, 2)

    sent = await bot.send_message(ann.id, "  \n😀ab and\ttab end  \n", entities=[bold, code, nested_in_code])

    assert sent.text == "😀ab and tab end"
    assert [(entity.type, entity.offset, entity.length) for entity in sent.entities] == [
        ("bold", 0, 4),
        ("code", 7, 5),
    ]


async def test_entities_after_the_hundredth_are_dropped(bot: Bot, ann: User) -> None:
    many = [MessageEntity("bold", 2 * at, 1) for at in range(120)]

    assert len((await bot.send_message(ann.id, "x " * 120, entities=many)).entities) == 100


async def test_markdown_v2_becomes_entities(bot: Bot, ann: User) -> None:
    source = "*bold _both_* `a.b` [site](https://a.io/\\)x) ||s||\n```py\nx=1\n```\n>quote"

    sent = await bot.send_message(ann.id, source, parse_mode="MarkdownV2")

    assert sent.text == "bold both a.b site s\nx=1\n\nquote"
    assert [entity.type for entity in sent.entities] == [
        *("bold", "italic", "code", "text_link", "spoiler", "pre", "blockquote")
    ]


async def test_mentions_are_recorded_unless_they_are_code(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    mention = MessageEntity("text_mention", 0, 2, user=(await bot.get_me()))
    await bot.send_message(ann.id, "hi @ann_lee and @nobody_here", entities=[mention])
    await bot.send_message(ann.id, "hi @ann_lee", entities=[MessageEntity("code", 3, 8)])
    pinging, silent = fake.bot_messages(ann.id)

    assert [(ping.user_id, ping.username) for ping in pinging.pings] == [
        (fake.bot_user.id, None),
        (ann.id, "ann_lee"),
        (None, "nobody_here"),
    ]
    assert silent.pings == ()


async def test_edits_keep_every_revision_and_refuse_what_changes_nothing(
    fake: FakeTelegram, bot: Bot, ann: User
) -> None:
    sent = await bot.send_message(ann.id, "one", reply_markup=keyboard("Stop"))
    await bot.edit_message_text("two", ann.id, sent.message_id, reply_markup=keyboard("Stop"))
    with pytest.raises(BadRequest, match="not modified: specified new message content"):
        await bot.edit_message_text("two ", ann.id, sent.message_id, reply_markup=keyboard("Stop"))
    await bot.edit_message_text("two", ann.id, sent.message_id)
    (message,) = fake.bot_messages(ann.id)

    assert [revision.text for revision in message.revisions] == ["one", "two", "two"]
    assert (message.buttons, message.edit_date is None) == ((), False)


async def test_messages_that_cannot_be_edited_or_found(fake: FakeTelegram, bot: Bot, ann: User) -> None:
    theirs = fake.say(ann.id, ann.id, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", ann.id, theirs.id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", ann.id, 999)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ann.id, 999)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(12, "x")
    assert await bot.delete_message(ann.id, theirs.id)

    assert fake.history(ann.id)[0].deleted_at is not None


@pytest.mark.parametrize("data", ["", "x" * 65, "ü" * 33], ids=["empty", "ascii", "two-byte"])
async def test_callback_data_has_1_to_64_bytes(fake: FakeTelegram, ann: User, data: str) -> None:
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": data}]]}

    assert await call(fake, "sendMessage", chat_id=ann.id, text="x", reply_markup=markup) == (
        400,
        "Bad Request: BUTTON_DATA_INVALID",
    )
