"""Who may use the bot: nobody at first, then its owner, then those whom the owner lets in."""

from pathlib import Path

import pytest

from tests.e2e.chats import Shown
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
SECRET_WORDS = "my secret garden"


def one(shown: tuple[Shown, ...]) -> bool:
    return len(shown) == 1


async def pairing_code(world: World) -> str:
    return (await world.parley.wait_for_log(r"pairing code (\w{8})"))[1]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_stranger_is_told_their_id_once_a_day_and_leaves_no_trace(
    platform: str, mongodb_uri: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, mongodb_uri, platform, ACCESS="closed", OWNERS=f"{platform}:1") as world:
        await world.start()
        door = world.doors[platform]
        stranger, robot = door.person("Eve"), door.person("Robot", is_bot=True)
        private, group = door.private(stranger), door.shared(stranger, robot)
        private.say(SECRET_WORDS)

        told = await private.until(one)

        assert stranger.key in told.text
        assert f"/allow {stranger.key}" in told.text
        for chat in (private, group):
            chat.mention(f"{SECRET_WORDS} again")
        group.mention(f"{SECRET_WORDS} of a robot", by=robot)
        other = door.private(door.person("Mallory"))
        other.say(f"{SECRET_WORDS}, too")
        await other.until(one)
        assert len(private.shown()) == 1
        assert group.shown() == ()
        assert world.provider.generations == []
        stored = await world.stored()
        assert "secret garden" not in stored
        assert "Eve" not in stored


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_whoever_sends_the_code_from_the_log_owns_the_bot_and_lets_others_in(
    platform: str, mongodb_uri: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, mongodb_uri, platform, ACCESS="closed") as world:
        await world.start()
        door = world.doors[platform]
        owner, guest = door.person("Olga"), door.person("Gus")
        home, visit = door.private(owner), door.private(guest)
        code = await pairing_code(world)

        assert "not the code" in await home.command("pair", code="AAAAAAAA")
        assert owner.key in await home.command("pair", code=code)
        before = len(home.shown())
        home.say("hello")
        await home.until(lambda shown: len(shown) == before + 1 and "You said" in shown[-1].text)

        visit.say("may I come in?")
        await visit.until(one)
        await home.command("allow", entry=guest.key)
        visit.say("now?")
        await visit.until(lambda shown: "You said: now?" in shown[-1].text)

        await home.command("deny", entry=guest.key)
        visit.say("and now?")
        home.say("is he gone?")
        await home.until(lambda shown: "is he gone?" in shown[-1].text)
        assert not world.asked("and now?")
        refused = "I only talk to people whom my owner has allowed"
        assert refused in visit.shown()[0].text


async def test_the_code_pairs_one_person_only(world: World) -> None:
    code = await pairing_code(world)
    answers = [await door.private(door.person("Olga")).command("pair", code=code) for door in world.doors.values()]

    assert ["You own me now" in answer for answer in answers] == [True, False]


async def test_a_group_that_the_settings_allow_may_use_it(mongodb_uri: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, mongodb_uri, *PLATFORMS, ACCESS="closed") as world:
        groups = {name: door.shared(door.person("Ann")) for name, door in world.doors.items()}
        entries = [groups["telegram"].allow_entry, groups["discord"].allow_entry]
        await world.start(ALLOW=",".join(entries))
        for group in groups.values():
            group.mention("hello")
        for group in groups.values():
            shown = await group.until(one)
            assert "You said" in shown.text

        await until(lambda: len(world.provider.generations) == 2, "both were asked")
