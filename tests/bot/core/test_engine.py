"""The engine over fakes: from an accepted event to its one visible end."""

import asyncio
from dataclasses import replace

from bot.core.errors import AuthenticationFailed, ContextTooLong, StreamBroken
from bot.core.events import Outcome, TextDelta, Usage
from bot.core.gate import Role
from bot.core.ledger import CallStatus
from bot.core.place import Addressed
from tests.bot.core.house import ADA, BOB, CHANNEL, DEADLINE_S, PRIVATE, STRANGER, House, Stores, house
from tests.fakes.clock import ManualClock
from tests.fakes.providers import Hold, ScriptedProvider, says

TOKENS = Usage(input_tokens=1_000, output_tokens=100, cached_tokens=400)


async def test_a_message_is_answered_once_stored_as_shown_and_booked() -> None:
    async with house(ScriptedProvider(says("It is ", "three.", usage=TOKENS))) as home:
        await home.say("1 + 2?")

        [turn] = home.turns
        assert home.messenger.texts() == ("It is three.",)
        assert (turn.answer, turn.outcome, turn.message_ids) == ("It is three.", Outcome.ANSWERED, ("m1",))
        [row] = home.stores.ledger.booked.values()
        assert (row.usage, row.status, row.author_key) == (TOKENS, CallStatus.COMPLETED, ADA.key)


async def test_an_answer_that_is_there_at_once_is_one_send_and_no_edit() -> None:
    async with house(ScriptedProvider(says("Three."))) as home:
        await home.say("1 + 2?")

        assert len(home.messenger.calls_of("send", "edit", "delete")) == 1


async def test_a_message_that_comes_twice_is_answered_once() -> None:
    async with house(ScriptedProvider(says("Three."))) as home:
        inbound = await home.say("1 + 2?")
        await home.engine.accept(inbound)
        await home.engine.idle()

        assert home.messenger.texts() == ("Three.",)


async def test_what_one_author_sends_while_a_turn_runs_is_one_turn_in_order() -> None:
    hold = Hold()
    provider = ScriptedProvider((hold, *says("One.")), says("Both."))
    async with house(provider) as home:
        await home.engine.accept(home.said("first"))
        await hold.reached()
        await home.engine.accept(home.said("second"))
        await home.engine.accept(home.said("third"))
        hold.release()
        await home.engine.idle()

        assert home.asked()[-2:] == ["second", "third"]
        assert [len(turn.items) for turn in home.turns] == [1, 2]


async def test_words_of_two_people_are_never_merged() -> None:
    hold = Hold()
    provider = ScriptedProvider((hold, *says("One.")), says("Two."), says("Three."))
    async with house(provider) as home:
        await home.engine.accept(home.said("first", place=CHANNEL))
        await hold.reached()
        await home.engine.accept(home.said("from Bob", place=CHANNEL, author=BOB))
        await home.engine.accept(home.said("from Ada", place=CHANNEL))
        hold.release()
        await home.engine.idle()

        assert [home.asked(call)[-1] for call in (1, 2)] == ["Bob: from Bob", "Ada: from Ada"]


async def test_threads_do_not_wait_for_each_other_and_share_nothing() -> None:
    hold = Hold()
    provider = ScriptedProvider((hold, *says("Slow.")), says("Quick."))
    async with house(provider) as home:
        await home.engine.accept(home.said("slow"))
        await hold.reached()
        elsewhere = replace(PRIVATE, chat="11")
        await home.engine.accept(home.said("quick", place=elsewhere, author=BOB))
        async with asyncio.timeout(DEADLINE_S):
            while not home.messenger.texts(elsewhere):  # noqa: ASYNC110  # the fake has no event for it
                await asyncio.sleep(0)
        hold.release()
        await home.engine.idle()

        assert home.asked(1) == ["quick"]


async def test_an_error_is_told_in_plain_words_with_a_retry_that_shows_the_answer_in_its_place() -> None:
    broken = AuthenticationFailed("401 sk-secret at https://x", provider="scripted", status=401)
    async with house(ScriptedProvider((broken,), says("Three."))) as home:
        inbound = await home.say("1 + 2?")
        [message] = home.messenger.messages.values()
        assert message.text.startswith("scripted did not accept the bot's key.")
        assert "sk-secret" not in message.text
        assert [button.label for button in message.buttons] == ["Retry"]

        await home.engine.accept(home.pressed(message.buttons[0].line))
        await home.engine.idle()

        assert home.messenger.texts() == ("Three.",)
        assert home.asked() == ["1 + 2?"]
        failed, answered = home.turns
        assert (failed.uid, failed.outcome, failed.superseded_by) == (inbound.uid, Outcome.FAILED, answered.uid)


async def test_a_broken_stream_keeps_what_was_said_and_adds_one_line() -> None:
    cut = StreamBroken("cut", provider="scripted")
    async with house(ScriptedProvider((TextDelta(text="It is"), cut))) as home:
        await home.say("1 + 2?")

        [turn] = home.turns
        assert (turn.outcome, turn.answer) == (Outcome.PARTIAL, "It is")
        assert home.messenger.texts() == (f"It is\n\n{turn.reason}",)


