"""The contract of `Ledger`, over MongoDB and over the fake in memory."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from bot.core.events import Usage
from bot.core.ledger import CallKind, Certainty, DaySpending, LedgerRow, ModelSpending, Spending, SpendingScope, Whose
from tests.bot.storage.samples import ADA, BOB, NOON, PLACE, row
from tests.bot.storage.worlds import World

OF_ADA = SpendingScope(whose=Whose.USER, key=ADA)
SERVER = "telegram:99:s"
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def on(day: int, number: int, **changes: object) -> LedgerRow:
    """Row `number` on that day of November."""
    return replace(row(number), at=NOON.replace(day=day) + timedelta(seconds=number), **changes)  # type: ignore[arg-type]  # fields by name


def requests(spending: Spending) -> int:
    return sum(model.requests for model in spending.models)


async def test_rows_booked_twice_count_once(world: World) -> None:
    await world.ledger.append([row(1), row(2)])
    await world.ledger.append([row(2, nano_usd=9_999), row(3)])
    await world.ledger.append([])

    (spent,) = (await world.ledger.spending(OF_ADA, None)).models

    assert (spent.requests, spent.nano_usd) == (3, 3_000)


async def test_spending_is_added_up_by_model_the_dearest_first(world: World) -> None:
    await world.ledger.append([row(1, model="openai/a"), row(2, model="groq/$b", nano_usd=5_000_000_000)])
    await world.ledger.append([row(3, model="openai/a", certainty=Certainty.ESTIMATED)])
    await world.ledger.append([row(4, model="openai/a", nano_usd=None, certainty=Certainty.UNKNOWN)])

    spending = await world.ledger.spending(OF_ADA, None)

    dear = ModelSpending(
        model="groq/$b",
        requests=1,
        input_tokens=100,
        cached_tokens=10,
        output_tokens=20,
        nano_usd=5_000_000_000,
        estimated_requests=0,
        unknown_requests=0,
    )
    cheap = ModelSpending(
        model="openai/a",
        requests=3,
        input_tokens=300,
        cached_tokens=30,
        output_tokens=60,
        nano_usd=2_000,
        estimated_requests=1,
        unknown_requests=1,
    )
    assert spending.models == (dear, cheap)


async def test_costs_that_are_all_unknown_add_up_to_no_known_money(world: World) -> None:
    await world.ledger.append([row(1, nano_usd=None, certainty=Certainty.UNKNOWN)])

    (spent,) = (await world.ledger.spending(OF_ADA, None)).models

    assert (spent.nano_usd, spent.unknown_requests) == (0, 1)


async def test_spending_is_added_up_by_day_in_utc_the_oldest_first(world: World) -> None:
    late_evening = datetime(2026, 11, 20, 22, 30, tzinfo=timezone(timedelta(hours=-2)))  # 00:30 of the next day
    unknown = row(2, nano_usd=None, certainty=Certainty.UNKNOWN)
    await world.ledger.append([on(21, 1), replace(unknown, at=late_evening), on(19, 3, model="groq/x")])

    days = (await world.ledger.spending(OF_ADA, None)).days

    older = DaySpending(day=date(2026, 11, 19), requests=1, nano_usd=1_000, estimated_requests=0, unknown_requests=0)
    newer = DaySpending(day=date(2026, 11, 21), requests=2, nano_usd=1_000, estimated_requests=0, unknown_requests=1)
    assert days == (older, newer)


async def test_spending_covers_one_person_one_channel_one_server_or_all(world: World) -> None:
    elsewhere = replace(row(4, author=BOB), channel_key="telegram:99:else")
    await world.ledger.append([row(1), row(2, author=BOB), row(3, author=BOB, space=SERVER), elsewhere])

    counts = {}
    for whose, key in (
        (Whose.USER, BOB),
        (Whose.CHANNEL, PLACE.channel_key),
        (Whose.SERVER, SERVER),
        (Whose.ALL, ""),
    ):
        counts[whose] = requests(await world.ledger.spending(SpendingScope(whose=whose, key=key), None))

    assert counts == {Whose.USER: 3, Whose.CHANNEL: 3, Whose.SERVER: 1, Whose.ALL: 4}


async def test_spending_begins_with_the_given_day(world: World) -> None:
    await world.ledger.append([on(20, 1), on(21, 2), on(22, 3)])

    assert requests(await world.ledger.spending(OF_ADA, MIDNIGHT)) == 2
    assert await world.ledger.spending(OF_ADA, MIDNIGHT + timedelta(days=2)) == Spending(models=())


async def test_money_that_no_32_bits_hold_is_added_up_exactly(world: World) -> None:
    await world.ledger.append([row(number, nano_usd=4_000_000_000_000_000_001) for number in (1, 2)])

    assert (await world.ledger.spending(OF_ADA, None)).models[0].nano_usd == 8_000_000_000_000_000_002


async def test_single_rows_come_back_as_they_were_booked_the_newest_first(world: World) -> None:
    at = NOON + timedelta(days=1)
    usage = Usage(input_tokens=3_000_000_000, output_tokens=7, cached_tokens=5, audio_s=1.5, searches=2)
    rich = replace(row(1, space=SERVER), at=at, usage=usage, kind=CallKind.SUMMARY, service_tier="flex")
    unknown = replace(row(2, nano_usd=None, certainty=Certainty.UNKNOWN), first_token_s=0.25)
    await world.ledger.append([unknown, rich, row(3, author=BOB)])

    assert await world.ledger.rows(OF_ADA, None, 10) == (rich, unknown)
    assert await world.ledger.rows(OF_ADA, None, 1) == (rich,)
    assert await world.ledger.rows(OF_ADA, at, 10) == (rich,)
    assert await world.ledger.rows(SpendingScope(whose=Whose.SERVER, key=SERVER), None, 10) == (rich,)
    assert await world.ledger.rows(SpendingScope(whose=Whose.ALL), None, 10) == (rich, row(3, author=BOB), unknown)
