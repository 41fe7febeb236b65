"""Who gets through the gate, who is told what, and how soon a change counts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import StorageUnavailable, UsageError
from bot.core.gate import ENTRIES_FRESH_S, Gate, Role, Verdict, is_person, parse_entry, place_entries
from bot.core.place import Author, ChatKind, Place
from tests.fakes.clock import ManualClock
from tests.fakes.stores import MemoryAccess

ANN = Author(platform="x", id="1", name="Ann")
BOT = Author(platform="x", id="5", name="Robot", is_bot=True)
PRIVATE = Place(platform="x", account="b", chat="1", kind=ChatKind.PRIVATE)
SERVER = Place(platform="x", account="b", chat="50", kind=ChatKind.SHARED, space="7", thread="51")
GROUP = Place(platform="x", account="b", chat="-60", kind=ChatKind.SHARED)


class CountingAccess(MemoryAccess):
    """Counts what a gate asks of its store."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.refusal_notes = 0

    async def entries(self) -> Mapping[str, str]:
        self.reads += 1
        return await super().entries()

    async def first_refusal_today(self, author_key: str, today: str) -> bool:
        self.refusal_notes += 1
        return await super().first_refusal_today(author_key, today)


def gate_with(
    access: MemoryAccess | None = None,
    clock: ManualClock | None = None,
    *,
    open_to_all: bool = False,
    owners: tuple[str, ...] = (),
    allow: tuple[str, ...] = (),
) -> Gate:
    return Gate(
        access or MemoryAccess(),
        open_to_all=open_to_all,
        owners=frozenset(owners),
        allow=frozenset(allow),
        clock=clock or ManualClock(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    id: str
    verdict: Verdict
    author: Author = ANN
    place: Place = PRIVATE
    open_to_all: bool = False
    owners: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        Asked(id="nobody is let in by default", verdict=Verdict.DENIED),
        Asked(id="everyone when open", open_to_all=True, verdict=Verdict.ALLOWED),
        Asked(id="a person", allow=("x:1",), verdict=Verdict.ALLOWED),
        Asked(id="a person in the long notation", allow=("x:user:1",), verdict=Verdict.ALLOWED),
        Asked(id="a person of another platform", allow=("y:1",), verdict=Verdict.DENIED),
        Asked(id="an owner", owners=("x:1",), verdict=Verdict.OWNER),
        Asked(id="an owner in the long notation", owners=("x:user:1",), verdict=Verdict.OWNER),
        Asked(id="an owner who is also allowed", owners=("x:1",), allow=("x:1",), verdict=Verdict.OWNER),
        Asked(id="a server", place=SERVER, allow=("x:guild:7",), verdict=Verdict.ALLOWED),
        Asked(id="a server by its other name", place=SERVER, allow=("x:server:7",), verdict=Verdict.ALLOWED),
        Asked(id="a chat with its threads", place=SERVER, allow=("x:channel:50",), verdict=Verdict.ALLOWED),
        Asked(id="a group", place=GROUP, allow=("x:chat:-60",), verdict=Verdict.ALLOWED),
        Asked(id="a chat's id is not a server's", place=SERVER, allow=("x:guild:50",), verdict=Verdict.DENIED),
        Asked(id="a chat's id is not a person's", place=SERVER, allow=("x:50",), verdict=Verdict.DENIED),
        Asked(id="a member of a server in private", allow=("x:guild:7",), verdict=Verdict.DENIED),
        Asked(id="a bot when open", author=BOT, open_to_all=True, verdict=Verdict.DENIED),
        Asked(id="a bot in a server", author=BOT, place=SERVER, allow=("x:guild:7",), verdict=Verdict.DENIED),
        Asked(id="a bot named itself", author=BOT, allow=("x:5",), verdict=Verdict.ALLOWED),
        Asked(
            id="the terminal's user",
            author=Author(platform="terminal", id="local", name="me"),
            owners=("terminal:local",),
            verdict=Verdict.OWNER,
        ),
    ],
    ids=lambda case: case.id,
)
async def test_the_gate_decides(case: Asked) -> None:
    gate = gate_with(open_to_all=case.open_to_all, owners=case.owners, allow=case.allow)

    assert case.verdict == await gate.check(case.place, case.author)


