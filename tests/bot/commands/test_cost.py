"""/cost: whose, since when, and money that is exact or says that it is not."""

import csv
import io
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bot.commands import COMMANDS
from bot.commands._cost_csv import ROWS_MAX
from bot.core.events import Usage
from bot.core.ledger import CallStatus, Certainty, Cost, LedgerRow
from bot.core.place import Author, Place
from bot.core.ports import Answer
from tests.fakes.clock import START
from tests.fakes.desk import ANN, BEN, CHANNEL, OWNER, PRIVATE, Counter

#: A Sunday; so the week began six days before.
TODAY = START


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS)


async def book(
    counter: Counter,
    nano_usd: int | None,
    *,
    at: datetime = TODAY,
    author: Author = ANN,
    place: Place = PRIVATE,
    model: str = "alpha/one",
    certainty: Certainty = Certainty.EXACT,
    usage: Usage = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=200),  # noqa: B008  # frozen
) -> None:
    row = LedgerRow(
        id=f"call {len(counter.ledger.booked)}",
        at=at,
        turn_uid="turn",
        thread_key=place.thread_key,
        channel_key=place.channel_key,
        space_key=place.space_key,
        author_key=author.key,
        provider="alpha",
        model=model,
        model_answered=None,
        usage=usage,
        usage_estimated=certainty is Certainty.ESTIMATED,
        cost=Cost(nano_usd=nano_usd, certainty=certainty, source="test"),
        status=CallStatus.COMPLETED,
        first_token_s=0.1,
        duration_s=1.0,
    )
    await counter.ledger.append([row])


async def test_without_arguments_it_is_the_asker_today(counter: Counter) -> None:
    await book(counter, 1_200_000)
    await book(counter, 7_000_000_000, author=BEN)
    await book(counter, 7_000_000_000, at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))

    assert (await counter.type("/cost")).text == (
        "**You, today** (since 2026-11-01, UTC)\n\n"
        "- `alpha/one`: 1 request · 1,000 tokens in (200 cached, 20 %) · 100 out · $0.0012"
    )


async def test_nothing_is_said_plainly(counter: Counter) -> None:
    assert (await counter.type("/cost")).text == "**You, today** (since 2026-11-01, UTC): nothing so far."


