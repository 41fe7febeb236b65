"""/model and /models: showing, finding, choosing, and for whom."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.commands import COMMANDS
from bot.core.catalogue import ModelInfo
from bot.core.place import Author, Place
from bot.core.ports import Answer, Button
from tests.fakes.desk import (
    ANN,
    BEN,
    CHANNEL,
    GROUP,
    MODELS,
    OWNER,
    PRIVATE,
    THREAD,
    Counter,
    FixedDirectory,
    model,
)

MANY = tuple(model(f"alpha/model-{number}") for number in range(20))


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS, admins=frozenset({BEN.key}))


def lines(answer: Answer) -> list[str]:
    return [button.line for row in answer.rows for button in row]


async def test_without_a_name_it_shows_the_model_and_where_it_comes_from(counter: Counter) -> None:
    assert "from the default:\n\n`alpha/one`" in (await counter.type("/model")).text

    counter.settings.values["server:x:bot:7"] = {"model": "alpha/two"}

    assert "from this server:\n\n`alpha/two`" in (await counter.type("/model", place=THREAD)).text


async def test_without_a_name_it_offers_buttons_that_choose(counter: Counter) -> None:
    answer = await counter.type("/model")
    await counter.press(lines(answer)[1])

    assert counter.settings.values["me:x:1"] == {"model": "alpha/two"}


async def test_a_model_that_is_gone_is_still_named(counter: Counter) -> None:
    counter.settings.values["me:x:1"] = {"model": "closed/gone"}

    assert "`closed/gone` (not offered now)" in (await counter.type("/model")).text


async def test_a_choice_is_confirmed_with_old_new_and_scope(counter: Counter) -> None:
    answer = await counter.type("/model two-large")

    assert answer.text.startswith("Model for you in private chats: `alpha/one` → `beta/two-large`.")
    assert answer.private
    assert counter.settings.values == {"me:x:1": {"model": "beta/two-large"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    id: str
    line: str
    place: Place
    author: Author
    stored: str | None


@pytest.mark.parametrize(
    "case",
    [
        Choice(id="private", line="alpha/two", place=PRIVATE, author=ANN, stored="me:x:1"),
        Choice(id="private chat", line="alpha/two channel", place=PRIVATE, author=ANN, stored="channel:x:bot:1"),
        Choice(id="private has no server", line="alpha/two server", place=PRIVATE, author=OWNER, stored=None),
        Choice(id="thread", line="alpha/two", place=THREAD, author=ANN, stored="thread:x:bot:50:51"),
        Choice(id="its channel", line="alpha/two channel", place=THREAD, author=ANN, stored=None),
        Choice(id="its channel, admin", line="big CHANNEL", place=THREAD, author=BEN, stored="channel:x:bot:50"),
        Choice(id="channel", line="alpha/two", place=CHANNEL, author=ANN, stored=None),
        Choice(id="channel as thread", line="alpha/two thread", place=CHANNEL, author=ANN, stored=None),
        Choice(id="channel, admin", line="alpha/two", place=CHANNEL, author=BEN, stored="channel:x:bot:50"),
        Choice(id="channel, owner", line="alpha/two", place=CHANNEL, author=OWNER, stored="channel:x:bot:50"),
        Choice(id="server", line="alpha/two server", place=CHANNEL, author=ANN, stored=None),
        Choice(id="server, admin", line="alpha/two server", place=CHANNEL, author=BEN, stored="server:x:bot:7"),
        Choice(id="group has no server", line="alpha/two server", place=GROUP, author=OWNER, stored=None),
        Choice(id="me in a channel", line="alpha/two me", place=CHANNEL, author=OWNER, stored=None),
    ],
    ids=lambda case: case.id,
)
async def test_who_may_choose_for_whom(counter: Counter, case: Choice) -> None:
    await counter.type(f"/model {case.line}", place=case.place, author=case.author)

    assert ([] if case.stored is None else [case.stored]) == list(counter.settings.values)


async def test_who_may_not_choose_is_told_who_may(counter: Counter) -> None:
    answer = await counter.type("/model alpha/two", place=CHANNEL)

    assert "this channel for everyone" in answer.text
    assert "owner" in answer.text


async def test_a_button_does_not_widen_what_someone_may_change(counter: Counter) -> None:
    answer = await counter.press("model alpha/two channel", place=CHANNEL)

    assert not answer.replace
    assert counter.settings.values == {}


async def test_a_choice_that_a_narrower_one_overrides_says_so(counter: Counter) -> None:
    counter.settings.values["thread:x:bot:50:51"] = {"model": "alpha/one"}
    answer = await counter.type("/model alpha/two server", place=THREAD, author=BEN)

    assert "Model for this server: `alpha/one` → `alpha/two`." in answer.text
    assert "`alpha/one` still counts, which is set for this thread" in answer.text


async def test_default_takes_a_choice_back(counter: Counter) -> None:
    await counter.type("/model alpha/two")
    answer = await counter.type("/model default")

    assert answer.text == "Model for you in private chats: `alpha/two` → `alpha/one`, from the default."
    assert counter.settings.values["me:x:1"] == {}


async def test_auto_can_be_chosen_and_is_shown_as_what_it_is(counter: Counter) -> None:
    chosen = await counter.type("/model AUTO")
    shown = await counter.type("/model")

    assert counter.settings.values["me:x:1"] == {"model": "auto"}
    assert chosen.text.startswith("Model for you in private chats: `alpha/one` → `auto`.")
    for text in (chosen.text, shown.text):
        assert "`auto`: chosen for each message" in text


async def test_auto_is_one_press_away(counter: Counter) -> None:
    await counter.press(lines(await counter.type("/model"))[-2])

    assert counter.settings.values["me:x:1"] == {"model": "auto"}


async def test_a_default_of_auto_is_shown_as_such(counter: Counter) -> None:
    counter.desk = replace(counter.desk, directory=FixedDirectory(MODELS, default_choice="auto"))
    shown = await counter.type("/model")
    await counter.type("/model alpha/two")
    taken_back = await counter.type("/model default")

    assert "from the default:\n\n`auto`: chosen for each message" in shown.text
    assert "`alpha/two` → `auto`, from the default" in taken_back.text


async def test_several_fits_are_offered_as_buttons_for_the_same_scope(counter: Counter) -> None:
    answer = await counter.type("/model tw thread", place=THREAD)

    assert "fits 2 models" in answer.text
    assert lines(answer) == ["model alpha/two thread", "model beta/two-large thread"]
    assert counter.settings.values == {}


async def test_an_unknown_name_offers_the_nearest(counter: Counter) -> None:
    answer = await counter.type("/model alpha-twoo")

    assert "I know no model `alpha-twoo`. Did you mean" in answer.text
    assert lines(answer)[0] == "model alpha/two"


async def test_a_name_like_nothing_points_to_the_list(counter: Counter) -> None:
    answer = await counter.type("/model ????????")

    assert "/models" in answer.text
    assert answer.rows == ()


async def test_an_endless_name_is_refused(counter: Counter) -> None:
    assert "long" in (await counter.type(f"/model {'x' * 5000}")).text


async def test_a_press_replaces_the_picker(counter: Counter) -> None:
    assert (await counter.press("model alpha/two")).replace
    assert not (await counter.type("/model alpha/two")).replace


async def test_models_are_listed_with_what_is_known_of_them(counter: Counter) -> None:
    text = (await counter.type("/models")).text

    assert "- `alpha/one` One: $2.50 in, $10.00 out per million tokens · 128,000 tokens" in text
    assert "128,000 tokens · sees images, tools\n" in text
    assert "- `beta/two-large`: price unknown" in text


async def test_a_free_model_is_called_free() -> None:
    counter = Counter(commands=COMMANDS, models=(model("demo/parrot"),))

    assert "`demo/parrot`: free" in (await counter.type("/models")).text


async def test_models_can_be_searched(counter: Counter) -> None:
    assert "beta/two-large" not in (await counter.type("/models alpha")).text
    assert "No model fits “`" not in (await counter.type("/models no`thing")).text
    assert "/models lists all" in (await counter.type("/models nothing")).text


async def test_pages_turn_by_buttons_and_stay_within_what_platforms_take() -> None:
    counter = Counter(commands=COMMANDS, models=MANY)
    first = await counter.type("/models model")
    last = await counter.press("models 3 model")

    assert "page 1 of 3" in first.text
    assert [len(row) for row in first.rows] == [2, 2, 2, 2, 1]
    assert first.rows[-1] == (Button(label="More ▶", line="models 2 model"),)
    assert last.replace
    assert "page 3 of 3" in last.text
    assert last.rows[-1] == (Button(label="◀ Back", line="models 2 model"),)
    assert "alpha/model-19" in last.text


@pytest.mark.parametrize(("line", "page"), [("0", 1), ("99", 3), ("999 model", 3), ("2", 2)])
async def test_a_page_that_does_not_exist_is_the_nearest(line: str, page: int) -> None:
    counter = Counter(commands=COMMANDS, models=MANY)

    assert f"page {page} of 3" in (await counter.type(f"/models {line}")).text


async def test_with_no_model_at_all_the_answers_say_so() -> None:
    counter = Counter(commands=COMMANDS, models=())

    assert "configure a provider" in (await counter.type("/models")).text
    assert "from the default:\n\n`none` (not offered now)" in (await counter.type("/model")).text
    assert "No model is configured yet" in (await counter.type("/start")).text


async def test_long_model_names_still_fit_a_button() -> None:
    long = model(f"alpha/{'very-' * 30}long")
    counter = Counter(commands=COMMANDS, models=(long, *MODELS))
    answer = await counter.type("/model tw thread", place=THREAD)
    everything = [*lines(answer), *lines(await counter.type("/models"))]

    assert all(len(line.encode()) <= 64 for line in everything)

    await counter.press(lines(await counter.type("/models"))[0])

    assert counter.settings.values["me:x:1"] == {"model": str(long.ref)}


words = st.text(max_size=70) | st.text(alphabet="ab/#12 -é🙂", max_size=70)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(words, st.sampled_from(["model", "models"]))
async def test_whatever_is_typed_buttons_hold_64_bytes_and_answers_have_text(text: str, name: str) -> None:
    models: tuple[ModelInfo, ...] = (*MODELS, *MANY)
    counter = Counter(commands=COMMANDS, models=models)
    answer = await counter.type(f"/{name} {text}")

    assert answer.text.strip()
    assert all(len(line.encode()) <= 64 for line in lines(answer))
    assert len(answer.rows) <= 5
