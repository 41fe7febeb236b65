"""What people get when a provider fails and another model can answer: that answer, in seconds, and the reason."""

import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.e2e.chats import Chat, Door, Shown
from tests.e2e.world import World, open_world
from tests.fakes.openai import faults
from tests.fakes.openai.dialect import COMPATIBLE, OPENAI, FakeModel
from tests.fakes.openai.record import Request
from tests.fakes.openai.script import Breakage, Broken, Reply, Silence, Step
from tests.fakes.openai.server import FakeOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKUP = "backup/local-model"
WORDS = "These words were already there. "
#: What a token costs, in nano-dollars: input, output.
PRICES = {"openai": (1_000, 5_000), "backup": (100, 500)}
MODELS_FILE = """\
providers:
  openai:
    price: {input: 1, output: 5}
  backup:
    price: {input: 0.1, output: 0.5}
"""
#: How soon the other model's answer has to be there, whatever the first one does.
SOON_S = 8.0
PLATFORMS = ("telegram", "discord")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the first model does, a word of why it did not answer, how often it is called, and how that is booked."""

    name: str
    step: Step
    says: str
    calls: int = 1
    booked: tuple[str, ...] = ()


FAILURES = (
    Failure(name="500", step=faults.SERVER_ERROR, says="openai is not reachable right now", calls=2),
    Failure(name="429-for-long", step=faults.rate_limited("3600"), says="openai is limiting this bot's requests"),
    Failure(name="silence", step=Silence(), says="openai did not answer in time", booked=("incomplete",)),
    Failure(name="empty", step=Reply(), says="openai ended without a word", booked=("incomplete",)),
    Failure(
        name="broken-before-a-word",
        step=Broken(how=Breakage.RESET, after_chunks=0, reply=Reply(text="never seen")),
        says="openai is not reachable right now",
        calls=2,
    ),
    Failure(name="not-there", step=faults.NOT_FOUND, says="openai does not offer this model"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A bot whose OpenAI fails, and the server that stands in for it."""

    world: World
    backup: FakeOpenAI

    def asked(self, text: str) -> list[Request]:
        """The calls of the backup about a question."""
        return [request for request in self.backup.generations if text in request.last_user_text]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("fallback")
    (folder / "models.yaml").write_text(MODELS_FILE)
    async with FakeOpenAI(dialect=COMPATIBLE) as backup:
        backup.default = lambda request: Reply(text=f"Backup: {request.last_user_text}")
        settings = {
            "COMPATIBLE_BASE_URL": backup.url,
            "COMPATIBLE_NAME": "backup",
            "DEFAULT_MODEL": "openai/gpt-6-luna",
            "FALLBACK_MODELS": BACKUP,
            "FIRST_TOKEN_TIMEOUT_S": "2",
            "MODELS_FILE": str(folder / "models.yaml"),
        }
        async with open_world(folder, mongodb_uri, *PLATFORMS, **settings) as world:
            # A model of its own for each case: what one of them does is remembered of it.
            names = (*(failure.name for failure in FAILURES), "down", "breaks", "hour", "cut", "both")
            own = [FakeModel(id=f"gpt-7-{name}-{platform}") for name in names for platform in PLATFORMS]
            world.provider.models = (*OPENAI.models, *own)
            await world.start()
            yield House(world=world, backup=backup)


@pytest.fixture(params=PLATFORMS)
def door(house: House, request: pytest.FixtureRequest) -> Door:
    return house.world.doors[request.param]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
async def test_another_model_answers_in_seconds_and_says_why(failure: Failure, door: Door, house: House) -> None:
    chat, model = await _chat_with(failure.name, door)
    question = f"does it work? {chat.key}"
    house.world.script(question, failure.step)
    asked_at = time.monotonic()
    chat.say(question)

    shown = await chat.until(_has(f"Backup: {question}"))

    assert time.monotonic() - asked_at < SOON_S
    assert f"{model} did not answer: {failure.says}" in shown.text
    assert f"{BACKUP} answered instead." in shown.text
    assert shown.buttons == ()
    assert len(house.world.asked(question)) == failure.calls
    assert len(house.asked(question)) == 1
    (turn,) = await house.world.until_turns(chat.key, 1)
    assert (turn["outcome"], turn["model"], turn["answer"]) == ("answered", BACKUP, f"Backup: {question}")
    assert [passed["model"] for passed in turn["route"]["passed_over"]] == [model]
    *failed, answered = await house.world.usage(chat.key)
    assert tuple(row["status"] for row in failed) == failure.booked
    assert {row["model"] for row in failed} <= {model}
    assert (answered["model"], answered["status"], answered["certainty"]) == (BACKUP, "completed", "exact")
    for row in (*failed, answered):
        per_input, per_output = PRICES[row["provider"]]
        usage = row["usage"]
        assert row["cost"] == usage["input_tokens"] * per_input + usage["output_tokens"] * per_output
    assert f"`{model}` was asked first" in _with_marks(await chat.command("why"), model)