async def test_a_display_name_opens_nothing() -> None:
    gate = gate_with(allow=("x:1",))

    assert await gate.check(PRIVATE, Author(platform="x", id="666", name="Ann")) is Verdict.DENIED


async def test_entries_are_read_once_in_five_seconds() -> None:
    access, clock = CountingAccess(), ManualClock()
    gate = gate_with(access, clock)
    for _ in range(10):
        await gate.check(PRIVATE, ANN)

    assert access.reads == 1

    await clock.advance(ENTRIES_FRESH_S)
    await gate.check(PRIVATE, ANN)

    assert access.reads == 2


async def test_another_process_lets_someone_in_within_five_seconds() -> None:
    access, clock = MemoryAccess(), ManualClock()
    here, elsewhere = gate_with(access, clock), gate_with(access, clock)
    await here.check(PRIVATE, ANN)
    await elsewhere.admit("x:1")

    assert await here.check(PRIVATE, ANN) is Verdict.DENIED

    await clock.advance(ENTRIES_FRESH_S)

    assert await here.check(PRIVATE, ANN) is Verdict.ALLOWED


async def test_while_one_reads_again_the_others_go_on_with_what_is_known() -> None:
    class Slow(CountingAccess):
        """Its second read waits until the test lets it end."""

        def __init__(self) -> None:
            super().__init__()
            self.second_began = asyncio.Event()
            self.let_end = asyncio.Event()

        async def entries(self) -> Mapping[str, str]:
            entries = await super().entries()
            if self.reads == 2:
                self.second_began.set()
                await self.let_end.wait()
            return entries

    access, clock = Slow(), ManualClock()
    gate = gate_with(access, clock, allow=("x:1",))
    await gate.check(PRIVATE, ANN)
    await clock.advance(ENTRIES_FRESH_S)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(gate.check(PRIVATE, ANN))
        await access.second_began.wait()

        assert await gate.check(PRIVATE, ANN) is Verdict.ALLOWED
        assert not reading.done()

        access.let_end.set()

    assert access.reads == 2


async def test_own_changes_count_at_once() -> None:
    gate = gate_with()
    await gate.check(PRIVATE, ANN)
    await gate.admit("x:1")

    assert await gate.check(PRIVATE, ANN) is Verdict.ALLOWED

    assert await gate.expel("x:1") is True
    assert await gate.check(PRIVATE, ANN) is Verdict.DENIED
    assert await gate.expel("x:1") is False


async def test_a_read_that_a_change_overtook_is_not_kept() -> None:
    class Overtaken(MemoryAccess):
        """While it reads the entries, its gate lets someone in."""

        gate: Gate | None = None

        async def entries(self) -> Mapping[str, str]:
            before = await super().entries()
            gate, self.gate = self.gate, None
            if gate is not None:
                await gate.admit("x:1")
            return before

    access = Overtaken()
    gate = gate_with(access)
    access.gate = gate
    await gate.check(PRIVATE, ANN)

    assert await gate.check(PRIVATE, ANN) is Verdict.ALLOWED


async def test_a_closed_gate_does_not_guess_while_storage_is_away() -> None:
    access = MemoryAccess()
    access.down = True

    with pytest.raises(StorageUnavailable):
        await gate_with(access, allow=("x:1",)).check(PRIVATE, ANN)


async def test_the_settings_win_over_what_was_allowed_at_run_time() -> None:
    access = MemoryAccess()
    access.roles["x:1"] = "allowed"
    gate = gate_with(access, owners=("x:1",))

    assert await gate.check(PRIVATE, ANN) is Verdict.OWNER
    assert gate.is_fixed("x:1")


