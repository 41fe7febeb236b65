"""Money with two bots on one database: budgets, rate limits, and what /cost, /budget and the export say of them.

The first bot serves Telegram and allows unknown prices; the second one serves Telegram and Discord, and does not.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.chats import Chat, Door, Person, TelegramDoor
from tests.e2e.parley import Parley
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world
from tests.fakes.openai.dialect import COMPATIBLE
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Hold, Reply, Step, Usage
from tests.fakes.openai.server import FakeOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")

NANO = 10**9
CAP_NANO = 200_000_000
REQUESTS_PER_MINUTE = 4
MAX_OUTPUT_TOKENS = 1_000
#: Dollars per million tokens: an answer costs 0.011 dollars, and 0.0215 at worst (the words on tools would cost more).
MODELS_FILE = """\
models:
  openai/gpt-6-luna:
    price: {input: 10, output: 20}
    tools: false
  openai/gpt-4.1-mini:
    price: {input: 0.001, output: 0.002}
    tools: false
"""
USED = Usage(input_tokens=100, output_tokens=500)
COST_NANO = 100 * 10_000 + 500 * 20_000
WORST_NANO = MAX_OUTPUT_TOKENS * 20_000
CHEAP = "openai/gpt-4.1-mini"
UNPRICED = "compatible/local-model"
CHATS_EACH = 16
#: Ends the ids of rows that a test puts into the ledger.
EARLIER = "-earlier"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Both bots, the people who own them, and a folder for other commands of the program."""

    first: World
    second: World
    owner: Person
    folder: Path

    @property
    def worlds(self) -> tuple[World, World]:
        return (self.first, self.second)

    async def counters(self) -> list[dict[str, Any]]:
        """Every budget's counter."""
        return await self.first.database["counters"].find().to_list()

    async def used_of_all(self) -> int:
        """What is spent of the budget for everybody."""
        (counter,) = [found for found in await self.counters() if found["_id"].startswith("all:/month/")]
        return int(counter["used"])

    async def booked(self) -> int:
        """What all calls that were made cost by the ledger."""
        rows = await self.first.database["usage"].find({"_id": {"$not": re.compile(f"{EARLIER}$")}}).to_list()
        return sum(row["cost"] or 0 for row in rows)

    async def until_nothing_is_held(self) -> None:
        """Wait until no call is held in any budget: that is settled beside showing the answers."""

        async def is_free() -> bool:
            return not [hold for counter in await self.counters() for hold in counter["holds"]]

        await until(is_free, "nothing is held")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("money")
    (folder / "models.yaml").write_text(MODELS_FILE)
    for name in ("first", "second", "beside"):
        (folder / name).mkdir()
    async with FakeOpenAI(dialect=COMPATIBLE) as unpriced:
        common = {
            "MODELS_FILE": str(folder / "models.yaml"),
            "MAX_OUTPUT_TOKENS": str(MAX_OUTPUT_TOKENS),
            "BUDGETS": f"all/month={CAP_NANO / NANO},user/week=5",
            "USER_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
            "DEFAULT_MODEL": "openai/gpt-6-luna",
            "COMPATIBLE_BASE_URL": unpriced.url,
        }
        async with (
            open_world(folder / "first", mongodb_uri, "telegram", UNKNOWN_PRICES="allow", **common) as first,
            open_world(
                folder / "second",
                mongodb_uri,
                "another telegram",
                "discord",
                MONGODB_DATABASE=first.database.name,
                **common,
            ) as second,
        ):
            owner = second.doors["discord"].person("Olga")
            for world in (first, second):
                world.parley.settings["OWNERS"] = owner.key
                world.otherwise = _answer
            await first.start()
            await second.start()
            yield House(first=first, second=second, owner=owner, folder=folder / "beside")


