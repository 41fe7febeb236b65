"""Files over the wire: limits, broken bodies, and a token that nobody gets to see."""

import logging

import pytest

from adapters.telegram.messenger import TelegramMessenger
from adapters.telegram.wire import Connection, Unreachable
from bot.core.errors import DeliveryError, DeliveryKind
from bot.core.inbound import Said
from bot.core.message import AttachmentRef
from tests.adapters.telegram.driving import add_to_album, door_to
from tests.adapters.telegram.talking import place_of
from tests.fakes.body import Body
from tests.fakes.telegram.faults import BAD_GATEWAY, Action, Drop, Respond
from tests.fakes.telegram.model import User
from tests.fakes.telegram.server import FakeTelegram


def ref_of(fake: FakeTelegram, ann: User, data: bytes = b"abc", name: str = "a.txt") -> AttachmentRef:
    """A file that Ann sent, its size not announced."""
    file = fake.document(ann.id, ann.id, data, name=name).media[0]
    return AttachmentRef(id=file.file_id, name=name, media_type=None, size_bytes=None)


def refusal(status: int, description: str) -> Respond:
    body = f'{{"ok":false,"error_code":{status},"description":"{description}"}}'
    return Respond(status=status, body=body.encode())


async def fetched(messenger: TelegramMessenger, fake: FakeTelegram, ann: User, ref: AttachmentRef, limit: int) -> bytes:
    return await messenger.fetch(place_of(fake, ann), ref, max_bytes=limit)


@pytest.mark.parametrize("name", ["a.txt", "odd.t x#t?%25ü&", "noending", "a.\N{SMILING FACE WITH OPEN MOUTH}"])
async def test_a_file_is_read_whatever_its_path(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User, name: str
) -> None:
    ref = ref_of(fake, ann, name=name)

    assert await fetched(messenger, fake, ann, ref, 3) == b"abc"


@pytest.mark.parametrize("folder", ["/var/lib/telegram-bot-api/{token}/", "/{token}/", "/"])
async def test_a_server_of_ones_own_in_local_mode_is_asked_over_http(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User, folder: str
) -> None:
    ref = ref_of(fake, ann)
    path = folder.format(token=fake.token) + fake.world.files[ref.id].path
    answer = f'{{"ok":true,"result":{{"file_id":"f","file_unique_id":"u","file_path":"{path}"}}}}'
    fake.faults.add("getFile", Respond(status=200, body=answer.encode()))

    assert await fetched(messenger, fake, ann, ref, 3) == b"abc"


