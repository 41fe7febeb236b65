"""The checkpoints of an answer at which the kill matrix ends the process, and how each is reached exactly.

Gates of the fakes and of MongoDB hold the process where a case wants it; nothing is judged here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.e2e.chats import Chat, Door, Person
from tests.e2e.mongo_gate import MongoGate
from tests.e2e.waiting import until
from tests.e2e.world import Document, World
from tests.fakes.openai.script import Hold, Reply

PLATFORMS = ("telegram", "discord")
TAKEN_UP_WITHIN_S = 30.0
FIRST = "This is the first sentence of the answer. "
CHUNKS = (FIRST, "A second one follows it after a while. ", "And this is the end.")
ANSWER = "".join(CHUNKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One chat of one case, on its way to the checkpoint. `question` is unlike any other chat's."""

    world: World
    door: Door
    gate: MongoGate
    chat: Chat
    people: tuple[Person, ...]

    @property
    def question(self) -> str:
        return f"question of {self.chat.key}."

    def answer_with(self, reply: Reply) -> None:
        self.world.script(self.question, reply)

    async def thread(self) -> Document:
        return await self.world.thread(self.chat.key)


Arrange = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A checkpoint. `calls` are the model calls that the provider received, `rows` how the ledger has them.

    `phase`: what blocks the platform's other requests comes first, what MongoDB's time-out ends comes last.
    `resent`: Telegram cannot tell whether the message went out, and may send it again, marked.
    """

    name: str
    arrange: Arrange
    calls: int
    rows: tuple[str, ...]
    phase: int
    answer: str = ANSWER
    visible_before: bool = False
    resent: bool = False


async def _accepted(stage: Stage) -> None:
    stage.answer_with(Reply(chunks=CHUNKS))
    held = stage.gate.hold("findAndModify", "threads", stage.chat.key, reply=True)
    stage.chat.say(stage.question)
    await held.reached()
    await until(stage.thread, "the message is stored")


async def _claimed(stage: Stage) -> None:
    stage.answer_with(Reply(chunks=CHUNKS))
    stage.gate.hold("update", "threads", stage.chat.key)
    held = stage.gate.hold("find", "turns", stage.chat.key)
    stage.chat.say(stage.question)
    await held.reached()


async def _provider_called(stage: Stage) -> None:
    await _stream_until(stage, Hold(0))


async def _first_delta(stage: Stage) -> None:
    hold = Hold(1)
    stage.answer_with(Reply(chunks=("One ", *CHUNKS), hold=hold))
    stage.chat.say(stage.question)
    await hold.reached.wait()


async def _sent_but_not_recorded(stage: Stage) -> None:
    gate = stage.door.hold_send(after=True)
    await _stream_until(stage, Hold(1))
    await gate.reached()


async def _recorded(stage: Stage) -> None:
    await _stream_until(stage, Hold(1))

    async def is_recorded() -> object:
        return (await stage.thread()).get("attempt", {}).get("pages")

    await until(is_recorded, "the message is recorded")


async def _half_streamed(stage: Stage) -> None:
    stage.answer_with(Reply(chunks=CHUNKS, chunk_interval_s=1.5, hold=Hold(2)))
    stage.chat.say(stage.question)
    await stage.chat.until(lambda shown: any(CHUNKS[1].strip() in message.text for message in shown))


async def _finished_but_not_stored(stage: Stage) -> None:
    stage.answer_with(Reply(chunks=CHUNKS))
    stage.gate.hold("insert", "usage", stage.chat.key)
    held = stage.gate.hold("update", "turns", stage.chat.key)
    stage.chat.say(stage.question)
    await held.reached()
    await stage.chat.until(lambda shown: any(message.text == ANSWER for message in shown))


async def _stored_but_not_shown(stage: Stage) -> None:
    gate = stage.door.hold_send(after=False)
    stage.answer_with(Reply(chunks=CHUNKS))
    stage.chat.say(stage.question)
    await gate.reached()
    await _until_stored(stage)


async def _committed(stage: Stage) -> None:
    hold = Hold(0)
    await _stream_until(stage, hold)
    held = stage.gate.hold("findAndModify", "threads", stage.chat.key)
    hold.release()
    await held.reached()
    await _until_stored(stage)


async def _stream_until(stage: Stage, hold: Hold) -> None:
    stage.answer_with(Reply(chunks=CHUNKS, hold=hold))
    stage.chat.say(stage.question)
    async with asyncio.timeout(10):
        await hold.reached.wait()


async def _until_stored(stage: Stage) -> None:
    await until(lambda: stage.world.turns(stage.chat.key), "the turn is stored")
    await until(lambda: stage.world.usage(stage.chat.key), "the call is booked")


CASES = (
    Case(name="accepted", arrange=_accepted, calls=1, rows=("completed",), phase=4),
    Case(name="claimed", arrange=_claimed, calls=1, rows=("completed",), phase=3),
    Case(name="provider-called", arrange=_provider_called, calls=2, rows=("lost", "completed"), phase=2),
    Case(
        name="first-delta",
        arrange=_first_delta,
        calls=2,
        rows=("lost", "completed"),
        phase=3,
        answer=f"One {ANSWER}",
    ),
    Case(
        name="sent-but-not-recorded",
        arrange=_sent_but_not_recorded,
        calls=2,
        rows=("lost", "completed"),
        phase=1,
        visible_before=True,
        resent=True,
    ),
    Case(
        name="recorded",
        arrange=_recorded,
        calls=2,
        rows=("lost", "completed"),
        phase=2,
        visible_before=True,
    ),
    Case(
        name="half-streamed",
        arrange=_half_streamed,
        calls=2,
        rows=("lost", "completed"),
        phase=2,
        visible_before=True,
    ),
    Case(
        name="finished-but-not-stored",
        arrange=_finished_but_not_stored,
        calls=2,
        rows=("lost", "completed"),
        phase=3,
        visible_before=True,
    ),
    Case(
        name="stored-but-not-shown",
        arrange=_stored_but_not_shown,
        calls=1,
        rows=("completed",),
        phase=1,
        resent=True,
    ),
    Case(name="committed", arrange=_committed, calls=1, rows=("completed",), phase=3, visible_before=True),
)


async def _second_page_sent_but_not_recorded(stage: Stage) -> None:
    stage.answer_with(Reply(chunks=(FIRST, TWO_PAGES), chunk_interval_s=2.0, hold=Hold(2)))
    stage.chat.say(stage.question)
    await stage.chat.until(lambda shown: len(shown) == 1)
    gate = stage.door.hold_send(after=True)
    await gate.reached()


async def _of_same_author(stage: Stage) -> None:
    await _stream_until(stage, Hold(0))
    for text in WAITING:
        stage.chat.say(text)
        await _until_queued(stage, text)


async def _of_two_authors(stage: Stage) -> None:
    ann, bob = stage.people
    stage.answer_with(Reply(text="Hello Ann.", hold=(hold := Hold(0))))
    stage.chat.mention(stage.question, by=ann)
    async with asyncio.timeout(10):
        await hold.reached.wait()
    stage.chat.mention(f"Bob's {stage.question[:-1]}", by=bob)
    await _until_queued(stage, "Bob's")


async def _until_queued(stage: Stage, text: str) -> None:
    async def is_queued() -> bool:
        return any(text in item["text"] for item in (await stage.thread())["q"])

    await until(is_queued, f"{text!r} waits")


WAITING = ("and a second question", "and a third one")
#: Two pages on Telegram, three on Discord.
TWO_PAGES = "\n\n".join(f"Paragraph {number}. {'word ' * 30}".strip() for number in range(1, 29))
PAGES = Case(
    name="second-page-sent",
    arrange=_second_page_sent_but_not_recorded,
    calls=2,
    rows=("lost", "completed"),
    phase=1,
)
QUEUES = (
    Case(name="same-author", arrange=_of_same_author, calls=2, rows=("lost", "completed"), phase=2),
    Case(name="two-authors", arrange=_of_two_authors, calls=3, rows=("lost", "completed"), phase=2),
)


ALL_CASES = (*CASES, PAGES, *QUEUES)
