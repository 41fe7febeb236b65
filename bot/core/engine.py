"""The engine: takes every event of every platform, makes it durable, and sees each to one visible end.

Messages go into their thread's queue in storage and are answered by its lane; commands and buttons run beside the
lanes. Knows no platform: what a place can do is its messenger's word.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TypeVar, assert_never

from bot.core.chores import TurnDone
from bot.core.command import StopReport
from bot.core.command_runner import called, open_to_strangers, run_command
from bot.core.errors import DeliveryError, Fenced, StorageUnavailable, explain, reference_of
from bot.core.gate import Verdict
from bot.core.inbound import Deleted, Edited, Inbound, Invoked, Pressed, Said
from bot.core.lane import Current, Lane, store_withdrawn
from bot.core.parts import Parts
from bot.core.patience import Patience
from bot.core.place import Addressed, Author, ChatKind, Place
from bot.core.ports import Answer
from bot.core.thread_settings import resolve
from bot.core.turn_record import Claim, Item, ItemKind

T = TypeVar("T")

log = logging.getLogger(__name__)

HEARTBEAT_S = 3.0
SWEEP_S = 1.0
BOOKS_S = 60.0
#: What was held for a call is nobody's any more after this time: longer than any turn.
HOLD_PATIENCE_S = 900.0
#: A command that another process began and did not end in this time died with it.
ABANDONED_S = 15.0
#: How long accepting waits for storage before the platform keeps the event for later.
ACCEPT_PATIENCE_S = 600.0
_SWEEP_LIMIT = 50
#: How long cancelled work may clean up: longer than releasing a lease takes when storage hangs.
_END_PATIENCE_S = 10.0
_THREAD_TITLE_CHARS = 80


class Engine:
    """Runs lanes, commands, heartbeats and the sweep in one TaskGroup. Use as an async context manager."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._patience = Patience(parts.clock, self._tell_outage)
        self._lanes: dict[str, Lane] = {}
        self._group = asyncio.TaskGroup()
        self._background: list[asyncio.Task[None]] = []
        self._work: set[asyncio.Task[None]] = set()
        #: What nobody waits for: the chores after turns.
        self._aside: set[asyncio.Task[None]] = set()
        self._served: set[str] = set()
        self._commands: set[str] = set()

    async def __aenter__(self) -> "Engine":
        await self._group.__aenter__()
        self._background = [
            self._group.create_task(self._repeat(HEARTBEAT_S, self._beat)),
            self._group.create_task(self._repeat(SWEEP_S, self._sweep)),
            self._group.create_task(self._repeat(BOOKS_S, self._keep_books)),
        ]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._served.clear()
        while left := [task for task in (*self._background, *self._work, *self._aside) if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_END_PATIENCE_S)  # then once more: a library may have dropped it
        await self._group.__aexit__(None, None, None)

    def serve(self, account_key: str) -> None:
        """From now on take over what waits for this bot account (`discord:<bot id>`): its connection is up."""
        self._served.add(account_key)

    async def drain(self, grace_s: float) -> bool:
        """Let running work finish for `grace_s`; False when something had to be left for the next start.

        Nothing is taken over any more. Summaries and titles are not waited for: a later turn makes them due again.
        """
        self._served.clear()
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + grace_s
        while self._work and (left_s := ends_at - loop.time()) > 0:
            await asyncio.wait(self._work, timeout=left_s)
        return not self._work

    async def idle(self) -> None:
        """Wait until nothing runs that somebody waits for."""
        while self._work:
            await asyncio.wait(self._work)

    # --- intake ---

    async def accept(self, inbound: Inbound) -> None:
        """Take one event; when this returns it is stored, or needs no storing.

        Raises:
            StorageUnavailable: storage stayed away for `ACCEPT_PATIENCE_S`; the platform should deliver again.
        """
        event = inbound.event
        match event:
            case Said():
                await self._said(inbound, event)
            case Invoked() | Pressed():
                await self._invoked(inbound)
            case Edited():
                await self._revised(inbound, event.message_id, event.text)
            case Deleted():
                await self._revised(inbound, event.message_id, None)
            case _:
                assert_never(event)

    async def _said(self, inbound: Inbound, said: Said) -> None:
        verdict = await self._check(inbound)
        ambient = said.addressed is Addressed.AMBIENT
        if verdict is Verdict.DENIED:
            if not ambient:
                await self._refuse(inbound)
            return
        if ambient and not await self._accepting(
            inbound, lambda: self._parts.threads.is_joined(inbound.place.thread_key)
        ):
            return
        place = await self._thread_for(inbound, said)
        item = replace(
            Item.of(inbound, ItemKind.MESSAGE, text=said.text, message_id=said.message_id),
            quoted=said.quoted,
            starter=said.starter,
            attachments=said.attachments,
        )
        await self._enqueue(replace(inbound, place=place), item)

    async def _enqueue(self, inbound: Inbound, item: Item) -> None:
        place = inbound.place
        result = await self._accepting(inbound, lambda: self._parts.threads.ingest(place, item))
        if result.full:
            text = "There are too many messages waiting here. Try again when I have caught up."
            self._start(self._notice(place, text, item.uid))
        if result.claim is not None:
            self._open_lane(result.claim)

    async def _thread_for(self, inbound: Inbound, said: Said) -> Place:
        """The place of the answer: a new thread where `threads` is on and someone mentions the bot in a channel."""
        place = inbound.place
        messenger = self._parts.messengers[place.platform]
        if (
            said.addressed is not Addressed.MENTION
            or place.thread is not None
            or not messenger.capabilities(place).threads
        ):
            return place
        keys = place.setting_keys(inbound.author.key)
        values = await self._accepting(inbound, lambda: self._parts.settings.load([key for _, key in keys]))
        if not resolve(keys, values).threads:
            return place
        try:
            title = " ".join(said.text.split())[:_THREAD_TITLE_CHARS] or inbound.author.name
            return await messenger.open_thread(place, said.message_id, title)
        except DeliveryError as error:
            log.warning("cannot open a thread, answering in the channel: %s", error)
            return place

    async def _revised(self, inbound: Inbound, message_id: str, text: str | None) -> None:
        """An edit or deletion of a message that still waits changes what will be asked."""
        if await self._check(inbound) is not Verdict.DENIED:
            key = inbound.place.thread_key
            await self._accepting(inbound, lambda: self._parts.threads.revise(key, message_id, text))

    async def _check(self, inbound: Inbound) -> Verdict:
        return await self._accepting(inbound, lambda: self._parts.gate.check(inbound.place, inbound.author))

    async def _accepting(self, inbound: Inbound, operation: Callable[[], Awaitable[T]]) -> T:
        waits = not isinstance(inbound.event, Said) or inbound.event.addressed is not Addressed.AMBIENT
        return await self._patience.persist(
            operation, place=inbound.place if waits else None, deadline_s=ACCEPT_PATIENCE_S
        )

    async def _refuse(self, inbound: Inbound) -> None:
        """Once a day in words; an empty answer ends what a platform's own interface waits for."""
        text = await self._accepting(inbound, lambda: self._parts.gate.refusal(inbound.place, inbound.author))
        if text is not None or not isinstance(inbound.event, Said):
            self._start(self._reply(inbound, Answer(text=text or "")))

    # --- commands and buttons ---

    async def _invoked(self, inbound: Inbound) -> None:
        name, _, _ = called(inbound)
        allowed = await self._check(inbound) is not Verdict.DENIED
        if not allowed and not open_to_strangers(self._parts.commands, name):
            await self._refuse(inbound)
        elif not allowed:  # nothing of a stranger is stored
            self._start(self._run_command(inbound))
        elif await self._accepting(inbound, lambda: self._parts.invocations.begin(inbound)):
            self._start(self._run_stored_command(inbound))

    async def _run_stored_command(self, inbound: Inbound) -> None:
        if inbound.uid in self._commands:
            return  # it only takes longer than the sweep thinks
        self._commands.add(inbound.uid)
        try:
            await self._run_command(inbound)
            await self._patience.persist(lambda: self._parts.invocations.end(inbound.uid))
        finally:
            self._commands.discard(inbound.uid)

    async def _run_command(self, inbound: Inbound) -> None:
        name, text, options = called(inbound)
        try:
            desk = self._parts.desk(self, inbound.place)
            answer = await self._accepting(
                inbound, lambda: run_command(desk, inbound, name, text=text, options=options)
            )
        except Exception as error:
            reference = reference_of(inbound.uid)
            log.exception("/%s failed (ref %s)", name, reference)
            answer = Answer(text=explain(error, reference=reference).line)
        await self._reply(inbound, answer)

    async def _reply(self, inbound: Inbound, answer: Answer) -> None:
        try:
            await self._parts.messengers[inbound.place.platform].answer(inbound, answer)
        except DeliveryError as error:
            log.warning("an answer to a command was not delivered: %s", error)

    async def stop(self, place: Place, author: Author, *, may_stop_others: bool) -> StopReport:
        """Empty the author's queue first, then end the running turn, here or in whichever process it runs."""
        key = place.thread_key
        current = self._current(key)
        gone = await self._parts.threads.withdraw(key, author.key, current.uids if current else ())
        current = self._current(key)  # the lane may have gone on to some of them
        withdrawn = [item for item in gone if current is None or item.uid not in current.uids]
        if current is not None:
            stopped = may_stop_others or current.author_key == author.key
            if stopped:
                current.interrupt.request()
        else:
            by = "" if may_stop_others else author.key
            stopped = await self._patience.persist(lambda: self._parts.threads.request_stop(key, by))
        await self._patience.persist(lambda: store_withdrawn(self._parts, place, withdrawn))
        return StopReport(running=stopped, withdrawn=len(withdrawn))

    def _current(self, thread_key: str) -> Current | None:
        lane = self._lanes.get(thread_key)
        return None if lane is None else lane.current

    async def retry(
        self, inbound: Inbound, *, turn_uid: str | None, replace: bool, elsewhere: bool = False, seeing: bool = False
    ) -> bool:
        """Queue a turn once more, if it belongs to this thread."""
        turns, key = self._parts.turns, inbound.place.thread_key
        turn = await (turns.last(key) if turn_uid is None else turns.load(turn_uid))
        if turn is None or turn.thread_key != key or turn.superseded_by not in (None, inbound.uid):
            return False
        item = dataclasses.replace(
            Item.of(inbound, ItemKind.RETRY, text="", message_id=turn.items[-1].message_id),
            retry_of=turn.uid,
            replace=replace,
            elsewhere=elsewhere,
            seeing=seeing,
        )
        await self._enqueue(inbound, item)
        return True

    async def ask(self, inbound: Inbound, text: str, *, search: bool) -> None:
        """Queue a message that came as a command."""
        event = inbound.event
        item = Item.of(inbound, ItemKind.MESSAGE, text=text, message_id=None)
        if isinstance(event, Invoked):
            item = replace(item, message_id=event.message_id, quoted=event.quoted, attachments=event.attachments)
        await self._enqueue(inbound, replace(item, search=search))

    # --- lanes ---

    def _open_lane(self, claim: Claim) -> None:
        lane = Lane(self._parts, self._patience, self._after_turn)
        self._lanes[claim.thread_key] = lane
        self._start(self._run_lane(lane, claim))

    def _after_turn(self, done: TurnDone) -> None:
        self._start(self._parts.chores.after_turn(done), among=self._aside)
        if done.aloud:
            self._start(self._read_out(done), among=self._aside)

    async def _read_out(self, done: TurnDone) -> None:
        """Say an answer as a voice message; where that does not work, people read why."""
        place, record = done.claim.place, done.record
        reply_to = record.items[-1].message_id if place.kind is ChatKind.SHARED else None
        problem = await self._parts.speaking.say(place, done.author_key, record.uid, record.answer, reply_to=reply_to)
        if problem is not None:
            await self._notice(place, problem, f"{record.uid}:voice")

    async def _run_lane(self, lane: Lane, claim: Claim) -> None:
        """The boundary that keeps one turn's failure to itself: the lease goes back and the turn is tried again."""
        try:
            await lane.run(claim)
        except Fenced:
            log.warning("thread %s was taken over by another process", claim.thread_key)
        except Exception:
            log.exception("a turn failed in thread %s", claim.thread_key)
            await self._patience.persist(lambda: self._parts.threads.release(claim))
        except asyncio.CancelledError:
            await self._leave(claim)
            raise
        finally:
            if self._lanes.get(claim.thread_key) is lane:
                del self._lanes[claim.thread_key]

    async def _leave(self, claim: Claim) -> None:
        """Shutting down: hand the thread to the next start at once instead of after the lease."""
        try:
            await self._parts.threads.release(claim)
        except StorageUnavailable as error:
            log.warning("could not release thread %s, its lease will run out: %s", claim.thread_key, error)

    async def _beat(self) -> None:
        lanes = list(self._lanes.values())
        running = {key: lane.current for key, lane in self._lanes.items() if lane.current is not None}
        if not running:
            return
        asked_at = self._parts.clock.monotonic()
        stops = await self._parts.threads.heartbeat(list(running))
        for lane in lanes:
            lane.renewed(asked_at)
        for key, by in stops.items():
            # The turns as they were before: what was asked then is not meant for a later one.
            if by in ("", running[key].author_key):
                running[key].interrupt.request()

    async def _sweep(self) -> None:
        if not self._served:
            return
        expired = self._parts.threads.claim_expired
        for claim in await expired(_SWEEP_LIMIT, self._served, self._lanes.keys()):
            log.info("taking over thread %s", claim.thread_key)
            self._open_lane(claim)
        for inbound in await self._parts.invocations.abandoned(ABANDONED_S, self._served):
            self._start(self._run_stored_command(inbound))

    async def _keep_books(self) -> None:
        """Settle what processes that died have held, and keep what was learnt of models."""
        held_s = max(HOLD_PATIENCE_S, 2 * self._parts.defaults.timeout_s)
        if settled := await self._parts.budgets.settle_abandoned(held_s):
            log.info("settled %d holds of calls that nobody finished", settled)
        await self._parts.calibration.save()

    async def _repeat(self, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except StorageUnavailable as error:
                log.debug("no %s while storage is away: %s", work.__name__, error)
            except Exception:
                log.exception("%s failed", work.__name__)
            await self._parts.clock.sleep(every_s)

    def _start(self, work: Coroutine[None, None, None], *, among: set[asyncio.Task[None]] | None = None) -> None:
        running = self._work if among is None else among
        task = self._group.create_task(_guarded(work))
        running.add(task)
        task.add_done_callback(running.discard)

    # --- notices ---

    async def _tell_outage(self, place: Place) -> None:
        text = explain(StorageUnavailable(""), reference="").what
        text = f"{text} Nothing you sent is lost; I answer when it is back."
        at = self._parts.clock.now()
        self._start(self._notice(place, text, f"{place.thread_key}:outage:{at:%H%M%S}"))

    async def _notice(self, place: Place, text: str, key: str) -> None:
        messenger = self._parts.messengers[place.platform]
        try:
            for page in messenger.render(place, text):
                await messenger.send(place, page, key=f"{key}:notice")
        except DeliveryError as error:
            log.warning("a notice was not delivered: %s", error)


async def _guarded(work: Coroutine[None, None, None]) -> None:
    """What goes wrong beside the lanes is that work's alone: in a TaskGroup it would end the whole bot."""
    try:
        await work
    except Exception:
        log.exception("background work failed")
