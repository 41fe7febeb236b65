"""/tools: what can be used here, and switching it off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.commands import COMMANDS
from bot.core.tools import ServerState, ToolContext, ToolOutput, ToolSpec
from tests.fakes.desk import ANN, BEN, CHANNEL, OWNER, THREAD, Counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A tool that is listed and never called."""

    spec: ToolSpec
    reads_only: bool = True
    owners_only: bool = False
    timeout_s: float = 1.0

    def status(self, arguments: Mapping[str, object]) -> str:
        return self.spec.name

    def worst_nano_usd(self, arguments: Mapping[str, object]) -> int | None:
        return 0

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutput:
        raise AssertionError("nothing is called here")


def named(
    name: str, description: str = "Does something.", *, reads_only: bool = True, owners_only: bool = False
) -> Named:
    spec = ToolSpec(name=name, description=description, parameters={"type": "object"})
    return Named(spec=spec, reads_only=reads_only, owners_only=owners_only)


TOOLS = (
    named("web_search", "Searches the web."),
    named("github__find", "[Click](https://evil.example) `now`\nor never"),
    named("github__write", reads_only=False, owners_only=True),
)
SERVERS = (
    ServerState(name="github", connected=True, tools=2, since=datetime(2026, 11, 1, 12, 5, tzinfo=UTC)),
    ServerState(name="files", connected=False, tools=0, problem="it ended with exit code 1"),
)


@pytest.fixture
def counter() -> Counter:
    tools = {tool.spec.name: tool for tool in TOOLS}
    return Counter(commands=COMMANDS, admins=frozenset({BEN.key}), tools=tools, servers=SERVERS)


async def test_every_tool_is_listed_with_its_state_and_who_may_use_it(counter: Counter) -> None:
    counter.settings.values["channel:x:bot:50"] = {"tools_off": "web_search,gone__tool"}
    lines = (await counter.type("/tools", place=THREAD)).text.splitlines()

    assert lines[:6] == [
        "**Tools here**",
        "",
        "- `github__find`: **on**. `[Click](https://evil.example) 'now' or never`",
        "- `github__write`: **on**, owners only, changes things. `Does something.`",
        "- `gone__tool`: **off here**, not there now.",
        "- `web_search`: **off here**. Searches the web.",
    ]


async def test_the_state_of_servers_is_for_everyone_and_their_trouble_for_owners(counter: Counter) -> None:
    shown, owners = (await counter.type("/tools")).text, (await counter.type("/tools", author=OWNER)).text

    assert "- `github`: connected since 2026-11-01 12:05 UTC, 2 tools" in shown.splitlines()
    assert "- `files`: not connected" in shown.splitlines()
    assert "- `files`: not connected: it ended with exit code 1" in owners.splitlines()


async def test_long_lists_come_in_pages() -> None:
    counter = Counter(commands=COMMANDS, tools={f"t{n:02}": named(f"t{n:02}") for n in range(20)})
    first, second = (await counter.type("/tools")).text, (await counter.type("/tools 2")).text

    assert "**Tools here**, page 1 of 2" in first
    assert "`/tools 2` shows more." in first
    assert ("`t14`" in first, "`t15`" in first) == (True, False)
    assert ("`t14`" in second, "`t19`" in second, "shows more" in second) == (False, True, False)
    assert "page 2 of 2" in (await counter.type("/tools 999999")).text


async def test_no_tools_at_all_is_told() -> None:
    assert "There are none" in (await Counter(commands=COMMANDS).type("/tools")).text


async def test_a_tool_is_switched_off_and_on_again(counter: Counter) -> None:
    off = await counter.type("/tools web_search off")

    assert off.text == "Tools off for you in private chats: `none` → `web_search`."
    assert counter.settings.values["me:x:1"] == {"tools_off": "web_search"}

    await counter.type("/tools github__find off")

    assert counter.settings.values["me:x:1"] == {"tools_off": "web_search,github__find"}

    await counter.type("/tools web_search on")
    await counter.type("/tools github__find on")

    assert counter.settings.values["me:x:1"] == {}


async def test_a_server_is_switched_off_as_a_whole(counter: Counter) -> None:
    await counter.type("/tools github off")

    assert counter.settings.values["me:x:1"] == {"tools_off": "github__find,github__write"}


async def test_a_channel_needs_someone_who_manages_it(counter: Counter) -> None:
    refused = await counter.type("/tools web_search off", place=CHANNEL, author=ANN)

    assert "only people who manage it" in refused.text
    assert counter.settings.values == {}

    await counter.type("/tools web_search off", place=CHANNEL, author=BEN)

    assert counter.settings.values == {"channel:x:bot:50": {"tools_off": "web_search"}}


async def test_a_thread_adds_to_its_channel_and_can_take_from_it(counter: Counter) -> None:
    counter.settings.values["channel:x:bot:50"] = {"tools_off": "web_search"}
    await counter.type("/tools github__find off", place=THREAD)

    assert counter.settings.values["thread:x:bot:50:51"] == {"tools_off": "web_search,github__find"}

    await counter.type("/tools github__find on", place=THREAD)

    assert counter.settings.values["thread:x:bot:50:51"] == {}

    await counter.type("/tools web_search on", place=THREAD)
    listed = (await counter.type("/tools", place=THREAD)).text

    assert "- `web_search`: **on**. Searches the web." in listed
    assert "`none`" not in listed


async def test_a_tool_whose_server_is_away_can_be_switched_on_again(counter: Counter) -> None:
    counter.settings.values["me:x:1"] = {"tools_off": "gone__tool"}
    await counter.type("/tools gone__tool on")

    assert counter.settings.values["me:x:1"] == {}


async def test_one_tool_is_shown_alone(counter: Counter) -> None:
    text = (await counter.type("/tools web_search")).text

    assert text == "- `web_search`: **on**. Searches the web.\n\n`/tools web_search off` switches it off here."


async def test_an_unknown_tool_is_told(counter: Counter) -> None:
    answer = await counter.type("/tools web_serch off")

    assert "There is no tool `web_serch` now." in answer.text
    assert counter.settings.values == {}
