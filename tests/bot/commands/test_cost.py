"""/cost: whose, since when, and money that is exact or says that it is not."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.commands import COMMANDS
from bot.core.events import Usage
from bot.core.ledger import CallStatus, Certainty, Cost, LedgerRow
from bot.core.place import Author, Place
from tests.fakes.clock import START
from tests.fakes.desk import ANN, BEN, CHANNEL, PRIVATE, Counter

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
        id=f"call {len(counter.ledger.rows)}",
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
        "- `alpha/one`: 1 request · 1,000 tokens in (200 cached) · 100 out · $0.0012"
    )


async def test_nothing_is_said_plainly(counter: Counter) -> None:
    assert (await counter.type("/cost")).text == "**You, today** (since 2026-11-01, UTC): nothing so far."


async def test_several_models_have_a_sum_and_the_dearest_comes_first(counter: Counter) -> None:
    await book(counter, 1_000_000, model="alpha/cheap")
    await book(counter, 2_000_000, model="alpha/dear")
    rows = (await counter.type("/cost")).text.splitlines()

    assert rows[2] == "2 requests · 2,000 tokens in (400 cached) · 200 out · $0.0030"
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
        Since(period="all", requests=4),
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