async def test_stop_keeps_the_words_drops_what_waits_and_books_the_call() -> None:
    hold = Hold()
    async with house(ScriptedProvider((TextDelta(text="It is"), hold))) as home:
        await home.engine.accept(home.said("1 + 2?"))
        await hold.reached()
        await home.engine.accept(home.said("and 3 + 4?"))

        answer = await home.command("/stop")

        outcomes = {turn.items[0].text: (turn.outcome, turn.answer) for turn in home.turns}
        assert outcomes == {"1 + 2?": (Outcome.STOPPED, "It is"), "and 3 + 4?": (Outcome.STOPPED, "")}
        assert home.messenger.texts() == ("It is\n\nStopped.",)
        assert "1" in answer
        assert [row.status for row in home.stores.ledger.booked.values()] == [CallStatus.INCOMPLETE]


async def test_nobody_stops_somebody_elses_turn() -> None:
    hold = Hold()
    async with house(ScriptedProvider((hold, *says("Three.")))) as home:
        await home.engine.accept(home.said("1 + 2?", place=CHANNEL))
        await hold.reached()
        await home.engine.accept(home.typed("/stop", place=CHANNEL, author=BOB))
        hold.release()
        await home.engine.idle()

        assert home.turns[0].outcome is Outcome.ANSWERED


async def test_a_stranger_is_told_once_and_nothing_of_theirs_is_stored() -> None:
    async with house(ScriptedProvider()) as home:
        for _ in range(2):
            await home.say("let me in", author=STRANGER)

        [call] = home.messenger.calls_of("answer")
        assert call.answer is not None
        assert STRANGER.key in call.answer.text
        assert not home.stores.threads.lanes
        assert not home.turns


async def test_access_that_was_taken_back_while_a_message_waited_refuses_it_visibly() -> None:
    hold = Hold()
    stores = Stores()
    await stores.access.put(STRANGER.key, Role.ALLOWED)
    clock = ManualClock(auto=False)
    async with house(ScriptedProvider((hold, *says("One."))), stores=stores, clock=clock) as home:
        await home.engine.accept(home.said("first", author=STRANGER))
        await hold.reached()
        await home.engine.accept(home.said("second", author=STRANGER))
        await stores.access.remove(STRANGER.key)
        await clock.advance(10.0)
        hold.release()
        await _until(home, clock)

        assert [turn.outcome for turn in home.turns] == [Outcome.ANSWERED, Outcome.REFUSED]
        assert "not allowed" in home.messenger.texts()[-1]


async def _until(home: House, clock: ManualClock) -> None:
    """Let virtual time pass until nothing runs."""
    async with asyncio.TaskGroup() as group:
        idle = group.create_task(home.engine.idle())
        while not idle.done():
            await clock.advance(0.5)


async def test_ambient_talk_is_answered_only_where_the_bot_takes_part() -> None:
    async with house(ScriptedProvider(says("Hi."), says("Yes."))) as home:
        post = replace(CHANNEL, thread="51")
        await home.say("nobody asked you", place=post, addressed=Addressed.AMBIENT)
        assert home.messenger.texts() == ()

        await home.say("you!", place=post, addressed=Addressed.MENTION)
        await home.say("and so on", place=post, addressed=Addressed.AMBIENT)

        assert home.messenger.texts() == ("Hi.", "Yes.")


async def test_new_starts_a_context_without_losing_the_old_turns() -> None:
    async with house(ScriptedProvider(says("One."), says("Two."))) as home:
        await home.say("first")
        await home.command("/new")
        await home.say("second")

        assert home.asked() == ["second"]
        assert len(home.turns) == 2


async def test_a_conversation_that_the_provider_finds_too_long_is_cut_and_asked_again() -> None:
    too_long = ContextTooLong("too long", provider="scripted", status=400)
    provider = ScriptedProvider(says("x" * 10_000), (too_long,), says("Two."))
    async with house(provider) as home:
        await home.say("first")
        await home.say("second")

        assert home.messenger.texts()[-1] == "Two."
        assert home.asked() == ["second"]


async def test_a_conversation_is_cut_also_where_it_is_far_shorter_than_the_model_is_said_to_take() -> None:
    too_long = ContextTooLong("too long", provider="scripted", status=400)
    provider = ScriptedProvider(says("x" * 3_000), says("y" * 100), (too_long,), says("Three."))
    async with house(provider) as home:
        await home.say("first")
        await home.say("second")
        await home.say("third")

        assert home.messenger.texts()[-1] == "Three."
        assert "x" * 3_000 not in home.asked()


async def test_a_message_that_is_too_long_for_the_model_does_not_cost_the_conversation() -> None:
    too_long = ContextTooLong("too long", provider="scripted", status=400)
    provider = ScriptedProvider(says("One."), (too_long,), says("Three."))
    async with house(provider) as home:
        await home.say("first")
        await home.say("x" * 100_000)
        await home.say("third")

        assert home.messenger.texts()[-1] == "Three."
        assert home.asked() == ["first", "One.", "third"]
