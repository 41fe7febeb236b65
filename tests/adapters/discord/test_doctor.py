"""What the doctor says, and that it says what to do."""

from adapters.discord.doctor import check
from bot.core.clock import SystemClock
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.faults import Respond


async def test_a_healthy_bot_is_named(fake: FakeDiscord, channel: int) -> None:
    token, intent = await check(fake.token, fake.url, SystemClock())

    assert token[0]
    assert "parley" in token[1]
    assert "1 server" in token[1]
    assert intent[0]
    assert fake.identifies == 0


async def test_each_fault_comes_with_its_remedy(fake: FakeDiscord) -> None:
    fake.set_portal(message_content="none")
    lonely, intent = await check(fake.token, fake.url, SystemClock())
    ((wrong, remedy),) = await check("wrong", fake.url, SystemClock())
    fake.faults.add("GET", "^/users/@me$", Respond(status=503))
    ((down, later),) = await check(fake.token, fake.url, SystemClock())
    ((gone, network),) = await check(fake.token, "http://127.0.0.1:9/api", SystemClock())

    assert lonely[0]
    assert f"client_id={fake.application_id}" in lonely[1]
    assert not intent[0]
    assert "Message Content Intent" in intent[1]
    assert not wrong
    assert "Reset Token" in remedy
    assert not down
    assert "Try again later" in later
    assert not gone
    assert "DISCORD_API_URL" in network


async def test_a_server_that_tells_less_than_discord_is_no_failure(fake: FakeDiscord) -> None:
    for path in ("^/applications/@me$", "^/users/@me/guilds$"):
        fake.faults.add("GET", path, Respond(status=404, body={"message": "404: Not Found", "code": 0}))
    token, intent = await check(fake.token, fake.url, SystemClock())

    assert token == (True, f"Discord: the token is valid, the bot is parley (id {fake.bot_user_id})")
    assert intent[0]
