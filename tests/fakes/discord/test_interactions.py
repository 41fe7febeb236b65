"""Interactions of the fake, driven by discord.py: commands, autocomplete, buttons, deadlines."""

import re

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.http import Route

from tests.fakes.discord.client import Bot, a_channel, refused
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.records import Json


def add_commands(bot: Bot) -> None:
    @bot.tree.command(description="Say hello")
    async def hello(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message(f"hello {name}", ephemeral=True)
        await interaction.edit_original_response(content=f"hello again {name}")
        await interaction.followup.send("more")

    @hello.autocomplete("name")
    async def names(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=typed + "!", value=typed + "!")]

    @bot.tree.command(description="Think")
    async def think(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("thought")


async def test_slash_commands_and_autocomplete_are_answered(fake: FakeDiscord, bot: Bot) -> None:
    add_commands(bot)
    await bot.tree.sync()
    channel, ada = a_channel(fake), fake.add_user()
    fake.add_member(next(iter(fake.world.guilds)), ada.id)
    used = fake.slash(channel, ada.id, "hello", {"name": "Ada"})
    await fake.wait_for(lambda: used.followups)

    assert used.ephemeral
    assert used.original
    assert used.original.texts == ("hello Ada", "hello again Ada")
    assert [m.content for m in used.followups] == ["more"]
    assert [m.content for m in fake.bot_messages(channel)] == ["more"]
    typed = fake.autocomplete(channel, ada.id, "hello", "name", "Gr")
    await typed.acknowledged()
    assert typed.choices
    assert typed.choices[0]["value"] == "Gr!"
    thought = fake.slash(channel, ada.id, "think")
    assert (await thought.answered()).content == "thought"
    assert thought.callback_type == 5
    assert thought.followups == ()
    assert fake.command_syncs == 1
    with pytest.raises(AssertionError, match="requires"):
        fake.slash(channel, ada.id, "hello")


async def test_bad_commands_are_refused(fake: FakeDiscord, bot: Bot) -> None:
    assert bot.application_id == fake.application_id
    option: Json = {"name": "Bad Name", "description": "", "type": 3}
    body: list[Json] = [{"name": "UPPER", "description": "d" * 101, "options": [option]}]
    route = Route("PUT", "/applications/{app}/commands", app=fake.application_id)
    error = await refused(400, 50035, lambda: bot.http.request(route, json=body))

    assert len(re.findall("Command name is invalid", error.text)) == 2
    assert "description" in error.text


async def test_a_late_or_second_callback_is_refused(fake: FakeDiscord, bot: Bot) -> None:
    add_commands(bot)
    await bot.tree.sync()
    channel, ada = a_channel(fake), fake.add_user()
    done = fake.slash(channel, ada.id, "think")
    await done.answered()

    async def again(token: str, interaction_id: int) -> tuple[int, int]:
        url = f"{fake.url}/interactions/{interaction_id}/{token}/callback"
        async with aiohttp.ClientSession() as http, http.post(url, json={"type": 5}) as answer:
            return answer.status, (await answer.json())["code"]

    assert await again(done.token, done.id) == (400, 40060)
    fake.drop_connections(None)
    late = fake.slash(channel, ada.id, "think")
    fake.advance(3.1)
    assert await again(late.token, late.id) == (404, 10062)
    fake.advance(900)
    url = f"{fake.url}/webhooks/{fake.application_id}/{done.token}"
    async with aiohttp.ClientSession() as http, http.post(url, json={"content": "late"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, 50027)


async def test_a_button_updates_its_message(fake: FakeDiscord, bot: Bot) -> None:
    channel, ada = a_channel(fake), fake.add_user()

    class Buttons(discord.ui.View):
        @discord.ui.button(label="Stop", custom_id="stop")
        async def stop_it(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
            await interaction.response.edit_message(content="stopped", view=None)

    sent = await bot.place(channel).send("running", view=Buttons(timeout=None))
    clicked = fake.click(sent.id, "Stop", ada.id)
    await clicked.acknowledged()

    assert clicked.callback_type == 7
    assert fake.message(sent.id).content == "stopped"
    assert fake.message(sent.id).components == ()
