"""Where the bot was active, as the threads' documents tell."""

from datetime import UTC, datetime, timedelta

from bot.core.stores import ActiveChannel
from bot.storage.activity import ActivityStore
from bot.storage.database import Database
from bot.storage.threads import ThreadStore
from tests.bot.storage.samples import item, place

SNOWFLAKE = 1_500_000_000_000_000_000


async def test_active_channels_come_with_their_highest_order_the_latest_first(database: Database) -> None:
    threads, before = ThreadStore(database, owner="a"), datetime.now(UTC) - timedelta(minutes=1)
    await threads.ingest(place("1"), item(1, order=SNOWFLAKE + 2))
    await threads.ingest(place("1"), item(2, order=SNOWFLAKE + 1))
    await threads.ingest(place("2"), item(3, order=7))
    active = await ActivityStore(database).active("telegram:99", before)

    assert active == (
        ActiveChannel(place=place("2"), last_order=7),
        ActiveChannel(place=place("1"), last_order=SNOWFLAKE + 2),
    )


async def test_other_accounts_and_channels_that_fell_silent_are_left_out(database: Database) -> None:
    await ThreadStore(database, owner="a").ingest(place("1"), item(1))
    activity, later = ActivityStore(database), datetime.now(UTC) + timedelta(minutes=1)

    assert await activity.active("telegram:98", later - timedelta(days=1)) == ()
    assert await activity.active("telegram:99", later) == ()


async def test_a_message_that_is_delivered_again_is_no_activity(database: Database) -> None:
    threads, activity = ThreadStore(database, owner="a"), ActivityStore(database)
    await threads.ingest(place("1"), item(1))
    await threads.ingest(place("2"), item(2))
    await threads.ingest(place("1"), item(1, order=99))
    active = await activity.active("telegram:99", datetime.now(UTC) - timedelta(minutes=1))

    assert [(channel.place.chat, channel.last_order) for channel in active] == [("2", 2), ("1", 1)]
