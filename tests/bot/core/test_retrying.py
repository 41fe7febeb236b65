"""Retry: what it asks, where it shows the answer, what it leaves of the old one, and who takes it over."""

from dataclasses import replace

from bot.core.clock import SystemClock
from bot.core.errors import StreamBroken
from bot.core.events import Outcome, TextDelta
from bot.core.turn_record import Claim, ItemKind, TurnRecord
from tests.bot.core.house import ADA, PRIVATE, Stores, house
from tests.bot.core.test_takeover import ITEM, LEASE_S, record, taken_over
from tests.fakes.memory_threads import MemoryThreadStore
from tests.fakes.messenger import RecordingMessenger
from tests.fakes.providers import Hold, ScriptedProvider, says

RETRY = replace(
    ITEM, uid="x:press", kind=ItemKind.RETRY, text="", retry_of=ITEM.uid, replace=True, order=ITEM.order + 1
)


async def test_an_old_turn_that_is_answered_again_does_not_take_what_followed_out_of_the_context() -> None:
    async with house(ScriptedProvider(says("One."), says("Two."), says("1."), says("Three."))) as home:
        first = await home.say("first")
        await home.say("second")
        await home.engine.accept(home.pressed(f"retry {first.uid}"))
        await home.engine.idle()
        await home.say("third")

        assert home.asked(2) == ["first"]
        assert home.asked(3) == ["second", "Two.", "first", "1.", "third"]


async def test_a_retry_can_be_retried() -> None:
    cut = StreamBroken("cut", provider="scripted")
    broken = (TextDelta(text="It"), cut)
    async with house(ScriptedProvider(broken, broken, says("Three."))) as home:
        await home.say("1 + 2?")
        for _ in range(2):
            [message] = home.messenger.messages.values()
            await home.engine.accept(home.pressed(message.buttons[0].line))
            await home.engine.idle()

        assert home.messenger.texts() == ("Three.",)
        assert home.asked() == ["1 + 2?"]
        assert [turn.outcome for turn in home.turns if turn.superseded_by is None] == [Outcome.ANSWERED]


async def test_a_button_pressed_twice_asks_once() -> None:
    hold = Hold()
    cut = StreamBroken("cut", provider="scripted")
    async with house(ScriptedProvider((cut,), (hold, *says("Three.")))) as home:
        await home.say("1 + 2?")
        [message] = home.messenger.messages.values()
        line = message.buttons[0].line
        await home.engine.accept(home.pressed(line))
        await hold.reached()
        await home.engine.accept(home.pressed(line))
        hold.release()
        await home.engine.idle()

        assert home.messenger.texts() == ("Three.",)


async def test_a_button_of_an_answer_that_was_replaced_says_so() -> None:
    cut = StreamBroken("cut", provider="scripted")
    async with house(ScriptedProvider((cut,), says("Three."))) as home:
        failed = await home.say("1 + 2?")
        await home.command("/retry")
        await home.engine.accept(home.pressed(f"retry {failed.uid}"))
        await home.engine.idle()

        answer = home.messenger.calls_of("answer")[-1].answer
        assert answer is not None
        assert "nothing here to answer again" in answer.text


async def retry_of_a_dead_process(stores: Stores) -> tuple[MemoryThreadStore, Claim, RecordingMessenger]:
    """A failed turn whose message stands, and a process that took its Retry and then died."""
    messenger = RecordingMessenger(SystemClock())
    for text in ("Failed", "Failed too"):
        page = messenger.render(PRIVATE, text)[0]
        await messenger.send(PRIVATE, page, key=text)
    await stores.turns.append(replace(record(""), outcome=Outcome.FAILED, message_ids=("m1", "m2")))
    dead = stores.threads.rival("dead")
    first = (await dead.ingest(PRIVATE, ITEM)).claim
    assert first is not None
    await dead.finish(first, [ITEM.uid])
    claim = (await dead.ingest(PRIVATE, RETRY)).claim
    assert claim is not None
    await dead.begin_attempt(claim)
    return dead, claim, messenger


async def test_a_retry_that_was_stored_before_its_process_died_replaces_the_old_turn_all_the_same() -> None:
    stores = Stores(threads=MemoryThreadStore("first", lease_s=LEASE_S))
    _, claim, messenger = await retry_of_a_dead_process(stores)
    new: TurnRecord = replace(record("Once."), uid=RETRY.uid, seq=claim.next_seq, fence=claim.fence)
    await stores.turns.append(new)

    async with house(ScriptedProvider(), stores=stores, messenger=messenger) as home:
        await taken_over(home)

    assert stores.turns.turns[ITEM.uid].superseded_by == RETRY.uid
    assert messenger.texts() == ("Once.",)


async def test_pages_of_the_old_answer_go_though_another_process_had_begun_to_replace_them() -> None:
    stores = Stores(threads=MemoryThreadStore("first", lease_s=LEASE_S))
    dead, claim, messenger = await retry_of_a_dead_process(stores)
    await dead.record_message(claim, 0, "m1")

    async with house(ScriptedProvider(says("Once.")), stores=stores, messenger=messenger) as home:
        await taken_over(home)

    assert messenger.texts() == ("Once.",)
    assert stores.turns.turns[RETRY.uid].items[0].author_key == ADA.key
