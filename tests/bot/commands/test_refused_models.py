"""/model refuses what cannot work here, says why, and offers what can."""

from datetime import timedelta

import pytest

from bot.commands import COMMANDS
from bot.core.catalogue import ModelInfo
from bot.core.events import Outcome
from bot.core.files import FileKind, FileNote
from bot.core.place import Place
from bot.core.ports import Answer
from bot.core.turn_record import Item, ItemKind, TurnRecord
from tests.fakes.clock import START
from tests.fakes.desk import BEN, CHANNEL, OWNER, PRIVATE, THREAD, Counter, model

TODAY = START.date()


def counter_of(*models: ModelInfo) -> Counter:
    return Counter(commands=COMMANDS, models=models, admins=frozenset({BEN.key}))


def buttons(answer: Answer) -> list[str]:
    return [button.line for row in answer.rows for button in row]


_KINDS = {"image/png": FileKind.IMAGE, "image/jpeg": FileKind.IMAGE, "application/pdf": FileKind.PDF}


def turn_with(*media_types: str | None, place: Place = PRIVATE) -> TurnRecord:
    """A turn whose question had these files."""
    files = tuple(
        FileNote(name="file", kind=_KINDS.get(media_type or "", FileKind.NOTHING), media_type=media_type)
        for media_type in media_types
    )
    item = Item(
        uid="x:1",
        kind=ItemKind.MESSAGE,
        author_key="x:1",
        author_name="Ann",
        text="look",
        message_id="1",
        at=START,
        order=1,
        files=files,
    )
    return TurnRecord(
        uid=item.uid,
        thread_key=place.thread_key,
        seq=0,
        fence=1,
        at=START,
        items=(item,),
        steps=(),
        answer="I see.",
        outcome=Outcome.ANSWERED,
        reason=None,
        model="alpha/one",
    )


async def say(counter: Counter, *media_types: str | None, place: Place = PRIVATE) -> None:
    """Store a turn with these files."""
    await counter.turns.append(turn_with(*media_types, place=place))


BLIND = model("alpha/blind", vision=False)
SEEING = model("beta/seeing", vision=True)
NEAR = model("alpha/near", vision=True)
UNSURE = model("alpha/unsure")


async def test_a_model_that_cannot_see_is_refused_while_there_are_images() -> None:
    counter = counter_of(BLIND, SEEING, NEAR, UNSURE)
    await say(counter, "application/pdf", "image/png")

    answer = await counter.type("/model blind")

    assert answer.text.startswith("There are images in this conversation, and `alpha/blind` cannot see them. /new")
    assert buttons(answer) == ["model alpha/near", "model beta/seeing"]
    assert counter.settings.values == {}


async def test_one_press_takes_what_was_offered_instead() -> None:
    counter = counter_of(BLIND, SEEING)
    await say(counter, "image/jpeg", place=THREAD)

    answer = await counter.type("/model blind thread", place=THREAD)
    await counter.press(buttons(answer)[0], place=THREAD)

    assert counter.settings.values == {"thread:x:bot:50:51": {"model": "beta/seeing"}}


@pytest.mark.parametrize(
    "media_types", [(), (None,), ("application/pdf", "text/plain")], ids=["none", "unsaid", "other"]
)
async def test_without_images_sight_is_not_needed(media_types: tuple[str | None, ...]) -> None:
    counter = counter_of(SEEING, BLIND)
    await say(counter, *media_types)
    await counter.type("/model blind")

    assert counter.settings.values["me:x:1"] == {"model": "alpha/blind"}


async def test_a_model_that_may_see_is_not_refused() -> None:
    counter = counter_of(SEEING, UNSURE)
    await say(counter, "image/png")
    await counter.type("/model unsure")

    assert counter.settings.values["me:x:1"] == {"model": "alpha/unsure"}