async def test_a_path_of_this_machine_is_not_opened(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    answer = f'{{"ok":true,"result":{{"file_id":"f","file_unique_id":"u","file_path":"{__file__}"}}}}'
    fake.faults.add("getFile", Respond(status=200, body=answer.encode()))
    with pytest.raises(DeliveryError) as caught:
        await fetched(messenger, fake, ann, ref_of(fake, ann), 100_000)

    assert caught.value.kind is DeliveryKind.NOT_FOUND
    assert fake.calls_of("file")[0].params["path"] == __file__.lstrip("/")


async def test_what_was_announced_too_large_is_not_asked_for(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    big = AttachmentRef(id="f", name="a", media_type=None, size_bytes=4)
    with pytest.raises(DeliveryError) as caught:
        await fetched(messenger, fake, ann, big, 3)

    assert caught.value.kind is DeliveryKind.INVALID
    assert fake.calls == []


async def test_files_that_telegram_gives_to_no_bot_are_told_as_that(
    fake: FakeTelegram, messenger: TelegramMessenger, ann: User
) -> None:
    ref = ref_of(fake, ann, bytes(20 * 1024 * 1024 + 1))
    with pytest.raises(DeliveryError) as refused:
        await fetched(messenger, fake, ann, ref, 10**9)
    fake.faults.add("getFile", Respond(status=200, body=b'{"ok":true,"result":{"file_id":"f","file_unique_id":"u"}}'))
    with pytest.raises(DeliveryError) as pathless:
        await fetched(messenger, fake, ann, ref, 10**9)

    assert refused.value.kind is pathless.value.kind is DeliveryKind.INVALID
    assert "20 MB" in str(refused.value)
    assert "20 MB" in str(pathless.value)


FAULTS: list[tuple[str, str, Action, DeliveryKind]] = [
    ("more than announced", "file", Body(pieces=[b"x" * 600] * 2), DeliveryKind.INVALID),
    ("large by its head", "file", Body(pieces=[b"x"], length=1_001), DeliveryKind.INVALID),
    ("cut off", "file", Body(pieces=[b"x"], length=900), DeliveryKind.TRANSIENT),
    ("compressed", "file", Body(pieces=[b"\x1f\x8b"], encoding="gzip"), DeliveryKind.TRANSIENT),
    ("dropped", "file", Drop(), DeliveryKind.TRANSIENT),
    ("502", "file", BAD_GATEWAY, DeliveryKind.TRANSIENT),
    ("404", "file", refusal(404, "Not Found"), DeliveryKind.NOT_FOUND),
    ("elsewhere", "file", Respond(status=302, body=b""), DeliveryKind.INVALID),
    ("unknown", "getFile", refusal(400, "Bad Request: invalid file_id"), DeliveryKind.NOT_FOUND),
    (
        "for now",
        "getFile",
        refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
        DeliveryKind.TRANSIENT,
    ),
    ("no file", "getFile", Respond(status=200, body=b'{"ok":true,"result":{}}'), DeliveryKind.TRANSIENT),
    ("token", "getFile", refusal(401, "Unauthorized"), DeliveryKind.FORBIDDEN),
    ("limit", "getFile", refusal(429, "Too Many Requests: retry after 1"), DeliveryKind.RATE_LIMITED),
]


@pytest.mark.parametrize(("method", "fault", "kind"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
async def test_what_is_wrong_with_a_file_has_its_kind_and_shows_no_token(
    fake: FakeTelegram,
    messenger: TelegramMessenger,
    ann: User,
    caplog: pytest.LogCaptureFixture,
    method: str,
    fault: Action,
    kind: DeliveryKind,
) -> None:
    ref = ref_of(fake, ann)
    fake.faults.add(method, fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        await fetched(messenger, fake, ann, ref, 1_000)

    assert caught.value.kind is kind
    assert fake.token not in f"{caplog.text}{caught.value!r}{caught.value.__cause__!r}"
    assert await fetched(messenger, fake, ann, ref, 3) == b"abc"


async def test_a_body_that_stops_coming_ends_in_time(fake: FakeTelegram, connection: Connection, ann: User) -> None:
    ref = ref_of(fake, ann)
    fake.faults.add("file", Body(pieces=[b"x"], hangs=True))
    with pytest.raises(Unreachable) as caught:
        await connection.download(ref.id, max_bytes=10, timeout_s=0.2)

    assert fake.token not in repr(caught.value)


async def test_an_album_of_documents_that_comes_in_two_polls_is_one_question(fake: FakeTelegram, ann: User) -> None:
    bob = fake.add_user("Bob")
    fake.add_private_chat(bob)
    async with door_to(fake) as door:
        (first,) = fake.file_album(ann.id, ann.id, {"0.pdf": b"%PDF"})
        fake.say(bob.id, bob.id, "the first poll is over")
        await door.next()
        add_to_album(fake, first, b"%PDF", name="1.pdf")
        add_to_album(fake, first, b"%PDF", name="2.pdf", caption="compare these")
        _, album = await door.next(2)
        await door.drained()

    assert isinstance(album.event, Said)
    assert album.event.text == "compare these"
    assert [ref.name for ref in album.event.attachments] == ["0.pdf", "1.pdf", "2.pdf"]
    assert len(door.accepted) == 2


async def test_a_picture_that_is_forwarded_or_replied_to_can_be_read(fake: FakeTelegram, ann: User) -> None:
    bob = fake.add_user("Bob")
    group = fake.add_group(members=[ann, bob])
    shown = fake.photo(group.id, bob.id, b"cat")
    async with door_to(fake, names=("Parley",)) as door:
        fake.say(group.id, ann.id, f"@{fake.bot_user.username} what is this?", reply_to=shown.id)
        fake.forward(shown, ann.id, ann.id)
        accepted = await door.next(2)
        events = [inbound.event for inbound in accepted]
        refs = [ref for event in events if isinstance(event, Said) for ref in event.attachments]
        contents = [await door.adapter.messenger.fetch(accepted[0].place, ref, max_bytes=3) for ref in refs]

    assert contents == [b"cat", b"cat"]
