"""What the next process makes of what a dead one left, for every point at which it may have died."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from bot.core.budget import EACH, BudgetKey, BudgetLimit, Period
from bot.core.clock import SystemClock
from bot.core.events import Outcome, TextDelta
from bot.core.ledger import CallKind, CallStatus, Whose
from bot.core.place import Place
from bot.core.ports import Page, PageStart
from bot.core.purse import Pace
from bot.core.turn_record import Claim, Item, ItemKind, TurnRecord
from tests.bot.core.house import ADA, DEADLINE_S, PRIVATE, House, Stores, house
from tests.fakes.clock import START, ManualClock
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger
from tests.fakes.providers import Hold, ScriptedProvider, says

LEASE_S = 0.05
ITEM = Item(
    uid="x:101",
    kind=ItemKind.MESSAGE,
    author_key=ADA.key,
    author_name=ADA.name,
    text="tell me",
    message_id="101",
    at=START,
    order=1,
)
CANNOT_DEDUPLICATE = replace(CAPABILITIES, idempotent_send=False)


async def claimed(stores: Stores) -> tuple[MemoryThreadStore, Claim]:
    """A process took the message and will not be heard of again; its view of the lanes and its claim."""
    dead = stores.threads.rival("dead")
    claim = (await dead.ingest(PRIVATE, ITEM)).claim
    assert claim is not None
    return dead, claim


def record(answer: str) -> TurnRecord:
    return TurnRecord(
        uid=ITEM.uid,
        thread_key=PRIVATE.thread_key,
        seq=0,
        fence=1,
        at=START,
        items=(ITEM,),
        steps=(),
        answer=answer,
        outcome=Outcome.ANSWERED,
        reason=None,
        model="scripted/model",
    )


async def taken_over(home: House) -> None:
    """Wait until the thread's queue is empty."""
    async with asyncio.timeout(DEADLINE_S):
        while home.stores.threads.lanes[PRIVATE.thread_key].queue:  # noqa: ASYNC110  # the fake has no event for it
            await asyncio.sleep(0.01)
    await home.engine.idle()


@pytest.fixture
def stores() -> Stores:
    return Stores(threads=MemoryThreadStore("first", lease_s=LEASE_S))


async def test_a_message_that_was_only_accepted_is_answered(stores: Stores) -> None:
    await claimed(stores)

    async with house(ScriptedProvider(says("Once.")), stores=stores) as home:
        await taken_over(home)

        assert home.messenger.texts() == ("Once.",)
        assert [row.status for row in stores.ledger.booked.values()] == [CallStatus.COMPLETED]


async def test_a_call_that_was_lost_is_booked_and_made_again(stores: Stores) -> None:
    dead, claim = await claimed(stores)
    await dead.begin_attempt(claim)

    async with house(ScriptedProvider(says("Once.")), stores=stores) as home:
        await taken_over(home)

        lost, made = sorted(stores.ledger.booked.values(), key=lambda row: row.id)
        assert home.messenger.texts() == ("Once.",)
        assert (lost.status, lost.usage_estimated) == (CallStatus.LOST, True)
        assert made.status is CallStatus.COMPLETED


async def test_a_message_that_is_out_is_edited_and_not_sent_again(stores: Stores) -> None:
    dead, claim = await claimed(stores)
    messenger = RecordingMessenger(SystemClock())
    sent = await messenger.send(PRIVATE, Page(content="On", plain="On", end=PageStart(offset=2)), key="k")
    await dead.begin_attempt(claim)
    await dead.record_message(claim, 0, sent)

    async with house(ScriptedProvider(says("Once.")), stores=stores, messenger=messenger) as home:
        await taken_over(home)

        assert messenger.texts() == ("Once.",)
        assert len(messenger.calls_of("send")) == 1


async def test_a_turn_that_was_stored_is_shown_without_asking_the_model_again(stores: Stores) -> None:
    dead, claim = await claimed(stores)
    await dead.begin_attempt(claim)
    await stores.turns.append(record("Once."))

    async with house(ScriptedProvider(), stores=stores) as home:
        await taken_over(home)

        assert home.messenger.texts() == ("Once.",)
        assert stores.turns.turns[ITEM.uid].message_ids == ("m1",)