async def test_images_of_before_new_do_not_count() -> None:
    counter = counter_of(SEEING, BLIND)
    shown = turn_with("image/png")
    ingested = await counter.threads.ingest(PRIVATE, shown.items[0])
    assert ingested.claim is not None
    await counter.turns.append(shown)
    await counter.threads.finish(ingested.claim, [shown.uid])
    await counter.threads.start_afresh(PRIVATE.thread_key)

    await counter.type("/model blind")

    assert counter.settings.values["me:x:1"] == {"model": "alpha/blind"}


async def test_for_a_whole_server_one_conversation_does_not_decide() -> None:
    counter = counter_of(SEEING, BLIND)
    await say(counter, "image/png", place=THREAD)

    await counter.type("/model blind server", place=THREAD, author=OWNER)

    assert counter.settings.values["server:x:bot:7"] == {"model": "alpha/blind"}


async def test_a_model_above_the_price_ceiling_is_refused() -> None:
    counter = counter_of(model("demo/parrot"), model("alpha/one"), model("beta/unknown"))
    counter.settings.values["channel:x:bot:50"] = {"price_ceiling": 9.5}

    dear = await counter.type("/model alpha/one", place=THREAD, author=BEN)
    unknown = await counter.type("/model beta/unknown", place=THREAD, author=BEN)
    free = await counter.type("/model parrot", place=THREAD, author=BEN)

    ceiling = "and the price ceiling here is $9.5 per million tokens of answer. These can work here:"
    assert dear.text.startswith(f"`alpha/one` costs $10.00, {ceiling}")
    assert unknown.text.startswith(f"The price of `beta/unknown` is not known, {ceiling}")
    assert buttons(dear) == buttons(unknown) == ["model demo/parrot"]
    assert free.text.startswith("Model for this thread")


async def test_a_price_at_the_ceiling_is_allowed() -> None:
    counter = counter_of(model("demo/parrot"), model("alpha/one"))
    counter.settings.values["me:x:1"] = {"price_ceiling": 10.0}

    await counter.type("/model alpha/one")

    assert counter.settings.values["me:x:1"] == {"price_ceiling": 10.0, "model": "alpha/one"}


async def test_a_retired_model_is_refused_and_one_that_retires_is_not() -> None:
    counter = counter_of(
        model("alpha/now"),
        model("alpha/old", retires=TODAY),
        model("alpha/dying", retires=TODAY + timedelta(days=1)),
        model("alpha/lost", gone=True),
    )
    retired = await counter.type("/model alpha/old")
    dying = await counter.type("/model alpha/dying")

    assert retired.text.startswith(f"`alpha/old` was retired on {TODAY}: nobody can ask it any more.")
    assert buttons(retired) == ["model alpha/now", "model alpha/dying"]
    assert f"retires on {TODAY + timedelta(days=1)}" in dying.text
    assert counter.settings.values["me:x:1"] == {"model": "alpha/dying"}


async def test_where_nothing_can_work_nothing_is_offered() -> None:
    counter = counter_of(BLIND)
    await say(counter, "image/png")
    answer = await counter.type("/model blind")

    assert "cannot see them" in answer.text
    assert "These can" not in answer.text
    assert answer.rows == ()


async def test_the_likest_of_the_same_provider_come_first() -> None:
    wanted = model("alpha/wanted", vision=False, speed="fast", cost="cheap")
    others = [
        model("beta/like", vision=True, speed="fast", cost="cheap"),
        model("alpha/slow", vision=True, speed="slow", cost="cheap"),
        model("alpha/dear", vision=True, speed="fast", cost="dear"),
        model("alpha/like", vision=True, speed="fast", cost="cheap"),
        model("beta/other", vision=True),
    ]
    counter = counter_of(wanted, *others)
    await say(counter, "image/png")

    assert buttons(await counter.type("/model wanted")) == [
        "model alpha/like",
        "model alpha/slow",
        "model alpha/dear",
        "model beta/like",
    ]


async def test_who_may_not_choose_is_told_that_first() -> None:
    counter = counter_of(model("alpha/old", retires=TODAY))

    assert "for everyone here" in (await counter.type("/model alpha/old", place=CHANNEL)).text
