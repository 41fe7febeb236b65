"""Lanes over MongoDB when many write at once and processes die: nothing is lost, doubled or reordered."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pymongo.asynchronous.collection import AsyncCollection

from bot.core.errors import Fenced
from bot.core.turn_record import Claim, Item
from bot.storage.codec import Document
from bot.storage.database import Database
from bot.storage.threads import ThreadStore
from bot.storage.turns import TurnStore
from tests.bot.storage.samples import KEY, PLACE, item, place, turn

CHATS = tuple(place(str(chat)) for chat in range(6))
MESSAGES = 25
DEATHS = 0.06
STALLS = 0.05


class Killed(Exception):
    """The process is gone: what it was doing may or may not have reached the database."""


class MortalDatabase(Database):
    """A process's connection to a database that others share; each operation may be its last."""

    def __init__(self, shared: Database, chance: random.Random) -> None:
        self._shared = shared
        self._chance = chance

    def collection(self, name: str) -> AsyncCollection[Document]:
        return self._shared.collection(name)

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        self._maybe_die()
        async with self._shared.operation():
            yield
        self._maybe_die()

    def _maybe_die(self) -> None:
        if self._chance.random() < DEATHS / 2:
            raise Killed


class Fleet:
    """Processes that work on one database; each one that dies is replaced, and its leases run out at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chance = random.Random(20261121)
        self.deaths = 0

    async def feed(self, chat: int) -> None:
        """Deliver one chat's messages in order, again after a death, and now and then twice for no reason."""
        for number in range(1, MESSAGES + 1):
            message = replace(item(number), uid=f"telegram:99:{chat}:{number}")
            for _ in range(1 + (self._chance.random() < 0.1)):
                while not await self._as_a_process(f"feeder {chat}.{number}", chat, message):
                    pass

    async def _as_a_process(self, owner: str, chat: int, message: Item) -> bool:
        mortal = MortalDatabase(self._database, self._chance)
        try:
            ingested = await ThreadStore(mortal, owner=owner).ingest(CHATS[chat], message)
            if ingested.claim is not None:
                await self._run(mortal, ThreadStore(mortal, owner=owner), ingested.claim)
        except Killed:
            await self._bury(owner)
            return False
        return True

    async def sweep_until_done(self, worker: int) -> None:
        """Take over what others left until every queue is empty and everything was fed."""
        while not await self._done():
            owner = f"sweeper {worker}.{self.deaths}"
            mortal = MortalDatabase(self._database, self._chance)
            threads = ThreadStore(mortal, owner=owner)
            try:
                for claim in await threads.claim_expired(2, [PLACE.account_key]):
                    await self._run(mortal, threads, claim)
            except Killed:
                await self._bury(owner)

    async def _run(self, mortal: Database, threads: ThreadStore, claim: Claim) -> None:
        following: Claim | None = claim
        try:
            while following is not None:
                following = await self._turn(TurnStore(mortal), threads, following)
        except Fenced:
            return

    async def _turn(self, turns: TurnStore, threads: ThreadStore, claim: Claim) -> Claim | None:
        uid = claim.items[0].uid
        stored = await turns.load(uid) if claim.tries else None
        if stored is None:
            await threads.begin_attempt(claim)
            await self._maybe_stall(claim)
            record = turn(claim.next_seq, uid=uid, fence=claim.fence, key=claim.thread_key)
            stored = replace(record, items=claim.items[:3])
            await turns.append(stored)
        return await threads.finish(claim, [item.uid for item in stored.items])

    async def _maybe_stall(self, claim: Claim) -> None:
        """Sometimes a process stands still for longer than its lease, and goes on not knowing."""
        if self._chance.random() < STALLS:
            await self._expire({"_id": claim.thread_key})

    async def _bury(self, owner: str) -> None:
        self.deaths += 1
        await self._expire({"owner": owner})

    async def _expire(self, found: Document) -> None:
        past = datetime(2020, 1, 1, tzinfo=UTC)
        async with self._database.operation():
            await self._database.collection("threads").update_many(found, {"$set": {"until": past}})

    async def _done(self) -> bool:
        async with self._database.operation():
            fed = await self._database.collection("threads").count_documents({"k": MESSAGES, "np": 0})
        return fed == len(CHATS)


async def test_processes_that_die_anywhere_lose_double_and_reorder_nothing(database: Database) -> None:
    fleet = Fleet(database)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for chat in range(len(CHATS)):
            tasks.create_task(fleet.feed(chat))
        for worker in range(3):
            tasks.create_task(fleet.sweep_until_done(worker))

    assert fleet.deaths > 10
    for chat, here in enumerate(CHATS):
        turns = await TurnStore(database).recent(here.thread_key, from_seq=0, limit=1000)
        answered = [item.uid for stored in turns for item in stored.items]
        assert answered == [f"telegram:99:{chat}:{number}" for number in range(1, MESSAGES + 1)]
        assert len({stored.seq for stored in turns}) == len(turns)


async def test_of_200_messages_at_once_one_claims_and_a_full_queue_waits_in_order(database: Database) -> None:
    threads = ThreadStore(database, owner="a")
    numbers = list(range(1, 201))
    random.Random(1).shuffle(numbers)
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(threads.ingest(PLACE, item(number))) for number in numbers]
    ingested = [task.result() for task in started]
    (claim,) = [i.claim for i in ingested if i.claim is not None]

    following = await threads.finish(claim, [claim.items[0].uid])

    assert sum(i.full for i in ingested) == 150
    assert following is not None
    waiting = [i.order for i in following.items]
    assert len(waiting) == 49
    assert waiting == sorted(waiting)


async def test_200_threads_at_once_are_all_claimed(database: Database) -> None:
    threads = ThreadStore(database, owner="a")
    async with asyncio.TaskGroup() as tasks:
        started = [
            tasks.create_task(threads.ingest(place(str(chat)), replace(item(1), uid=f"telegram:99:{chat}:1")))
            for chat in range(200)
        ]

    assert all(task.result().claim is not None for task in started)


async def test_rivals_that_sweep_together_share_the_threads(database: Database) -> None:
    threads = ThreadStore(database, owner="a")
    for chat in range(20):
        claim = (await threads.ingest(place(str(chat)), replace(item(1), uid=f"telegram:99:{chat}:1"))).claim
        assert claim is not None
        await threads.release(claim)
    async with asyncio.TaskGroup() as tasks:
        sweeps = [
            tasks.create_task(ThreadStore(database, owner=owner).claim_expired(20, [PLACE.account_key]))
            for owner in "bcd"
        ]

    taken = [claim.place.chat for sweep in sweeps for claim in sweep.result()]

    assert sorted(taken, key=int) == [str(chat) for chat in range(20)]


async def test_the_last_128_messages_of_a_thread_are_known_again(database: Database) -> None:
    threads = ThreadStore(database, owner="a")
    for number in range(1, 131):
        claim = (await threads.ingest(PLACE, item(number))).claim
        assert claim is not None
        await threads.finish(claim, [claim.items[0].uid])

    assert (await threads.ingest(PLACE, item(3))).duplicate
    async with database.operation():
        document = await database.collection("threads").find_one({"_id": KEY})
    assert document is not None
    assert len(document["ring"]) == 128
