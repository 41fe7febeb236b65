"""What people see when a model's provider fails, how they get their answer after all, and what is booked."""

import re
from dataclasses import dataclass

import pytest

from tests.e2e.chats import Door, Shown
from tests.e2e.conftest import TURN_TIMEOUT_S
from tests.e2e.waiting import until
from tests.e2e.world import World
from tests.fakes.openai import faults
from tests.fakes.openai.script import Breakage, Broken, Hold, Reply, Step

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = "These words were already there. "
#: Nothing of this may ever be shown: a traceback, an address, a key, what a provider wrote.
NOT_FOR_PEOPLE = re.compile(r"Traceback|https?://|127\.0\.0\.1|sk-|Error\b|Exception|<html|cloudflare", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the provider does, how the turn ends, and a word of what people read."""

    name: str
    step: Step
    outcome: str
    says: str
    calls: int = 1
    booked: int = 0


FAULTS = (
    Fault(name="401", step=faults.UNAUTHORIZED, outcome="failed", says="key"),
    Fault(name="no-quota", step=faults.NO_QUOTA, outcome="failed", says="credit"),
    Fault(name="404", step=faults.NOT_FOUND, outcome="failed", says="/model"),
    Fault(name="500", step=faults.SERVER_ERROR, outcome="failed", says="not reachable", calls=3),
    Fault(name="502-html", step=faults.BAD_GATEWAY, outcome="failed", says="not reachable", calls=3),
    Fault(name="empty", step=Reply(), outcome="failed", says="without a word", booked=1),
    Fault(
        name="reset-in-mid-stream",
        step=Broken(how=Breakage.RESET, after_chunks=1, reply=Reply(chunks=(WORDS, "more"))),
        outcome="partial",
        says="broke",
        booked=1,
    ),
    Fault(
        name="malformed-stream",
        step=Broken(how=Breakage.MALFORMED, after_chunks=1, reply=Reply(chunks=(WORDS, "more"))),
        outcome="partial",
        says="broke",
        booked=1,
    ),
    Fault(
        name="no-end",
        step=Broken(how=Breakage.NO_FINAL, after_chunks=2, reply=Reply(chunks=(WORDS, "more", "end"))),
        outcome="partial",
        says="broke",
        booked=1,
    ),
)


def has_retry(shown: tuple[Shown, ...]) -> bool:
    return bool(shown) and any("Retry" in label for label in shown[-1].buttons)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_failure_is_told_in_plain_words_and_retry_gives_the_answer(
    fault: Fault, door: Door, world: World
) -> None:
    chat = await world.with_own_model(door, fault.name)
    question = f"does it work? {chat.key}"
    before = len(chat.shown())
    world.script(question, *[fault.step] * fault.calls, Reply(text="It works now."))
    chat.say(question)

    failed = await chat.until(has_retry)

    assert len(chat.shown()) == before + 1
    *kept, reason = failed.text.split("\n")
    assert fault.says in reason
    assert not NOT_FOR_PEOPLE.search(failed.text)
    assert "".join(kept).startswith(WORDS.strip()) == (fault.outcome == "partial")
    (turn,) = await world.until_turns(chat.key, 1)
    assert turn["outcome"] == fault.outcome
    assert turn["answer"] == "\n".join(kept).strip()
    assert len(world.asked(question)) == fault.calls
    assert len(await world.usage(chat.key)) == fault.booked

    chat.press("Retry")
    answered = await chat.until(lambda shown: shown[-1].text == "It works now.")

    assert len(chat.shown()) == before + 1
    assert answered.buttons == ()


async def test_a_model_that_asks_for_an_hour_is_not_asked_again_before(door: Door, world: World) -> None:
    chat = await world.with_own_model(door, "429-for-long")
    question = f"may I? {chat.key}"
    world.script(question, faults.rate_limited("3600"), Reply(text="Too early."))
    chat.say(question)
    limited = await chat.until(has_retry)
    assert "limiting" in limited.text
    assert "60 minutes" in limited.text

    chat.press("Retry")
    again = await chat.until(lambda shown: has_retry(shown) and shown[-1].text != limited.text)

    assert "Try again in 60 minutes" in again.text
    assert not NOT_FOR_PEOPLE.search(again.text)
    assert len(world.asked(question)) == 1


async def test_a_short_rate_limit_is_waited_out(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question = f"are you limited? {chat.key}"
    world.script(question, faults.rate_limited("1"), Reply(text="Not any more."))
    chat.say(question)

    shown = await chat.until(lambda shown: len(shown) == 1)

    assert shown.text == "Not any more."
    assert len(await world.usage(chat.key)) == 1


async def test_the_command_retry_answers_again_where_no_button_was_pressed(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question = f"try twice {chat.key}"
    world.script(question, faults.UNAUTHORIZED, Reply(text="The second try."))
    chat.say(question)
    await chat.until(has_retry)

    await chat.command("retry")

    await chat.until(lambda shown: any(message.text == "The second try." for message in shown))
    outcomes = [turn["outcome"] for turn in await world.until_turns(chat.key, 2)]
    assert sorted(outcomes) == ["answered", "failed"]


async def test_a_hanging_provider_ends_with_the_turns_deadline(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question = f"please hang {chat.key}"
    hanging = Broken(how=Breakage.HANG, after_chunks=1, reply=Reply(chunks=(WORDS, "more")))
    world.script(question, hanging, Reply(text="Here it is."))
    chat.say(question)

    shown = await chat.until(has_retry, within_s=TURN_TIMEOUT_S + 10)

    assert shown.text.startswith(WORDS.strip())
    assert f"not finished after {TURN_TIMEOUT_S} seconds" in shown.text
    assert [row["status"] for row in await world.usage(chat.key)] == ["incomplete"]
    await until(lambda: world.was_left(question), "the provider sees that nobody listens any more")


async def test_stop_keeps_what_was_shown_and_ends_the_call(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question = f"a long story {chat.key}"
    hold = Hold(1)
    world.script(question, Reply(chunks=(WORDS, "and a lot more"), hold=hold))
    chat.say(question)
    await chat.until(lambda shown: any("Stop" in label for message in shown for label in message.buttons))

    chat.press("Stop")
    stopped = await chat.until(has_retry)

    assert stopped.text == f"{WORDS.strip()}\n\nStopped."
    assert len(chat.shown()) == 1
    (turn,) = await world.until_turns(chat.key, 1)
    assert (turn["outcome"], turn["answer"]) == ("stopped", WORDS.strip())
    (row,) = await world.usage(chat.key)
    assert row["status"] == "incomplete"
    assert row["certainty"] == "estimated"
    await until(lambda: world.was_left(question), "the provider sees that nobody listens any more")


async def test_stop_drops_what_waits_as_well(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    question = f"another long story {chat.key}"
    world.script(question, Reply(chunks=(WORDS, "and more"), hold=Hold(1)))
    chat.say(question)
    await chat.until(lambda shown: any("Stop" in label for message in shown for label in message.buttons))
    chat.say("and this waits")

    async def two_wait() -> bool:
        return len((await world.thread(chat.key))["q"]) == 2

    await until(two_wait, "the second message waits")
    await chat.command("stop")
    await chat.until(lambda shown: any(message.text.endswith("Stopped.") for message in shown))

    assert not world.asked("and this waits")

    assert {turn["outcome"] for turn in await world.until_turns(chat.key, 2)} == {"stopped"}
