"""/start, /help, /new, /retry and /stop."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bot.commands import COMMANDS
from bot.core.command import StopReport
from bot.core.events import Outcome
from bot.core.place import Author, Place
from bot.core.turn_record import Item, ItemKind, TurnRecord
from tests.fakes.desk import ANN, BEN, CHANNEL, OWNER, PRIVATE, Counter
from tests.fakes.messenger import RecordingMessenger

NOTHING = StopReport(running=False, withdrawn=0)


@pytest.fixture
def counter() -> Counter:
    return Counter(commands=COMMANDS, admins=frozenset({BEN.key}))


async def test_start_tells_how_to_talk_to_the_bot(counter: Counter) -> None:
    private = await counter.type("/start")
    shared = await counter.type("/start", place=CHANNEL)

    assert "Just write to me" in private.text
    assert "`alpha/one`" in private.text
    assert "Mention me" in shared.text


async def test_help_lists_every_command_that_the_asker_may_use(counter: Counter) -> None:
    for_ann = (await counter.type("/help")).text
    for_owner = (await counter.type("/help", author=OWNER)).text

    assert "- `/model [name] [scope] [keep]`: Show or choose the model that answers" in for_ann
    assert "/allow" not in for_ann
    assert all(f"- `/{command.name}" in for_owner for command in COMMANDS)


async def test_help_explains_one_command(counter: Counter) -> None:
    text = (await counter.type("/help /Cost")).text

    assert text.startswith("`/cost [view] [period] [scope]`\n\nWhat was used and what it cost.")
    assert "- `view`: Sums with a chart, or every call as CSV (`overview`, `export`)" in text
    assert "`unknown`" in text


async def test_help_for_a_misspelt_command_names_the_nearest(counter: Counter) -> None:
    text = (await counter.type("/help modle")).text

    assert "Did you mean `model" in text
    assert "Usage: `/help [command]`" in text


async def test_new_starts_the_thread_afresh(counter: Counter) -> None:
    item = Item(
        uid="x:1",
        kind=ItemKind.MESSAGE,
        author_key=ANN.key,
        author_name="Ann",
        text="hi",
        message_id="1",
        at=counter.clock.now(),
        order=1,
    )
    ingested = await counter.threads.ingest(PRIVATE, item)
    assert ingested.claim is not None
    await counter.threads.finish(ingested.claim, ["x:1"])
    answer = await counter.type("/new")
    again = await counter.threads.ingest(PRIVATE, item_after(item))

    assert "fresh start" in answer.text
    assert again.claim is not None
    assert again.claim.from_seq == 1


def item_after(item: Item) -> Item:
    return Item(
        uid="x:2",
        kind=item.kind,
        author_key=item.author_key,
        author_name=item.author_name,
        text="again",
        message_id="2",
        at=item.at,
        order=2,
    )


async def test_retry_shows_nothing_of_its_own_where_the_answer_itself_follows(counter: Counter) -> None:
    assert (await counter.type("/retry")).text == ""
    assert (await counter.press("retry x:7")).text == ""
    assert counter.conversations.retries == [(None, False, False), ("x:7", True, False)]


async def test_a_slash_retry_is_acknowledged(counter: Counter) -> None:
    assert (await counter.slash("retry")).text != ""


async def test_retry_with_nothing_to_retry_says_so(counter: Counter) -> None:
    counter.conversations.can_retry = False

    assert "nothing" in (await counter.type("/retry")).text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    id: str
    reports: tuple[StopReport, ...]
    text: str
    stops: tuple[tuple[str, bool], ...]
    author: Author = ANN
    place: Place = CHANNEL


RUNNING = StopReport(running=True, withdrawn=0)


@pytest.mark.parametrize(
    "case",
    [
        Stopped(id="own turn", reports=(RUNNING,), text="Stopped.", stops=(("x:1", False),)),
        Stopped(
            id="own turn and queue",
            reports=(StopReport(running=True, withdrawn=2),),
            text="Stopped, 2 waiting messages dropped.",
            stops=(("x:1", False),),
        ),
        Stopped(
            id="own queue",
            reports=(StopReport(running=False, withdrawn=1),),
            text="1 waiting message dropped.",
            stops=(("x:1", False),),
        ),
        Stopped(
            id="another's turn",
            reports=(NOTHING,),
            text="There is nothing of yours to stop here.",
            stops=(("x:1", False),),
        ),
        Stopped(
            id="another's turn, by who manages the chat",
            author=BEN,
            reports=(RUNNING,),
            text="Stopped.",
            stops=(("x:2", True),),
        ),
        Stopped(
            id="another's turn, by an owner",
            author=OWNER,
            reports=(RUNNING,),
            text="Stopped.",
            stops=(("x:9", True),),
        ),
        Stopped(id="in private", place=PRIVATE, reports=(RUNNING,), text="Stopped.", stops=(("x:1", True),)),
    ],
    ids=lambda case: case.id,
)
async def test_stop_stops_ones_own_and_for_admins_others(counter: Counter, case: Stopped) -> None:
    counter.conversations.reports = list(case.reports)
    answer = await counter.type("/stop", author=case.author, place=case.place)

    assert case.text == answer.text
    assert list(case.stops) == counter.conversations.stops


async def test_a_platform_that_does_not_tell_who_manages_does_not_hold_up_stop(counter: Counter) -> None:
    class Stuck(RecordingMessenger):
        """Never tells who manages a chat."""

        async def may_manage(self, place: Place, author: Author) -> bool:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets that event")

    counter.desk = replace(counter.desk, messenger=Stuck(counter.clock))
    counter.conversations.reports = [RUNNING]

    assert (await counter.type("/stop", place=CHANNEL)).text == "Stopped."
    assert counter.conversations.stops == [("x:1", False)]


async def test_a_stop_button_leaves_the_word_to_the_answer(counter: Counter) -> None:
    counter.conversations.reports = [RUNNING]

    assert (await counter.press("stop x:7")).text == ""


async def test_an_old_stop_button_does_not_stop_a_later_turn(counter: Counter) -> None:
    ended = TurnRecord(
        uid="x:7",
        thread_key=PRIVATE.thread_key,
        seq=0,
        fence=1,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        items=(),
        steps=(),
        answer="done",
        outcome=Outcome.ANSWERED,
        reason=None,
        model="alpha/one",
    )
    await counter.turns.append(ended)
    answer = await counter.press("stop x:7")

    assert "ended" in answer.text
    assert counter.conversations.stops == []
