"""The contract of `Ledger`, over MongoDB and over the fake in memory."""

from datetime import timedelta

import pytest

from bot.core.ledger import Certainty, ModelSpending, Spending, SpendingScope
from bot.core.place import Scope
from tests.bot.storage.samples import ADA, BOB, NOON, PLACE, row
from tests.bot.storage.worlds import World

OF_ADA = SpendingScope(scope=Scope.ME, key=ADA)


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
    assert spending == Spending(models=(dear, cheap))


async def test_costs_that_are_all_unknown_add_up_to_no_known_money(world: World) -> None:
    await world.ledger.append([row(1, nano_usd=None, certainty=Certainty.UNKNOWN)])

    (spent,) = (await world.ledger.spending(OF_ADA, None)).models

    assert (spent.nano_usd, spent.unknown_requests) == (0, 1)


async def test_spending_covers_one_person_one_channel_or_one_server(world: World) -> None:
    await world.ledger.append([row(1), row(2, author=BOB), row(3, author=BOB, space="telegram:99:s")])

    requests = {}
    for scope, key in ((Scope.ME, BOB), (Scope.CHANNEL, PLACE.channel_key), (Scope.SERVER, "telegram:99:s")):
        spending = await world.ledger.spending(SpendingScope(scope=scope, key=key), None)
        requests[scope] = sum(model.requests for model in spending.models)

    assert requests == {Scope.ME: 2, Scope.CHANNEL: 3, Scope.SERVER: 1}


async def test_spending_begins_with_the_given_time(world: World) -> None:
    await world.ledger.append([row(1), row(2), row(3)])

    (spent,) = (await world.ledger.spending(OF_ADA, NOON + timedelta(seconds=2))).models

    assert spent.requests == 2
    assert await world.ledger.spending(OF_ADA, NOON + timedelta(seconds=4)) == Spending(models=())


async def test_spending_by_thread_is_not_kept(world: World) -> None:
    with pytest.raises(ValueError, match="thread"):
        await world.ledger.spending(SpendingScope(scope=Scope.THREAD, key=PLACE.thread_key), None)