@dataclass(frozen=True)
class Resend:
    name: str
    idempotent: bool
    shown: str


RESENDS = (
    Resend("the platform can tell", idempotent=True, shown="Once."),
    Resend("the platform cannot tell", idempotent=False, shown="_(This may be a repetition.)_\n\nOnce."),
)


@pytest.mark.parametrize("case", RESENDS, ids=lambda case: case.name)
async def test_a_send_that_may_have_gone_out_is_marked_where_nobody_can_tell(stores: Stores, case: Resend) -> None:
    dead, claim = await claimed(stores)
    await dead.begin_attempt(claim)
    await dead.begin_send(claim, 0)
    abilities = CAPABILITIES if case.idempotent else CANNOT_DEDUPLICATE
    messenger = RecordingMessenger(SystemClock(), abilities=abilities)

    async with house(ScriptedProvider(says("Once.")), stores=stores, messenger=messenger) as home:
        await taken_over(home)

        assert messenger.texts() == (case.shown,)
        assert stores.turns.turns[ITEM.uid].answer == "Once."


async def test_a_later_page_that_may_have_gone_out_is_marked_too(stores: Stores) -> None:
    dead, claim = await claimed(stores)
    messenger = RecordingMessenger(SystemClock(), abilities=CANNOT_DEDUPLICATE, page_chars=100)
    first = "a" * 100
    sent = await messenger.send(PRIVATE, Page(content=first, plain=first, end=PageStart(offset=100)), key="k")
    await dead.begin_attempt(claim)
    await dead.begin_send(claim, 0)
    await dead.record_message(claim, 0, sent)
    await dead.begin_send(claim, 1)

    async with house(ScriptedProvider(says(first + "Once.")), stores=stores, messenger=messenger) as home:
        await taken_over(home)

        assert messenger.texts() == (first, "_(This may be a repetition.)_\n\nOnce.")


async def test_a_message_that_never_comes_to_its_end_is_given_up_visibly(stores: Stores) -> None:
    _, claim = await claimed(stores)
    for number in range(3):
        await stores.threads.release(claim)
        [claim] = await stores.threads.rival(f"dead {number}").claim_expired(1, [PRIVATE.account_key])

    async with house(ScriptedProvider(), stores=stores) as home:
        await taken_over(home)

        assert stores.turns.turns[ITEM.uid].outcome is Outcome.FAILED
        assert home.messenger.texts()[0].startswith("I tried to answer this")


async def test_a_clean_end_leaves_what_runs_to_the_next_start_at_once(stores: Stores) -> None:
    stores = Stores(threads=MemoryThreadStore("first", lease_s=3_600.0))
    hold = Hold()
    async with house(ScriptedProvider((hold,)), stores=stores) as leaving:
        await leaving.engine.accept(leaving.said("tell me"))
        await hold.reached()
        assert not await leaving.engine.drain(0.0)

    async with house(ScriptedProvider(says("Once.")), stores=stores, threads=stores.threads.rival("next")) as home:
        await taken_over(home)

        assert home.messenger.texts() == ("Once.",)


