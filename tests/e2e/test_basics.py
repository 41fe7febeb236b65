"""When the bot answers, what it shows, and what the model is told, on both platforms."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.e2e.chats import Chat, Door, Shown
from tests.e2e.conftest import BOT_NAME
from tests.e2e.waiting import until
from tests.e2e.world import World, conversation
from tests.fakes.openai.script import Hold, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")


def one(shown: tuple[Shown, ...]) -> bool:
    return len(shown) == 1


async def answered(world: World, chat: Chat, say: Callable[[str], int], text: str, answer: str) -> Shown:
    """Say something, let the model answer, and wait until that is shown as one more message."""
    before = len(chat.shown())
    world.script(text, Reply(text=answer))
    say(text)
    return await chat.until(lambda shown: len(shown) == before + 1)


async def test_a_private_message_gets_the_models_words_and_nothing_else(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))

    shown = await answered(world, chat, chat.say, f"What is 2+2, {door.platform}?", "It is **four**.")

    assert shown.text == {"telegram": "It is four.", "discord": "It is **four**."}[door.platform]
    assert shown.states == (shown.text,)
    assert shown.buttons == ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """A way to address the bot where others talk, too."""

    name: str
    say: Callable[[Chat, str], int]


ADDRESSING = (
    Addressing(name="mention", say=lambda chat, text: chat.mention(text)),
    Addressing(name="name", say=lambda chat, text: chat.say(f"{BOT_NAME}, {text}")),
)


@pytest.mark.parametrize("way", ADDRESSING, ids=lambda way: way.name)
async def test_it_answers_in_the_channel_as_a_reply_when_it_is_addressed(
    way: Addressing, door: Door, world: World
) -> None:
    chat = door.shared(door.person("Ann"))
    asked = way.say(chat, f"who are you? {way.name} {door.platform}")

    shown = await chat.until(one)

    assert shown.text.startswith("You said: ")
    assert shown.reply_to == asked


async def test_a_reply_to_the_bot_is_answered(door: Door, world: World) -> None:
    chat = door.shared(door.person("Ann"))
    chat.mention("hello there")
    first = await chat.until(one)
    asked = chat.say("and now?", reply_to=first.id)

    second = await chat.until(lambda shown: len(shown) == 2)

    assert second.reply_to == asked


async def test_what_is_not_addressed_to_it_is_neither_answered_nor_stored(door: Door, world: World) -> None:
    ann, bob = door.person("Ann"), door.person("Bob")
    chat = door.shared(ann, bob)
    chat.say("nobody asked the bot about umbrellas", by=ann)
    chat.mention("but now I do", by=bob)

    await chat.until(one)

    assert len(chat.shown()) == 1
    assert "umbrellas" not in await world.stored()


async def test_other_bots_are_not_answered(door: Door, world: World) -> None:
    ann, robot = door.person("Ann"), door.person("Robot", is_bot=True)
    chat = door.shared(ann, robot)
    chat.mention("I am a bot with an endless question", by=robot)
    chat.mention("hello", by=ann)

    await chat.until(one)

    assert len(chat.shown()) == 1
    assert not world.asked("endless question")


async def test_typing_is_shown_until_the_answer(door: Door, world: World) -> None:
    hold = Hold(0)
    text = f"take your time, {door.platform}"
    world.script(text, Reply(text="Here it is.", hold=hold))
    chat = door.private(door.person("Ann"))
    chat.say(text)

    await until(lambda: chat.typed() > 0, "typing is shown")
    hold.release()
    shown = await chat.until(one)

    assert shown.text == "Here it is."


async def test_the_context_grows_at_its_end_only(door: Door, world: World) -> None:
    chat = door.private(door.person("Ann"))
    for number in range(4):
        text = f"message {number} of {chat.key}"
        await answered(world, chat, chat.say, text, f"answer {number}")
    requests = [request for n in range(4) for request in world.asked(f"message {n} of {chat.key}")]

    assert conversation(requests[1]) == [
        ("user", f"message 0 of {chat.key}"),
        ("assistant", "answer 0"),
        ("user", f"message 1 of {chat.key}"),
    ]
    for earlier, later in itertools.pairwise(requests):
        before, after = earlier.body["input"], later.body["input"]
        assert json.dumps(after[: len(before)]) == json.dumps(before)
        assert later.body["instructions"] == earlier.body["instructions"]


async def test_people_in_a_channel_are_told_apart(door: Door, world: World) -> None:
    ann, bob = door.person("Ann"), door.person("Bob")
    chat = door.shared(ann, bob)
    chat.mention("I like tea", by=ann)
    await chat.until(one)
    text = f"what do I like? {chat.key}"
    chat.mention(text, by=bob)
    await chat.until(lambda shown: len(shown) == 2)

    told = conversation(world.asked(text)[0])

    assert told[0] == ("user", "Ann: I like tea")
    assert told[2] == ("user", f"Bob: {text}")


async def test_a_message_that_is_replied_to_is_in_the_context(door: Door, world: World) -> None:
    ann, bob = door.person("Ann"), door.person("Bob")
    chat = door.shared(ann, bob)
    quoted = chat.say("The meeting is at nine.", by=ann)
    text = f"{BOT_NAME}, when is it? {chat.key}"
    chat.say(text, by=bob, reply_to=quoted)
    await chat.until(one)

    told = conversation(world.asked(text)[0])

    assert "The meeting is at nine." in told[-1][1]
    assert "Ann" in told[-1][1]


async def test_the_model_chosen_for_a_channel_is_the_one_that_is_asked(door: Door, world: World) -> None:
    ann = door.person("Ann")
    chat, other = door.shared(ann), door.private(ann)
    await chat.command("model", name="openai/gpt-6.1-sol", scope="channel")
    for place in (chat, other):
        place.mention(f"which model? {place.key}")
        await place.until(lambda shown: any("which model?" in message.text for message in shown))

    assert [request.model for request in world.asked(f"which model? {chat.key}")] == ["gpt-6.1-sol"]
    assert [request.model for request in world.asked(f"which model? {other.key}")] == ["gpt-6-luna"]


async def test_cost_shows_todays_tokens_and_money_of_the_person_asking(door: Door, world: World) -> None:
    ann, bob = door.person("Ann"), door.person("Bob")
    chat = door.private(ann)
    await answered(world, chat, chat.say, f"spend something {chat.key}", "Spent.")
    row = (await world.usage(chat.key))[0]

    mine = await chat.command("cost")
    others = await door.private(bob).command("cost")

    assert "1 request" in mine
    assert f"{row['usage']['input_tokens']:,} tokens in" in mine
    assert "$0.0" in mine
    assert "nothing" in others


async def test_no_mention_in_the_models_words_pings_anyone(door: Door, world: World) -> None:
    ann, bob = door.person("Ann"), door.person("Bob")
    chat = door.shared(ann, bob)
    answer = f"Wake up @everyone @here <@{bob.id}> <@!{bob.id}> <@&{bob.id}> @bob_x [Bob](tg://user?id={bob.id})"
    text = f"wake them up {chat.key}"
    world.script(text, Reply(text=answer))
    chat.mention(text, by=ann)

    shown = await chat.until(one)

    assert "Wake up" in shown.text
    assert not shown.pings_someone


async def test_two_questions_at_once_in_two_chats_do_not_wait_for_each_other(door: Door, world: World) -> None:
    hold = Hold(0)
    slow, quick = door.private(door.person("Ann")), door.private(door.person("Bob"))
    world.script(f"slow {slow.key}", Reply(text="At last.", hold=hold))
    slow.say(f"slow {slow.key}")
    await world.until_asked(f"slow {slow.key}")
    quick.say("quick")

    await quick.until(one)

    assert slow.shown() == ()
    hold.release()
    await slow.until(one)


async def test_messages_sent_while_an_answer_is_made_are_answered_together(door: Door, world: World) -> None:
    hold = Hold(0)
    chat = door.private(door.person("Ann"))
    world.script(f"first {chat.key}", Reply(text="One.", hold=hold))
    chat.say(f"first {chat.key}")
    await world.until_asked(f"first {chat.key}")
    chat.say("second part")
    chat.say(f"third part {chat.key}")

    async def two_wait() -> bool:
        return len((await world.thread(chat.key))["q"]) == 3

    await until(two_wait, "both wait")
    hold.release()
    await chat.until(lambda shown: len(shown) == 2)

    (request,) = world.asked(f"third part {chat.key}")
    assert conversation(request)[-2:] == [("user", "second part"), ("user", f"third part {chat.key}")]
    assert len(chat.shown()) == 2
