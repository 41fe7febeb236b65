"""A thread that grows, in a whole engine: summarised in time, titled once, and cheap to go on with."""

import asyncio
from dataclasses import replace

from bot.core.catalogue import ModelInfo, ModelRef
from bot.core.clock import SystemClock
from bot.core.events import Usage
from bot.core.ledger import CallKind
from bot.core.message import Role
from bot.core.ports import ChatRequest
from tests.bot.core.house import CHANNEL, DEADLINE_S, PRIVATE, House, house
from tests.fakes.clock import ManualClock
from tests.fakes.messenger import CAPABILITIES, RecordingMessenger
from tests.fakes.providers import Hold, Script, ScriptedProvider, says

GIST = "They count to a hundred."
CHEAP = ModelInfo(ref=ModelRef("scripted", "cheap"), window_tokens=100_000, reasoning=False)


def answers(request: ChatRequest) -> Script:
    """The cheap model writes summaries and titles, the other one a long answer."""
    if request.model.ref == CHEAP.ref:
        return says("Counting" if "titles" in request.system else GIST)
    return says("One more. " * 40, usage=Usage(input_tokens=100, output_tokens=50))


async def say_until_summarised(home: House) -> int:
    """Say the same again and again; returns how often it took."""
    exchanges = 0
    while all(row.kind is not CallKind.SUMMARY for row in home.stores.ledger.booked.values()):
        await home.say("Count on.")
        await home.rested()
        exchanges += 1
    return exchanges


async def test_a_long_conversation_goes_on_with_a_summary_and_never_reaches_the_cut() -> None:
    provider = ScriptedProvider(otherwise=answers)
    async with house(provider, cheap=CHEAP, context_tokens=2_000, clock=ManualClock()) as home:
        for number in range(30):
            await home.say(f"Count on from {number}.")
            await home.rested()
        asked = [request for request in provider.requests if request.model.ref != CHEAP.ref]
        firsts = [request.messages[0].text for request in asked]
        state = await home.stores.threads.state(PRIVATE.thread_key)
        kinds = [row.kind for row in home.stores.ledger.booked.values()]

    assert state.summary is not None
    assert 2 <= kinds.count(CallKind.SUMMARY) <= 8
    assert firsts[0] == "Count on from 0."
    assert all(first.startswith("[Summary of the earlier") or first == firsts[0] for first in firsts)
    assert f"> {GIST}" in firsts[-1]
    assert asked[-1].messages[-1].text == "Count on from 29."


async def test_a_message_that_comes_while_a_summary_is_written_does_not_make_a_second_one() -> None:
    writing, answering = Hold(), Hold()

    def held(request: ChatRequest) -> Script:
        script = answers(request)
        if request.model.ref == CHEAP.ref:
            return (writing, *script)
        return (answering, *script) if request.messages[-1].text == "Meanwhile." else script

    async with house(
        ScriptedProvider(otherwise=answers), cheap=CHEAP, context_tokens=2_000, clock=ManualClock()
    ) as home:
        exchanges = await say_until_summarised(home)
    provider = ScriptedProvider(otherwise=held)
    async with asyncio.timeout(DEADLINE_S):
        async with house(provider, cheap=CHEAP, context_tokens=2_000, clock=ManualClock()) as home:
            for _ in range(exchanges):
                await home.say("Count on.")
            await writing.reached()
            await home.engine.accept(home.said("Meanwhile."))
            await answering.reached()
            writing.release()
            await home.rested()
            summary = (await home.stores.threads.state(PRIVATE.thread_key)).summary
            answering.release()
            await home.engine.idle()
            await home.rested()
            after = (await home.stores.threads.state(PRIVATE.thread_key)).summary

    assert summary is not None
    assert after == summary


async def test_the_model_that_answers_is_asked_for_the_summary_as_the_next_message_of_its_prompt() -> None:
    def warm(request: ChatRequest) -> Script:
        usage = Usage(input_tokens=1_000, output_tokens=50, cached_tokens=900, cache_write_tokens=100)
        if request.messages[-1].text.startswith("[This is no message"):
            return says(GIST, usage=usage)
        return says("One more. " * 40, usage=usage)

    provider = ScriptedProvider(otherwise=warm)
    async with house(provider, context_tokens=4_000, clock=ManualClock()) as home:
        await say_until_summarised(home)
        await home.say("And now?")
        *_, answer, summary, following = provider.requests

    assert summary.messages[: len(answer.messages)] == answer.messages
    assert [message.role for message in summary.messages[len(answer.messages) :]] == [Role.ASSISTANT, Role.USER]
    assert replace(summary, messages=answer.messages, max_output_tokens=None) == answer
    assert f"> {GIST}" in following.messages[0].text


async def test_a_new_start_leaves_the_summary_behind() -> None:
    provider = ScriptedProvider(otherwise=answers)
    async with house(provider, cheap=CHEAP, context_tokens=2_000, clock=ManualClock()) as home:
        for number in range(15):
            await home.say(f"Count on from {number}.")
            await home.rested()
        await home.command("/new")
        await home.say("Hello.")
        texts = home.asked()

    assert texts == ["Hello."]


async def test_a_thread_gets_its_title_in_the_background() -> None:
    provider = ScriptedProvider(otherwise=answers)
    clock = ManualClock()
    messenger = RecordingMessenger(clock, abilities=replace(CAPABILITIES, titles=True))
    async with house(provider, cheap=CHEAP, messenger=messenger, clock=clock, titles=True) as home:
        place = replace(CHANNEL, thread="51")
        await home.say("Count.", place=place)
        await home.rested()
        await home.say("Go on.", place=place)
        await home.rested()
        kinds = [row.kind for row in home.stores.ledger.booked.values()]

    assert messenger.names == {place.thread_key: "Counting"}
    assert kinds.count(CallKind.TITLE) == 1


async def test_a_title_in_the_making_is_in_nobodys_way() -> None:
    hold = Hold()
    provider = ScriptedProvider(says("One."), (hold, *says("Counting")))
    messenger = RecordingMessenger(SystemClock(), abilities=replace(CAPABILITIES, titles=True))
    async with asyncio.timeout(DEADLINE_S):
        async with house(provider, cheap=CHEAP, messenger=messenger, titles=True) as home:
            await home.engine.accept(home.said("Count.", place=replace(CHANNEL, thread="51")))
            await hold.reached()
            await home.engine.idle()
            drained = await home.engine.drain(DEADLINE_S)

    assert drained
    assert messenger.texts() == ("One.",)
    assert [row.kind for row in home.stores.ledger.booked.values()] == [CallKind.ANSWER, CallKind.TITLE]
