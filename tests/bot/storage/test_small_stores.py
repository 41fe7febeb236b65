"""The contracts of `SettingStore`, `AccessStore` and `InvocationStore`, over MongoDB and over the fakes."""

from datetime import timedelta

from tests.bot.storage.samples import ADA, BOB, PLACE, command
from tests.bot.storage.worlds import World

ACCOUNTS = [PLACE.account_key]


async def test_settings_come_back_with_their_types_and_names(world: World) -> None:
    values = {"model": "openai/$x", "temperature": 0.5, "max_output": 10, "footer": False, "$a.b": "$owner"}
    for name, value in values.items():
        await world.settings.set("me:telegram:1", name, value)

    loaded = await world.settings.load(["thread:nothing", "me:telegram:1"])

    assert loaded == {"me:telegram:1": values}


async def test_a_setting_that_is_removed_is_gone_and_so_is_an_empty_scope(world: World) -> None:
    await world.settings.set("channel:c", "model", "a/b")
    await world.settings.set("channel:c", "footer", True)
    await world.settings.set("channel:d", "$a.b", "x")

    await world.settings.set("channel:c", "model", None)
    await world.settings.set("channel:d", "$a.b", None)
    await world.settings.set("channel:e", "model", None)

    assert await world.settings.load(["channel:c", "channel:d", "channel:e"]) == {"channel:c": {"footer": True}}


async def test_a_setting_is_replaced_whole(world: World) -> None:
    await world.settings.set("channel:c", "model", {"a": 1, "b": 2})
    await world.settings.set("channel:c", "model", {"c": 3})

    assert await world.settings.load(["channel:c"]) == {"channel:c": {"model": {"c": 3}}}


async def test_access_is_given_changed_and_taken_back(world: World) -> None:
    await world.access.put("telegram:chat:-100", "allowed")
    await world.access.put("telegram:1", "allowed")
    await world.access.put("telegram:1", "owner")
    await world.access.put("discord:guild:$x.y", "allowed")

    assert await world.access.remove("telegram:chat:-100")
    assert not await world.access.remove("telegram:chat:-100")

    assert await world.access.entries() == {"telegram:1": "owner", "discord:guild:$x.y": "allowed"}


async def test_a_person_is_refused_for_the_first_time_once_a_day(world: World) -> None:
    answers = [
        await world.access.first_refusal_today(person, day)
        for person, day in (
            (ADA, "2026-11-21"),
            (ADA, "2026-11-21"),
            (BOB, "2026-11-21"),
            (ADA, "2026-11-22"),
        )
    ]

    assert answers == [True, False, True, True]


async def test_a_command_is_begun_once_also_after_its_end(world: World) -> None:
    first = await world.invocations.begin(command(1))
    second = await world.invocations.begin(command(1))
    await world.invocations.end(command(1).uid)

    assert (first, second) == (True, False)
    assert not await world.invocations.begin(command(1))


async def test_commands_without_an_end_are_handed_out_once_per_interval(world: World) -> None:
    for number in (1, 2):
        await world.invocations.begin(command(number))
    await world.invocations.end(command(2).uid)

    young = await world.invocations.abandoned(30, ACCOUNTS)
    world.clock.now_ += timedelta(seconds=31)
    due = await world.invocations.abandoned(30, ACCOUNTS)
    again = await world.invocations.abandoned(0, ACCOUNTS)
    world.clock.now_ += timedelta(seconds=31)
    later = await world.invocations.abandoned(30, ACCOUNTS)

    assert (young, due, again, later) == ((), (command(1),), (), (command(1),))


async def test_commands_are_handed_out_only_to_who_serves_their_account(world: World) -> None:
    await world.invocations.begin(command(1))
    world.clock.now_ += timedelta(seconds=31)

    assert await world.invocations.abandoned(30, ["telegram:98", "discord:99"]) == ()
    assert await world.invocations.abandoned(30, ["discord:99", *ACCOUNTS]) == (command(1),)
