"""/budget: what counts and what is left, and who may set what."""

from dataclasses import dataclass

import pytest

from bot.commands import COMMANDS
from bot.core.budget import EACH, BudgetKey, Giver, Period
from bot.core.ledger import Whose
from bot.core.money_stores import Spent
from bot.core.place import Author, Place
from tests.bot.core.spending import USD, booked, limit
from tests.fakes.desk import ANN, BEN, CHANNEL, GROUP, OWNER, PRIVATE, Counter

CHANNEL_WEEK = BudgetKey(Whose.CHANNEL, CHANNEL.channel_key, Period.WEEK)


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS, admins=frozenset({BEN.key}), limits=(limit(Whose.USER, USD // 2),))


def stored(counter: Counter) -> dict[tuple[BudgetKey, Giver], int]:
    return {key: found.nano_usd for key, found in counter.budgets.set_limits.items()}


async def test_it_shows_what_is_spent_reserved_and_left(counter: Counter) -> None:
    await counter.ledger.append([booked("old", 200_000_000, author_key=ANN.key)])
    (due, _), *_ = await counter.desk.purse.status(CHANNEL, ANN.key)
    await counter.budgets.reserve("running", 100_000_000, [due])

    assert (await counter.type("/budget", place=CHANNEL)).text == (
        "**Budgets that count for you here**\n\n"
        "- Your budget for today: `████▒▒░░░░` $0.2000 of $0.50 spent, $0.1000 reserved; "
        "it resets on 2026-11-02 00:00 UTC, in 12 h"
    )


async def test_what_the_whole_bot_spends_is_for_owners_in_private() -> None:
    counter = Counter(commands=COMMANDS, owners=frozenset({OWNER.key}), limits=(limit(Whose.ALL, 8 * USD),))
    await counter.ledger.append([booked("old", 6_640_000_000, author_key=ANN.key)])
    share = "- The bot's budget for today: `████████░░` 83 % spent; it resets on 2026-11-02 00:00 UTC, in 12 h"

    assert share in (await counter.type("/budget", author=ANN)).text
    assert share in (await counter.type("/budget", author=OWNER, place=CHANNEL)).text
    assert "`████████░░` $6.6400 of $8.00 spent;" in (await counter.type("/budget", author=OWNER)).text


async def test_where_nothing_counts_it_says_so() -> None:
    assert (await Counter(commands=COMMANDS).type("/budget")).text == "No budget counts for you here."


async def test_an_owner_reads_all_limits_in_private(counter: Counter) -> None:
    await counter.type("/budget channel week 5", author=OWNER, place=CHANNEL)
    await counter.type("/budget channel week 2", author=BEN, place=CHANNEL)
    await counter.type("/budget all month 100", author=OWNER)
    private = (await counter.type("/budget", author=OWNER)).text
    public = (await counter.type("/budget", author=OWNER, place=CHANNEL)).text

    assert (
        "**Set with /budget**\n\n"
        "- everybody together: $100.00 a month\n"
        "- channel `x:bot:50`: $2.00 a week (by who manages it)\n"
        "- channel `x:bot:50`: $5.00 a week\n\n"
        "**From the settings (BUDGETS)**\n\n"
        "- each person: $0.50 a day"
    ) in private
    assert "each person" not in public


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    id: str
    line: str
    budget: BudgetKey
    answer: str
    place: Place = CHANNEL
    nano_usd: int = 2 * USD


@pytest.mark.parametrize(
    "case",
    [
        Set(
            id="each person",
            line="/budget user day 2",
            budget=BudgetKey(Whose.USER, EACH, Period.DAY),
            answer="Budget of each person a day: $0.50 → $2.00.",
        ),
        Set(
            id="one person",
            line="/budget user day $2.00 discord:user:456",
            budget=BudgetKey(Whose.USER, "discord:456", Period.DAY),
            answer="Budget of `discord:456` a day: $0.50 → $2.00.",
        ),
        Set(
            id="this channel",
            line="/budget channel week 2.000000001",
            budget=CHANNEL_WEEK,
            nano_usd=2 * USD + 1,
            answer="Budget of this channel a week: no limit → $2.000000001.",
        ),
        Set(
            id="each channel",
            line="/budget channel week 2 everybody",
            budget=BudgetKey(Whose.CHANNEL, EACH, Period.WEEK),
            answer="Budget of each channel a week: no limit → $2.00.",
        ),
        Set(
            id="this private chat",
            line="/budget channel week 2",
            place=PRIVATE,
            budget=BudgetKey(Whose.CHANNEL, PRIVATE.channel_key, Period.WEEK),
            answer="Budget of this chat a week: no limit → $2.00.",
        ),
        Set(
            id="this server",
            line="/budget server month 2",
            budget=BudgetKey(Whose.SERVER, "x:bot:7", Period.MONTH),
            answer="Budget of this server a month: no limit → $2.00.",
        ),
        Set(
            id="all",
            line="/budget all month 2",
            budget=BudgetKey(Whose.ALL, "", Period.MONTH),
            answer="Budget of everybody together a month: no limit → $2.00.",
        ),
        Set(
            id="nothing at all",
            line="/budget user day 0",
            budget=BudgetKey(Whose.USER, EACH, Period.DAY),
            nano_usd=0,
            answer="Budget of each person a day: $0.50 → $0.00.",
        ),
    ],
    ids=lambda case: case.id,
)
async def test_an_owner_sets_every_kind(counter: Counter, case: Set) -> None:
    answer = await counter.type(case.line, author=OWNER, place=case.place)

    assert answer.text == case.answer
    assert stored(counter) == {(case.budget, Giver.OWNER): case.nano_usd}


async def test_a_limit_is_taken_back(counter: Counter) -> None:
    await counter.type("/budget user day 2", author=OWNER)
    answer = await counter.type("/budget user day off", author=OWNER)

    assert answer.text == "Budget of each person a day: $2.00 → $0.50."
    assert stored(counter) == {}


async def test_what_the_settings_say_stays(counter: Counter) -> None:
    answer = await counter.type("/budget user day off", author=OWNER)

    assert answer.text == "Nothing was set for each person a day; $0.50 counts, which was set elsewhere."


async def test_a_manager_limits_channel_and_server(counter: Counter) -> None:
    channel = await counter.type("/budget channel week 3", author=BEN, place=CHANNEL)
    server = await counter.type("/budget server day 1", author=BEN, place=CHANNEL)

    assert channel.text == "Budget of this channel a week: no limit → $3.00."
    assert server.text == "Budget of this server a day: no limit → $1.00."
    assert {giver for _, giver in stored(counter)} == {Giver.MANAGER}


async def test_a_manager_cannot_give_more_than_the_owner(counter: Counter) -> None:
    await counter.type("/budget channel week 5", author=OWNER, place=CHANNEL)
    answer = await counter.type("/budget channel week 10", author=BEN, place=CHANNEL)

    assert answer.text == (
        "Budget of this channel a week: $5.00 → $5.00. That is what the owner of this bot gave: $10.00 would be more."
    )
    assert stored(counter)[CHANNEL_WEEK, Giver.MANAGER] == 5 * USD


async def test_an_owner_hears_that_a_manager_set_less(counter: Counter) -> None:
    await counter.type("/budget channel week 1", author=BEN, place=CHANNEL)
    more = await counter.type("/budget channel week 5", author=OWNER, place=CHANNEL)
    off = await counter.type("/budget channel week off", author=OWNER, place=CHANNEL)

    assert more.text == (
        "Budget of this channel a week: $1.00 → $1.00. You set $5.00, but who manages this channel set less."
    )
    assert off.text == "Budget of this channel a week: $1.00 → no limit."
    assert stored(counter) == {}


async def test_a_manager_takes_back_only_a_managers(counter: Counter) -> None:
    await counter.type("/budget channel week 5", author=OWNER, place=CHANNEL)
    nothing = await counter.type("/budget channel week off", author=BEN, place=CHANNEL)
    await counter.type("/budget channel week 1", author=BEN, place=CHANNEL)
    own = await counter.type("/budget channel week off", author=BEN, place=CHANNEL)

    assert nothing.text == "Nothing was set for this channel a week; $5.00 counts, which was set elsewhere."
    assert own.text == "Budget of this channel a week: $1.00 → $5.00."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    id: str
    line: str
    words: str
    author: Author = OWNER
    place: Place = CHANNEL


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            id="a stranger to the channel",
            line="/budget channel week 5",
            author=ANN,
            words="Only people who manage this channel, or an owner of this bot, can set its budget.",
        ),
        Refused(id="a manager, all", line="/budget all week 5", author=BEN, words="Only owners of this bot"),
        Refused(id="a manager, each person", line="/budget user day 5", author=BEN, words="Only owners of this bot"),
        Refused(
            id="a manager, elsewhere",
            line="/budget channel day 5 everybody",
            author=BEN,
            words="Only owners of this bot",
        ),
        Refused(
            id="a manager in private",
            line="/budget channel day 5",
            author=BEN,
            place=PRIVATE,
            words="Only owners of this bot",
        ),
        Refused(id="negative", line="/budget all day -1", words="The amount is in dollars"),
        Refused(id="not a number", line="/budget all day nan", words="The amount is in dollars"),
        Refused(id="infinite", line="/budget all day inf", words="The amount is in dollars"),
        Refused(id="an exponent", line="/budget all day 1e9", words="The amount is in dollars"),
        Refused(id="absurd", line="/budget all day 10000000", words="The amount is in dollars"),
        Refused(id="other digits", line="/budget all day ١", words="The amount is in dollars"),
        Refused(id="no amount", line="/budget all day", words="Say whose budget, for how long, and how much"),
        Refused(id="a chat for a person", line="/budget user day 1 telegram:chat:-5", words="is for a person"),
        Refused(id="a name for a person", line="/budget user day 1 @ann", words="not an id that I know how to read"),
        Refused(id="a channel elsewhere", line="/budget channel day 1 x:chat:9", words="set it there"),
        Refused(id="one person of all", line="/budget all day 1 x:9", words="`user` can be for one person"),
        Refused(id="no server", line="/budget server day 1", place=GROUP, words="does not belong to a server"),
    ],
    ids=lambda case: case.id,
)
async def test_what_cannot_be_set_is_refused_in_words(counter: Counter, case: Refused) -> None:
    answer = await counter.type(case.line, author=case.author, place=case.place)

    assert case.words in answer.text
    assert stored(counter) == {}


async def test_a_limit_counts_from_the_next_call_on(counter: Counter) -> None:
    await counter.type("/budget user day 2 x:1", author=OWNER)
    ((due, spent),) = await counter.desk.purse.status(CHANNEL, ANN.key)

    assert (due.limit_nano, spent) == (2 * USD, Spent(used_nano=0, held_nano=0))
