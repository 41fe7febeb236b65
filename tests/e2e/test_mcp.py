"""Tools of other programs: one server as a child and one at an address, used by models for those who may."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.bot.mcp.test_addresses import serving
from tests.e2e.chats import Chat, Door, Person
from tests.e2e.lookups import calls, results_of, tools_of
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world
from tests.fakes.mcp import clumsy
from tests.fakes.mcp.shelf import shelf_app
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Reply, Step

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLATFORMS = ("telegram", "discord")
TOKEN = "shelf-token-4711"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A bot with two servers: `shelf` for everyone, `desk` for owners."""

    world: World
    owners: dict[str, Person]

    async def ask(self, chat: Chat, question: str, *steps: Step) -> list[Request]:
        """Ask something, let the model do these steps, and give its calls once the last one is shown."""
        text = f"{question} {chat.key}."
        self.world.script(text, *steps)
        chat.say(text)
        (*_, last) = steps
        assert isinstance(last, Reply)
        await chat.until(lambda shown: bool(shown) and shown[-1].text.startswith(last.text))
        return self.world.asked(text)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("mcp")
    async with (
        serving(shelf_app(token=TOKEN)) as port,
        open_world(folder, mongodb_uri, *PLATFORMS, MCP_SERVERS_FILE="servers.json", SHELF_TOKEN=TOKEN) as world,
    ):
        _write(folder / "servers.json", port)
        owners = {name: door.person("Olga") for name, door in world.doors.items()}
        world.parley.settings["OWNERS"] = ",".join(owner.key for owner in owners.values())
        await world.start()
        house = House(world=world, owners=owners)
        await _until_both_are_there(house)
        yield house


@pytest.fixture(params=PLATFORMS)
def door(house: House, request: pytest.FixtureRequest) -> Door:
    return house.world.doors[request.param]


def _write(file: Path, port: int) -> None:
    listed = [
        {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object", "properties": {}}}
        for name in ("who", "die", "environment", "format_disk")
    ]
    servers = {
        "shelf": {
            "url": f"http://127.0.0.1:{port}/mcp",
            "headers": {"Authorization": "Bearer ${SHELF_TOKEN}"},
            "tools": ["add", "find"],
            "who": "everyone",
            "read_only": ["find"],
        },
        "desk": {
            "command": sys.executable,
            "args": [clumsy.__file__, json.dumps({"tools": listed})],
            "tools": ["who", "die", "environment"],
        },
    }
    file.write_text(json.dumps({"mcpServers": servers}))


async def _until_both_are_there(house: House) -> None:
    """Servers are connected to beside starting."""
    door = house.world.doors["discord"]
    owner = door.private(house.owners["discord"])

    async def are_there() -> bool:
        return "not connected" not in await owner.command("tools")

    await until(are_there, "both servers are connected")


async def test_a_model_uses_a_tool_of_a_server_and_its_words_come_as_data(door: Door, house: House) -> None:
    chat = door.private(door.person("Ann"))
    requests = await house.ask(chat, "Where is it?", calls("shelf__find", title="Emma"), Reply(text="On shelf 4."))

    assert [name for name in tools_of(requests[0]) if "__" in name] == [
        "desk__die",
        "desk__environment",
        "desk__who",
        "shelf__add",
        "shelf__find",
    ]
    (result,) = results_of(requests[1])
    assert result.startswith("<<<DATA ")
    assert '"shelf": 4' in result.replace('"shelf":4', '"shelf": 4')


async def test_what_may_change_things_does_not_run_after_words_from_outside(door: Door, house: House) -> None:
    chat = door.private(door.person("Ann"))
    steps = (calls("shelf__add", a=40, b=2), calls("shelf__add", a=1, b=1), Reply(text="42."))
    requests = await house.ask(chat, "Add them", *steps)

    first, second = results_of(requests[-1])
    assert "42" in first
    assert second.startswith("Error: Not run: what you were given for this answer has text from outside")


async def test_a_tool_for_owners_runs_for_them_alone(door: Door, house: House) -> None:
    steps = (calls("desk__who"), Reply(text="Asked."))
    stranger, owner = door.private(door.person("Ann")), door.private(house.owners[door.platform])
    refused = results_of((await house.ask(stranger, "Who is it?", *steps))[-1])
    given = results_of((await house.ask(owner, "Who is it?", *steps))[-1])

    assert refused == ["Error: Not run: only an owner of the bot may use this tool, and the person who asks is none."]
    assert _desk(house).pid in [int(word) for word in given[0].split() if word.isdigit()]


async def test_a_tool_that_the_operator_did_not_allow_does_not_exist(door: Door, house: House) -> None:
    owner = door.private(house.owners[door.platform])
    steps = (calls("desk__format_disk"), calls("shelf__grow"), Reply(text="There is none."))
    results = results_of((await house.ask(owner, "Format it", *steps))[-1])

    assert [result.partition(". ")[0] for result in results] == [
        "Error: There is no tool 'desk__format_disk'",
        "Error: There is no tool 'shelf__grow'",
    ]


async def test_a_server_gets_nothing_of_the_bots_own_settings(house: House) -> None:
    owner = house.world.doors["discord"].private(house.owners["discord"])
    steps = (calls("desk__environment"), Reply(text="Seen."))
    (result,) = results_of((await house.ask(owner, "What do you know?", *steps))[-1])

    assert '"PATH"' in result.replace('\\"', '"')
    for secret in (*house.world.secrets, TOKEN):
        assert secret not in result


async def test_tools_shows_the_servers_and_switches_off_all_of_one(door: Door, house: House) -> None:
    chat = door.private(door.person("Ann"))
    listed = await chat.command("tools")
    assert "shelf__find" in listed
    assert "2 tools" in listed.partition("Servers")[2]
    assert "3 tools" in listed.partition("Servers")[2]
    assert "format_disk" not in listed
    await chat.command("tools", name="shelf", switch="off")
    requests = await house.ask(chat, "Which?", Reply(text="These."))

    assert [name for name in tools_of(requests[0]) if name.startswith("shelf__")] == []
    assert "desk__who" in tools_of(requests[0])


async def test_a_server_that_dies_loses_its_tools_alone_and_comes_back(house: House) -> None:
    door = house.world.doors["discord"]
    owner = door.private(house.owners["discord"])
    before = _desk(house).pid
    steps = (calls("desk__die"), calls("shelf__find", title="Emma"), Reply(text="Found all the same."))
    died, found = results_of((await house.ask(owner, "Let it die", *steps))[-1])

    assert died.startswith("Error: The server went away during the call")
    assert '"shelf"' in found

    async def is_back() -> bool:
        return "not connected" not in await owner.command("tools")

    await until(is_back, "it is there again")
    assert _desk(house).pid != before


def _desk(house: House) -> psutil.Process:
    """The server that runs as the bot's child."""
    (found,) = [
        child for child in psutil.Process(house.world.parley.pid).children() if clumsy.__file__ in child.cmdline()
    ]
    return found