async def test_two_bots_never_spend_more_than_the_budget_and_tell_once_that_it_nears_its_end(house: House) -> None:
    holds: list[Hold] = []

    def hold_on(_: Request) -> Step:
        holds.append(Hold(0))
        return Reply(text="Done.", usage=USED, hold=holds[-1])

    for world in house.worlds:
        world.otherwise = hold_on
    chats = [chat for world in house.worlds for chat in _private_chats(world.doors["telegram"], CHATS_EACH)]
    for chat in chats:
        chat.say("all at once")
    called = await _all_called_or_refused(house, chats)

    assert called == CAP_NANO // WORST_NANO - 1  # the prompt takes a little as well
    (counter,) = [found for found in await house.counters() if found["_id"].startswith("all:/month/")]
    assert sum(held["nano"] for held in counter["holds"]) <= CAP_NANO
    refused = [shown.text for chat in chats for shown in chat.shown()]
    assert len(refused) == 2 * CHATS_EACH - called
    for text in refused:
        assert "The bot's budget for this month has too little left at the moment" in text
        assert re.search(r"it resets on \d{4}-\d\d-01 00:00 UTC, in ", text)
        assert f"{CHEAP} still fits: /model" in text

    for world in house.worlds:
        world.otherwise = _answer
    for hold in holds:
        hold.release()
    for chat in chats:
        await chat.until(lambda shown: len(shown) == 1)
    await house.until_nothing_is_held()
    assert await house.booked() == await house.used_of_all() == called * COST_NANO

    answers = await _ask_until_refused(house)
    assert "The bot's budget for this month has too little left: " in answers[-1]
    told = [text for text in answers if re.search(r"\d\d % of the bot's budget for this month is spent", text)]
    assert len(told) == 1
    assert await house.booked() <= CAP_NANO
    assert await house.booked() > CAP_NANO * 8 // 10
    await house.until_nothing_is_held()


async def test_a_cheaper_model_still_fits_and_budget_shows_what_is_left(house: House) -> None:
    door = house.second.doors["discord"]
    chat = door.private(door.person("Ann"))
    assert CHEAP in await chat.command("model", name=CHEAP)
    chat.say("are you cheap?")
    await chat.until(lambda shown: any(each.text == "You said: are you cheap?" for each in shown))

    await house.until_nothing_is_held()
    text = await chat.command("budget")

    assert re.search(r"Your budget for this week: `░+` \$0\.\d+ of \$5\.00 spent", text)
    assert re.search(r"The bot's budget for this month: `█+░*` \d+ % spent", text)


async def test_a_model_without_a_known_price_is_refused_or_allowed_by_the_setting(house: House) -> None:
    allowed, refused = (world.doors["telegram"] for world in house.worlds)
    chats = {name: door.private(door.person("Ann")) for name, door in (("allowed", allowed), ("refused", refused))}
    for name, chat in chats.items():
        await chat.command("model", name=UNPRICED)
        chat.say(f"what do you cost, {name}?")

    shown = await chats["allowed"].until(lambda shown: any("You said: what do you cost" in each.text for each in shown))
    assert shown.buttons == ()
    (row,) = await house.first.usage(chats["allowed"].key)
    assert (row["cost"], row["certainty"]) == (None, "unknown")
    assert "unknown" in await chats["allowed"].command("cost")
    shown = await chats["refused"].until(lambda shown: any("I don't know what" in each.text for each in shown))
    assert f"I don't know what {UNPRICED} costs" in shown.text
    assert await house.second.usage(chats["refused"].key) == []


async def test_both_bots_count_a_persons_requests_together(house: House) -> None:
    doors = [world.doors["telegram"] for world in house.worlds]
    ann = doors[0].person("Ann")
    people = [ann, _same_person(ann, doors[1])]
    assert people[0].key == people[1].key
    first, second = (door.private(person) for door, person in zip(doors, people, strict=True))
    await first.command("model", name=CHEAP)
    for number in range(REQUESTS_PER_MINUTE):
        chat = (first, second)[number % 2]
        before = len(chat.shown())
        chat.say(f"question {number}")
        await chat.until(lambda shown, before=before: len(shown) == before + 1)  # type: ignore[misc]

    second.say("one too many")
    refused = await second.until(lambda shown: "a minute" in shown[-1].text)

    found = re.search(r"You may send 4 requests a minute; try again in (\d+) seconds?\.", refused.text)
    assert found is not None
    assert 1 <= int(found[1]) <= 60 // REQUESTS_PER_MINUTE
    assert not house.second.asked("one too many")


async def test_owners_set_budgets_and_managers_can_only_lower_them(house: House) -> None:
    door = house.second.doors["discord"]
    manager = door.person("Mia")
    channel = door.shared(manager, house.owner)

    denied = await channel.command("budget", by=manager, whose="all", period="day", amount="1000")
    given = await channel.command("budget", by=house.owner, whose="channel", period="week", amount="5")
    too_much = await channel.command("budget", by=manager, whose="channel", period="week", amount="50")
    lowered = await channel.command("budget", by=manager, whose="channel", period="week", amount="0.0001")
    channel.mention("may I?", by=manager)
    shown = await channel.until(lambda shown: bool(shown))

    assert "Only owners of this bot set that budget" in denied
    assert "no limit → $5.00" in given
    assert "That is what the owner of this bot gave" in too_much
    assert "$5.00 → $0.0001" in lowered
    assert "This channel's budget for this week has too little left" in shown.text
    assert await house.second.usage(channel.key) == []
    taken_back = await channel.command("budget", by=house.owner, whose="channel", period="week", amount="off")
    assert "$0.0001 → no limit" in taken_back