async def test_an_owner_that_was_overtaken_shows_and_stores_nothing(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    stale, claim = await claimed(stores)
    parts_of_the_next = stores.threads.rival("next")
    await asyncio.sleep(LEASE_S)
    await parts_of_the_next.claim_expired(1, [PRIVATE.account_key])

    async with house(ScriptedProvider(), stores=stores, threads=stale) as home:
        home.engine._open_lane(claim)  # as if it had slept since it claimed the thread
        await home.engine.idle()

        assert home.messenger.texts() == ()
        assert not stores.turns.turns
        assert [record.levelname for record in caplog.records] == ["WARNING"]  # expected, so not a crash


async def test_a_process_that_slept_past_its_lease_does_not_write_over_what_its_successor_showed() -> None:
    clock, hold = ManualClock(auto=False), Hold()
    stores = Stores(threads=MemoryThreadStore("sleeper", clock=clock))
    provider = ScriptedProvider((TextDelta(text="The first words of one. "), hold, *says("And more.")))
    async with house(provider, stores=stores, clock=clock) as home:
        await home.engine.accept(home.said("tell me"))
        await hold.reached()
        await clock.advance(2.0)
        [message_id] = home.messenger.messages
        clock._elapsed_s += 60.0  # no timer runs meanwhile: SIGSTOP, a suspended machine
        successor = stores.threads.rival("successor")
        [claim] = await successor.claim_expired(1, [PRIVATE.account_key])
        page = home.messenger.render(PRIVATE, "Another answer.")[0]
        await home.messenger.edit(PRIVATE, message_id, page)
        await stores.turns.append(replace(record("Another answer."), fence=claim.fence))
        await successor.finish(claim, [item.uid for item in claim.items])
        hold.release()
        await clock.advance(10.0)
        await home.engine.idle()

        assert home.messenger.texts() == (stores.turns.turns[ITEM.uid].answer,) == ("Another answer.",)


async def test_the_last_lost_call_of_a_message_that_is_given_up_is_booked_and_no_other_is_made(
    stores: Stores,
) -> None:
    dead, claim = await claimed(stores)
    for number in range(2):
        await dead.begin_attempt(claim)
        await stores.threads.release(claim)
        [claim] = await stores.threads.rival(f"dead {number}").claim_expired(1, [PRIVATE.account_key])

    async with house(ScriptedProvider(), stores=stores) as home:
        await taken_over(home)

        assert [row.status for row in stores.ledger.booked.values()] == [CallStatus.LOST]
        assert stores.turns.turns[ITEM.uid].outcome is Outcome.FAILED
        assert not home.provider.requests


class NeverShowing(RecordingMessenger):
    """Whatever it should show ends in an error that no adapter should raise."""

    def render(self, place: Place, markdown: str, start: PageStart = PageStart()) -> tuple[Page, ...]:  # noqa: B008
        raise ValueError("a bug")


async def test_a_message_that_nothing_can_be_shown_for_does_not_block_its_thread(stores: Stores) -> None:
    await claimed(stores)
    clock = ManualClock()
    provider = ScriptedProvider(otherwise=lambda _: says("Once."))

    async with house(provider, stores=stores, messenger=NeverShowing(clock), clock=clock) as home:
        await taken_over(home)

    assert stores.turns.turns[ITEM.uid].outcome in (Outcome.ANSWERED, Outcome.FAILED)
    assert len(provider.requests) <= 3


async def test_a_lost_call_is_booked_also_when_the_next_try_is_refused(stores: Stores) -> None:
    dead, claim = await claimed(stores)
    await dead.begin_attempt(claim)
    limit = BudgetLimit(budget=BudgetKey(Whose.USER, EACH, Period.DAY), nano_usd=1)

    async with house(ScriptedProvider(name="alpha"), stores=stores, limits=(limit,)) as home:
        await taken_over(home)

        assert stores.turns.turns[ITEM.uid].outcome is Outcome.FAILED
        assert [row.status for row in stores.ledger.booked.values()] == [CallStatus.LOST]


async def test_a_lost_call_is_booked_also_when_the_answer_is_there_already(stores: Stores) -> None:
    async with house(ScriptedProvider(says("Once.")), stores=Stores(answers=stores.answers), answer_ttl_s=60.0) as home:
        await home.say(ITEM.text)
    dead, claim = await claimed(stores)
    await dead.begin_attempt(claim)

    async with house(ScriptedProvider(), stores=stores, answer_ttl_s=60.0) as home:
        await taken_over(home)

        assert [(row.kind, row.status) for row in stores.ledger.booked.values()] == [
            (CallKind.ANSWER, CallStatus.LOST),
            (CallKind.CACHED, CallStatus.COMPLETED),
        ]


async def test_a_message_is_counted_against_the_rate_limits_once_whoever_comes_to_answer_it(stores: Stores) -> None:
    pace = Pace(user_requests=1)
    hold = Hold()
    async with house(ScriptedProvider((hold,)), stores=stores, pace=pace) as leaving:
        await leaving.engine.accept(leaving.said("tell me"))
        await hold.reached()

    threads = stores.threads.rival("next")
    async with house(ScriptedProvider(says("Once.")), stores=stores, threads=threads, pace=pace) as home:
        await taken_over(home)

        assert home.messenger.texts() == ("Once.",)
