"""kill -9 at every step of an answer, on both platforms: one visible end, no second answer, an exact bill.

One process is brought to all checkpoints at once, each in a chat of its own, killed, and started again. Each
test looks at one chat: how it stood when the process died, and what became of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.chats import Shown
from tests.e2e.checkpoints import (
    ALL_CASES,
    CASES,
    FIRST,
    PAGES,
    PLATFORMS,
    TAKEN_UP_WITHIN_S,
    TWO_PAGES,
    WAITING,
    Case,
    Stage,
)
from tests.e2e.mongo_gate import MongoGate
from tests.e2e.waiting import until
from tests.e2e.world import Document, World, conversation, open_world
from tests.fakes.openai.record import Request

#: Whichever test comes first pays for the whole scenario.
pytestmark = pytest.mark.timeout(150)

#: What begins a message that may stand there twice.
MARK = "(This may be a repetition.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What there was of one chat when the process died, and in the end."""

    before: tuple[Shown, ...]
    shown: tuple[Shown, ...]
    calls: tuple[Request, ...]
    rows: tuple[Document, ...]
    turns: tuple[Document, ...]
    thread: Document
    last_call: Request
    taken_up_after_s: float


Matrix = Mapping[tuple[str, str], Aftermath]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def matrix(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """Kills the process once, with every case of both platforms at its checkpoint."""
    folder: Path = tmp_path_factory.mktemp("matrix")
    async with MongoGate(mongodb_uri) as gate, open_world(folder, gate.uri, *PLATFORMS) as world:
        await world.start()
        stages = {
            (case.name, platform): _stage(world, gate, platform, case) for case in ALL_CASES for platform in PLATFORMS
        }
        for phase in (1, 2, 3, 4):
            await _arrange(stages, phase)
        before = {key: stage.chat.shown() for key, stage in stages.items()}
        await world.parley.kill()
        gate.forget()
        started = time.monotonic()
        await world.parley.start()
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(_settled(stage, started)) for key, stage in stages.items()}
        yield {
            key: Aftermath(
                before=before[key],
                shown=stage.chat.shown(),
                calls=tuple(world.asked(stage.question)),
                rows=tuple(await world.usage(stage.chat.key)),
                turns=tuple(await world.turns(stage.chat.key)),
                thread=await stage.thread(),
                last_call=next(
                    request for request in reversed(world.provider.generations) if stage.chat.key in str(request.body)
                ),
                taken_up_after_s=tasks[key].result(),
            )
            for key, stage in stages.items()
        }


def _stage(world: World, gate: MongoGate, platform: str, case: Case) -> Stage:
    door = world.doors[platform]
    people = (door.person("Ann"), door.person("Bob"))
    chat = door.shared(*people) if case.name == "two-authors" else door.private(people[0])
    return Stage(world=world, door=door, gate=gate, chat=chat, people=people)


async def _arrange(stages: Mapping[tuple[str, str], Stage], phase: int) -> None:
    """Phase 1 goes one after another: Telegram's fake holds the next message of whatever chat."""
    chosen = [
        (case, stages[case.name, platform]) for case in ALL_CASES for platform in PLATFORMS if case.phase == phase
    ]
    if phase == 1:
        for case, stage in chosen:
            await case.arrange(stage)
        return
    async with asyncio.TaskGroup() as group:
        for case, stage in chosen:
            group.create_task(_run(case, stage))


async def _run(case: Case, stage: Stage) -> None:
    await case.arrange(stage)


async def _settled(stage: Stage, started: float) -> float:
    """Wait until nothing waits in the chat any more; gives the seconds since the start."""

    async def is_done() -> bool:
        thread = await stage.thread()
        return thread.get("np") == 0 and bool(await stage.world.turns(stage.chat.key))

    await until(is_done, f"the end of {stage.chat.key}", within_s=TAKEN_UP_WITHIN_S + 10)
    return time.monotonic() - started


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_killed_answer_reaches_one_visible_end(case: Case, platform: str, matrix: Matrix) -> None:
    end = matrix[case.name, platform]

    assert bool(end.before) == case.visible_before
    final = end.shown[-1]
    assert final.buttons == ()
    if case.resent and platform == "telegram":
        assert final.text.endswith(case.answer)
        assert len(end.shown) == 1 + case.visible_before
        assert final.text != case.answer, "a message that may stand there twice is marked"
    else:
        assert [message.text for message in end.shown] == [case.answer]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_ledger_has_every_call_that_the_provider_got(case: Case, platform: str, matrix: Matrix) -> None:
    end = matrix[case.name, platform]

    assert len(end.calls) == case.calls
    assert sorted(row["status"] for row in end.rows) == sorted(case.rows)
    completed = [row for row in end.rows if row["status"] == "completed"]
    assert all(row["certainty"] == "exact" for row in completed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_stored_once_as_it_is_shown(case: Case, platform: str, matrix: Matrix) -> None:
    end = matrix[case.name, platform]

    assert [(turn["outcome"], turn["answer"]) for turn in end.turns] == [("answered", case.answer)]
    assert end.turns[0]["message_ids"] == [str(end.shown[-1].id)]
    assert end.thread["q"] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_taken_up_in_time(case: Case, platform: str, matrix: Matrix) -> None:
    assert matrix[case.name, platform].taken_up_after_s < TAKEN_UP_WITHIN_S


def test_a_page_after_the_first_is_neither_lost_nor_old(platform: str, matrix: Matrix) -> None:
    end = matrix[PAGES.name, platform]

    assert len(end.before) == 2
    stands = [message for message in end.shown if str(message.id) in end.turns[0]["message_ids"]]
    text = " ".join(message.text for message in stands)
    if platform == "telegram":  # it cannot tell whether the page went out: it stands there twice, and says so
        assert stands[1].text.startswith(MARK)
        text = text.replace(MARK, "")
    else:
        assert stands == list(end.shown)
    assert text.split() == f"{FIRST}{TWO_PAGES}".split()


def test_waiting_messages_of_one_author_are_answered_together_in_order(platform: str, matrix: Matrix) -> None:
    end = matrix["same-author", platform]

    assert [outcome_of(turn) for turn in end.turns] == ["answered"]
    assert len(end.shown) == 1
    told = conversation(end.last_call)
    assert [text for _, text in told[-2:]] == list(WAITING)
    assert {role for role, _ in told} == {"user"}
    assert len(told) == 3


def test_waiting_messages_of_two_authors_are_answered_in_order(platform: str, matrix: Matrix) -> None:
    end = matrix["two-authors", platform]

    assert [turn["author"]["name"] for turn in end.turns] == ["Ann", "Bob"]
    first, second = end.shown
    assert first.text == "Hello Ann."
    assert "Bob's" in second.text
    assert sorted(row["status"] for row in end.rows) == ["completed", "completed", "lost"]


def outcome_of(turn: Document) -> str:
    return str(turn["outcome"])