async def test_several_models_have_a_sum_and_the_dearest_comes_first(counter: Counter) -> None:
    await book(counter, 1_000_000, model="alpha/cheap")
    await book(counter, 2_000_000, model="alpha/dear")
    rows = (await counter.type("/cost")).text.splitlines()

    assert rows[2] == "2 requests · 2,000 tokens in (400 cached, 20 %) · 200 out · $0.0030"
    assert [row.split("`")[1] for row in rows[4:]] == ["alpha/dear", "alpha/cheap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    id: str
    costs: tuple[tuple[int | None, Certainty], ...]
    shown: str


@pytest.mark.parametrize(
    "case",
    [
        Booked(id="free", costs=((0, Certainty.EXACT),), shown="$0"),
        Booked(id="estimated", costs=((1_200_000, Certainty.ESTIMATED),), shown="about $0.0012"),
        Booked(
            id="partly estimated",
            costs=((1_000_000, Certainty.EXACT), (200_000, Certainty.ESTIMATED)),
            shown="about $0.0012",
        ),
        Booked(id="unknown", costs=((None, Certainty.UNKNOWN),), shown="unknown"),
        Booked(
            id="partly unknown",
            costs=((1_200_000, Certainty.EXACT), (None, Certainty.UNKNOWN)),
            shown="$0.0012 and unknown for 1 request",
        ),
    ],
    ids=lambda case: case.id,
)
async def test_money_says_how_sure_it_is(counter: Counter, case: Booked) -> None:
    for nano_usd, certainty in case.costs:
        await book(counter, nano_usd, certainty=certainty)

    assert (await counter.type("/cost")).text.endswith(f" out · {case.shown}")


async def test_tokens_without_cached_ones_do_not_mention_them(counter: Counter) -> None:
    await book(counter, 1, usage=Usage(input_tokens=1, output_tokens=1))

    assert "cached" not in (await counter.type("/cost")).text


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    period: str
    requests: int


@pytest.mark.parametrize(
    "case",
    [
        Since(period="day", requests=1),
        Since(period="week", requests=2),
        Since(period="month", requests=1),
        Since(period="year", requests=3),
        Since(period="ever", requests=4),
    ],
    ids=lambda case: case.period,
)
async def test_periods_begin_with_the_calendar(counter: Counter, case: Since) -> None:
    for at in (
        TODAY,
        datetime(2026, 10, 26, 0, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 23, 59, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=UTC),
    ):
        await book(counter, 1, at=at)

    assert f": {case.requests} request" in (await counter.type(f"/cost {case.period}")).text


async def test_a_channel_and_a_server_can_be_asked_about_by_anyone(counter: Counter) -> None:
    await book(counter, 1_000_000, author=BEN, place=CHANNEL)
    here = await counter.type("/cost here", place=CHANNEL)
    server = await counter.type("/cost day server", place=CHANNEL)

    assert "**This channel, today**" in here.text
    assert "**This server, today**" in server.text
    assert "$0.0010" in here.text
    assert "$0.0010" in server.text


async def test_a_private_chat_has_no_server(counter: Counter) -> None:
    assert "does not belong to a server" in (await counter.type("/cost day server")).text


async def test_all_is_for_owners(counter: Counter) -> None:
    await book(counter, 1_000_000, author=BEN, place=CHANNEL)
    refused = await counter.type("/cost all")
    told = await counter.type("/cost all", author=OWNER)

    assert "is for owners of this bot" in refused.text
    assert told.text.startswith("**Everybody, today** (since 2026-11-01, UTC)\n\n- `alpha/one`: 1 request")


async def test_several_days_are_listed_and_drawn(counter: Counter) -> None:
    for number in range(9):
        await book(counter, 1_000_000 * (number + 1), at=datetime(2026, 10, 20 + number, tzinfo=UTC))
    answer = await counter.type("/cost ever")

    assert "- 2026-10-28: 1 request · $0.0090\n- 2026-10-27: 1 request · $0.0080" in answer.text
    assert answer.text.endswith("- 2026-10-22: 1 request · $0.0030\n- … and 2 earlier days")
    assert answer.file is not None
    assert (answer.file.name, answer.file.media_type) == ("cost.png", "image/png")
    assert answer.file.content.startswith(b"\x89PNG")


async def test_one_day_is_not_drawn(counter: Counter) -> None:
    await book(counter, 1)

    assert (await counter.type("/cost week")).file is None


async def test_an_export_is_a_file_of_the_month(counter: Counter) -> None:
    await book(counter, 1_200_000)
    await book(counter, 7, at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    await book(counter, 7, author=BEN)
    answer = await counter.type("/cost export")

    assert answer.text == "**You, this month**: 1 call, the newest first."
    assert answer.private
    assert answer.file is not None
    assert (answer.file.name, answer.file.media_type) == ("cost-me-month-2026-11-01.csv", "text/csv")
    assert answer.file.content.decode().count("\r\n") == 2


def authors_and_costs(answer: Answer) -> list[tuple[str | None, str]]:
    assert answer.file is not None
    rows = csv.DictReader(io.StringIO(answer.file.content.decode(), newline=""))
    return sorted((row.get("author"), row["cost_usd"]) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    id: str
    author: Author
    line: str
    rows: list[tuple[str | None, str]]


@pytest.mark.parametrize(
    "case",
    [
        Exported(id="a member", author=ANN, line="here", rows=[(None, "0.000000001")]),
        Exported(id="a member, the server", author=ANN, line="server", rows=[(None, "0.000000001")]),
        Exported(id="a manager", author=BEN, line="here", rows=[(None, "0.000000001"), (None, "0.000000002")]),
        Exported(
            id="an owner",
            author=OWNER,
            line="here",
            rows=[("x:1", "0.000000001"), ("x:2", "0.000000002")],
        ),
        Exported(
            id="an owner, all",
            author=OWNER,
            line="all",
            rows=[("x:1", "0.000000001"), ("x:1", "0.000000003"), ("x:2", "0.000000002")],
        ),
    ],
    ids=lambda case: case.id,
)
async def test_an_export_shows_others_only_to_those_who_may_know(case: Exported) -> None:
    counter = Counter(commands=COMMANDS, admins=frozenset({BEN.key}))
    await book(counter, 1, place=CHANNEL)
    await book(counter, 2, author=BEN, place=CHANNEL)
    await book(counter, 3, place=PRIVATE)
    answer = await counter.type(f"/cost export {case.line}", author=case.author, place=CHANNEL)

    assert sorted(authors_and_costs(answer)) == case.rows
    assert ("Only your own calls" in answer.text) == (case.author is ANN)


async def test_an_export_of_nothing_is_no_file(counter: Counter) -> None:
    answer = await counter.type("/cost export ever")

    assert (answer.text, answer.file) == ("**You, since the beginning**: nothing so far.", None)


async def test_an_export_that_was_cut_says_so(counter: Counter) -> None:
    await book(counter, 1)
    row = counter.ledger.booked["call 0"]
    await counter.ledger.append([replace(row, id=f"copy {number}") for number in range(ROWS_MAX)])
    answer = await counter.type("/cost export")

    assert answer.text == (
        "**You, this month**: 50,000 calls, the newest first. "
        "There are more, but a file holds no more than these; choose a shorter period."
    )


def test_a_bot_that_draws_nothing_does_not_load_pillow() -> None:
    code = "import sys, bot.commands; sys.exit(any(name.partition('.')[0] == 'PIL' for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
