"""Four providers at once: who is asked, what is shown of them, how they are compared, listed and extended."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.chats import Chat, Door, Person, Shown
from tests.e2e.parley import Parley
from tests.e2e.servers import Servers, asked_about, open_servers
from tests.e2e.waiting import until
from tests.e2e.world import World, open_world
from tests.fakes.model_server import ModelServer
from tests.fakes.openai.dialect import OPENAI, FakeModel

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: OpenAI lists it, but the catalogue does not have it.
NOVEL = "gpt-7-nova"
MODELS_FILE = """\
models:
  openai/gpt-7-nova:
    name: Nova
    aliases: [shiny]
    price: {input: 2, output: 8}
"""
BROKEN_FILE = """\
models:
  openai/gpt-7-nova:
    aliases: [glossy]
    price: {input: -2, output: 8}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A bot with every provider, and the file that extends its catalogue."""

    world: World
    servers: Servers
    models_file: Path
    folder: Path

    def server(self, model: str) -> ModelServer:
        """Where a model is asked."""
        servers: dict[str, ModelServer] = {
            "openai": self.world.provider,
            "anthropic": self.servers.anthropic,
            "gemini": self.servers.gemini,
            "ollama": self.servers.ollama,
        }
        return servers[model.partition("/")[0]]

    async def parley(self, command: str) -> tuple[int, str]:
        """Run another command with the same settings, but without the file: its exit code and output."""
        async with Parley(self.folder, self.world.parley.settings) as other:
            await other.start(command, piped=True, settings={"MODELS_FILE": ""})
            output = await other.read_rest()
            return await other.ended(), output


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("models")
    models_file = folder / "models.yaml"
    models_file.write_text("models: {}\n")
    (folder / "beside").mkdir()
    settings = {"DEFAULT_MODEL": "auto", "RESPONSE_CACHE_TTL_S": "600", "MODELS_FILE": str(models_file)}
    async with (
        open_servers() as servers,
        open_world(folder, mongodb_uri, "telegram", "discord", **settings, **servers.settings) as world,
    ):
        world.provider.models = (*OPENAI.models, FakeModel(id=NOVEL))
        await world.start()
        yield House(world=world, servers=servers, models_file=models_file, folder=folder / "beside")
        _no_key_was_told(world, servers)


def _no_key_was_told(world: World, servers: Servers) -> None:
    bodies = [request.body for request in world.provider.requests]
    bodies += [asked.body for server in (servers.anthropic, servers.gemini, servers.ollama) for asked in server.asked]
    told = str(bodies)
    for secret in world.secrets:
        assert secret not in told, "a secret was sent to a model"


@pytest.fixture(params=["telegram", "discord"])
def door(house: House, request: pytest.FixtureRequest) -> Door:
    return house.world.doors[request.param]


MODELS = (
    "openai/gpt-6-luna",
    "anthropic/claude-haiku-5-5",
    "gemini/gemini-3.8-flash",
    "ollama/llama3.2:latest",
)


async def test_every_channel_is_answered_by_the_model_that_is_chosen_there(door: Door, house: House) -> None:
    ann = door.person("Ann")
    chats = {model: door.shared(ann) for model in MODELS}
    for model, chat in chats.items():
        chosen = await chat.command("model", name=model, scope="channel")
        assert model in chosen
        chat.mention(f"who are you, {chat.key}?")

    for model, chat in chats.items():
        question = f"who are you, {chat.key}?"
        await chat.until(lambda shown, question=question: any(question in each.text for each in shown))  # type: ignore[misc]
        (asked,) = asked_about(house.server(model), question)
        assert asked.model == model.partition("/")[2]
        assert "Parley" in asked.system
        (turn,) = await house.world.until_turns(chat.key, 1)
        assert (turn["outcome"], turn["model"]) == ("answered", model)
        (row,) = await house.world.usage(chat.key)
        assert (row["provider"], row["model"], row["certainty"]) == (model.partition("/")[0], model, "exact")
        assert (row["cost"] == 0) == model.startswith("ollama/")


async def test_models_shows_provider_price_abilities_and_health(door: Door, house: House) -> None:
    chat = door.shared(door.person("Ann"))
    await chat.command("model", name="anthropic/claude-haiku-5-5", scope="channel")
    await _said(chat, f"hello {chat.key}")

    claude = await chat.command("models", query="provider:anthropic haiku-5")
    free = await chat.command("models", query="free")

    (line,) = [line for line in claude.splitlines() if "anthropic/claude-haiku-5-5" in line]
    assert re.search(r"\$[\d.]+ in, \$[\d.]+ out per million tokens", line)
    assert "1,000,000 tokens" in line
    assert "sees images" in line
    assert re.search(r"begins after \d+\.\d s", line)
    assert "ollama/llama3.2:latest" in free
    assert "anthropic/" not in free


async def test_auto_names_its_pick_under_the_answer_and_why_explains_it(door: Door, house: House) -> None:
    chat = door.shared(door.person("Ann"))
    short, hard = f"hi there {chat.key}", f"prove that the square root of 2 is irrational, step by step {chat.key}"
    for question in (short, hard):
        shown = await _said(chat, question)
        why = await chat.command("why")
        turn = (await house.world.turns(chat.key))[-1]
        model = turn["model"]
        assert shown.text.splitlines()[-1].strip("-# *_") == f"auto: {model}"
        assert turn["route"]["asked"] == "auto"
        assert model in why
        assert all(reason.replace("`", "") in why.replace("`", "") for reason in turn["route"]["reasons"])
        assert len(asked_about(house.server(model), question)) == 1

    easy_model, hard_model = [turn["model"] for turn in await house.world.turns(chat.key)]
    assert easy_model != hard_model


async def test_the_same_question_in_the_same_context_is_answered_once_and_paid_once(door: Door, house: House) -> None:
    chat = door.shared(door.person("Ann"))
    await chat.command("model", name="openai/gpt-6-luna", scope="channel")
    question = f"what is the capital of France, {chat.key}?"
    first = await _said(chat, question)
    await chat.command("new")

    again = await _said(chat, question)

    assert again.text.startswith(first.text)
    assert "used again: no cost" in again.text
    assert len(house.world.asked(question)) == 1
    paid, kept = await house.world.usage(chat.key)
    assert paid["cost"] > 0
    assert (kept["kind"], kept["cost"], kept["certainty"]) == ("cached", 0, "exact")
    assert "2 requests" in await chat.command("cost")


async def test_compare_shows_the_answers_with_their_costs_and_a_button_adopts_one(door: Door, house: House) -> None:
    ann = door.person("Ann")
    chat = door.private(ann)
    message = f"Why is the sky blue over {chat.key}?"

    text = await chat.command("compare", message=message, models="openai/gpt-6-luna gemini/gemini-3.8-flash")

    assert text.count(f"You said: {message}") == 2
    assert len(re.findall(r"\d+\.\d s .* in · .* out · \$0\.\d+", text)) == 2
    rows = await house.world.usage(chat.key)
    assert sorted(row["model"] for row in rows) == ["gemini/gemini-3.8-flash", "openai/gpt-6-luna"]
    assert {row["kind"] for row in rows} == {"comparison"}

    chat.press("gemini/gemini-3.8-flash")
    await until(lambda: _is_chosen(ann, "gemini/gemini-3.8-flash", house), "the button chooses the model")
    await _said(chat, f"and at night, {chat.key}?")
    assert len(asked_about(house.servers.gemini, f"and at night, {chat.key}?")) == 1


async def test_an_edited_models_file_counts_without_a_restart_and_a_wrong_one_does_not(house: House) -> None:
    door = house.world.doors["discord"]
    chat = door.private(door.person("Ann"))
    assert "no model" in await chat.command("model", name="shiny")

    house.models_file.write_text(MODELS_FILE)
    await house.world.parley.wait_for_log("models.yaml was read again")
    chosen = await chat.command("model", name="shiny")
    assert "openai/gpt-7-nova" in chosen
    assert "$2.00 in, $8.00 out" in chosen
    await _said(chat, f"are you new, {chat.key}?")
    (row,) = await house.world.usage(chat.key)
    assert (row["model"], row["price_source"]) == ("openai/gpt-7-nova", "catalogue")
    assert row["cost"] == row["usage"]["input_tokens"] * 2_000 + row["usage"]["output_tokens"] * 8_000

    house.models_file.write_text(BROKEN_FILE)
    line = await house.world.parley.wait_for_log(r".*MODELS_FILE is not taken over.*")
    assert re.search(r"models\.yaml:4: openai/gpt-7-nova: .*price", line[0])
    assert "no model" in await chat.command("model", name="glossy")
    assert "$2.00 in, $8.00 out" in await chat.command("model", name="shiny")


async def test_doctor_checks_every_provider(house: House) -> None:
    code, output = await house.parley("doctor")

    assert code == 0, output
    for name in ("openai", "anthropic", "gemini", "ollama"):
        assert re.search(rf"^ok\s+{name}: .*\d", output, re.MULTILINE), output
    assert not [secret for secret in house.world.secrets if secret in output]


async def _said(chat: Chat, question: str) -> Shown:
    """Say something to the bot and wait for one more message of it that is whole."""
    before = len(chat.shown())
    chat.mention(question)
    return await chat.until(lambda shown: len(shown) == before + 1 and not shown[-1].buttons)


async def _is_chosen(person: Person, model: str, house: House) -> bool:
    stored = await house.world.database["settings"].find_one({"_id": f"me:{person.key}"})
    return stored is not None and stored["values"] == {"model": model}