async def test_owners_are_known_from_the_settings_and_from_pairing() -> None:
    gate = gate_with()

    assert (await gate.has_owner(), await gate.is_owner(ANN)) == (False, False)

    await gate.admit("x:1", Role.OWNER)

    assert (await gate.has_owner(), await gate.is_owner(ANN)) == (True, True)
    assert await gate_with(owners=("y:3",)).has_owner()


async def test_a_refusal_is_said_once_a_day_and_names_the_command_to_ask_for() -> None:
    clock = ManualClock()
    gate = gate_with(clock=clock, owners=("x:9",))
    said = await gate.refusal(PRIVATE, ANN)

    assert said is not None
    assert "`x:1`" in said
    assert "`/allow x:1`" in said
    assert await gate.refusal(PRIVATE, ANN) is None

    await clock.advance(86_400)

    assert await gate.refusal(PRIVATE, ANN) == said


async def test_a_restart_does_not_repeat_the_refusal() -> None:
    access = MemoryAccess()
    await gate_with(access).refusal(PRIVATE, ANN)

    assert await gate_with(access).refusal(PRIVATE, ANN) is None


async def test_a_strangers_flood_is_one_write() -> None:
    access = CountingAccess()
    gate = gate_with(access)
    for _ in range(10):
        await gate.refusal(PRIVATE, ANN)

    assert access.refusal_notes == 1


async def test_a_refusal_in_a_shared_place_names_the_place_too() -> None:
    in_server = await gate_with(owners=("x:9",)).refusal(SERVER, ANN)
    in_group = await gate_with(owners=("x:9",)).refusal(GROUP, ANN)

    assert "`/allow x:guild:7`" in (in_server or "")
    assert "`/allow x:chat:-60`" in (in_group or "")


async def test_without_an_owner_a_refusal_tells_how_to_become_it() -> None:
    assert "/pair CODE" in (await gate_with().refusal(PRIVATE, ANN) or "")


async def test_other_bots_are_not_answered() -> None:
    assert await gate_with().refusal(PRIVATE, BOT) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    text: str
    normal: str


@pytest.mark.parametrize(
    "case",
    [
        Entry(text="telegram:456", normal="telegram:456"),
        Entry(text="discord:123", normal="discord:123"),
        Entry(text="discord:user:123", normal="discord:123"),
        Entry(text=" Discord:User:123 ", normal="discord:123"),
        Entry(text="telegram:chat:-100987", normal="telegram:chat:-100987"),
        Entry(text="discord:channel:5", normal="discord:chat:5"),
        Entry(text="discord:guild:7", normal="discord:guild:7"),
        Entry(text="discord:server:7", normal="discord:guild:7"),
    ],
    ids=lambda case: case.text,
)
def test_entries_have_one_normal_form(case: Entry) -> None:
    assert case.normal == parse_entry(case.text)
    assert case.normal == parse_entry(case.normal)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "456",
        "@ann",
        "telegram:@ann",
        "telegram:ann",
        "x:role:5",
        "x:user:",
        "x:1:2",
        "x:user:1 x:2",
        "x:١",
    ],
)
def test_what_is_no_id_is_refused_with_the_right_notation(text: str) -> None:
    with pytest.raises(UsageError, match="telegram:456"):
        parse_entry(text)


@given(st.text() | st.from_regex(r"[a-z]{0,4}:?(user|chat|guild)?:?-?[0-9]{0,5}"))
def test_any_text_is_an_entry_or_a_usage_error(text: str) -> None:
    try:
        entry = parse_entry(text)
    except UsageError:
        return
    assert entry == parse_entry(entry)
    assert is_person(entry) == (entry.count(":") == 1)


def test_a_place_can_be_allowed_by_its_chat_or_its_server() -> None:
    assert place_entries(SERVER) == ("x:chat:50", "x:guild:7")
    assert place_entries(replace(GROUP, thread="3")) == ("x:chat:-60",)
