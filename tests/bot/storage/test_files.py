"""The contract of `FileStore`, over MongoDB and over the fake; and what the database is asked for it."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.files import PAGE_BREAK, FileKind, FileNote
from bot.storage.database import Database
from bot.storage.files import PIECE_BYTES, FileStore
from tests.bot.storage.worlds import OwnedClock, World

PNG = b"\x89PNG" + bytes(range(256)) * 40
TEXT = f"one{PAGE_BREAK}two 🦜".encode()
KEY = "discord:99:$x.y"
NOTE = FileNote(
    name="$report.pdf",
    kind=FileKind.PDF,
    media_type="application/pdf",
    size_bytes=10_000,
    content_sha256="ab",
    picture_sha256s=("cd", "ef"),
    text_sha256="12",
    excerpt="one",
    marker="0123456789abcdef",
    chars=7,
    pages=2,
    unit="page",
    tokens=3_000,
    remark="2 pages",
)
#: Far away: the server itself removes what is over.
FAR = timedelta(days=50_000)


def days(world: World, number: float) -> None:
    world.clock.now_ += timedelta(days=number)


@pytest.fixture
def owned_clock(owned_clock: OwnedClock) -> OwnedClock:
    owned_clock.now_ += FAR
    return owned_clock


async def test_bytes_come_back_by_their_sha256(world: World) -> None:
    first = await world.files.save(PNG, "image/png")
    second = await world.files.save(TEXT, "text/plain")

    assert first == hashlib.sha256(PNG).hexdigest()
    assert await world.files.load([first, second, first, "unknown"]) == {first: PNG, second: TEXT}
    assert await world.files.load([]) == {}


async def test_two_megabytes_and_nothing_at_all_are_kept_as_well(world: World) -> None:
    large = bytes(range(256)) * 8_192
    keys = [await world.files.save(large, "video/mp4"), await world.files.save(b"", "text/plain")]

    assert await world.files.load(keys) == dict(zip(keys, (large, b""), strict=True))


async def test_more_than_15_mb_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="15,000,001 bytes"):
        await world.files.save(bytes(15_000_001), "video/mp4")


async def test_bytes_expire_after_30_days(world: World) -> None:
    key = await world.files.save(PNG, "image/png")

    days(world, 30)

    assert await world.files.load([key]) == {}


async def test_saving_what_is_there_lets_it_live_on(world: World) -> None:
    key = await world.files.save(PNG, "image/png")
    days(world, 29)
    again = await world.files.save(PNG, "image/jpeg")
    days(world, 29)

    assert again == key
    assert await world.files.load([key]) == {key: PNG}


async def test_what_expired_can_be_saved_again(world: World) -> None:
    key = await world.files.save(PNG, "image/png")
    days(world, 31)
    await world.files.save(PNG, "image/png")

    assert await world.files.load([key]) == {key: PNG}


async def test_what_is_loaded_now_and_then_lives_on(world: World) -> None:
    used, unused = await world.files.save(PNG, "image/png"), await world.files.save(TEXT, "text/plain")
    for _ in range(3):
        days(world, 20)
        assert await world.files.load([used]) == {used: PNG}

    assert await world.files.load([used, unused]) == {used: PNG}


async def test_a_note_comes_back_as_it_was_written_until_it_expires(world: World) -> None:
    assert await world.files.note(KEY) is None
    await world.files.set_note(KEY, NOTE)

    assert await world.files.note(KEY) == NOTE
    assert await world.files.note("discord:99:$x") is None
    days(world, 28.9)
    assert await world.files.note(KEY) == NOTE
    days(world, 0.1)
    assert await world.files.note(KEY) is None


async def test_a_newer_note_replaces_the_old_one(world: World) -> None:
    newer = replace(NOTE, kind=FileKind.NOTHING, picture_sha256s=(), pages=None, remark="locked")
    await world.files.set_note(KEY, NOTE)
    await world.files.set_note(KEY, newer)

    assert await world.files.note(KEY) == newer


async def test_a_name_with_half_a_character_is_stored(world: World) -> None:
    await world.files.set_note(KEY, replace(NOTE, name="a\ud83d"))

    loaded = await world.files.note(KEY)

    assert loaded is not None
    assert loaded.name.startswith("a")


async def test_bytes_that_are_there_are_not_sent_again(database: Database) -> None:
    files = FileStore(database)
    await files.save(PNG, "image/png")
    raw = database.collection("blobs").database
    await raw.command("profile", 2)

    await files.save(PNG, "image/png")
    await raw.command("profile", 0)

    operations = await raw["system.profile"].find({"ns": f"{raw.name}.blobs"}).to_list()
    await raw["system.profile"].drop()
    assert [operation["op"] for operation in operations] == ["query"]
    assert operations[0]["responseLength"] < 1_000


async def test_loading_writes_at_most_once_a_day(database: Database, owned_clock: OwnedClock) -> None:
    files = FileStore(database)
    key = await files.save(PNG, "image/png")
    ends = []
    for hours in (0, 20, 20, 20):
        owned_clock.now_ += timedelta(hours=hours)
        await files.load([key])
        document = await database.collection("blobs").find_one({"_id": key}, {"expire_at": 1})
        assert document is not None
        ends.append(document["expire_at"])

    assert [ends.index(end) for end in ends] == [0, 0, 2, 2]


async def test_a_document_says_what_it_holds(database: Database) -> None:
    key = await FileStore(database, ttl_days=2).save(PNG, "image/png")

    document = await database.collection("blobs").find_one({"_id": key})

    assert document is not None
    assert (document["data"], document["media_type"], document["size"]) == (PNG, "image/png", len(PNG))
    assert document["expire_at"] == database.clock.now() + timedelta(days=2)


async def test_large_bytes_are_kept_in_pieces_so_that_no_write_holds_up_the_others_for_long(database: Database) -> None:
    large = bytes(range(256)) * 8_192
    key = await FileStore(database).save(large, "image/png")

    pieces = await database.collection("blobs").find({}).to_list()

    assert [len(piece["data"]) for piece in pieces] == [PIECE_BYTES] * 4 + [len(large) - 4 * PIECE_BYTES]
    assert [piece["_id"] for piece in pieces] == [key, *(f"{key}:{number}" for number in range(1, 5))]


async def test_bytes_of_which_a_piece_is_missing_are_not_there_until_they_are_saved_again(database: Database) -> None:
    files, large = FileStore(database), bytes(range(256)) * 8_192
    key = await files.save(large, "image/png")
    await database.collection("blobs").delete_one({"_id": f"{key}:2"})

    assert await files.load([key]) == {}
    await files.save(large, "image/png")
    assert await files.load([key]) == {key: large}


async def test_large_bytes_that_are_used_live_on_as_a_whole(database: Database, owned_clock: OwnedClock) -> None:
    files, large = FileStore(database), bytes(range(256)) * 8_192
    key = await files.save(large, "image/png")
    for _ in range(3):
        owned_clock.now_ += timedelta(days=20)
        assert await files.load([key]) == {key: large}


async def test_a_note_never_outlives_the_bytes_that_it_names(world: World) -> None:
    key = await world.files.save(PNG, "image/png")
    days(world, 0.9)  # too early for saving it again to renew it
    await world.files.save(PNG, "image/png")
    await world.files.set_note(KEY, NOTE)
    days(world, 29.2)

    assert await world.files.load([key]) == {}
    assert await world.files.note(KEY) is None