async def test_the_export_has_every_call_to_the_nano_dollar(house: House) -> None:
    for door in house.second.doors.values():
        chat = await _spender(house, door)
        (row,) = await house.second.usage(chat.key)

        text, content = await chat.file_of("cost", view="export", period="month", scope="here")

        assert "1 call" in text
        (told,) = csv.DictReader(io.StringIO(content.decode()))
        assert (told["model"], told["status"], told["certainty"]) == (CHEAP, "completed", "exact")
        assert (told["input_tokens"], told["output_tokens"]) == ("100", "500")
        assert round(float(told["cost_usd"]) * NANO) == row["cost"] == 100 * 1 + 500 * 2
        assert "author" not in told


async def test_cost_draws_several_days_and_a_rebuild_changes_nothing(house: House) -> None:
    for door in house.second.doors.values():
        chat = await _spender(house, door)
        (row,) = await house.second.usage(chat.key)
        earlier = {**row, "_id": f"{row['_id']}{EARLIER}", "at": row["at"] - timedelta(days=1), "unrolled": True}
        await house.second.database["usage"].insert_one(earlier)

        text, picture = await chat.file_of("cost", view="overview", period="ever")
        assert "2 requests" in text
        assert picture.startswith(b"\x89PNG")

    everything = await _private(house.owner, house).command("cost", view="overview", period="ever", scope="all")
    async with Parley(house.folder, house.first.parley.settings) as other:
        await other.start("rebuild-costs", piped=True)
        output = await other.read_rest()
        assert await other.ended() == 0
    assert re.search(r"dded up \d+ days anew", output)
    again = await _private(house.owner, house).command("cost", view="overview", period="ever", scope="all")
    assert again == everything


async def test_a_killed_bot_leaves_no_hold_and_books_what_was_lost(house: House) -> None:
    door = house.first.doors["telegram"]
    chat = door.private(door.person("Ann"))
    await chat.command("model", name=CHEAP)
    house.first.script("in the middle", Reply(text="never", hold=Hold(0)), Reply(text="After all.", usage=USED))
    chat.say("killed in the middle")
    await house.first.until_asked("killed in the middle")
    await house.first.parley.kill()
    (counter,) = [found for found in await house.counters() if found["_id"].startswith("all:/month/")]
    assert len(counter["holds"]) == 1

    await house.first.start()
    await chat.until(lambda shown: any(each.text == "After all." for each in shown), within_s=30)

    await house.until_nothing_is_held()
    lost, answered = await house.first.usage(chat.key)
    assert (lost["status"], lost["certainty"]) == ("lost", "estimated")
    assert (answered["status"], answered["certainty"]) == ("completed", "exact")
    assert lost["cost"] > 0
    assert await house.booked() == await house.used_of_all()


def _answer(request: Request) -> Step:
    return Reply(text=f"You said: {request.last_user_text}", usage=USED)


def _private_chats(door: Door, count: int) -> list[Chat]:
    return [door.private(door.person(f"Person{number}")) for number in range(count)]


def _private(person: Person, house: House) -> Chat:
    return house.second.doors["discord"].private(person)


def _same_person(person: Person, door: Door) -> Person:
    """Somebody who talks to another bot as well."""
    assert isinstance(door, TelegramDoor)
    user = door.fake.add_user(person.name, user_id=person.id)
    return Person(id=user.id, name=person.name, key=f"telegram:{user.id}")


async def _spender(house: House, door: Door) -> Chat:
    """A private chat in which one cheap answer was given and booked, which happens beside showing it."""
    chat = door.private(door.person("Ann"))
    await chat.command("model", name=CHEAP)
    chat.say("spend a little")
    await chat.until(lambda shown: any("You said: spend a little" in each.text for each in shown))
    await until(lambda: house.second.usage(chat.key), "the answer is booked")
    return chat


async def _all_called_or_refused(house: House, chats: Sequence[Chat]) -> int:
    """Wait until of each question it is known whether it may be asked; gives how many may."""

    def called() -> int:
        return sum(len(world.asked("all at once")) for world in house.worlds)

    await until(lambda: called() + sum(len(chat.shown()) for chat in chats) >= len(chats), "all are called or refused")
    return called()


async def _ask_until_refused(house: House) -> list[str]:
    """One question after the other, now to this bot and now to that; gives what people read."""
    answers: list[str] = []
    for number in range(CAP_NANO // COST_NANO):
        door = house.worlds[number % 2].doors["telegram"]
        chat = door.private(door.person("Late"))
        chat.say("one more")
        answers.append((await chat.until(lambda shown: bool(shown))).text)
        if "budget for this month has too little left" in answers[-1]:
            break
    return answers
