"""/pair, /allow, /deny and /access: how people get in, and who says so."""

import pytest

from bot.commands import COMMANDS
from bot.core.gate import Verdict
from tests.fakes.desk import ANN, CHANNEL, OWNER, PRIVATE, STRANGER, Counter


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS)


@pytest.fixture
def unowned() -> Counter:
    return Counter(commands=COMMANDS, owners=frozenset(), allow=frozenset())


async def test_the_code_makes_a_stranger_the_owner(unowned: Counter) -> None:
    code = unowned.desk.pairing.code()
    answer = await unowned.type(f"/pair {code[:4].lower()} {code[4:]}", author=STRANGER)

    assert "You own me now (`x:666`)" in answer.text
    assert await unowned.desk.gate.check(PRIVATE, STRANGER) is Verdict.OWNER


async def test_a_wrong_code_makes_nobody_owner(unowned: Counter) -> None:
    answer = await unowned.type("/pair 22222222", author=STRANGER)

    assert "not the code" in answer.text
    assert unowned.access.roles == {}


async def test_without_a_code_the_usage_is_told(unowned: Counter) -> None:
    assert "Usage: `/pair <code>`" in (await unowned.type("/pair", author=STRANGER)).text


async def test_with_an_owner_no_code_is_taken_nor_made(counter: Counter) -> None:
    first = await counter.type("/pair 22222222", author=STRANGER)
    second = await counter.type("/pair 22222222", author=STRANGER)

    assert "/allow x:666" in first.text
    assert second.text == ""
    assert counter.codes == []


async def test_only_the_first_pairs(unowned: Counter) -> None:
    code = unowned.desk.pairing.code()
    await unowned.type(f"/pair {code}", author=ANN)
    await unowned.type(f"/pair {code}", author=STRANGER)

    assert unowned.access.roles == {"x:1": "owner"}


async def test_an_owner_who_pairs_again_is_told(counter: Counter) -> None:
    assert "already" in (await counter.type("/pair 22222222", author=OWNER)).text


async def test_an_owner_lets_someone_in_and_out_again(counter: Counter) -> None:
    allowed = await counter.type("/allow x:user:666", author=OWNER)

    assert "Allowed: `x:666`" in allowed.text
    assert await counter.desk.gate.check(PRIVATE, STRANGER) is Verdict.ALLOWED

    denied = await counter.type("/deny x:666", author=OWNER)

    assert "No longer allowed: `x:666`" in denied.text
    assert await counter.desk.gate.check(PRIVATE, STRANGER) is Verdict.DENIED


async def test_a_server_is_let_in_by_either_word(counter: Counter) -> None:
    await counter.type("/allow x:server:7", author=OWNER)

    assert await counter.desk.gate.check(CHANNEL, STRANGER) is Verdict.ALLOWED
    assert "No longer" in (await counter.type("/deny x:guild:7", author=OWNER)).text


async def test_allowing_an_owner_does_not_make_them_less(counter: Counter) -> None:
    counter.access.roles["x:3"] = "owner"
    answer = await counter.type("/allow x:3", author=OWNER)

    assert "already" in answer.text
    assert counter.access.roles["x:3"] == "owner"


@pytest.mark.parametrize("line", ["/allow x:666", "/deny x:1", "/access"])
async def test_only_owners_decide(counter: Counter, line: str) -> None:
    answer = await counter.type(line, author=ANN)

    assert "Only an owner" in answer.text
    assert counter.access.roles == {}


async def test_a_wrong_entry_shows_the_notation(counter: Counter) -> None:
    assert "`telegram:chat:-100123`" in (await counter.type("/allow @mallory", author=OWNER)).text


async def test_what_the_settings_say_cannot_be_denied(counter: Counter) -> None:
    assert "OWNERS or ALLOW" in (await counter.type("/deny x:1", author=OWNER)).text


async def test_nobody_locks_themselves_out(counter: Counter) -> None:
    counter.access.roles["x:3"] = "owner"

    assert "That is you" in (await counter.type("/deny x:9", author=OWNER)).text


async def test_denying_what_was_not_allowed_says_so(counter: Counter) -> None:
    assert "was not allowed" in (await counter.type("/deny x:77", author=OWNER)).text


async def test_denying_at_an_open_bot_tells_that_it_changes_little() -> None:
    counter = Counter(commands=COMMANDS, open_to_all=True)
    counter.access.roles["x:666"] = "allowed"

    assert "ACCESS=open" in (await counter.type("/deny x:666", author=OWNER)).text


async def test_access_lists_who_is_in_and_why(counter: Counter) -> None:
    await counter.type("/allow x:666", author=OWNER)
    await counter.type("/allow x:chat:-60", author=OWNER)

    assert (await counter.type("/access", author=OWNER)).text == (
        "Only these may use me:\n\n"
        "**Owners**\n- `x:9` (in the settings)\n\n"
        "**People**\n- `x:1` (in the settings)\n- `x:2` (in the settings)\n- `x:666`\n\n"
        "**Chats and servers**\n- `x:chat:-60`\n\n"
        "/allow and /deny change this."
    )


async def test_access_says_when_everyone_is_in() -> None:
    counter = Counter(commands=COMMANDS, open_to_all=True)

    assert "Everyone may use me" in (await counter.type("/access", author=OWNER)).text
