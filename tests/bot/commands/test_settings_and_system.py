"""/settings and /system: showing and changing what applies here."""

import pytest

from bot.commands import COMMANDS
from tests.fakes.desk import ANN, BEN, CHANNEL, THREAD, Counter


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS, admins=frozenset({BEN.key}))


async def test_all_settings_are_shown_with_where_they_come_from(counter: Counter) -> None:
    counter.settings.values["channel:x:bot:50"] = {"temperature": 0.3, "footer": True}
    text = (await counter.type("/settings", place=THREAD)).text

    assert "- `temperature`: **0.3**, from this channel." in text
    assert "- `max_output`: **2,000**, from the default." in text
    assert "- `footer`: **on**, from this channel." in text
    assert "- `threads`: **off**, from the default." in text
    assert "`model`" not in text


async def test_what_nobody_set_is_the_providers_choice(counter: Counter) -> None:
    assert "**the provider's choice**" in (await counter.type("/settings temperature")).text


async def test_a_setting_is_changed_and_confirmed(counter: Counter) -> None:
    answer = await counter.type("/settings Max_Output 4,000")

    assert answer.text == "Longest answer for you in private chats: `2,000` → `4,000`."
    assert counter.settings.values["me:x:1"] == {"max_output": 4000}


async def test_a_setting_is_taken_back(counter: Counter) -> None:
    await counter.type("/settings footer on")
    answer = await counter.type("/settings footer default")

    assert answer.text == "Footer for you in private chats: `on` → `off`, from the default."
    assert counter.settings.values["me:x:1"] == {}


async def test_a_wrong_value_tells_the_range_and_changes_nothing(counter: Counter) -> None:
    answer = await counter.type("/settings temperature 9")

    assert "from 0 to 2" in answer.text
    assert "Usage: `/settings [name] [value] [scope]`" in answer.text
    assert counter.settings.values == {}


async def test_an_unknown_setting_lists_those_there_are(counter: Counter) -> None:
    text = (await counter.type("/settings colour red")).text

    assert "`temperature`, `top_p`, `max_output`" in text


async def test_a_setting_for_a_server_needs_someone_who_manages_it(counter: Counter) -> None:
    await counter.type("/settings threads on server", place=CHANNEL, author=ANN)

    assert counter.settings.values == {}

    await counter.type("/settings threads on server", place=CHANNEL, author=BEN)

    assert counter.settings.values == {"server:x:bot:7": {"threads": True}}


async def test_the_system_prompt_is_shown_as_a_quotation(counter: Counter) -> None:
    assert "from the default:\n\n> Be kind." in (await counter.type("/system")).text


async def test_a_system_prompt_keeps_its_lines_and_quotation_marks(counter: Counter) -> None:
    answer = await counter.type('/system Say "hi".\nThen `stop`.')

    assert counter.settings.values["me:x:1"] == {"system": 'Say "hi".\nThen `stop`.'}
    assert answer.text == "System prompt for you in private chats: `Be kind.` → `Say \"hi\". Then 'stop'.`."
    assert '> Say "hi".\n> Then `stop`.' in (await counter.type("/system")).text


@pytest.mark.parametrize("word", ["clear", "CLEAR", "default", " reset "])
async def test_a_system_prompt_is_cleared(counter: Counter, word: str) -> None:
    await counter.type("/system Be brief.")
    answer = await counter.slash("system", {"text": word})

    assert "`Be brief.` → `Be kind.`, from the default" in answer.text
    assert counter.settings.values["me:x:1"] == {}


async def test_a_system_prompt_for_a_channel_needs_someone_who_manages_it(counter: Counter) -> None:
    await counter.type("/system Be rude.", place=CHANNEL, author=ANN)

    assert counter.settings.values == {}

    await counter.type("/system Be rude.", place=THREAD, author=ANN)

    assert counter.settings.values == {"thread:x:bot:50:51": {"system": "Be rude."}}