async def test_a_server_that_refuses_connections_costs_seconds(door: Door, house: House) -> None:
    chat, model = await _chat_with("down", door)
    asked_at = time.monotonic()
    async with house.world.provider.down():
        chat.say(f"anyone there? {chat.key}")
        shown = await chat.until(_has("Backup:"))

    assert time.monotonic() - asked_at < SOON_S
    assert f"{model} did not answer: openai is not reachable right now." in shown.text
    assert [row["model"] for row in await house.world.usage(chat.key)] == [BACKUP]


async def test_a_model_that_keeps_failing_is_left_alone_and_models_says_so(door: Door, house: House) -> None:
    _, model = await _chat_with("breaks", door)
    house.world.script(f"breaks-{door.platform}?", faults.SERVER_ERROR)
    for number in range(4):
        chat, _ = await _chat_with("breaks", door)
        chat.say(f"question {number} to breaks-{door.platform}?")
        shown = await chat.until(_has("Backup:"))

    assert len(house.world.asked(f"breaks-{door.platform}?")) == 5
    assert f"{model} did not answer: openai" in shown.text
    assert "left alone" in shown.text
    listed = await chat.command("models", query=f"gpt-7-breaks-{door.platform}")
    (line,) = [line for line in listed.splitlines() if model in line and "·" in line]
    assert "down" in line
    assert "left alone for" in line


async def test_a_model_that_asks_for_an_hour_is_left_alone_at_once(door: Door, house: House) -> None:
    chat, model = await _chat_with("hour", door)
    house.world.script(f"in {chat.key}?", faults.rate_limited("3600"))
    for number in (1, 2):
        chat.say(f"question {number} in {chat.key}?")
        shown = await chat.until(_has(f"Backup: question {number} "))
        assert f"{model} did not answer: openai" in shown.text

    assert len(house.world.asked(f"in {chat.key}?")) == 1
    listed = await door.private(door.person("Bob")).command("models", query=model.partition("/")[2])
    assert re.search(r"left alone for 3[56]\d\d s", listed)


async def test_a_stream_that_is_cut_stays_and_can_go_on_with_another_model(door: Door, house: House) -> None:
    chat, model = await _chat_with("cut", door)
    question = f"tell me a story {chat.key}"
    house.world.script(question, Broken(how=Breakage.CUT, after_chunks=1, reply=Reply(chunks=(WORDS, "more"))))
    chat.say(question)
    cut = await chat.until(lambda shown: any("Retry" in label for each in shown for label in each.buttons))

    assert cut.text.startswith(WORDS.strip())
    assert "broke" in cut.text
    assert cut.buttons == ("Retry", "Retry with another model")
    assert house.asked(question) == []
    (partial,) = await house.world.until_turns(chat.key, 1)
    assert (partial["outcome"], partial["answer"], partial["model"]) == ("partial", WORDS.strip(), model)

    chat.press("Retry with another model")
    answered = await chat.until(lambda shown: shown[-1].text.startswith("Backup:"))

    assert answered.id == cut.id
    assert answered.buttons == ()
    assert len(house.world.asked(question)) == 1
    assert sorted(turn["outcome"] for turn in await house.world.until_turns(chat.key, 2)) == ["answered", "partial"]
    assert [(row["model"], row["status"]) for row in await house.world.usage(chat.key)] == [
        (model, "incomplete"),
        (BACKUP, "completed"),
    ]


async def test_when_nobody_answers_people_are_told_once_and_retry_asks_again(house: House) -> None:
    chat, _ = await _chat_with("both", house.world.doors["discord"])
    question = f"is anybody there? {chat.key}"
    house.world.script(question, faults.SERVER_ERROR, faults.SERVER_ERROR, Reply(text="Now I am."))
    before, house.backup.default = house.backup.default, lambda _: faults.BAD_GATEWAY
    try:
        chat.say(question)
        failed = await chat.until(lambda shown: any("Retry" in label for each in shown for label in each.buttons))
    finally:
        house.backup.default = before

    assert "not reachable" in failed.text
    assert await house.world.usage(chat.key) == []
    chat.press("Retry")
    await chat.until(lambda shown: shown[-1].text == "Now I am.")


async def _chat_with(name: str, door: Door) -> tuple[Chat, str]:
    """A private chat whose model is the one of that name."""
    chat, model = door.private(door.person("Ann")), f"openai/gpt-7-{name}-{door.platform}"
    assert model in await chat.command("model", name=model)
    return chat, model


def _has(text: str) -> Callable[[tuple[Shown, ...]], bool]:
    return lambda shown: any(text in each.text for each in shown)


def _with_marks(text: str, model: str) -> str:
    """Telegram takes the backquotes for formatting."""
    return text if f"`{model}`" in text else text.replace(model, f"`{model}`")
