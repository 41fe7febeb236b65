"""The pure translation: why a message is meant for the bot, and what of it the model reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from adapters.discord.inbound import (
    Around,
    addressed,
    author_of_message,
    names_pattern,
    place_of,
    quote,
    snowflake_at,
    time_of,
    translate_message,
)
from adapters.discord.markup import Payload
from bot.core.inbound import Invoked, Quoted, Said
from bot.core.place import Addressed

BOT, ADA, BOB, ROLE = "100", "200", "300", "400"
CHANNEL = place_of(BOT, "10", space="1")
THREAD = place_of(BOT, "11", space="1", parent_id="10")
DM = place_of(BOT, "12", space=None)
USERS: Mapping[str, Payload] = {
    BOT: {"id": BOT, "username": "parley", "global_name": None, "bot": True},
    ADA: {"id": ADA, "username": "ada", "global_name": "Ada L."},
    BOB: {"id": BOB, "username": "bob", "global_name": None, "bot": True},
}


def around(place: object = CHANNEL, names: tuple[str, ...] = ("Parley",)) -> Around:
    known = {("role", "77"): "Moderators", ("channel", "88"): "general"}
    return Around(
        bot_id=BOT,
        place=place,  # type: ignore[arg-type]  # the cases hold places
        name_of=lambda kind, id_: known.get((kind, id_)),
        role_id=ROLE,
        names=names_pattern(names),
    )


def message(text: str = "", *, author: str = ADA, mentions: tuple[str, ...] = (), **more: object) -> Payload:
    return {
        "id": "1573500000000000000",
        "channel_id": "10",
        "type": 0,
        "author": USERS[author],
        "content": text,
        "mentions": [USERS[user] for user in mentions],
        **more,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    message: Payload
    expected: Addressed | None
    replied: Payload | None = None
    place: object = CHANNEL


CASES = (
    Case(name="chatter", message=message("hello"), expected=None),
    Case(name="direct", message=message("hello"), place=DM, expected=Addressed.PRIVATE),
    Case(name="own words in a DM", message=message("hi", author=BOT), place=DM, expected=None),
    Case(name="mention", message=message(f"<@{BOT}> hi"), expected=Addressed.MENTION),
    Case(name="old mention", message=message(f"<@!{BOT}> hi"), expected=Addressed.MENTION),
    Case(name="role", message=message(f"<@&{ROLE}> hi"), expected=Addressed.MENTION),
    Case(name="another role", message=message("<@&401> hi"), expected=None),
    Case(name="mention in a thread", message=message(f"<@{BOT}>"), place=THREAD, expected=Addressed.MENTION),
    Case(name="everyone", message=message("@everyone", mention_everyone=True), expected=None),
    Case(name="ambient", message=message("hello"), place=THREAD, expected=Addressed.AMBIENT),
    Case(name="name", message=message("so, parley: why?"), expected=Addressed.NAME),
    Case(name="name with an at", message=message("@Parley why?"), expected=Addressed.NAME),
    Case(name="name inside a word", message=message("parleying"), expected=None),
    Case(name="name in an address", message=message("https://x.org/parley"), expected=None),
    Case(name="name as an emoji", message=message("<:parley:123>"), expected=None),
    Case(name="another bot", message=message("parley?", author=BOB), place=THREAD, expected=None),
    Case(name="another bot's mention", message=message(f"<@{BOT}>?", author=BOB), expected=Addressed.MENTION),
    Case(name="webhook", message=message("parley?", webhook_id="5"), expected=None),
    Case(name="webhook's mention", message=message(f"<@{BOT}>", webhook_id="5"), expected=Addressed.MENTION),
    Case(name="itself", message=message(f"<@{BOT}>", author=BOT), expected=None),
    Case(name="pin", message=message("", type=6), place=DM, expected=None),
    Case(name="join", message=message("", type=7), place=THREAD, expected=None),
    Case(
        name="reply to the bot", message=message("why?", type=19), replied=message("4", author=BOT),
        expected=Addressed.REPLY,
    ),
    Case(
        name="reply to somebody else", message=message("why?", type=19, mentions=(ADA,)),
        replied=message("4"), expected=None,
    ),
    Case(
        name="reply to a message of the bot that was deleted",
        message=message("why?", type=19, mentions=(BOT,), referenced_message=None),
        expected=Addressed.REPLY,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_is_meant(case: Case) -> None:
    assert addressed(case.message, around(case.place), case.replied) is case.expected


def test_without_names_nobody_is_named() -> None:
    assert names_pattern(()) is names_pattern((" ",)) is None
    assert addressed(message("parley?"), around(names=()), None) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"<@{BOT}> hi", "hi"),
        (f"hi <@!{BOT}>, you", "hi, you"),
        (f"<@&{ROLE}>\n\nhi", "hi"),
        (f"<@{BOT}> ask <@{ADA}> and <@999>", "ask @Ada L. and <@999>"),
        (f"<@{BOT}> <@&77> in <#88> or <#89>", "@Moderators in #general or <#89>"),
        (f"<@{BOT}> <:wave:123> <a:dance:456>", ":wave: :dance:"),
        (f"<@{BOT}> since <t:1700000000:R>", "since 2023-11-14 22:13 UTC"),
        (f"<@{BOT}> since <t:999999999999>", "since <t:999999999999>"),
        (f"<@{BOT}> use </model:123>", "use /model"),
        (f"<@{BOT}> x < y > z <b>", "x < y > z <b>"),
    ],
)
def test_markup_is_read_as_people_see_it(written: str, read: str) -> None:
    inbound = translate_message(message(written, mentions=(ADA, BOT)), around())

    assert inbound is not None
    assert isinstance(inbound.event, Said)
    assert inbound.event.text == read


def test_identity_order_and_time_come_from_the_id() -> None:
    inbound = translate_message(message(f"<@{BOT}> hi"), around())

    assert inbound is not None
    assert inbound.uid == "discord:1573500000000000000"
    assert inbound.order == 1573500000000000000
    assert inbound.at == time_of("1573500000000000000")
    assert inbound.at.tzinfo is UTC
    assert len(inbound.uid.encode()) <= 50


def test_an_id_and_a_time_are_two_ways_to_say_the_same() -> None:
    moment = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)

    assert time_of(str(snowflake_at(moment))) == moment
    assert snowflake_at(datetime(2001, 1, 1, tzinfo=UTC)) == 0


def test_the_nickname_of_the_server_wins() -> None:
    assert author_of_message(message(member={"nick": "Countess"})).name == "Countess"
    assert author_of_message(message(member={"nick": None})).name == "Ada L."
    assert author_of_message(message(author=BOB)).name == "bob"


def test_a_quote_tells_of_files_and_whether_the_bot_said_it() -> None:
    file = {"id": "9", "filename": "a.png", "content_type": "image/png", "size": 5, "url": "x"}

    quoted = quote(message("look", attachments=[file]), around())

    assert replace(quoted, attachments=()) == Quoted(
        message_id="1573500000000000000", author_name="Ada L.", text="look\n[file: a.png]"
    )
    assert quote(message("four", author=BOT), around()).by_bot


def test_a_sticker_is_something_said() -> None:
    inbound = translate_message(message("", sticker_items=[{"name": "wave"}]), around(DM))

    assert inbound is not None
    assert isinstance(inbound.event, Said)
    assert inbound.event.text == "[sticker: wave]"


def test_a_forwarded_message_is_part_of_the_text() -> None:
    snapshot = {"message": {"content": "one\ntwo"}}
    inbound = translate_message(message(f"<@{BOT}> sum up", message_snapshots=[snapshot]), around())

    assert inbound is not None
    assert isinstance(inbound.event, Said)
    assert inbound.event.text == "sum up\nForwarded message:\n> one\n> two"


@pytest.mark.parametrize("place", [CHANNEL, DM])
def test_a_known_command_may_be_typed_to_the_bot(place: object) -> None:
    known = replace(around(place), commands=frozenset({"pair"}))
    typed = translate_message(message(f"<@{BOT}> /pair  AB CD "), known)
    unknown = translate_message(message(f"<@{BOT}> /pear AB"), known)
    ambient = translate_message(message("/pair AB"), replace(known, place=THREAD))

    assert typed is not None
    assert typed.event == Invoked(name="pair", text="AB CD", message_id="1573500000000000000")
    assert unknown is not None
    assert isinstance(unknown.event, Said)
    assert ambient is not None
    assert isinstance(ambient.event, Said)


def test_a_message_with_nothing_in_it_is_no_question_but_a_bare_mention_is() -> None:
    assert translate_message(message(""), around(DM)) is None
    assert translate_message(message(f"<@{BOT}>"), around()) is not None
